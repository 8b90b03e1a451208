/** How a segment's file is called; the order of names is the order of the chain. */

export interface SegmentName {
  readonly chain: string;
  readonly number: number;
  readonly firstSeq: number;
}

/** Zero-padded, for that order. */
export function fileOf({ chain, number, firstSeq }: SegmentName): string {
  return `audit-${chain}-${String(number).padStart(8, '0')}-${String(firstSeq).padStart(16, '0')}.jsonl`;
}

export function parseFileName(file: string): SegmentName | undefined {
  const [, chain, number, firstSeq] = /^audit-([0-9a-f]{32})-(\d{8})-(\d{16})\.jsonl$/.exec(file) ?? [];
  if (!chain) return undefined;
  return { chain, number: Number(number), firstSeq: Number(firstSeq) };
}
