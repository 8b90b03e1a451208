/**
 * Notices when the clock of the day is set: it is held every second against the one that never jumps. Times in the trail
 * before and after such a step cannot be compared but by `mono`.
 */
const everyMs = 1000;
const leastStepMs = 2000;

export interface Clocks {
  readonly day: () => number;
  readonly mono: () => number;
}

const real: Clocks = { day: () => Date.now(), mono: () => performance.now() };

/** @param onStep is told by how much, in milliseconds: below zero the clock was set back */
export function watchClock(
  onStep: (stepMs: number) => void,
  { day, mono }: Clocks = real,
  intervalMs = everyMs,
): Disposable {
  let before = day() - mono();
  const timer = setInterval(() => {
    const now = day() - mono();
    const step = now - before;
    before = now;
    if (Math.abs(step) > leastStepMs) onStep(Math.round(step));
  }, intervalMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
