/**
 * Warns of certificates, revocation lists and secrets before they end. What is read is what the files hold now, as
 * whatever uses them reads it too. Each warning is told once for each threshold that is passed, however often it is asked.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { log } from '../log.ts';
import type { TextFile } from './config-certificates.ts';
import type { Config } from './config.ts';
import { listenersOf } from './listener.ts';
import type { Note } from './own-trail.ts';
import { readLists } from './tls-crl.ts';
import { splitCertificates } from './tls.ts';

/** Something that ends, all instants in milliseconds since 1970. */
export interface Expiring {
  readonly kind: 'cert' | 'secret';
  /** The key of the configuration that leads to it, or the technical user that has it. */
  readonly what: string;
  /** Which of several in a file. */
  readonly subject?: string;
  readonly notAfter: number;
  /** Thresholds that count; lists are renewed long before thirty days. */
  readonly thresholds: readonly number[];
}

export interface Warning extends Pick<Expiring, 'kind' | 'what' | 'subject' | 'notAfter'> {
  /** Whole days; below zero when it has ended. */
  readonly daysLeft: number;
}

type SpokenTo = Pick<Config['tenants'][string], 'ca' | 'clientCertificate'>;

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** In days. At zero it has ended. */
const allThresholds = [0, 1, 7, 14, 30];

/** Everything with an end that the configuration names. */
export function endsIn(config: Config): Expiring[] {
  const { admin, tenants, cache, audit, alerts } = config;
  const shown = listenersOf(config).flatMap(([place, { tls }]) => [
    ...certificates(`${place}.tls.certificate`, tls?.certificate),
    ...certificates(`${place}.tls.clients.ca`, tls?.clients?.ca),
    ...lists(`${place}.tls.clients.crl`, tls?.clients?.crl),
  ]);
  const upwards = Object.values(tenants).flatMap((tenant) => spokenTo(`tenants.${tenant.id}`, tenant));
  const delivered = Object.entries(audit.destinations).flatMap(([name, each]) =>
    each.type === 'file' ? [] : spokenTo(`audit.destinations.${name}`, each),
  );
  const alerted = Object.entries(alerts.channels).flatMap(([name, each]) =>
    spokenTo(`alerts.channels.${name}`, each),
  );
  return [
    ...shown,
    ...delivered,
    ...alerted,
    ...certificates('admin.tls.certificate', admin.tls?.certificate),
    ...upwards,
    ...certificates('cache.redis.tls.ca', cache.redis?.tls?.ca),
  ];
}

/** Of somebody whom the gateway speaks to. */
function spokenTo(place: string, { ca, clientCertificate }: SpokenTo): Expiring[] {
  return [
    ...certificates(`${place}.ca`, ca),
    ...certificates(`${place}.clientCertificate.certificate`, clientCertificate?.certificate),
  ];
}

/** Those of the file of secrets. */
export function secretEnds(
  ends: readonly { readonly user: string; readonly notAfter: number }[],
): Expiring[] {
  return ends.map(({ user, notAfter }) => ({
    kind: 'secret',
    what: user,
    notAfter,
    thresholds: allThresholds,
  }));
}

function certificates(what: string, file: TextFile | undefined): Expiring[] {
  return readNow(file, (pem) =>
    splitCertificates(pem).map((text) => certificateEnd(what, new X509Certificate(text))),
  );
}

export function certificateEnd(what: string, { subject, validToDate }: X509Certificate): Expiring {
  return {
    kind: 'cert',
    what,
    subject: subject.replaceAll('\n', ', '),
    notAfter: validToDate.getTime(),
    thresholds: allThresholds,
  };
}

function lists(what: string, file: TextFile | undefined): Expiring[] {
  return readNow(file, (pem) =>
    readLists(pem)
      .filter(({ until }) => !Number.isNaN(until))
      .map(({ from, until }) => {
        // A list for a week that is renewed each day would otherwise be announced each day.
        const third = (until - from) / dayMs / 3;
        const thresholds = allThresholds.filter((days) => days <= third);
        return { kind: 'cert', what, notAfter: until, thresholds };
      }),
  );
}

function readNow(file: TextFile | undefined, read: (pem: string) => Expiring[]): Expiring[] {
  if (!file) return [];
  try {
    return read(readFileSync(file.path, 'utf8'));
  } catch {
    // Whoever uses the file tells what is wrong with it, and keeps to what was good.
    return read(file.text);
  }
}

/** What is due to be told of now, whether it was told before or not. */
export function warningsOf(all: readonly Expiring[], now: number): Warning[] {
  return all.flatMap((each) => (passedBy(each, now) === undefined ? [] : [warningOf(each, now)]));
}

function passedBy({ notAfter, thresholds }: Expiring, now: number): number | undefined {
  return thresholds.find((days) => notAfter - now <= days * dayMs);
}

function warningOf({ kind, what, subject, notAfter }: Expiring, now: number): Warning {
  const daysLeft = Math.floor((notAfter - now) / dayMs);
  return { kind, what, ...(subject !== undefined && { subject }), notAfter, daysLeft };
}

export function describeWarning(warning: Warning): string {
  const { kind, what, subject } = warning;
  const place = kind === 'secret' ? `a secret of ${what}` : what;
  return `${place}${subject === undefined ? '' : ` (${subject})`} ${whenItEnds(warning)}`;
}

export function whenItEnds({ notAfter, daysLeft }: Warning): string {
  const left = daysLeft === 0 ? 'a day' : `${daysLeft + 1} days`;
  const when = daysLeft < 0 ? 'has ended' : `ends within ${left}`;
  return `${when}: ${new Date(notAfter).toISOString()}`;
}

export interface ExpiryWatchOptions {
  readonly ends: () => readonly Expiring[];
  readonly tell: (warning: Warning) => void;
  readonly now?: () => number;
}

/** Asks by itself every hour, without keeping the process alive. */
export class ExpiryWatch implements Disposable {
  readonly #options: ExpiryWatchOptions;
  /** The lowest threshold that was told of each. */
  #told: ReadonlyMap<string, number> = new Map();
  readonly #timer: NodeJS.Timeout;

  constructor(options: ExpiryWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.check(), hourMs).unref();
  }

  check(): void {
    const { ends, tell, now = Date.now } = this.#options;
    const at = now();
    // Built anew, so that what was replaced is forgotten.
    const told = new Map<string, number>();
    for (const each of ends()) {
      const passed = passedBy(each, at);
      if (passed === undefined) continue;
      const key = JSON.stringify([each.kind, each.what, each.subject, each.notAfter]);
      const before = this.#told.get(key) ?? Infinity;
      if (passed < before && !told.has(key)) tell(warningOf(each, at));
      told.set(key, Math.min(passed, before));
    }
    this.#told = told;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Tells the operational log and the trail. */
export function watchExpiry(ends: () => readonly Expiring[], note: Note): ExpiryWatch {
  const watch = new ExpiryWatch({
    ends,
    tell: ({ kind, notAfter, ...rest }) => {
      const facts = { ...rest, notAfter: new Date(notAfter).toISOString() };
      log.warn(kind === 'cert' ? 'a certificate or list ends' : 'a secret ends', facts);
      note(`${kind}.expiring`, facts);
    },
  });
  watch.check();
  return watch;
}
