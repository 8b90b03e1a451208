/**
 * Waiting calls, and who is next: first which priority, then which caller, then who came first. A priority that has
 * waited a step longer for a turn counts as one more urgent, and for a few steps as the most urgent. Callers of one
 * priority take turns in a ring.
 *
 * Every call costs one turn and all callers count alike, so start-time fair queueing comes to such a ring; tags
 * would do the same, but a call that is given up would leave a hole in them, and its caller would lose a turn.
 */
import { priorities, type Priority } from '../scim/operation.ts';

/**
 * Steps that the most urgent have before all others. Every replica lets the others in for itself, so with none a few
 * replicas would give a fifth of the turns to loads while many users are to be switched off.
 */
const headStart = 5;

export interface Waiting {
  readonly caller: string;
  readonly priority: Priority;
}

/** So many calls of a priority wait for turns. */
export interface Need {
  readonly priority: Priority;
  readonly calls: number;
}

/** The calls of one priority. */
interface Lane<T> {
  readonly priority: Priority;
  /** Its last turn, or when it began to wait if that was later; its own length gives it no claim on others. */
  since: number;
  /** A caller's calls in the order of arrival; the callers in the order of their turns. */
  readonly ring: Map<string, T[]>;
}

export class Queue<T extends Waiting> implements Iterable<T> {
  readonly #step: number;
  readonly #lanes: readonly Lane<T>[];
  #length = 0;

  /** @param step how much longer a priority waits until it counts as one more urgent */
  constructor(
    step: number,
    lanes: readonly Lane<T>[] = Object.values(priorities).map((priority) => ({
      priority,
      since: 0,
      ring: new Map(),
    })),
  ) {
    this.#step = step;
    this.#lanes = lanes.toSorted((some, other) => some.priority - other.priority);
    for (const _call of this) this.#length += 1;
  }

  get length(): number {
    return this.#length;
  }

  /** The same calls in the same places; what is taken from it stays here. It tells who will be when at his turn. */
  copy(): Queue<T> {
    const copyOf = (ring: Lane<T>['ring']) =>
      new Map([...ring].map(([caller, calls]) => [caller, [...calls]]));
    return new Queue(
      this.#step,
      this.#lanes.map((lane) => ({ ...lane, ring: copyOf(lane.ring) })),
    );
  }

  add(call: T, now: number): void {
    const lane = this.#laneOf(call);
    if (lane.ring.size === 0) lane.since = now;
    lane.ring.getOrInsertComputed(call.caller, () => []).push(call);
    this.#length += 1;
  }

  remove(call: T): void {
    const { ring } = this.#laneOf(call);
    const calls = ring.get(call.caller) ?? [];
    const at = calls.indexOf(call);
    if (at < 0) return;
    calls.splice(at, 1);
    if (calls.length === 0) ring.delete(call.caller);
    this.#length -= 1;
  }

  /** The most urgent priority of which calls wait, and how many they are. */
  get mostUrgent(): Need | undefined {
    const lane = this.#lanes.find(({ ring }) => ring.size > 0);
    if (!lane) return undefined;
    let calls = 0;
    for (const { length } of lane.ring.values()) calls += length;
    return { priority: lane.priority, calls };
  }

  /** Whether a more urgent call, did it wait here too, would be next; then it has had its turn. */
  passTo(priority: Priority, now: number): boolean {
    const next = this.#next();
    const lane = this.#lanes[priority];
    if (!next || !lane || priority >= (this.mostUrgent?.priority ?? priority)) return false;
    if (this.#rank(next) <= this.#rank(lane)) return false;
    lane.since = now;
    return true;
  }

  first(): T | undefined {
    return this.#next()?.ring.values().next().value?.[0];
  }

  takeFirst(now: number): T | undefined {
    const lane = this.#next();
    const [caller, calls] = lane?.ring.entries().next().value ?? [];
    const call = calls?.shift();
    if (!lane || !calls || caller === undefined || !call) return undefined;
    lane.since = now;
    lane.ring.delete(caller);
    if (calls.length > 0) lane.ring.set(caller, calls);
    this.#length -= 1;
    return call;
  }

  /** The latest of the least urgent calls of whoever has the most calls here: who fills the room makes room. */
  lastOfMost(): T | undefined {
    const counts = new Map<string, number>();
    for (const { caller } of this) counts.set(caller, (counts.get(caller) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const { ring } of this.#lanes.toReversed()) {
      const caller = [...ring.keys()].findLast((name) => counts.get(name) === most);
      if (caller !== undefined) return ring.get(caller)?.at(-1);
    }
    return undefined;
  }

  /** All calls, in no order that means anything. */
  *[Symbol.iterator](): Generator<T, void> {
    for (const { ring } of this.#lanes) for (const calls of ring.values()) yield* calls;
  }

  #laneOf({ priority }: Waiting): Lane<T> {
    const lane = this.#lanes[priority];
    if (!lane) throw new RangeError(`There is no priority ${String(priority)}.`);
    return lane;
  }

  #next(): Lane<T> | undefined {
    let next: Lane<T> | undefined;
    for (const lane of this.#lanes)
      if (lane.ring.size > 0 && (!next || this.#rank(lane) < this.#rank(next))) next = lane;
    return next;
  }

  #rank({ since, priority }: Lane<T>): number {
    const steps = priority === priorities.delete ? 0 : priority + headStart;
    return since + steps * this.#step;
  }
}
