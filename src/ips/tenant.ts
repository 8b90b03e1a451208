/**
 * The embedded Identity Provisioning tenant: one listener with the token, proxy, real-time and admin
 * interfaces on SAP's own paths. It plays the other party, so it shares no code with the gateway.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { AdminApi } from './admin-api.ts';
import type { Ask } from './answer.ts';
import { documentedDefaults, type Assumptions } from './assumptions.ts';
import { Desk, type Figures } from './desk.ts';
import { DirectoryApi } from './directory-api.ts';
import type { Directory } from './directory.ts';
import { Faults, type FaultOrder } from './faults.ts';
import { createJob, Jobs, type Job, type JobType, type Trigger } from './job.ts';
import { directoryLimits, Limiter, proxyLimits, tokenLimits, type LimiterOptions } from './limiter.ts';
import { Provisioning, type RealtimeNotice } from './provisioning.ts';
import { ProxyApi } from './proxy-api.ts';
import { RealtimeApi } from './realtime-api.ts';
import { BackendFailure } from './refusal.ts';
import { RehearsalApi } from './rehearsal-api.ts';
import { openSystem, type System, type SystemOptions } from './system.ts';
import { TechnicalUsers, type TechnicalUserOptions } from './technical-users.ts';
import { Wire, type TlsOptions } from './wire.ts';

export interface TenantOptions {
  /** Address to listen on; loopback when absent. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** HTTPS with these; callers may then prove themselves by certificate. */
  readonly tls?: TlsOptions;
  /** The address that `meta.location` names; the listener's own when absent. */
  readonly publicUrl?: string;
  readonly technicalUsers: readonly TechnicalUserOptions[];
  readonly systems: readonly SystemOptions[];
  readonly limiter?: LimiterOptions;
  readonly tokenLimiter?: LimiterOptions;
  /** The system whose embedded directory is the tenant's own, reached under `/scim`; there is none when absent. */
  readonly identityDirectory?: string;
  readonly directoryLimiter?: LimiterOptions;
  readonly tokenSeconds?: number;
  readonly assumptions?: Partial<Assumptions>;
  /** Where jobs remember what they wrote to targets that keep no file themselves; in memory when absent. */
  readonly state?: string;
  /** Faults that are in force from the start. */
  readonly faults?: readonly FaultOrder[];
  /** Waits between IPS's own repetitions towards a backend; real time when absent. */
  readonly pause?: (ms: number) => Promise<void>;
  /** Told what a real tenant would only write to its own log. */
  readonly warn?: (message: string) => void;
}

export interface Tenant extends AsyncDisposable {
  readonly url: URL;
  /** A snapshot. */
  readonly figures: Figures;
  /** The embedded directory behind a system, for comparison with what a caller believes. */
  directory(systemId: string): Directory;
  /** Runs a job of a source system to its end; as its schedule would when no trigger is given. */
  runJob(type: JobType, sourceSystem: string, trigger?: Trigger): Promise<Job>;
  /** What became of the latest real-time notices, once `settle` has returned. */
  readonly notices: readonly Job[];
  /** Waits for jobs and notices that were begun. */
  settle(): Promise<void>;
  /** Refuses and cuts connections until `resume`, as in an outage. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** What goes wrong with calls from now on. */
  readonly faults: Faults;
  /** Makes the access tokens of all callers invalid at once. */
  forgetTokens(): void;
}

