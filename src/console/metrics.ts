/**
 * Figures for Prometheus. What happened is counted from the records of the trail, so that both tell the same; what is
 * the case now is asked when somebody scrapes. Invariant: a label has a value of the configuration or of a short list
 * of ours, never one that a caller or a tenant chose.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A record of the trail, as far as something is counted from it. */
export interface Observed {
  readonly repeat?: string;
  readonly reconciled?: string;
  readonly repairs?: readonly string[];
  readonly actor?: { readonly name?: string };
  readonly op?: {
    readonly api?: string;
    readonly kind?: string;
    readonly effect?: string;
    readonly system?: string;
  };
  readonly cache?: { readonly result?: string; readonly ageMs?: number };
  readonly outcome?: { readonly result?: string; readonly http?: number; readonly error?: string };
  readonly upstream?: {
    readonly tenant?: string;
    readonly system?: string;
    readonly purpose?: string;
    readonly status?: number;
    readonly ms?: number;
    readonly waitedMs?: number;
  };
  readonly ms?: number;
  readonly facts?: { readonly system?: string; readonly resourceType?: string };
}

/** What is the case now, for each value of its label; one without a label has one reading. */
export type Readings = () => Series | Promise<Series>;
type Series = Iterable<readonly [labelValue: string, reading: number]>;

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** What alarms count (deploy/prometheus). Prometheus sees no increase where a figure begins with 1, so these begin with 0. */
const alarming = {
  events: [
    'audit.failed',
    'audit.witness_refused',
    'audit.delivery_failed',
    'upstream.tls_failure',
    'authn.spray_suspected',
    'cache.integrity_failure',
    'load.missing',
    'request.lost_update_suspected',
    'process.fault',
  ],
  refusals: ['busy', 'outcome-unknown'],
} as const;

export class Metrics {
  readonly #registry = new Registry();
  readonly #records = new Counter({
    name: 'gatehouse_records_total',
    help: 'Records of the audit trail, by event.',
    labelNames: ['event'],
    registers: [this.#registry],
  });
  readonly #calls = new Counter({
    name: 'gatehouse_calls_total',
    help: 'Calls answered, by technical user (empty when not known), system, operation, status and use of the cache.',
    labelNames: ['caller', 'system', 'operation', 'status', 'cache'],
    registers: [this.#registry],
  });
  readonly #repeats = new Counter({
    name: 'gatehouse_repeated_writes_total',
    help: 'Writes that were known already, by how they were answered; `local`: Redis could not be asked.',
    labelNames: ['system', 'repeat'],
    registers: [this.#registry],
  });
  readonly #reconciled = new Counter({
    name: 'gatehouse_reconciled_writes_total',
    help: 'Writes without a certain answer, by what looking for them came to.',
    labelNames: ['system', 'result'],
    registers: [this.#registry],
  });
  readonly #repairs = new Counter({
    name: 'gatehouse_repairs_total',
    help: 'What was put right of calls, by technical user and by the names of docs/profiles.md.',
    labelNames: ['caller', 'repair'],
    registers: [this.#registry],
  });
  readonly #refusals = new Counter({
    name: 'gatehouse_refusals_total',
    help: 'Calls that the gateway itself refused, by the error kind of docs/errors.md.',
    labelNames: ['error'],
    registers: [this.#registry],
  });
  readonly #callSeconds = new Histogram({
    name: 'gatehouse_call_seconds',
    help: 'Time from the head of a call to its answer, waiting for the tenant and its quota included.',
    labelNames: ['operation', 'cache'],
    buckets: seconds,
    registers: [this.#registry],
  });
  readonly #upstreamCalls = new Counter({
    name: 'gatehouse_upstream_calls_total',
    help: 'Calls to a tenant that ended, by purpose and status; no status means no reply.',
    labelNames: ['tenant', 'purpose', 'status'],
    registers: [this.#registry],
  });
  readonly #upstreamSeconds = new Histogram({
    name: 'gatehouse_upstream_seconds',
    help: 'Time that a tenant took for a call.',
    labelNames: ['tenant'],
    buckets: seconds,
    registers: [this.#registry],
  });
  readonly #waitSeconds = new Histogram({
    name: 'gatehouse_quota_wait_seconds',
    help: 'Time that a call waited for its turn at a tenant.',
    labelNames: ['tenant'],
    buckets: seconds,
    registers: [this.#registry],
  });

  readonly #alerts = new Counter({
    name: 'gatehouse_alerts_total',
    help: 'Alerts by name, channel and result of a try: sent, failed; dropped: it will never be sent.',
    labelNames: ['name', 'channel', 'result'],
    registers: [this.#registry],
  });

  constructor(version: string) {
    collectDefaultMetrics({ register: this.#registry });
    const build = new Gauge({
      name: 'gatehouse_build_info',
      help: 'Always 1; its labels tell the version.',
      labelNames: ['version'],
      registers: [this.#registry],
    });
    build.set({ version }, 1);
    for (const event of alarming.events) this.#records.inc({ event }, 0);
    for (const error of alarming.refusals) this.#refusals.inc({ error }, 0);
  }

  readonly observe = (event: string, observed: Observed): void => {
    const { actor, op, cache, outcome, upstream, ms, repeat, reconciled, repairs = [] } = observed;
    this.#records.inc({ event });
    if (event === 'upstream.outcome') this.#observeUpstream(upstream ?? {});
    if (outcome?.http === undefined || ms === undefined) return;
    const operation = op?.kind ?? '';
    const system = op?.system ?? '';
    const used = cache?.result ?? '';
    this.#calls.inc({
      caller: actor?.name ?? '',
      system,
      operation,
      status: String(outcome.http),
      cache: used,
    });
    if (repeat !== undefined) this.#repeats.inc({ system, repeat });
    if (reconciled !== undefined) this.#reconciled.inc({ system, result: reconciled });
    for (const repair of repairs) this.#repairs.inc({ caller: actor?.name ?? '', repair });
    this.#callSeconds.observe({ operation, cache: used }, ms / 1000);
    if (outcome.error !== undefined) this.#refusals.inc({ error: outcome.error });
  };

  /** A try to tell somebody of an alert, or that none comes any more. */
  readonly countAlert = ({ name }: { readonly name: string }, channel: string, result: string): void =>
    this.#alerts.inc({ name, channel, result });

  /** Something that is asked for at each scrape. */
  gauge(name: string, help: string, label: string | undefined, readings: Readings): void {
    const gauge: Gauge = new Gauge({
      name: `gatehouse_${name}`,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [this.#registry],
      async collect() {
        const series = await readings();
        // What is gone must not go on with its last reading.
        gauge.reset();
        for (const [value, reading] of series)
          gauge.set(label === undefined ? {} : { [label]: value }, reading);
      },
    });
  }

  /** In the text format of Prometheus, with its media type. */
  async scrape(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #observeUpstream({
    tenant = '',
    purpose = '',
    status,
    ms,
    waitedMs,
  }: NonNullable<Observed['upstream']>): void {
    this.#upstreamCalls.inc({ tenant, purpose, status: status === undefined ? '' : String(status) });
    if (ms !== undefined) this.#upstreamSeconds.observe({ tenant }, ms / 1000);
    if (waitedMs !== undefined) this.#waitSeconds.observe({ tenant }, waitedMs / 1000);
  }
}
