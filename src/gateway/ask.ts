/**
 * Asks the tenant once the line has decided to: turn → credential → intent on disk → forward → outcome on disk.
 * Every physical call has its own turn and its own pair of records. A write is sent once; it is repeated only
 * where the tenant itself said that it did not carry it out: 429, or 401 to a token that was renewed since.
 */
import type { RequestEntry, UpstreamOutcome } from '../audit/trail.ts';
import type { TenantLogin } from '../auth/tenant-login.ts';
import type { Pacer } from '../pace/pacer.ts';
import { retryAfterMs } from '../pace/quota.ts';
import type { Call, Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { NoReply, type Forward } from './forward.ts';
import { headersUp, type Upward } from './headers.ts';
import { isTenantBusy, judge, judgeSilence } from './verdict.ts';

/** One way up: a system's base at its tenant, or the tenant's own interfaces. */
export interface Route {
  readonly kind: Upward['kind'];
  readonly tenant: string;
  readonly host: string;
  readonly pacer: Pacer;
  readonly login: TenantLogin;
  readonly forwardRead: Forward;
  readonly forwardWrite: Forward;
  readonly deadlines: { readonly readMs: number; readonly writeMs: number };
  readonly maxReplyBytes: number;
  /** How long everybody waits after a 429 that does not say how long. */
  readonly pauseMs: number;
  /** Ends what still runs when the grace of a shutdown is over. */
  readonly ending: AbortSignal;
}

/** How long somebody is ready to wait for a turn: until an instant of `performance.now()`, or until the signal. */
export interface Patience {
  readonly until: number;
  readonly signal: AbortSignal;
}

export interface Question {
  readonly call: Call;
  /** The technical user; a reply may be shared, its turn is charged to who asked first. */
  readonly caller: string;
  readonly operation: Operation;
  readonly body: Buffer | undefined;
  readonly entry: RequestEntry;
  readonly patience: Patience;
  /** Called when the intent is on disk and the call goes up, once for each physical call. */
  readonly onSent: () => void;
}

type Attempt = { readonly authorization: string | undefined } & (
  | { readonly reply: Reply; readonly verdict: Reply | ScimError; readonly fault?: never }
  | { readonly fault: NoReply }
);

export async function ask(route: Route, question: Question): Promise<Reply> {
  const { operation, patience } = question;
  let mayRepeat = operation.effect === 'read';
  let mayRenew = true;
  for (let attempt = 1; ; attempt += 1) {
    const turn = {
      caller: question.caller,
      priority: operation.priority,
      patienceMs: patience.until - performance.now(),
      signal: patience.signal,
    };
    const tried = await route.pacer
      .run(turn, (waitedMs) => send(route, question, { attempt, waitedMs }))
      .catch((thrown: unknown) => Promise.reject(asImpatience(thrown, route, patience)));
    if (tried.fault) {
      // A kept-alive connection can die between two requests; only a read may be sent twice.
      if (!mayRepeat || !tried.fault.silent || !tried.fault.sent || tried.fault.timedOut)
        throw judgeSilence(operation, tried.fault);
      mayRepeat = false;
    } else if (isTenantBusy(tried.reply)) {
      route.pacer.pause(pauseAfter(route, tried.reply));
    } else if (mayRenew && refusesToken(tried.reply) && (await renew(route, tried.authorization, patience))) {
      mayRenew = false;
    } else {
      if (tried.verdict instanceof ScimError) throw tried.verdict;
      return tried.verdict;
    }
  }
}

/** The end of the patience while waiting for a turn is no fault: the caller may come again. */
function asImpatience(thrown: unknown, { pauseMs }: Route, { signal }: Patience): unknown {
  if (!signal.aborted || thrown !== signal.reason || thrown instanceof ScimError) return thrown;
  const retryAfter = Math.ceil(pauseMs / 1000);
  return new ScimError('busy', "The tenant's quota leaves no turn for this request now.", {
    cause: thrown,
    retryAfter,
  });
}

function pauseAfter({ pauseMs }: Route, { headers }: Reply): number {
  const said = headers['retry-after'];
  return said === undefined ? pauseMs : retryAfterMs(said, Date.now());
}

/** RFC 6750 §3: the challenge says that the token was refused, so nothing was carried out. */
function refusesToken({ status, headers }: Reply): boolean {
  return status === 401 && /\bbearer\b/i.test(headers['www-authenticate'] ?? '');
}

async function renew(route: Route, used: string | undefined, patience: Patience): Promise<boolean> {
  if (used === undefined) return false;
  return route.login
    .renew(used, patience.signal)
    .catch((thrown: unknown) => Promise.reject(asImpatience(thrown, route, patience)));
}

async function send(
  route: Route,
  question: Question,
  { attempt, waitedMs }: { attempt: number; waitedMs: number },
): Promise<Attempt> {
  const { call, operation, entry, patience, onSent } = question;
  const read = operation.effect === 'read';
  const deadlineMs = read ? route.deadlines.readMs : route.deadlines.writeMs;
  const deadline = AbortSignal.any([AbortSignal.timeout(deadlineMs), route.ending]);
  const authorization = await route.login.authorization(deadline);
  const { tenant, host } = route;
  const { system, path } = operation;
  const { method } = call;
  const intent = { purpose: 'call', tenant, system, host, method, path, attempt, waitedMs };
  const record = await entry.intend(intent);
  const startedAt = performance.now();
  const finish = async (outcome: UpstreamOutcome): Promise<void> => {
    const recorded = await record.close({ ...outcome, msTotal: performance.now() - startedAt });
    if (!recorded && read)
      throw new ScimError('audit-unavailable', 'The audit trail cannot be written.', { retryAfter: 5 });
  };
  if (patience.signal.aborted) {
    await finish({ result: 'aborted', sent: false });
    patience.signal.throwIfAborted();
  }
  onSent();
  // What stands in the record if we fail ourselves between intent and outcome.
  let outcome: UpstreamOutcome = { result: read ? 'failure' : 'unknown', sent: true, error: 'internal' };
  try {
    const tried = await carry(route, question, authorization, deadline);
    outcome = outcomeOf(tried, operation);
    return tried;
  } finally {
    await finish(outcome);
  }
}

async function carry(
  { kind, maxReplyBytes, forwardRead, forwardWrite }: Route,
  { call, operation, body }: Question,
  authorization: string | undefined,
  deadline: AbortSignal,
): Promise<Attempt> {
  const { effect, path, query } = operation;
  const read = effect === 'read';
  const bodyBytes = body?.length;
  const upstreamCall = {
    method: call.method,
    path: query.canonical ? `${path}?${query.canonical}` : path,
    headers: headersUp(call.headers, { authorization, requestId: call.id, bodyBytes, read, kind }),
    ...(body && { body }),
    maxReplyBytes,
  };
  try {
    const reply = await (read ? forwardRead : forwardWrite)(upstreamCall, deadline);
    return { reply, verdict: judge(operation, reply), authorization };
  } catch (thrown) {
    if (thrown instanceof NoReply) return { fault: thrown, authorization };
    throw thrown;
  }
}

/** What a physical call came to, for its record: a page of HTML with status 200 is no success. */
function outcomeOf(tried: Attempt, { effect }: Operation): UpstreamOutcome {
  if (tried.fault) {
    const { sent, cause } = tried.fault;
    return { result: effect === 'write' && sent ? 'unknown' : 'failure', sent, code: codeOf(cause) };
  }
  const { reply, verdict } = tried;
  const { status } = reply;
  const told = { sent: true, status, bytes: reply.body.length };
  if (!(verdict instanceof ScimError)) return { ...told, result: status < 400 ? 'success' : 'failure' };
  return { ...told, result: verdict.kind === 'outcome-unknown' ? 'unknown' : 'failure', error: verdict.kind };
}

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
