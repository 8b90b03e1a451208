/**
 * The console on the administrative listener: the page, its log-on and its endpoints. Invariant: every endpoint is refused
 * unless the table of api/endpoints.ts gives it to the session's role; whoever adds one decides that there.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { describeError, log } from '../log.ts';
import { Actions, type Wanted } from './actions.ts';
import { oidcLogOnPath } from './api/endpoints.ts';
import type { Overview } from './api/overview.ts';
import type { Session as SessionReply } from './api/session.ts';
import type { AuditDesk } from './audit-desk.ts';
import { readCookie } from './cookies.ts';
import { Live } from './live.ts';
import { addressOf, LogOns, redirect, type LogOnOptions } from './log-ons.ts';
import { requireToken } from './origin.ts';
import { pagePrefix, type Page } from './page.ts';
import { Refusal } from './refusal.ts';
import { protect, readJson, sendJson, sendRefusal } from './response.ts';
import { apiPrefix, mayUse, routeOf, type EndpointName } from './routes.ts';
import { whoIs, type Session } from './sessions.ts';
import type { ConsoleState, TargetKind } from './state.ts';

export interface ConsoleOptions extends LogOnOptions {
  readonly page: Page;
  readonly audit: AuditDesk;
  readonly state: ConsoleState;
  /** The text of the button for OIDC. */
  readonly oidcLabel?: string;
}

export const callbackPath = '/console/log-on/callback';

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<Record<string, string>>;
  readonly search: URLSearchParams;
  /** Aborted when whoever asked has gone. */
  readonly signal: AbortSignal;
}

/** Resolves to a reply as JSON; to nothing when it was sent already. */
type Answer = (who: Session, asked: Asked) => Promise<object | void>;
type Answers = Readonly<Record<Exclude<EndpointName, 'session' | 'logOn' | 'logOff'>, Answer>>;

export class Console implements AsyncDisposable {
  readonly #options: ConsoleOptions;
  readonly #logOns: LogOns;
  readonly #live: Live;
  readonly #actions: Actions;
  readonly #answers: Answers;

  constructor(options: ConsoleOptions) {
    this.#options = options;
    this.#logOns = new LogOns(options);
    this.#live = new Live(() => this.#overview());
    this.#actions = new Actions(options);
    this.#answers = this.#answersOf(options);
  }

