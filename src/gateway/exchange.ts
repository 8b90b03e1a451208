/**
 * THE LINE: what happens to a call, in order, from the raw target to the reply. The order is the product;
 * there are no hooks and nothing in the configuration changes it.
 *
 * Nothing goes up before its intent is on disk, and nothing is told before its record is.
 */
import type { RequestEntry, RequestFacts, Trail } from '../audit/trail.ts';
import { checkBody, restrictQuery } from '../auth/attributes.ts';
import { authorise } from '../auth/authorise.ts';
import type { Caller, IdentifiedCaller } from '../auth/caller.ts';
import type { Identify } from '../auth/identify.ts';
import { isTokenEndpoint, toOAuthReply, type TokenEndpoint } from '../auth/token-endpoint.ts';
import { describeError, log } from '../log.ts';
import type { CallerLimits } from '../pace/caller-limits.ts';
import { asOneCall } from '../redis-wait.ts';
import { unfoldBulk } from '../scim/bulk.ts';
import type { Call, Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { understand, type Operation } from '../scim/operation.ts';
import type { Target } from '../scim/target.ts';
import { ask } from './ask.ts';
import { readBody } from './body.ts';
import { headersDown } from './headers.ts';
import type { ReadParts } from './page-reads.ts';
import type { Asked, System, TenantInterfaces } from './place.ts';
import { checkAnswer, repairBody } from './profile-bodies.ts';
import { readTarget, repairRequest, type Meant, type ProfileParts } from './profiles.ts';
import { read } from './read.ts';
import { asScimError, finish, toReply } from './respond.ts';
import { methods } from './server.ts';
import type { SnapshotParts } from './snapshot-reads.ts';
import { parseTarget } from './target.ts';
import { urgencyOf } from './urgency.ts';
import { patienceOf, write, type WriteParts } from './write.ts';

/** The line's parts; a reload of the configuration builds another set. */
export interface Parts extends ReadParts, SnapshotParts, WriteParts, ProfileParts {
  readonly trail: Trail;
  readonly identify: Identify;
  readonly tokenEndpoint: TokenEndpoint;
  readonly callerLimits: CallerLimits;
  readonly systems: ReadonlyMap<string, System>;
  readonly tenants: ReadonlyMap<string, TenantInterfaces>;
  readonly isOurs: (authority: string) => boolean;
  readonly maxTargetLength: number;
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
    const reply = await asOneCall(() => follow(parts, call, entry, progress)).catch((thrown: unknown) =>
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
  entry?.add({ error: error.kind, why: error.why });
  // What a caller has sent wrong is in the trail; it must not fill the log as well.
  if (error.status >= 500 && error !== call.flaw)
    log.warn('call refused', { kind: error.kind, ...describeError(error.cause) });
  return finish(tell(error), call.id);
}

async function follow(parts: Parts, call: Call, entry: RequestEntry, progress: Progress): Promise<Reply> {
  if (call.flaw) throw call.flaw;
  checkMethod(call.method);
  const came = readTarget(parts, call.target, (raw) => parseTarget(raw, parts.maxTargetLength, parts.isOurs));
  if (isTokenEndpoint(came.target)) {
    progress.tell = toOAuthReply;
    return giveToken(parts, call, came.target, entry);
  }
  const caller = await parts.identify(call);
  call.onKnown();
  entry.add(actorOf(caller));
  const meant = await repairRequest(parts, { caller: caller.name, call, entry }, came, (target) =>
    understand(call.method, target, (id) => parts.systems.get(id), caller.tenant),
  );
  progress.operation = meant.operation;
  entry.add({ operation: meant.operation });
  entry.add({ decision: authorise(caller, meant.operation, call.source) });
  const understood = restrictQuery(caller, meant.operation);
  const { patienceMs, callerLimits } = parts;
  const turn = { caller: caller.name, priority: understood.priority, patienceMs, signal: call.left };
  return callerLimits.run(turn, (waitedMs) => {
    // What was waited for here is not waited again at the tenant.
    const leftMs = Math.max(0, Math.floor(patienceMs - waitedMs));
    return serve({ ...parts, patienceMs: leftMs }, { ...meant, operation: understood }, entry, caller);
  });
}

/** The rest of the line, for a caller that may go on. */
async function serve(parts: Parts, meant: Meant, entry: RequestEntry, caller: Caller): Promise<Reply> {
  const { call, operation: understood } = meant;
  const place = placeOf(parts, understood);
  const received = await readBody(call, understood, place.limits);
  const body = await repairBody(parts, { caller: caller.name, entry, limits: place.limits }, meant, received);
  if (body) {
    entry.add({ body });
    checkBody(caller, understood, body);
  }
  const known = { ...understood, priority: urgencyOf(understood, body) };
  const question = { call, caller: caller.name, operation: known, body, entry };
  if (!('location' in place)) return askInterface(parts, place, question);
  if (understood.kind === 'probe') return redirect(place);
  if (understood.effect === 'read')
    return checkAnswer(parts, meant, await read(parts, place, caller, question));
  if (!body || understood.kind !== 'bulk')
    return checkAnswer(parts, meant, await write(parts, place, caller, question));
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

/** The real-time and admin interfaces: never cached, and their replies pass as they are. */
async function askInterface(parts: Parts, { route }: TenantInterfaces, asked: Asked): Promise<Reply> {
  const reply = await ask(route, {
    ...asked,
    patience: patienceOf(asked.call, parts.patienceMs),
    onSent: () => {},
  });
  return { ...reply, headers: headersDown(reply.headers, true) };
}

/** Connection tests of SAP IAG take a redirect from the base path as the sign of life (facts: URL patterns). */
function redirect({ publicUrl }: System): Reply {
  return { status: 301, headers: { location: `${publicUrl.href}/Users` }, body: Buffer.alloc(0) };
}
