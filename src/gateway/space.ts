/**
 * Warns before the trail's file system is full, while there is time to do something. Each threshold that is passed is
 * told once; what gets better and then worse again is told again.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { parseFileName } from '../audit/segment-name.ts';
import { describeError, log } from '../log.ts';
import type { Note } from './own-trail.ts';

export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface SpaceWatchOptions {
  readonly space: () => Promise<Space>;
  /** What the trail has grown by within a day. */
  readonly bytesPerDay: () => Promise<number>;
  readonly tell: (facts: SpaceWarning) => void;
}

export interface SpaceWarning {
  readonly freeBytes: number;
  readonly freePercent: number;
  /** Absent where the trail did not grow. */
  readonly bytesPerDay?: number;
  readonly daysLeft?: number;
}

const dayMs = 86_400_000;
const checkMs = 60_000;
/** From the mildest to the worst; whichever of the two is reached first. */
const thresholds = [
  { days: 30, percent: 10 },
  { days: 7, percent: 5 },
  { days: 1, percent: 1 },
];

export class SpaceWatch implements Disposable {
  readonly #options: SpaceWatchOptions;
  #told = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(options: SpaceWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.check(), checkMs).unref();
  }

  /** Never rejects: a directory that is away is told by whoever writes to it. */
  async check(): Promise<void> {
    try {
      const { freeBytes, totalBytes } = await this.#options.space();
      const warning = warningOf(freeBytes, totalBytes, await this.#options.bytesPerDay());
      const passed = passedBy(warning);
      if (passed > this.#told) this.#options.tell(warning);
      this.#told = passed;
    } catch (error) {
      log.warn('the space for the trail cannot be seen', describeError(error));
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function warningOf(freeBytes: number, totalBytes: number, bytesPerDay: number): SpaceWarning {
  const freePercent = totalBytes === 0 ? 0 : Math.floor((freeBytes / totalBytes) * 1000) / 10;
  const daysLeft = Math.floor((freeBytes / bytesPerDay) * 10) / 10;
  return { freeBytes, freePercent, ...(bytesPerDay > 0 && { bytesPerDay, daysLeft }) };
}

/** How many of the thresholds. */
function passedBy({ freePercent, daysLeft = Infinity }: SpaceWarning): number {
  return thresholds.filter(({ days, percent }) => daysLeft <= days || freePercent <= percent).length;
}

/** By the segments that were written to within the last day; one that began before it counts as a whole. */
export async function grownWithinADay(directory: string, now = Date.now()): Promise<number> {
  const segments = (await readdir(directory)).filter((file) => parseFileName(file));
  const sizes = await Promise.all(
    segments.map(async (file) => {
      const { mtimeMs, size } = await stat(join(directory, file));
      return now - mtimeMs < dayMs ? size : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Tells the operational log and the trail. */
export function watchSpace(space: SpaceWatchOptions['space'], directory: string, note: Note): SpaceWatch {
  const watch = new SpaceWatch({
    space,
    bytesPerDay: () => grownWithinADay(directory),
    tell: (warning) => {
      log.warn('the space for the trail becomes scarce', { ...warning });
      note('audit.space_low', { ...warning });
    },
  });
  void watch.check();
  return watch;
}
