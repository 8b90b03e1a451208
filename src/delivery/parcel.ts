/** What is read, in portions that a destination takes at once: bounded in number and size, so that memory is too. */
import type { Message } from './message.ts';
import type { Place } from './place.ts';
import type { Step } from './source.ts';

export interface Parcel {
  /** Undefined when the destination does not want it. */
  readonly message: Message | undefined;
  readonly missing: number;
  readonly place: Place;
  /** When it happened, in ms; undefined when nothing is there any more. */
  readonly at: number | undefined;
}

export type Batch = readonly Parcel[];

const mostMessages = 500;
const mostBytes = 512 * 1024;
/** Of records that nobody wants, so that the place moves on. */
const mostParcels = 5000;

/** @param pack gives the message that the destination wants, if it wants one */
export async function* batchesOf(
  steps: AsyncIterable<Step>,
  pack: (step: Step) => Message | undefined,
): AsyncGenerator<Batch> {
  let batch: Parcel[] = [];
  let [messages, bytes] = [0, 0];
  for await (const step of steps) {
    const { entry, missing, place } = step;
    const message = pack(step);
    batch.push({ message, missing, place, at: entry && Date.parse(entry.ts) });
    if (message) [messages, bytes] = [messages + 1, bytes + message.entry.line.length];
    if (messages < mostMessages && bytes < mostBytes && batch.length < mostParcels) continue;
    yield batch;
    [batch, messages, bytes] = [[], 0, 0];
  }
  if (batch.length > 0) yield batch;
}
