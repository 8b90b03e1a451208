/** What somebody may have meant who typed a name that there is not. */

/** ` Did you mean …?`, or nothing where none of the names is near. */
export function hint(typed: string, names: Iterable<string>): string {
  const most = Math.max(1, Math.floor(typed.length / 3));
  const [nearest] = [...names]
    .map((name) => ({ name, away: name.startsWith(typed) && typed !== '' ? 0 : distance(typed, name) }))
    .filter(({ away }) => away <= most)
    .toSorted((one, other) => one.away - other.away);
  return nearest ? ` Did you mean '${nearest.name}'?` : '';
}

/** How many letters are to be added, taken away, changed, or exchanged with their neighbour. */
function distance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const isTurned = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row[j] = Math.min(
        (rows[i - 1]?.[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (rows[i - 1]?.[j - 1] ?? 0) + (isSame ? 0 : 1),
        isTurned ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
