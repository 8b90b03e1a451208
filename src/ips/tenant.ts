/**
 * The embedded Identity Provisioning tenant: one listener with the token, proxy, real-time and admin
 * interfaces on SAP's own paths. It plays the other party, so it shares no code with the gateway.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { scimContentType } from '../scim/message.ts';
import { AdminApi } from './admin-api.ts';
import { jsonAnswer, methodNotAllowed, type Answer, type Ask } from './answer.ts';
import { documentedDefaults, type Assumptions } from './assumptions.ts';
import type { Directory } from './directory.ts';
import { FaultsApi } from './faults-api.ts';
import { Faults, suffer, type FaultOrder } from './faults.ts';
import { createJob, Jobs, type Job, type JobType } from './job.ts';
import { Limiter, proxyLimits, type LimiterOptions } from './limiter.ts';
import { Provisioning } from './provisioning.ts';
import { ProxyApi } from './proxy-api.ts';
import { RealtimeApi } from './realtime-api.ts';
import { Refusal, refusalBody } from './refusal.ts';
import { openSystem, type System, type SystemOptions } from './system.ts';
import { demand, TechnicalUsers, type TechnicalUser, type TechnicalUserOptions } from './technical-users.ts';
import { Wire } from './wire.ts';

export interface TenantOptions {
  /** Address to listen on; loopback when absent. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** The address that `meta.location` names; the listener's own when absent. */
  readonly publicUrl?: string;
  readonly technicalUsers: readonly TechnicalUserOptions[];
  readonly systems: readonly SystemOptions[];
  readonly limiter?: LimiterOptions;
  readonly tokenSeconds?: number;
  readonly assumptions?: Partial<Assumptions>;
  /** Faults that are in force from the start. */
  readonly faults?: readonly FaultOrder[];
  /** Waits between IPS's own repetitions towards a backend; real time when absent. */
  readonly pause?: (ms: number) => Promise<void>;
  /** Told what a real tenant would only write to its own log. */
  readonly warn?: (message: string) => void;
}

/** Proxy and real-time calls that arrived, whatever became of them. */
export interface Figures {
  readonly calls: number;
  readonly slowed: number;
  readonly byMethod: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
}

