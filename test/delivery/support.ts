/** A trail that grows, and a destination that remembers what it got and does as the test says. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { genesis } from '../../src/audit/chain.ts';
import { Journal, type Limits } from '../../src/audit/journal.ts';
import { checkpointText, originOf } from '../../src/audit/note.ts';
import { listSegments } from '../../src/audit/recover.ts';
import { fileOf } from '../../src/audit/segment-name.ts';
import type { Destination } from '../../src/delivery/destination.ts';
import { filterOf, type Message } from '../../src/delivery/message.ts';
import { Shipper, type ShipperOptions } from '../../src/delivery/shipper.ts';

export const instance = 'gw-1';

export class GrowingTrail implements AsyncDisposable {
  readonly root: string;
  readonly directory: string;
  readonly #limits: Partial<Limits>;
  #journal: Journal;

  private constructor(root: string, limits: Partial<Limits>, journal: Journal) {
    this.root = root;
    this.directory = join(root, instance);
    this.#limits = limits;
    this.#journal = journal;
  }

  static async begin(limits: Partial<Limits> = {}): Promise<GrowingTrail> {
    const root = await mkdtemp(join(tmpdir(), 'gatehouse-delivery-'));
    const quick = { checkpointMs: 50, ...limits };
    return new GrowingTrail(root, quick, await openJournal(root, quick));
  }

  /** Records in order; when it resolves they are on disk. */
  async grow(count: number, event = 'request.outcome'): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, n) => this.#journal.append(event, { req: `r${n}` })));
  }

  async close(): Promise<void> {
    await this.#journal[Symbol.asyncDispose]();
  }

  async reopen(): Promise<void> {
    await this.close();
    this.#journal = await openJournal(this.root, this.#limits);
  }

  async segments(): Promise<string[]> {
    return (await listSegments(this.directory)).map((name) => join(this.directory, fileOf(name)));
  }

  /** All lines, oldest first. */
  async lines(): Promise<string[]> {
    const texts = await Promise.all((await this.segments()).map((path) => readFile(path, 'utf8')));
    return texts.flatMap((text) => text.split('\n').slice(0, -1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await rm(this.root, { recursive: true });
  }
}

/** One that nobody has signed. */
export function checkpointOf(chain: string, size: number): string {
  const origin = originOf(chain);
  return `${checkpointText(origin, size, genesis)}\n— ${origin} ${Buffer.alloc(68).toString('base64')}\n`;
}

function openJournal(directory: string, limits: Partial<Limits>): Promise<Journal> {
  const inst = { name: instance, host: 'dmz-1', version: '1.2.3' };
  return Journal.open({ directory, instance, inst, secret: Buffer.alloc(32, 7), limits });
}

/** Everything arrives unless `refuse` throws. */
export class Memory implements Destination {
  readonly enveloped = false;
  readonly taken: Message[] = [];
  tries = 0;
  refuse: (messages: readonly Message[]) => void = () => {};

  async send(messages: readonly Message[]): Promise<void> {
    await Promise.resolve();
    this.tries += 1;
    this.refuse(messages);
    this.taken.push(...messages);
  }

  get records(): Message[] {
    return this.taken.filter(({ isCheckpoint }) => !isCheckpoint);
  }

  get checkpoints(): Message[] {
    return this.taken.filter(({ isCheckpoint }) => isCheckpoint);
  }

  get bodies(): string[] {
    return this.records.flatMap(({ bodies }) => bodies);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

export interface Noted {
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface RunningShipper extends AsyncDisposable {
  readonly shipper: Shipper;
  readonly noted: Noted[];
}

/** Disposed, it ends as the gateway's does. */
export function ship(
  { directory }: Pick<GrowingTrail, 'directory'>,
  destination: Destination,
  options: Partial<ShipperOptions> & { readonly events?: readonly string[] } = {},
): RunningShipper {
  const { events = ['*'], ...rest } = options;
  const noted: Noted[] = [];
  const shipper = new Shipper(directory, instance, {
    name: 'siem',
    destination,
    format: 'native',
    wants: filterOf(events),
    timeoutMs: 5000,
    resendMs: 0,
    note: (event, facts) => void noted.push({ event, facts }),
    patienceMs: 0,
    ...rest,
  });
  return { shipper, noted, [Symbol.asyncDispose]: () => shipper.finish(2000) };
}
