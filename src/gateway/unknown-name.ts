/** How a name that nothing has is told, with those that there are, so that nobody has to look them up. */
export function unknownName(kind: string, name: string, known: readonly string[]): string {
  return `there is no ${kind} ${JSON.stringify(name)}; there ${known.length === 1 ? 'is' : 'are'}: ${known.join(', ') || 'none'}`;
}
