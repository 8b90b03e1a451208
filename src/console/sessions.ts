/**
 * Who is logged on to the console, in memory. Invariant: only the hash of a session's id is kept, an id is never taken from
 * a request, and a session that has lain idle or lived too long is none.
 */
import { hash, randomBytes } from 'node:crypto';

import type { Role } from './api/endpoints.ts';

export interface Person {
  readonly name: string;
  /** What the issuer calls whoever it is; the name may be given to somebody else one day. */
  readonly subject?: string;
  readonly role: Role;
  readonly by: 'oidc' | 'local';
  /** Which secret a local account has shown. */
  readonly credential?: string;
}

export interface Session extends Person {
  readonly csrf: string;
  /** ms since 1970. */
  readonly beganAt: number;
  readonly endsAt: number;
  readonly idleEndsAt: number;
}

export type SessionEnd = 'asked' | 'idle' | 'lifetime' | 'replaced' | 'revoked';

export interface SessionsOptions {
  readonly idleMs: number;
  readonly lifetimeMs: number;
  readonly onEnd: (session: Session, why: SessionEnd) => void;
  /** Whether what somebody has logged on with is still good. */
  readonly isGood?: (person: Person) => boolean;
  readonly now?: () => number;
}

/** More than these are forgotten ones; the oldest of the person makes room. */
const mostPerPerson = 5;
const mostSessions = 500;
const sweepMs = 15_000;

export class Sessions implements Disposable {
  readonly #options: SessionsOptions;
  readonly #now: () => number;
  /** By the hash of the id, the oldest first. */
  readonly #sessions = new Map<string, Session>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#timer = setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** @returns the id, which nobody but the browser keeps */
  begin(person: Person): { readonly id: string; readonly session: Session } {
    this.#makeRoom(person);
    const id = randomBytes(32).toString('base64url');
    const now = this.#now();
    const session = {
      ...person,
      csrf: randomBytes(32).toString('base64url'),
      beganAt: now,
      endsAt: now + this.#options.lifetimeMs,
      idleEndsAt: now + this.#options.idleMs,
    };
    this.#sessions.set(keyOf(id), session);
    return { id, session };
  }

  /** @param isAction whether somebody did something, so that the time of idleness begins anew */
  find(id: string | undefined, isAction: boolean): Session | undefined {
    if (id === undefined) return undefined;
    const key = keyOf(id);
    const session = this.#sessions.get(key);
    if (!session || this.#endIfOver(key, session)) return undefined;
    if (!isAction) return session;
    const moved = { ...session, idleEndsAt: this.#now() + this.#options.idleMs };
    this.#sessions.set(key, moved);
    return moved;
  }

  end(id: string | undefined, why: SessionEnd): void {
    const key = id === undefined ? '' : keyOf(id);
    const session = this.#sessions.get(key);
    if (session) this.#end(key, session, why);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #makeRoom({ name, by }: Person): void {
    const own = [...this.#sessions].filter(([, session]) => session.name === name && session.by === by);
    const oldest = own.length >= mostPerPerson ? own[0] : this.#sessions.entries().next().value;
    if (oldest && (own.length >= mostPerPerson || this.#sessions.size >= mostSessions))
      this.#end(oldest[0], oldest[1], 'replaced');
  }

  #sweep(): void {
    for (const [key, session] of this.#sessions) this.#endIfOver(key, session);
  }

  #endIfOver(key: string, session: Session): boolean {
    const why = this.#whyOver(session);
    if (why) this.#end(key, session, why);
    return why !== undefined;
  }

  #whyOver(session: Session): SessionEnd | undefined {
    const { isGood = () => true } = this.#options;
    const now = this.#now();
    if (now >= session.endsAt) return 'lifetime';
    if (now >= session.idleEndsAt) return 'idle';
    return isGood(session) ? undefined : 'revoked';
  }

  #end(key: string, session: Session, why: SessionEnd): void {
    this.#sessions.delete(key);
    this.#options.onEnd(session, why);
  }
}

function keyOf(id: string): string {
  return hash('sha256', id, 'base64url');
}

/** As the trail names a person of the console. */
export function whoIs({ name, subject, role, by }: Person) {
  return { user: name, ...(subject !== undefined && subject !== name && { subject }), role, by };
}
