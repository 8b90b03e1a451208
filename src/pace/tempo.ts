/**
 * How much of the configured pace the tenant bears now, learnt from its answers: a share that a refusal or answers that
 * take longer than usual make smaller, and answers as usual greater, never beyond 1.
 *
 * What is usual differs by system and kind of call, so each is compared with its own past. The tenant counts over a
 * minute, so what a change of ours does shows only after a while, and until then it is not repeated
 * (docs/decisions/0016-a-learnt-tempo.md has the figures that these constants were chosen by).
 */
const looksPerMinute = 12;
const slower = 0.8;
/** After a refusal, which comes long after the first slow answer. */
const refusedSlower = 0.6;
const fasterPerLook = 0.01;
const least = 0.1;
/** Longest without another step down, in looks. */
const patienceLooks = 8;
/** A call is slow that takes half as long again as usual, and this much longer. */
const slowRatio = 1.5;
const slowPerMinute = 120;
/** What a busy machine does to any answer. */
const noiseUs = 100_000;
const enough = 4;
/** Periods of a minute of which the quickest is the usual one. */
const periodsKept = 10;
const samplesKept = 32;

export class Tempo {
  readonly #minuteUs: number;
  readonly #usual = new Map<string, Usual>();
  #share = 1;
  #slow = 0;
  #seen = 0;
  #looksAt = 0;
  #heldUntil = 0;

  constructor(minuteMs: number) {
    this.#minuteUs = minuteMs * 1000;
  }

  /** Of the configured pace; greater than 0 and at most 1. */
  get share(): number {
    return this.#share;
  }

  /** @param alike what calls are named that usually take equally long */
  observe(alike: string, tookUs: number, now: number): void {
    const usual = this.#usual.getOrInsertComputed(alike, () => new Usual(this.#minuteUs));
    const usually = usual.of(tookUs, now);
    if (usually === undefined) return;
    const marginUs = Math.max(noiseUs, this.#minuteUs / slowPerMinute);
    this.#seen += 1;
    this.#slow += Number(tookUs > usually * slowRatio + marginUs);
    if (now >= this.#looksAt) this.#look(now);
  }

  /** The tenant refused a call. */
  refused(now: number): void {
    if (now >= this.#heldUntil) this.#slowDown(refusedSlower, now);
  }

  #look(now: number): void {
    if (this.#seen < enough) return;
    const isSlow = this.#slow * 2 > this.#seen;
    [this.#slow, this.#seen] = [0, 0];
    this.#looksAt = now + this.#minuteUs / looksPerMinute;
    if (!isSlow) this.#share = Math.min(1, this.#share + fasterPerLook);
    else if (now >= this.#heldUntil) this.#slowDown(slower, now);
  }

  #slowDown(by: number, now: number): void {
    this.#share = Math.max(least, this.#share * by);
    this.#heldUntil = now + (patienceLooks * this.#minuteUs) / looksPerMinute;
  }
}

/** How long calls of one sort usually take: the median of the quickest of the last minutes. */
class Usual {
  readonly #minuteUs: number;
  readonly #medians: number[] = [];
  #samples: number[] = [];
  #endsAt = 0;

  constructor(minuteUs: number) {
    this.#minuteUs = minuteUs;
  }

  /** Undefined until enough is known. */
  of(tookUs: number, now: number): number | undefined {
    if (this.#endsAt === 0) this.#endsAt = now + this.#minuteUs;
    if (now >= this.#endsAt && this.#samples.length >= enough) {
      this.#medians.push(median(this.#samples));
      if (this.#medians.length > periodsKept) this.#medians.shift();
      this.#samples = [];
      this.#endsAt = now + this.#minuteUs;
    }
    if (this.#samples.length < samplesKept) this.#samples.push(tookUs);
    if (this.#medians.length > 0) return Math.min(...this.#medians);
    return this.#samples.length < enough ? undefined : median(this.#samples);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((some, other) => some - other)[Math.floor(values.length / 2)] ?? 0;
}
