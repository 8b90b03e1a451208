/**
 * Who becomes who at the console: local accounts, OIDC, and the end of both. Invariant: every log-on makes a new session, ends
 * the one that the browser had, and is in the trail; a refusal tells nobody whether the account exists.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { z } from 'zod';

import { describeError, log } from '../log.ts';
import { ScimError } from '../scim/error.ts';
import { cookie, noCookie, readCookie } from './cookies.ts';
import { attemptSeconds, OidcRefused, type Oidc } from './oidc.ts';
import type { Origins } from './origin.ts';
import { pagePrefix } from './page.ts';
import { Refusal } from './refusal.ts';
import { readJson } from './response.ts';
import { whoIs, type Person, type Session, type Sessions } from './sessions.ts';

/** What a right secret gives, and which of the account's secrets it was. */
export type LocalAccount = Required<Pick<Person, 'role' | 'credential'>>;

export interface LogOnOptions {
  readonly origins: Origins;
  readonly sessions: Sessions;
  /** Of a local account whose secret fits; throws `throttled` and the like as ScimError. Absent without accounts. */
  readonly local?: (user: string, secret: string, ip: string) => Promise<LocalAccount | undefined>;
  readonly oidc?: Oidc;
  /** One durable record; rejects where it is not on stable storage. */
  readonly note: (event: string, facts: Record<string, unknown>) => Promise<void>;
  /** A record of a refusal, or one that stands for many of them where somebody fails without end. */
  readonly refused: (refused: Refused) => void;
}

export interface Refused {
  readonly event: 'console.log_on_refused' | 'console.denied';
  /** What many refusals have in common. */
  readonly code: string;
  /** The address that they came from. */
  readonly source: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

const logOnRequest = z.strictObject({
  user: z.string().min(1).max(256),
  secret: z.string().min(1).max(1024),
});

export class LogOns {
  readonly #options: LogOnOptions;

  constructor(options: LogOnOptions) {
    this.#options = options;
  }

  async locally(request: IncomingMessage, response: ServerResponse): Promise<Session> {
    const { data } = logOnRequest.safeParse(await readJson(request));
    if (!data) throw new Refusal(400, 'bad-request', 'A user and a secret are wanted.');
    const ip = addressOf(request);
    const account = await this.#verify(data.user, data.secret, ip);
    if (!account) {
      this.#refuse('local', 'wrong user or secret', ip);
      throw new Refusal(401, 'wrong-log-on', 'The user or the secret is wrong.');
    }
    return this.#begin(request, response, { name: data.user, ...account, by: 'local' });
  }

  /** Sends the browser to the issuer. */
  async leave(response: ServerResponse, back: string): Promise<void> {
    const { oidc, origins } = this.#options;
    if (!oidc) throw new Refusal(404, 'not-found', 'There is nothing here.');
    try {
      const { url, attempt } = await oidc.begin(placeWithin(back, origins.main), addressOf(response.req));
      response.setHeader('set-cookie', cookie('log-on', attempt, origins.isSecure, attemptSeconds));
      redirect(response, url.href);
    } catch (error) {
      log.warn('the issuer of the console’s log-on cannot be reached', describeError(error));
      redirect(response, `${pagePrefix}?refused=failed`);
    }
  }

  /** The browser comes back from the issuer. */
  async comeBack(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { oidc, origins } = this.#options;
    if (!oidc) throw new Refusal(404, 'not-found', 'There is nothing here.');
    const attempt = readCookie(request, 'log-on', origins.isSecure);
    response.appendHeader('set-cookie', noCookie('log-on', origins.isSecure));
    try {
      const { person, back } = await oidc.finish(attempt, url);
      await this.#begin(request, response, person);
      redirect(response, back);
    } catch (error) {
      const why = error instanceof OidcRefused ? error.why : 'failed';
      if (why === 'failed') log.warn('a log-on of the console by OIDC failed', describeError(error));
      this.#refuse('oidc', why, addressOf(request));
      redirect(response, `${pagePrefix}?refused=${why}`);
    }
  }

  logOff(request: IncomingMessage, response: ServerResponse): void {
    const { sessions, origins } = this.#options;
    sessions.end(readCookie(request, 'session', origins.isSecure), 'asked');
    response.setHeader('set-cookie', noCookie('session', origins.isSecure));
    response.writeHead(204).end();
  }

  async #begin(request: IncomingMessage, response: ServerResponse, person: Person): Promise<Session> {
    const { sessions, origins, note } = this.#options;
    const source = addressOf(request);
    const event = person.by === 'local' ? 'console.local_log_on' : 'console.logged_on';
    try {
      await note(event, { ...whoIs(person), source });
    } catch (cause) {
      throw new Refusal(503, 'unavailable', 'The log-on cannot be recorded.', { cause });
    }
    sessions.end(readCookie(request, 'session', origins.isSecure), 'replaced');
    const { id, session } = sessions.begin(person);
    response.appendHeader('set-cookie', cookie('session', id, origins.isSecure));
    return session;
  }

  async #verify(user: string, secret: string, ip: string): Promise<LocalAccount | undefined> {
    const { local } = this.#options;
    if (!local) throw new Refusal(404, 'not-found', 'There are no local accounts.');
    try {
      return await local(user, secret, ip);
    } catch (cause) {
      if (!(cause instanceof ScimError)) throw cause;
      this.#refuse('local', cause.kind, ip);
      const retryAfter = Number(cause.headers['retry-after'] ?? 5);
      throw new Refusal(429, 'throttled', 'Too many log-ons have failed.', { retryAfter, cause });
    }
  }

  #refuse(by: Person['by'], reason: string, source: string): void {
    const facts = { by, reason, source };
    this.#options.refused({ event: 'console.log_on_refused', code: reason, source, facts });
  }
}

/** A link may name a place of the page and nothing else. */
function placeWithin(back: string, main: URL): string {
  const url = URL.parse(back, main);
  const isPlace = url?.origin === main.origin && /^\/console\/(?!api\/|log-on\/)/.test(url.pathname);
  return url && isPlace ? `${url.pathname}${url.search}` : pagePrefix;
}

export function addressOf({ socket }: IncomingMessage): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}

export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location }).end();
}
