/**
 * Where every request to the tenant comes in: finds its interface, identifies the caller, keeps the limit,
 * counts, and answers. Every error becomes an answer here, and nowhere else.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { scimContentType } from '../scim/message.ts';
import type { AdminApi } from './admin-api.ts';
import { jsonAnswer, methodNotAllowed, type Answer, type Ask } from './answer.ts';
import type { Assumptions } from './assumptions.ts';
import type { DirectoryApi } from './directory-api.ts';
import { suffer, type Faults } from './faults.ts';
import type { Limiter } from './limiter.ts';
import type { ProxyApi } from './proxy-api.ts';
import type { RealtimeApi } from './realtime-api.ts';
import { Refusal, refusalBody } from './refusal.ts';
import type { RehearsalApi } from './rehearsal-api.ts';
import { demand, type Permission, type TechnicalUser, type TechnicalUsers } from './technical-users.ts';

/** Proxy and real-time calls that arrived, whatever became of them. */
export interface Figures {
  readonly calls: number;
  readonly slowed: number;
  readonly byMethod: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
}

export interface DeskParts {
  readonly users: TechnicalUsers;
  /** For proxy and real-time calls together. */
  readonly limiter: Limiter;
  readonly tokenLimiter: Limiter;
  readonly proxy: ProxyApi;
  readonly realtime: RealtimeApi;
  readonly admin: AdminApi;
  readonly rehearsal: RehearsalApi;
  /** The tenant's own directory, if it has one. */
  readonly directory?: DirectoryApi;
  readonly directoryLimiter: Limiter;
  readonly faults: Faults;
  readonly assumptions: Assumptions;
  readonly warn: (message: string) => void;
}

export class Desk {
  readonly #parts: DeskParts;
  #slowed = 0;
  readonly #byMethod = new Map<string, number>();
  readonly #byStatus = new Map<string, number>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  get figures(): Figures {
    const calls = this.#byMethod.values().reduce((sum, n) => sum + n, 0);
    const [byMethod, byStatus] = [Object.fromEntries(this.#byMethod), Object.fromEntries(this.#byStatus)];
    return { calls, slowed: this.#slowed, byMethod, byStatus };
  }

  async answer(ask: Ask): Promise<Answer> {
    const [root, ...rest] = ask.segments.filter((segment, at) => !(at === 1 && segment === 'service'));
    if (root === 'rehearsal') return await this.#parts.rehearsal.answer(ask, rest).catch(this.#refuse);
    const counted = root === 'ipsproxy';
    if (counted) count(this.#byMethod, ask.method);
    const work = () => this.#route(ask, root, rest).catch(this.#refuse);
    const fault = this.#parts.faults.take(ask);
    const answer = fault ? await suffer(fault, work) : await work();
    if (counted) count(this.#byStatus, answer.delivery?.kind ?? String(answer.status));
    return answer;
  }

  async #route(ask: Ask, root: string | undefined, rest: readonly string[]): Promise<Answer> {
    const path = rest.join('/');
    if (root === 'oauth2' && path === 'token') return await this.#token(ask);
    if (root === 'ipsproxy' && path.startsWith('api/v1/scim/')) {
      await this.#admit(ask, 'Access Proxy System API');
      return await this.#parts.proxy.answer(ask, rest.slice(3));
    }
    if (root === 'ipsproxy' && path.startsWith('api/v1/systems/')) {
      await this.#admit(ask, 'Access Real-Time Provisioning API');
      return await this.#parts.realtime.answer(ask, rest.slice(3));
    }
    if (root === 'ips' && path.startsWith('publicapi/v1/')) {
      const user = this.#identify(ask);
      demand(user, 'Access Identity Provisioning Tenant Admin API');
      return await this.#parts.admin.answer(ask, rest.slice(2), user);
    }
    if (root === 'scim' && this.#parts.directory) {
      demand(this.#identify(ask), rest[0] === 'Groups' ? 'Manage Groups' : 'Manage Users');
      await this.#keepTo(this.#parts.directoryLimiter);
      return await this.#parts.directory.answer(ask, rest);
    }
    // Any other address below the proxy interface leads to the log-on page (facts: IPS 1.1).
    if (root === 'ipsproxy') return { status: 301, headers: { location: '/admin/' }, body: '' };
    throw new Refusal(404, 'There is no such endpoint.');
  }

  async #admit(ask: Ask, permission: Permission): Promise<void> {
    demand(this.#identify(ask), permission);
    await this.#keepTo(this.#parts.limiter);
  }

  #identify({ headers, certificate }: Ask): TechnicalUser {
    return this.#parts.users.identify(headers['authorization'], certificate);
  }

  async #keepTo(limiter: Limiter): Promise<void> {
    const admission = limiter.admit();
    if (!admission.admitted) {
      const { retryAfter } = admission;
      const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
      throw new Refusal(429, 'Too many requests.', { headers });
    }
    if (admission.delayMs === 0) return;
    this.#slowed++;
    await sleep(admission.delayMs);
  }

  async #token(ask: Ask): Promise<Answer> {
    if (ask.method !== 'POST') throw methodNotAllowed('POST');
    await this.#keepTo(this.#parts.tokenLimiter);
    const form = new URLSearchParams(ask.body.toString('utf8'));
    if (form.get('grant_type') !== 'client_credentials')
      return jsonAnswer(400, { error: 'unsupported_grant_type' });
    const token = this.#parts.users.grant(ask.headers['authorization'], form, ask.certificate);
    if (!token) return jsonAnswer(401, { error: 'invalid_client' });
    return jsonAnswer(200, { access_token: token.value, token_type: 'Bearer', expires_in: token.seconds });
  }

  readonly #refuse = (error: unknown): Answer => {
    const refusal = error instanceof Refusal ? error : this.#confess(error);
    const empty = refusal.status === 401 && this.#parts.assumptions.unauthenticatedBody === 'empty';
    const body = empty ? '' : refusalBody(refusal, this.#parts.assumptions.errorStatus);
    return { status: refusal.status, headers: { 'content-type': scimContentType, ...refusal.headers }, body };
  };

  /** An error of the tenant itself: told to whoever runs it, hidden from the caller. */
  #confess(cause: unknown): Refusal {
    this.#parts.warn(
      `internal error: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`,
    );
    return new Refusal(500, 'An internal error occurred.', { cause });
  }
}

function count(figures: Map<string, number>, name: string): void {
  figures.set(name, (figures.get(name) ?? 0) + 1);
}
