/**
 * What this replica knows of writes: records, and which attempt wrote a resource last. It is bounded; what does not fit is
 * the oldest, and a repeat of that goes up again.
 */
import { encodeRecord, type WriteRecord } from './write-record.ts';

interface Kept<T> {
  readonly value: T;
  readonly until: number;
  readonly bytes: number;
}

const maxBytes = 32 * 1024 * 1024;
const markBytes = 256;

export class OwnRecords {
  readonly #now: () => number;
  /** The oldest first. */
  readonly #records = new Map<string, Kept<WriteRecord>>();
  readonly #marks = new Map<string, Kept<string>>();
  #bytes = 0;

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get(name: string): WriteRecord | undefined {
    return this.#find(this.#records, name);
  }

  keep(name: string, record: WriteRecord, forMs: number): void {
    this.#put(this.#records, name, record, { forMs, bytes: encodeRecord(record).length + markBytes });
  }

  drop(name: string): void {
    this.#remove(this.#records, name);
  }

  mark(resources: readonly string[], run: string, forMs: number): void {
    for (const resource of resources) this.#put(this.#marks, resource, run, { forMs, bytes: markBytes });
  }

  /** The attempt that wrote it last. */
  writer(resource: string): string | undefined {
    return this.#find(this.#marks, resource);
  }

  #find<T>(kept: Map<string, Kept<T>>, name: string): T | undefined {
    const found = kept.get(name);
    if (!found || found.until > this.#now()) return found?.value;
    this.#remove(kept, name);
    return undefined;
  }

  #put<T>(
    kept: Map<string, Kept<T>>,
    name: string,
    value: T,
    { forMs, bytes }: { forMs: number; bytes: number },
  ): void {
    this.#remove(kept, name);
    kept.set(name, { value, until: this.#now() + forMs, bytes });
    this.#bytes += bytes;
    this.#sweep(this.#records);
    this.#sweep(this.#marks);
  }

  #remove<T>(kept: Map<string, Kept<T>>, name: string): void {
    this.#bytes -= kept.get(name)?.bytes ?? 0;
    kept.delete(name);
  }

  #sweep<T>(kept: Map<string, Kept<T>>): void {
    for (const [name, { until }] of kept) {
      if (until > this.#now() && this.#bytes <= maxBytes) return;
      this.#remove(kept, name);
    }
  }
}