  /** Whatever the path is, it gets an answer. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origins } = this.#options;
    protect(response, origins.isSecure);
    try {
      origins.requireHost(request);
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else if (error instanceof Refusal) sendRefusal(response, error);
      else if (request.destroyed || response.destroyed) response.destroy();
      else {
        log.error('the console failed', describeError(error));
        sendRefusal(response, new Refusal(500, 'unavailable', 'The console failed; the log says where.'));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#live[Symbol.dispose]();
    this.#options.sessions[Symbol.dispose]();
    await this.#options.audit[Symbol.asyncDispose]();
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { main } = this.#options.origins;
    const url = URL.parse(request.url ?? '/', main);
    if (!url || url.origin !== main.origin)
      throw new Refusal(400, 'bad-request', 'The address is not well-formed.');
    const { pathname: path, searchParams: search } = url;
    if (path.startsWith(`${apiPrefix}/`))
      return this.#answerApi(request, response, path.slice(apiPrefix.length), search);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new Refusal(405, 'bad-request', 'This is not done here.');
    if (path === '/' || path === '/console') return redirect(response, pagePrefix);
    if (path === oidcLogOnPath) return this.#logOns.leave(response, search.get('then') ?? '');
    if (path === callbackPath) return this.#logOns.comeBack(request, response, url);
    if (path.startsWith(pagePrefix)) return this.#options.page.send(request, response, path);
    throw new Refusal(404, 'not-found', 'There is nothing here.');
  }

  async #answerApi(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    search: URLSearchParams,
  ): Promise<void> {
    const { origins, sessions } = this.#options;
    const { name, params } = routeOf(request.method ?? '', path);
    origins.requireOwn(request);
    const id = readCookie(request, 'session', origins.isSecure);
    const session = sessions.find(id, name !== 'live' && name !== 'session');
    if (name === 'session' || name === 'logOn' || name === 'logOff')
      return this.#answerAnybody(name, request, response, session);
    if (!session) throw new Refusal(401, 'not-logged-on', 'Nobody is logged on.');
    if (!mayUse(session.role, name)) {
      const facts = { ...whoIs(session), endpoint: name };
      this.#options.refused({ event: 'console.denied', code: name, source: addressOf(request), facts });
      throw new Refusal(403, 'forbidden', `This is not for the role ${session.role}.`);
    }
    if (request.method !== 'GET') requireToken(request, session.csrf);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const asked = { request, response, params, search, signal: gone.signal };
    const reply = await this.#answers[name](session, asked);
    if (reply) sendJson(response, name === 'verify' ? 202 : 200, reply);
  }

  async #answerAnybody(
    name: EndpointName,
    request: IncomingMessage,
    response: ServerResponse,
    session: Session | undefined,
  ): Promise<void> {
    if (name === 'session') return sendJson(response, 200, this.#sessionReply(session));
    if (name === 'logOn')
      return sendJson(response, 200, this.#sessionReply(await this.#logOns.locally(request, response)));
    if (session) requireToken(request, session.csrf);
    this.#logOns.logOff(request, response);
  }

  #sessionReply(session: Session | undefined): SessionReply {
    const { state, oidc, oidcLabel = 'Single sign-on', local } = this.#options;
    return {
      ...(session && {
        user: {
          name: session.name,
          role: session.role,
          by: session.by,
          idleEndsAt: new Date(session.idleEndsAt).toISOString(),
          endsAt: new Date(session.endsAt).toISOString(),
        },
      }),
      ...(session && { gateway: { version: state.version, instance: state.instance } }),
      csrf: session?.csrf ?? '',
      logOn: { ...(oidc && { oidc: oidcLabel }), local: local !== undefined },
    };
  }

  #answersOf({ audit, state }: ConsoleOptions): Answers {
    return {
      overview: () => this.#overview(),
      live: async (who, { request, response }) => this.#look(who, request, response),
      trails: (who, { signal }) => audit.trails(who, signal),
      pseudonyms: async (who, { request }) => audit.pseudonyms(who, await readJson(request)),
      histogram: (who, { search, signal }) => audit.histogram(who, search, signal),
      records: (who, { search, signal }) => audit.records(who, search, signal),
      record: (who, { params, signal }) => audit.record(who, params['record'] ?? '', signal),
      proof: (who, { params, signal }) => audit.proof(who, params['record'] ?? '', signal),
      export: (who, { search, response }) => audit.export(who, search, response),
      verify: (who) => audit.verify(who),
      verification: (who, { params }) => audit.verification(who, params['job'] ?? ''),
      cancelVerification: (who, { params }) => audit.cancelVerification(who, params['job'] ?? ''),
      parties: () => state.parties(),
      security: () => state.security(),
      forget: (who, asked) => this.#actions.forget(who, wanted(asked, 'system')),
      pause: (who, asked) => this.#actions.pause(who, wanted(asked, 'tenant')),
      resume: (who, asked) => this.#actions.resume(who, wanted(asked, 'tenant')),
      release: (who, asked) => this.#actions.release(who, wanted(asked, 'hold')),
      testAlert: (who, asked) => this.#actions.testAlert(who, wanted(asked, 'channel')),
    };
  }

  async #overview(): Promise<Overview> {
    const { state, audit } = this.#options;
    return { ...(await state.overview()), audit: await audit.pulse() };
  }

  #look(who: Session, request: IncomingMessage, response: ServerResponse): void {
    const { sessions, origins } = this.#options;
    const id = readCookie(request, 'session', origins.isSecure);
    this.#live.add(`${who.by} ${who.name}`, {
      response,
      mayLook: () => sessions.find(id, false) !== undefined,
    });
  }
}

function wanted({ request, params }: Asked, kind: TargetKind): Wanted {
  return { target: params[kind] ?? '', body: () => readJson(request) };
}
