/**
 * Writes that are not done: they failed, or nobody knows, and no later one made up for them. In one pass and bounded
 * memory: what is kept of a write is a few words, and only until its success is read.
 */
import type { Entry } from './entry.ts';
import { intentEvent, unknownEvent } from './recover.ts';

/** `lost`: its gateway ended before the tenant answered, and may not have been started again. */
export type WorkState = 'failed' | 'unknown' | 'lost';

export interface Work {
  readonly state: WorkState;
  readonly ts: string;
  readonly instance: string;
  readonly seq: number;
  readonly request: string | undefined;
  readonly caller: string | undefined;
  readonly tenant: string | undefined;
  readonly system: string | undefined;
  readonly kind: string;
  readonly resourceType: string | undefined;
  /** Pseudonyms, by which `audit search` and `audit reveal` find the rest. */
  readonly id: string | undefined;
  readonly userName: string | undefined;
  readonly bodyHash: string | undefined;
  readonly status: number | undefined;
  readonly error: string | undefined;
  /** How often it was tried. */
  readonly tries: number;
}

export interface WorklistOptions {
  /** The last instant at which a write may have failed; successes count to the end. */
  readonly until?: number | undefined;
  readonly system?: string | undefined;
  /** Beyond this many the oldest are let go. */
  readonly most?: number;
  readonly isRunning?: (instance: string) => boolean;
}

export interface Worklist {
  /** The earliest first. */
  readonly works: readonly Work[];
  /** How many were let go. */
  readonly left: number;
}

export async function worklist(
  entries: AsyncIterable<Entry>,
  options: WorklistOptions = {},
): Promise<Worklist> {
  const open = new Map<string, Entry>();
  const undone = new Undone(options);
  for await (const entry of entries) {
    const key = `${entry.instance} ${entry.number('intent') ?? entry.seq}`;
    if (entry.event === intentEvent) {
      if (isWrite(entry)) open.set(key, entry.kept());
    } else if (entry.event === unknownEvent) {
      const intent = open.get(key);
      if (intent) undone.add('lost', intent);
      open.delete(key);
    } else if (entry.number('intent') !== undefined) {
      const intent = open.get(key);
      if (intent && entry.text('outcome', 'result') === 'success') undone.succeed(intent);
      open.delete(key);
    } else if (isWrite(entry)) undone.take(entry);
  }
  const { isRunning = () => false } = options;
  for (const intent of open.values()) if (!isRunning(intent.instance)) undone.add('lost', intent);
  return undone.list();
}

/** The looks of a write that is being looked for are of its call, and no writes. */
function isWrite(entry: Entry): boolean {
  return (
    entry.text('op', 'effect') === 'write' &&
    !['GET', 'HEAD'].includes(entry.text('upstream', 'method') ?? '')
  );
}

const mostKept = 250_000;

class Undone {
  readonly #options: WorklistOptions;
  /** By what a write is about, and in it by what it does. */
  readonly #works = new Map<string, Map<string, Work>>();
  #count = 0;
  #left = 0;

  constructor(options: WorklistOptions) {
    this.#options = options;
  }

  /** A record that ends a call. */
  take(entry: Entry): void {
    const result = entry.text('outcome', 'result');
    // What its caller may not do nobody has to make up for.
    if (result === undefined || entry.event === 'authz.denied') return;
    if (result === 'success' || isGone(entry)) this.succeed(entry);
    else this.add(result === 'unknown' ? 'unknown' : 'failed', entry);
  }

  /** All of a resource's, where this one says what it is from now on; else its equals alone. */
  succeed(entry: Entry): void {
    const about = aboutOf(entry);
    const works = this.#works.get(about);
    if (!works) return;
    const kind = entry.text('op', 'kind') ?? '';
    if (kind === 'patch') this.#remove(about, works, deedOf(entry));
    else {
      this.#works.delete(about);
      this.#count -= works.size;
    }
  }

  add(state: WorkState, entry: Entry): void {
    const { until, system, most = mostKept } = this.#options;
    if (until !== undefined && Date.parse(entry.ts) > until) return;
    if (system !== undefined && entry.text('op', 'system') !== system) return;
    const about = aboutOf(entry);
    const deed = deedOf(entry);
    const works = this.#works.getOrInsertComputed(about, () => new Map<string, Work>());
    const before = works.get(deed);
    if (!before) this.#count += 1;
    works.set(deed, workOf(state, entry, (before?.tries ?? 0) + 1));
    // The latest stand last.
    this.#works.delete(about);
    this.#works.set(about, works);
    if (this.#count > most) this.#letGo();
  }

  list(): Worklist {
    const works = [...this.#works.values()].flatMap((each) => [...each.values()]);
    return { works: works.toSorted((some, other) => (some.ts < other.ts ? -1 : 1)), left: this.#left };
  }

  #remove(about: string, works: Map<string, Work>, deed: string): void {
    if (!works.delete(deed)) return;
    this.#count -= 1;
    if (works.size === 0) this.#works.delete(about);
  }

  #letGo(): void {
    const [oldest] = this.#works;
    if (!oldest) return;
    const [about, works] = oldest;
    const [deed = ''] = works.keys();
    this.#remove(about, works, deed);
    this.#left += 1;
  }
}

/** Who is not there any more need not be deleted again. */
function isGone(entry: Entry): boolean {
  return entry.text('op', 'kind') === 'delete' && entry.number('outcome', 'http') === 404;
}

/** The resource; of a creation whom it is to bring; of anything else what it says. */
function aboutOf(entry: Entry): string {
  const { op, userName } = wordsOf(entry);
  const subject = entry.text('op', 'id') ?? userName ?? entry.text('body', 'hash') ?? '';
  return JSON.stringify([op.tenant, op.system, op.resourceType, subject]);
}

function deedOf(entry: Entry): string {
  const kind = entry.text('op', 'kind') ?? '';
  return kind === 'patch' ? `patch ${entry.text('body', 'hash') ?? ''}` : kind;
}

function wordsOf(entry: Entry) {
  const op = {
    tenant: entry.text('op', 'tenant'),
    system: entry.text('op', 'system'),
    kind: entry.text('op', 'kind') ?? '',
    resourceType: entry.text('op', 'resourceType'),
  };
  return { op, userName: entry.text('op', 'change', 'userName') };
}

function workOf(state: WorkState, entry: Entry, tries: number): Work {
  const { op, userName } = wordsOf(entry);
  return {
    state,
    ts: entry.ts,
    instance: entry.instance,
    seq: entry.seq,
    request: entry.text('req'),
    caller: entry.text('actor', 'name'),
    ...op,
    id: entry.text('op', 'id'),
    userName,
    bodyHash: entry.text('body', 'hash'),
    status: entry.number('outcome', 'http'),
    error: entry.text('outcome', 'error'),
    tries,
  };
}
