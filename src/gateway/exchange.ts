/**
 * THE LINE: what happens to a call, in order, from the raw target to the reply. The order is the product;
 * there are no hooks and nothing in the configuration changes it.
 *
 * Nothing goes up before its intent is on disk, and nothing is told before its record is.
 */
import type { RequestEntry, RequestFacts, Trail } from '../audit/trail.ts';
import { checkBody, restrictQuery, withoutDenied } from '../auth/attributes.ts';
import { authorise } from '../auth/authorise.ts';
import { mayWrite, type Caller, type IdentifiedCaller } from '../auth/caller.ts';
import type { Identify } from '../auth/identify.ts';
import { isTokenEndpoint, toOAuthReply, type TokenEndpoint } from '../auth/token-endpoint.ts';
import type { Cache, CacheAsk, CacheRules } from '../cache/cache.ts';
import { describeError, log } from '../log.ts';
import type { CallerLimits } from '../pace/caller-limits.ts';
import type { Settings } from '../pages/memory.ts';
import type { Pages } from '../pages/pages.ts';
import { unfoldBulk } from '../scim/bulk.ts';
import type { Call, Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { understand, type Operation, type SystemFacts } from '../scim/operation.ts';
import { relocate, type Location } from '../scim/relocate.ts';
import type { Target } from '../scim/target.ts';
import { urgencyOf } from '../scim/urgency.ts';
import { ask, type Question, type Route } from './ask.ts';
import { readBody, type BodyLimits } from './body.ts';
import type { Doubts } from './doubts.ts';
import { cacheFields, cacheWish, notModified } from './freshness.ts';
import { acceptUp, headersDown } from './headers.ts';
import { readThrough } from './page-reads.ts';
import { asScimError, finish, toReply } from './respond.ts';
import { methods } from './server.ts';
import { parseTarget } from './target.ts';

/** A configured system with everything the line needs to serve it. */
export interface System extends SystemFacts {
  readonly route: Route;
  readonly limits: BodyLimits;
  readonly cache: { readonly perCaller: boolean; readonly rules: CacheRules };
  readonly pages: Settings;
  /** Where the tenant says its resources are, and where callers find them. */
  readonly location: Location;
  readonly publicUrl: URL;
}

/** The real-time and admin interfaces of a tenant. */
export interface TenantInterfaces {
  readonly route: Route;
  readonly limits: BodyLimits;
}

/** The line's parts; a reload of the configuration builds another set. */
export interface Parts {
  readonly trail: Trail;
  readonly cache: Cache;
  readonly pages: Pages;
  readonly doubts: Doubts;
  readonly identify: Identify;
  readonly tokenEndpoint: TokenEndpoint;
  readonly callerLimits: CallerLimits;
  readonly systems: ReadonlyMap<string, System>;
  readonly tenants: ReadonlyMap<string, TenantInterfaces>;
  readonly isOurs: (authority: string) => boolean;
  readonly maxTargetLength: number;
  readonly patienceMs: number;
}

export type Exchange = (call: Call) => Promise<Reply>;

/** What is known of a call when its line ends, also when it ends by an error. */
interface Progress {
  operation?: Operation;
  /** In whose words a refusal is told: SCIM's, or OAuth's at the token endpoint. */
  tell: (error: ScimError) => Reply;
}

export function createExchange(parts: Parts): Exchange {
  return async function exchange(call) {
    let entry: RequestEntry;
    try {
      entry = parts.trail.open(call);
    } catch (thrown) {
      return refuse(thrown, call, toReply);
    }
    const progress: Progress = { tell: toReply };
    const reply = await follow(parts, call, entry, progress).catch((thrown: unknown) =>
      refuse(thrown, call, progress.tell, entry),
    );
    const delivered = call.left.aborted ? false : undefined;
    const recorded = await entry.close({ status: reply.status, bytes: reply.body.length, delivered });
    // The tenant has changed whatever the disk does: a write's true answer is never withheld.
    if (recorded || progress.operation?.effect === 'write') return finish(reply, call.id);
    return refuse(
      new ScimError('audit-unavailable', 'The audit trail cannot be written.', { retryAfter: 5 }),
      call,
      progress.tell,
    );
  };
}

function refuse(thrown: unknown, call: Call, tell: Progress['tell'], entry?: RequestEntry): Reply {
  const error = asScimError(thrown);
  entry?.add({ error: error.kind });
  // What a caller has sent wrong is in the trail; it must not fill the log as well.
  if (error.status >= 500 && error !== call.flaw)
    log.warn('call refused', { kind: error.kind, ...describeError(error.cause) });
  return finish(tell(error), call.id);
}

async function follow(parts: Parts, call: Call, entry: RequestEntry, progress: Progress): Promise<Reply> {
  if (call.flaw) throw call.flaw;
  checkMethod(call.method);
  const target = parseTarget(call.target, parts.maxTargetLength, parts.isOurs);
  if (isTokenEndpoint(target)) {
    progress.tell = toOAuthReply;
    return giveToken(parts, call, target, entry);
  }
  const caller = await parts.identify(call);
  call.onKnown();
  entry.add(actorOf(caller));
  const asked = understand(call.method, target, (id) => parts.systems.get(id), caller.tenant);
  progress.operation = asked;
  entry.add({ operation: asked });
  entry.add({ decision: authorise(caller, asked, call.source) });
  const understood = restrictQuery(caller, asked);
  const { patienceMs, callerLimits } = parts;
  const turn = { caller: caller.name, priority: understood.priority, patienceMs, signal: call.left };
  return callerLimits.run(turn, (waitedMs) => {
    // What was waited for here is not waited again at the tenant.
    const leftMs = Math.max(0, Math.floor(patienceMs - waitedMs));
    return serve({ ...parts, patienceMs: leftMs }, call, entry, caller, understood);
  });
}

/** The rest of the line, for a caller that may go on. */
async function serve(
  parts: Parts,
  call: Call,
  entry: RequestEntry,
  caller: Caller,
  understood: Operation,
): Promise<Reply> {
  const place = placeOf(parts, understood);
  const body = await readBody(call, understood, place.limits);
  if (body) {
    entry.add({ body });
    checkBody(caller, understood, body);
  }
  const known = { ...understood, priority: urgencyOf(understood, body) };
  const question = { call, caller: caller.name, operation: known, body, entry };
  if (!('location' in place)) return askInterface(parts, place, question);
  if (understood.kind === 'probe') return redirect(place);
  if (understood.effect === 'read') return read(parts, place, caller, question);
  if (!body || understood.kind !== 'bulk') return write(parts, place, caller, question);
  const operation = unfoldBulk(understood, body, place);
  entry.add({ operation });
  entry.add({ decision: authorise(caller, operation, call.source) });
  checkBody(caller, operation, body);
  return write(parts, place, caller, { ...question, operation });
}

/** Beside the line: it proves who calls and asks no tenant. */
async function giveToken(
  { tokenEndpoint }: Parts,
  call: Call,
  target: Target,
  entry: RequestEntry,
): Promise<Reply> {
  entry.add({ asksToken: true });
  const caller = await tokenEndpoint.identify(call, target);
  call.onKnown();
  entry.add(actorOf(caller));
  return tokenEndpoint.grant(caller, call);
}

function actorOf({ name, auth, credential }: IdentifiedCaller): RequestFacts {
  return { caller: name, auth, credential };
}

/** The general list; what one path supports is decided where the path is understood. */
function checkMethod(method: string): void {
  if (!methods.split(', ').includes(method))
    throw new ScimError('method-not-allowed', 'The method is not supported.', {
      headers: { allow: methods },
    });
}

function placeOf({ systems, tenants }: Parts, { api, system, tenant }: Operation): System | TenantInterfaces {
  const place = api === 'proxy' ? systems.get(system) : tenants.get(tenant);
  if (!place) throw new ScimError('not-found', 'There is no such system or endpoint.');
  return place;
}

type Asked = Omit<Question, 'patience' | 'onSent'>;

async function read(parts: Parts, system: System, caller: Caller, asked: Asked): Promise<Reply> {
  const { call, operation, entry } = asked;
  const { perCaller, rules } = system.cache;
  const cacheAsk: CacheAsk = {
    accept: acceptUp(call.headers, system.kind),
    origin: system.location.base.href,
    scope: perCaller ? caller.name : '',
    caller: caller.name,
    rules,
    mayServe: !mayRewrite(caller, operation),
    ...cacheWish(call.headers),
  };
  const answer = await unlessLeft(readThrough(parts, system, cacheAsk, asked), call.left);
  entry.add({ cache: answer.result, ageMs: answer.ageMs });
  // RFC 9110 §13.1.2: only a GET is answered with 304; a search by POST is not.
  const condition = call.method === 'GET' ? call.headers['if-none-match'] : undefined;
  const told = withoutDenied(caller, operation, deliver(system, answer.reply));
  const reply = notModified(told, condition);
  return { ...reply, headers: { ...reply.headers, ...cacheFields(answer) } };
}

/**
 * SAP IDM reads a group, changes its members and puts it back, so a stale copy would remove people
 * (facts: SAP IDM's calls). Such a reader gets the tenant's own word.
 */
function mayRewrite(caller: Caller, { kind, system, resourceType, query }: Operation): boolean {
  const single = kind === 'get' || (kind === 'list' && query.has('filter'));
  return single && resourceType === 'Groups' && mayWrite(caller, system, resourceType);
}

async function write(parts: Parts, system: System, caller: Caller, asked: Asked): Promise<Reply> {
  const { call, operation } = asked;
  const signal = AbortSignal.any([call.left, AbortSignal.timeout(parts.patienceMs)]);
  let sent = false;
  const onSent = (): void => {
    sent = true;
  };
  try {
    const reply = await ask(system.route, { ...asked, patience: patienceOf(parts, signal), onSent });
    return withoutDenied(caller, operation, deliver(system, reply));
  } catch (thrown) {
    if (thrown instanceof ScimError && thrown.kind === 'outcome-unknown')
      parts.doubts.raise(operation, system.route.deadlines.writeMs);
    throw thrown;
  } finally {
    // Whatever came back, the tenant may have changed: nothing older is served once this call is answered.
    if (sent) await parts.cache.forget(operation);
  }
}

/** The real-time and admin interfaces: never cached, and their replies pass as they are. */
async function askInterface(parts: Parts, { route }: TenantInterfaces, asked: Asked): Promise<Reply> {
  const signal = AbortSignal.any([asked.call.left, AbortSignal.timeout(parts.patienceMs)]);
  const reply = await ask(route, { ...asked, patience: patienceOf(parts, signal), onSent: () => {} });
  return { ...reply, headers: headersDown(reply.headers, true) };
}

function patienceOf({ patienceMs }: Parts, signal: AbortSignal): Question['patience'] {
  return { until: performance.now() + patienceMs, signal };
}

function deliver({ location, publicUrl }: System, reply: Reply): Reply {
  return relocate({ ...reply, headers: headersDown(reply.headers, false) }, location, publicUrl);
}

/** Connection tests of SAP IAG take a redirect from the base path as the sign of life (facts: URL patterns). */
function redirect({ publicUrl }: System): Reply {
  return { status: 301, headers: { location: `${publicUrl.href}/Users` }, body: Buffer.alloc(0) };
}

/** Waits no longer than the caller does; the work itself goes on. */
async function unlessLeft<T>(work: Promise<T>, left: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(left.reason);
  if (left.aborted) leave();
  left.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    left.removeEventListener('abort', leave);
  }
}
