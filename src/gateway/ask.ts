/**
 * Asks the tenant once the line has decided to: turn → credential → intent on disk → forward → outcome on disk.
 * Every physical call has its own turn and its own pair of records. A write is sent once; it is repeated only
 * where the tenant itself said that it did not carry it out: 429, or 401 to a token that was renewed since.
 */
import type { RequestEntry, UpstreamFacts, UpstreamOutcome } from '../audit/trail.ts';
import type { TenantLogin } from '../auth/tenant-login.ts';
import type { BackendPace } from '../pace/backend.ts';
import { retryAfterMs } from '../pace/quota.ts';
import type { Pacer, Turn, Work } from '../pace/turn.ts';
import type { Call, Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { newSpan, readTrace } from '../scim/trace.ts';
import { NoReply, type Forward } from './forward.ts';
import { headersUp, type Upward } from './headers.ts';
import { isBackendBusy, isIntermediate, isTenantBusy, judge, judgeSilence } from './verdict.ts';

/** One way up: a system's base at its tenant, or the tenant's own interfaces. */
export interface Route {
  readonly kind: Upward['kind'];
  readonly tenant: string;
  readonly host: string;
  readonly pacer: Pacer;
  /** Of the system behind the tenant. */
  readonly backend: BackendPace;
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
  let after: UpstreamFacts['after'];
  for (let attempt = 1; ; attempt += 1) {
    const turn = {
      caller: question.caller,
      priority: operation.priority,
      alike: `${operation.system} ${operation.kind}`,
      patienceMs: patience.until - performance.now(),
      signal: patience.signal,
    };
    const tried = await inTurn(route, turn, (waitedMs, departed) =>
      send(route, question, { attempt, after, waitedMs }, departed),
    ).catch((thrown: unknown) => Promise.reject(asImpatience(thrown, route, patience)));
    if (tried.fault) {
      // A kept-alive connection can die between two requests; only a read may be sent twice.
      if (!mayRepeat || !tried.fault.silent || !tried.fault.sent || tried.fault.timedOut)
        throw judgeSilence(operation, tried.fault);
      mayRepeat = false;
      after = 'silence';
    } else if (isTenantBusy(tried.reply)) {
      route.pacer.refused(pauseAfter(route, tried.reply));
      after = 'busy';
    } else if (mayRenew && refusesToken(tried.reply) && (await renew(route, tried.authorization, patience))) {
      mayRenew = false;
      after = 'token';
    } else {
      if (isBackendBusy(tried.reply)) route.backend.refused(saidPause(tried.reply));
      else route.backend.answered();
      if (tried.verdict instanceof ScimError) throw tried.verdict;
      return tried.verdict;
    }
  }
}

/** A system that is slowed down waits before it stands in the tenant's queue, where others would wait behind it. */
function inTurn<T>({ backend, pacer }: Route, turn: Turn, work: Work<T>): Promise<T> {
  return backend.run(turn, (heldMs) =>
    pacer.run({ ...turn, patienceMs: turn.patienceMs - heldMs }, (waitedMs, departed) =>
      work(heldMs + waitedMs, departed),
    ),
  );
}

/** The end of the patience while waiting for a turn is no fault: the caller may come again. */
function asImpatience(thrown: unknown, { pauseMs }: Route, { signal }: Patience): unknown {
  if (!signal.aborted || thrown !== signal.reason || thrown instanceof ScimError) return thrown;
  const retryAfter = Math.ceil(pauseMs / 1000);
  return new ScimError('busy', "The tenant's quota leaves no turn for this request now.", {
    cause: thrown,
    retryAfter,
    why: 'tenant-turn',
  });
}

function pauseAfter({ pauseMs }: Route, reply: Reply): number {
  return saidPause(reply) ?? pauseMs;
}

function saidPause({ headers }: Reply): number | undefined {
  const said = headers['retry-after'];
  return said === undefined ? undefined : retryAfterMs(said, Date.now());
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
  tried: Pick<UpstreamFacts, 'attempt' | 'after' | 'waitedMs'>,
  departed: () => void,
): Promise<Attempt> {
  const { call, operation, entry, patience, onSent } = question;
  const read = operation.effect === 'read';
  const deadlineMs = read ? route.deadlines.readMs : route.deadlines.writeMs;
  const deadline = AbortSignal.any([AbortSignal.timeout(deadlineMs), route.ending]);
  const authorization = await route.login.authorization(deadline);
  const { tenant, host } = route;
  const { system, path } = operation;
  const { method } = call;
  const span = readTrace(call.headers['traceparent']) && newSpan();
  const intent = { purpose: 'call', tenant, system, host, method, path, span, ...tried };
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
  departed();
  // What stands in the record if we fail ourselves between intent and outcome.
  let outcome: UpstreamOutcome = { result: read ? 'failure' : 'unknown', sent: true, error: 'internal' };
  try {
    const attempt = await carry(route, question, { authorization, span }, deadline);
    outcome = outcomeOf(attempt, operation, call.id);
    return attempt;
  } finally {
    await finish(outcome);
  }
}

async function carry(
  { kind, maxReplyBytes, forwardRead, forwardWrite }: Route,
  { call, operation, body }: Question,
  { authorization, span }: Pick<Upward, 'authorization' | 'span'>,
  deadline: AbortSignal,
): Promise<Attempt> {
  const { effect, path, query } = operation;
  const read = effect === 'read';
  const bodyBytes = body?.length;
  const upstreamCall = {
    method: call.method,
    path: query.canonical ? `${path}?${query.canonical}` : path,
    headers: headersUp(call.headers, { authorization, requestId: call.id, span, bodyBytes, read, kind }),
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
function outcomeOf(tried: Attempt, { effect }: Operation, ownId: string): UpstreamOutcome {
  if (tried.fault) {
    const { sent, cause, silent, timedOut } = tried.fault;
    const invalid = sent && !silent && !timedOut;
    return { result: effect === 'write' && sent ? 'unknown' : 'failure', sent, code: codeOf(cause), invalid };
  }
  const { reply, verdict } = tried;
  const { status } = reply;
  const told = { sent: true, status, bytes: reply.body.length, requestId: idOf(reply, ownId) };
  if (!(verdict instanceof ScimError)) return { ...told, result: status < 400 ? 'success' : 'failure' };
  const isUnknown = verdict.kind === 'outcome-unknown';
  // What a load balancer says for a service behind it is a failure, but a sound answer.
  const invalid = verdict.kind === 'upstream-broke' || (isUnknown && !isIntermediate(status));
  return { ...told, result: isUnknown ? 'unknown' : 'failure', error: verdict.kind, invalid };
}

/** The tenant's own id of the call, by which its operator finds it; what it only gave back to us is none. */
function idOf({ headers }: Reply, ownId: string): string | undefined {
  const ids = ['x-correlation-id', 'x-correlationid', 'x-request-id', 'x-vcap-request-id'];
  return ids.map((name) => headers[name]).find((id) => id !== undefined && id !== ownId && isId(id));
}

const isId = (text: string): boolean => /^[\w.:/+=-]{1,128}$/.test(text);

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
