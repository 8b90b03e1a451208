/**
 * What is known of a segment without reading it again: for each record when it happened, where it stands and its shape.
 * Invariant: the index selects and proves nothing; whatever is shown is read from the trail, its checksum included.
 */
import { Entry } from '../../audit/entry.ts';
import { readLine, type LinePrefix } from '../../audit/line.ts';
import type { SegmentName } from '../../audit/segment-name.ts';
import { siblingEvent } from '../../audit/siblings.ts';
import { shapeOf, wordsOf } from './shape.ts';
import { WordFilter } from './word-filter.ts';

export interface SegmentIndex {
  readonly name: SegmentName;
  readonly count: number;
  /** Of each record, in the order of the segment: ms since 1970, place in the file, bytes without newline, shape. */
  readonly times: Float64Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly shapes: Uint32Array;
  /** Records that differ only in what no facet shows have the same one; each is a line of its own, without prefix and checksum. */
  readonly shapeTexts: readonly string[];
  /** Absent while the segment is being written. */
  readonly words: WordFilter | undefined;
  /** Everything before this byte is in the index. */
  readonly position: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly lastEvent: string;
  /** Of its footer. */
  readonly reason: string | undefined;
  readonly siblings: readonly NamedSibling[];
  /** The first ones. */
  readonly damages: readonly string[];
}

export interface NamedSibling {
  readonly origin: string;
  readonly size: number;
}

const mostDamages = 10;

/** Grows with its segment. */
export class IndexBuilder {
  readonly #name: SegmentName;
  readonly #words: WordFilter | undefined;
  #count = 0;
  #times: Float64Array = new Float64Array(1024);
  #offsets: Uint32Array = new Uint32Array(1024);
  #lengths: Uint32Array = new Uint32Array(1024);
  #shapes: Uint32Array = new Uint32Array(1024);
  readonly #shapeIds = new Map<string, number>();
  readonly #siblings = new Map<string, number>();
  readonly #damages: string[] = [];
  #position = 0;
  #firstMs = Infinity;
  #lastMs = -Infinity;
  #expected: number | undefined;
  #lastEvent = '';
  #reason: string | undefined;

  /** @param words where the segment will not grow any more */
  constructor(name: SegmentName, words?: WordFilter) {
    this.#name = name;
    this.#words = words;
  }

  /** Goes on where `kept` ends; `seq` is that of its last record. */
  static from(kept: SegmentIndex, seq: number): IndexBuilder {
    const builder = new IndexBuilder(kept.name, kept.words);
    builder.#count = kept.count;
    builder.#times = kept.times;
    builder.#offsets = kept.offsets;
    builder.#lengths = kept.lengths;
    builder.#shapes = kept.shapes;
    for (const [id, text] of kept.shapeTexts.entries()) builder.#shapeIds.set(text, id);
    for (const { origin, size } of kept.siblings) builder.#siblings.set(origin, size);
    builder.#damages.push(...kept.damages);
    builder.#position = kept.position;
    builder.#firstMs = kept.firstMs;
    builder.#lastMs = kept.lastMs;
    builder.#expected = seq + 1;
    builder.#lastEvent = kept.lastEvent;
    builder.#reason = kept.reason;
    return builder;
  }

  get position(): number {
    return this.#position;
  }

  /** @param offset where the line begins */
  take(line: Buffer, offset: number): void {
    this.#position = offset + line.length + 1;
    const prefix = readLine(line);
    this.#follow(prefix);
    if (!prefix) return;
    const entry = new Entry('', this.#name, prefix, line);
    this.#place(Date.parse(prefix.ts), offset, line.length, this.#shapeId(entry));
    if (this.#words) for (const word of wordsOf(entry)) this.#words.add(word);
    this.#lastEvent = prefix.event;
    this.#reason = entry.text('reason');
    if (prefix.event === siblingEvent) this.#note(entry);
  }

  index(): SegmentIndex {
    const count = this.#count;
    return {
      name: this.#name,
      count,
      times: this.#times.subarray(0, count),
      offsets: this.#offsets.subarray(0, count),
      lengths: this.#lengths.subarray(0, count),
      shapes: this.#shapes.subarray(0, count),
      shapeTexts: [...this.#shapeIds.keys()],
      words: this.#words,
      position: this.#position,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      lastEvent: this.#lastEvent,
      reason: this.#reason,
      siblings: [...this.#siblings].map(([origin, size]) => ({ origin, size })),
      damages: [...this.#damages],
    };
  }

  #place(ms: number, offset: number, length: number, shape: number): void {
    if (this.#count === this.#times.length) this.#grow();
    this.#times[this.#count] = ms;
    this.#offsets[this.#count] = offset;
    this.#lengths[this.#count] = length;
    this.#shapes[this.#count] = shape;
    this.#count += 1;
    this.#firstMs = Math.min(this.#firstMs, ms);
    this.#lastMs = Math.max(this.#lastMs, ms);
  }

  #grow(): void {
    const length = 2 * this.#times.length;
    const [times, offsets, lengths, shapes] = [this.#times, this.#offsets, this.#lengths, this.#shapes];
    (this.#times = new Float64Array(length)).set(times);
    (this.#offsets = new Uint32Array(length)).set(offsets);
    (this.#lengths = new Uint32Array(length)).set(lengths);
    (this.#shapes = new Uint32Array(length)).set(shapes);
  }

  #shapeId(entry: Entry): number {
    return this.#shapeIds.getOrInsertComputed(shapeOf(entry), () => this.#shapeIds.size);
  }

  /** Whether each line follows the one before it by number; the hashes are the verifier's. */
  #follow(prefix: LinePrefix | undefined): void {
    const expected = this.#expected ?? this.#name.firstSeq;
    if (!prefix) this.#damage(`a line is not as it was written (seq ${expected})`);
    else if (prefix.seq !== expected) this.#damage(`${expected} was expected, ${prefix.seq} found`);
    this.#expected = (prefix?.seq ?? expected) + 1;
  }

  #damage(reason: string): void {
    if (this.#damages.length < mostDamages) this.#damages.push(reason);
  }

  #note(entry: Entry): void {
    const [origin, size] = [entry.text('facts', 'origin'), entry.number('facts', 'size')];
    if (origin === undefined || size === undefined) return;
    this.#siblings.set(origin, Math.max(size, this.#siblings.get(origin) ?? 0));
  }
}