export interface Tenant extends AsyncDisposable {
  readonly url: URL;
  /** A snapshot. */
  readonly figures: Figures;
  /** The embedded directory behind a system, for comparison with what a caller believes. */
  directory(systemId: string): Directory;
  /** Runs a job of a source system to its end, as its schedule would. */
  runJob(type: JobType, sourceSystem: string): Promise<Job>;
  /** What became of real-time notices, once `settle` has returned. */
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
  const { host = '127.0.0.1', port, warn = () => undefined } = options;
  await using opened = new AsyncDisposableStack();
  const faults = new Faults();
  faults.order(options.faults ?? []);
  const services = { faults, pause: options.pause ?? ((ms: number) => sleep(ms)) };
  const systems = new Map(
    options.systems.map((system) => [system.id, opened.use(openSystem(system, services))]),
  );
  const provisioning = opened.use(new Provisioning(systems));
  const jobs = new Jobs();
  const notices: Job[] = [];
  const desk = new Desk(options, {
    systems,
    faults,
    provisioning,
    jobs,
    notices,
    warn,
    address: () => url.origin,
  });
  const wire = opened.use(await Wire.open({ host, port, answer: (ask) => desk.answer(ask) }));
  const url = new URL(options.publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${wire.port}`);
  const life = opened.move();
  return {
    url,
    get figures() {
      return desk.figures;
    },
    directory: (systemId) => {
      const directory = systems.get(systemId)?.directory;
      if (!directory) throw new Error(`no system with an embedded directory has the id ${systemId}`);
      return directory;
    },
    runJob: async (type, sourceSystem) => {
      const job = jobs.start(type, sourceSystem, 'schedule');
      await provisioning.run(job);
      return job;
    },
    notices,
    settle: () => provisioning.settle(),
    suspend: () => wire.suspend(),
    resume: () => wire.resume(),
    faults,
    forgetTokens: () => desk.forgetTokens(),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

interface DeskParts {
  readonly systems: ReadonlyMap<string, System>;
  readonly faults: Faults;
  readonly provisioning: Provisioning;
  readonly jobs: Jobs;
  readonly notices: Job[];
  readonly warn: (message: string) => void;
  readonly address: () => string;
}

/** Where every request comes in: finds its interface, identifies the caller, counts, and answers. */
class Desk {
  readonly #faults: Faults;
  readonly #faultsApi: FaultsApi;
  readonly #users: TechnicalUsers;
  readonly #limiter: Limiter;
  readonly #assumptions: Assumptions;
  readonly #proxy: ProxyApi;
  readonly #realtime: RealtimeApi;
  readonly #admin: AdminApi;
  readonly #warn: (message: string) => void;
  #slowed = 0;
  readonly #byMethod = new Map<string, number>();
  readonly #byStatus = new Map<string, number>();

  constructor(
    options: TenantOptions,
    { systems, faults, provisioning, jobs, notices, warn, address }: DeskParts,
  ) {
    const assumptions = { ...documentedDefaults, ...options.assumptions };
    const { technicalUsers, tokenSeconds = 3600, limiter = proxyLimits } = options;
    this.#assumptions = assumptions;
    this.#warn = warn;
    this.#faults = faults;
    this.#faultsApi = new FaultsApi(faults);
    this.#users = new TechnicalUsers(technicalUsers, tokenSeconds);
    this.#limiter = new Limiter({ slowedBy: assumptions.slowedBy, ...limiter });
    this.#proxy = new ProxyApi({ systems, assumptions, address, warn });
    this.#realtime = new RealtimeApi({
      systems,
      take: (notice) => {
        const job = createJob('READ', notice.source.id, 'real-time notice');
        notices.push(job);
        void provisioning.take(notice, job);
      },
    });
    this.#admin = new AdminApi({ systems, assumptions, jobs, run: (job) => void provisioning.run(job) });
  }

  get figures(): Figures {
    const calls = this.#byMethod.values().reduce((sum, n) => sum + n, 0);
    const [byMethod, byStatus] = [Object.fromEntries(this.#byMethod), Object.fromEntries(this.#byStatus)];
    return { calls, slowed: this.#slowed, byMethod, byStatus };
  }

  forgetTokens(): void {
    this.#users.forgetTokens();
  }

  async answer(ask: Ask): Promise<Answer> {
    const [root, ...rest] = ask.segments.filter((segment, at) => !(at === 1 && segment === 'service'));
    if (root === 'rehearsal') return await this.#faultsApi.answer(ask, rest).catch(this.#refuse);
    const counted = root === 'ipsproxy';
    if (counted) count(this.#byMethod, ask.method);
    const work = () => this.#route(ask, root, rest).catch(this.#refuse);
    const fault = this.#faults.take(ask);
    const answer = fault ? await suffer(fault, work) : await work();
    if (counted) count(this.#byStatus, answer.delivery?.kind ?? String(answer.status));
    return answer;
  }

  async #route(ask: Ask, root: string | undefined, rest: readonly string[]): Promise<Answer> {
    const path = rest.join('/');
    if (root === 'oauth2' && path === 'token') return this.#token(ask);
    if (root === 'ipsproxy' && path.startsWith('api/v1/scim/')) {
      await this.#admit(ask, 'Access Proxy System API');
      return await this.#proxy.answer(ask, rest.slice(3));
    }
    if (root === 'ipsproxy' && path.startsWith('api/v1/systems/')) {
      await this.#admit(ask, 'Access Real-Time Provisioning API');
      return await this.#realtime.answer(ask, rest.slice(3));
    }
    if (root === 'ips' && path.startsWith('publicapi/v1/')) {
      const user = this.#users.identify(ask.headers['authorization']);
      demand(user, 'Access Identity Provisioning Tenant Admin API');
      return await this.#admin.answer(ask, rest.slice(2), user);
    }
    // Any other address below the proxy interface leads to the log-on page (facts: IPS 1.1).
    if (root === 'ipsproxy') return { status: 301, headers: { location: '/admin/' }, body: '' };
    throw new Refusal(404, 'There is no such endpoint.');
  }

  async #admit(ask: Ask, permission: TechnicalUser['permissions'][number]): Promise<void> {
    demand(this.#users.identify(ask.headers['authorization']), permission);
    const admission = this.#limiter.admit();
    if (!admission.admitted) {
      const { retryAfter } = admission;
      const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
      throw new Refusal(429, 'Too many requests.', { headers });
    }
    if (admission.delayMs === 0) return;
    this.#slowed++;
    await sleep(admission.delayMs);
  }

  #token(ask: Ask): Answer {
    if (ask.method !== 'POST') throw methodNotAllowed('POST');
    const form = new URLSearchParams(ask.body.toString('utf8'));
    if (form.get('grant_type') !== 'client_credentials')
      return jsonAnswer(400, { error: 'unsupported_grant_type' });
    const token = this.#users.grant(ask.headers['authorization'], form);
    if (!token) return jsonAnswer(401, { error: 'invalid_client' });
    return jsonAnswer(200, { access_token: token.value, token_type: 'Bearer', expires_in: token.seconds });
  }

  readonly #refuse = (error: unknown): Answer => {
    const refusal = error instanceof Refusal ? error : this.#confess(error);
    const empty = refusal.status === 401 && this.#assumptions.unauthenticatedBody === 'empty';
    const body = empty ? '' : refusalBody(refusal, this.#assumptions.errorStatus);
    return { status: refusal.status, headers: { 'content-type': scimContentType, ...refusal.headers }, body };
  };

  /** An error of the tenant itself: told to whoever runs it, hidden from the caller. */
  #confess(cause: unknown): Refusal {
    this.#warn(`internal error: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
    return new Refusal(500, 'An internal error occurred.', { cause });
  }
}

function count(figures: Map<string, number>, name: string): void {
  figures.set(name, (figures.get(name) ?? 0) + 1);
}
