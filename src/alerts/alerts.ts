/**
 * Alerts out of the trail's records, on their way to all channels that want them. Whoever records never waits for one and never
 * learns of a channel's fault: `observe` neither blocks nor throws.
 */
import { randomUUID } from 'node:crypto';

import { reasonOf } from '../delivery/destination.ts';
import { severities, type Alert, type Severity } from './alert.ts';
import { openChannel, type ChannelSettings } from './channels.ts';
import { Courier, type CourierOptions } from './courier.ts';
import { matterOf } from './matters.ts';
import { Spells, type News } from './spells.ts';
import { findingsIn, type Recorded } from './table.ts';

export interface ConfiguredChannel {
  readonly settings: ChannelSettings;
  readonly timeoutMs: number;
  /** Alerts below it are not for this channel. */
  readonly least: Severity;
  /** Their names; undefined: all. */
  readonly only: readonly string[] | undefined;
}

export interface AlertSettings {
  /** How long after it was told the same is told again, at the earliest. */
  readonly betweenMs: number;
  readonly channels: ReadonlyMap<string, ConfiguredChannel>;
}

export interface AlertsOptions {
  readonly instance: string;
  readonly onResult: CourierOptions['onResult'];
}

/** What came of a try. */
export interface Tried {
  readonly channel: string;
  readonly taken: boolean;
  /** A code of ours or of the system. */
  readonly reason?: string;
}

export interface ChannelState {
  readonly name: string;
  readonly type: ChannelSettings['type'];
  /** Absent before the first try. */
  readonly working?: boolean;
  readonly waiting: number;
}

interface Served extends ConfiguredChannel {
  readonly courier: Courier;
}

/** How long the end waits for what is on its way. */
const lastMs = 2000;
const lookEveryMs = 1000;
/** Somebody waits for the word. */
const longestTryMs = 8000;

export class Alerts implements AsyncDisposable {
  readonly #options: AlertsOptions;
  readonly #spells = new Spells(() => this.#betweenMs);
  readonly #timer: NodeJS.Timeout;
  readonly #retired = new Set<Promise<void>>();
  #betweenMs: number;
  #served: ReadonlyMap<string, Served>;

  constructor(options: AlertsOptions, settings: AlertSettings) {
    this.#options = options;
    this.#betweenMs = settings.betweenMs;
    this.#served = this.#serve(settings);
    this.#timer = setInterval(() => this.#remind(), lookEveryMs).unref();
  }

  readonly observe = (event: string, record: Recorded): void => {
    for (const finding of findingsIn(event, record)) {
      const news = this.#spells.note(finding, Date.now());
      if (news) this.#tell(news);
    }
  };

  /** Others from now on; those before still get what was told before. */
  replace(settings: AlertSettings): void {
    const before = [...this.#served.values()];
    this.#betweenMs = settings.betweenMs;
    this.#served = this.#serve(settings);
    for (const { courier } of before) this.#retire(courier);
  }

  /** Other destinations of the trail: those before say no more of themselves, and those that fail still say so again. */
  keepTo(destinations: ReadonlySet<string>): void {
    this.#spells.drop('delivery-failing', () => true);
    this.#spells.drop('delivery-lag', (subject) => !destinations.has(subject));
  }

  get states(): ChannelState[] {
    return [...this.#served].map(([name, { settings, courier }]) => ({
      name,
      type: settings.type,
      ...(courier.works !== undefined && { working: courier.works }),
      waiting: courier.waiting,
    }));
  }

  /** Sends one to try a channel, or all, and says what came of it; empty where there is none of that name. */
  try(name?: string): Promise<Tried[]> {
    const tried = [...this.#served].filter(([each]) => name === undefined || each === name);
    return Promise.all(tried.map(([each, { courier }]) => tryOut(each, courier, this.#testAlert())));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const { courier } of this.#served.values()) this.#retire(courier);
    await Promise.all(this.#retired);
  }

  #serve({ channels }: AlertSettings): Map<string, Served> {
    const { onResult } = this.#options;
    return new Map(
      [...channels].map(([name, configured]) => {
        const { settings, timeoutMs } = configured;
        const courier = new Courier({ name, channel: openChannel(settings), timeoutMs, onResult });
        return [name, { ...configured, courier }];
      }),
    );
  }

  #retire(courier: Courier): void {
    const ended = courier.finish(lastMs).finally(() => this.#retired.delete(ended));
    this.#retired.add(ended);
  }

  #remind(): void {
    for (const news of this.#spells.due(Date.now())) this.#tell(news);
  }

  #tell(news: News): void {
    const alert = this.#alertOf(news);
    for (const { courier, least, only } of this.#served.values()) {
      if (severities.indexOf(alert.severity) < severities.indexOf(least)) continue;
      if (only === undefined || only.includes(alert.name)) courier.push(alert);
    }
  }

  #alertOf({ since, ...news }: News): Alert {
    const { says, remedy, see } = matterOf(news.name);
    return {
      id: randomUUID(),
      ...news,
      summary: `${says} (${news.subject})`,
      at: new Date().toISOString(),
      since: new Date(since).toISOString(),
      instance: this.#options.instance,
      remedy,
      see,
    };
  }

  #testAlert(): Alert {
    const at = new Date().toISOString();
    return {
      id: randomUUID(),
      name: 'test',
      state: 'test',
      severity: 'warning',
      subject: 'test',
      summary: 'Somebody tries whether alerts arrive',
      facts: {},
      at,
      since: at,
      times: 1,
      instance: this.#options.instance,
      remedy: 'Nothing is to be done.',
      see: 'docs/operations.md#alerts',
    };
  }
}

/** In a line for each channel. */
export function sayTried(tried: readonly Tried[]): string {
  return tried
    .map(({ channel, taken, reason }) =>
      taken ? `${channel} took it.` : `${channel} did not take it: ${reason}.`,
    )
    .join('\n');
}

async function tryOut(channel: string, courier: Courier, alert: Alert): Promise<Tried> {
  try {
    await courier.try(alert, longestTryMs);
    return { channel, taken: true };
  } catch (error) {
    return { channel, taken: false, reason: reasonOf(error) };
  }
}
