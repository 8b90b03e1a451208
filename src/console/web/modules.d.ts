/** UI5 ships these without types. */
declare module '*.css.json' {
  const css: string;
  export default css;
}