export async function startTenant(options: TenantOptions): Promise<Tenant> {
  const { host = '127.0.0.1', port, tls } = options;
  await using opened = new AsyncDisposableStack();
  const faults = new Faults();
  faults.order(options.faults ?? []);
  const closing = new AbortController();
  const services = { faults, pause: options.pause ?? pauseUntil(closing.signal) };
  const systems = new Map(
    options.systems.map((system) => [system.id, opened.use(openSystem(system, services))]),
  );
  const house = furnish(options, faults, systems, () => url.origin);
  const { desk, provisioning, jobs } = house;
  opened.use(provisioning);
  const answer = (ask: Ask) => desk.answer(ask);
  const wire = opened.use(await Wire.open({ host, port, answer, ...(tls && { tls }) }));
  const url = new URL(options.publicUrl ?? addressOf(host, wire.port, tls !== undefined));
  house.resume();
  opened.defer(() => closing.abort());
  const life = opened.move();
  return {
    url,
    get figures() {
      return desk.figures;
    },
    directory: (systemId) => directoryOf(systems, systemId),
    runJob: async (type, sourceSystem, trigger = 'REPEAT') => {
      const job = jobs.start(type, sourceSystem, 'schedule', trigger);
      await provisioning.run(job);
      return job;
    },
    notices: house.notices,
    settle: () => provisioning.settle(),
    suspend: () => wire.suspend(),
    resume: () => wire.resume(),
    faults,
    forgetTokens: () => house.users.forgetTokens(),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

const mostNotices = 1000;

/** IPS's repetitions are half a minute apart; a tenant that ends does not wait for them. */
function pauseUntil(signal: AbortSignal): (ms: number) => Promise<void> {
  return async (ms) => {
    try {
      await sleep(ms, undefined, { signal });
    } catch {
      throw new BackendFailure(503, 'The tenant is shutting down.'); // nothing but the signal ends a sleep early
    }
  };
}

/** Everything behind the listener. */
function furnish(
  options: TenantOptions,
  faults: Faults,
  systems: ReadonlyMap<string, System>,
  address: () => string,
) {
  const { technicalUsers, tokenSeconds = 3600, limiter = proxyLimits, warn = () => undefined } = options;
  const { identityDirectory } = options;
  const assumptions = { ...documentedDefaults, ...options.assumptions };
  const provisioning = new Provisioning(systems, options.state);
  const users = new TechnicalUsers(technicalUsers, tokenSeconds);
  const jobs = new Jobs();
  const notices: Job[] = [];
  const take = (notice: RealtimeNotice) => {
    const job = createJob('READ', notice.source.id, 'real-time notice');
    if (notices.push(job) > mostNotices) notices.shift();
    void provisioning.take(notice, job);
  };
  const run = (job: Job) => void provisioning.run(job);
  const startJob = (type: JobType, source: string, trigger: Trigger) => {
    if (systems.get(source)?.role !== 'source') return undefined;
    const job = jobs.start(type, source, 'rehearsal', trigger);
    run(job);
    return job;
  };
  const desk = new Desk({
    users,
    limiter: new Limiter({ slowedBy: assumptions.slowedBy, ...limiter }),
    tokenLimiter: new Limiter(options.tokenLimiter ?? tokenLimits),
    proxy: new ProxyApi({ systems, assumptions, address, warn }),
    realtime: new RealtimeApi({ systems, take }),
    admin: new AdminApi({ systems, assumptions, jobs, run }),
    rehearsal: new RehearsalApi({ faults, startJob, job: (id) => jobs.get(id) }),
    ...(identityDirectory !== undefined && {
      directory: new DirectoryApi({
        directory: directoryOf(systems, identityDirectory),
        base: () => `${address()}/scim`,
      }),
    }),
    directoryLimiter: new Limiter(options.directoryLimiter ?? directoryLimits),
    faults,
    assumptions,
    warn,
  });
  const resume = () => {
    for (const { source, jobType, type, startIndex } of provisioning.takePending()) {
      const job = jobs.start(jobType, source, 'restart', 'IMMEDIATE');
      job.position = { type, startIndex };
      run(job);
    }
  };
  return { desk, provisioning, users, jobs, notices, resume };
}

function directoryOf(systems: ReadonlyMap<string, System>, systemId: string): Directory {
  const directory = systems.get(systemId)?.directory;
  if (!directory) throw new Error(`no system with an embedded directory has the id ${systemId}`);
  return directory;
}

function addressOf(host: string, port: number, isTls: boolean): string {
  return `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
