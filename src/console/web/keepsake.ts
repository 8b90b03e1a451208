/** What a reader chose for the page itself, kept in this browser; never data of the gateway. */
export function recall<V extends string>(name: string, allowed: readonly V[]): V | undefined {
  return allowed.find((value) => value === localStorage.getItem(`gatehouse.${name}`));
}

export function keep(name: string, value: string): void {
  localStorage.setItem(`gatehouse.${name}`, value);
}
