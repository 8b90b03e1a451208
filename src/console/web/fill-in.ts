/** Puts values into the words of a language: `{count}` is the value, `{count:call|calls}` the word for one or for several. */
export function fillIn(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(
    /\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g,
    (_, name: string, one?: string, several?: string) => {
      const value = String(values[name] ?? '');
      if (one === undefined || several === undefined) return value;
      return value === '1' ? one : several;
    },
  );
}
