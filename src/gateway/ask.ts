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
      priority: operation.priority,
      patienceMs: patience.until - performance.now(),
      signal: patience.signal,
    };
    const tried = await route.pacer
      .run(turn, (waitedMs) => send(route, question, { attempt, waitedMs }))
      .catch((thrown: unknown) => Promise.reject(asImpatience(thrown, route)));
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
function asImpatience(thrown: unknown, { pauseMs }: Route): unknown {
  if (!(thrown instanceof DOMException) || thrown.name !== 'TimeoutError') return thrown;
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

async function renew({ login }: Route, used: string | undefined, { signal }: Patience): Promise<boolean> {
  return used !== undefined && login.renew(used, signal);
}

async function send(
  route: Route,
  { call, operation, body, entry, patience, onSent }: Question,
  { attempt, waitedMs }: { attempt: number; waitedMs: number },
): Promise<Attempt> {
  const read = operation.effect === 'read';
  const deadlineMs = read ? route.deadlines.readMs : route.deadlines.writeMs;
  const deadline = AbortSignal.any([AbortSignal.timeout(deadlineMs), route.ending]);
  const authorization = await route.login.authorization(deadline);
  const { kind, tenant, host, maxReplyBytes } = route;
  const { system, path } = operation;
  const { method } = call;
  const record = await entry.intend({
    purpose: 'call',
    tenant,
    system,
    host,
    method,
    path,
    attempt,
    waitedMs,
  });
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
  try {
    const headers = headersUp(call.headers, {
      authorization,
      requestId: call.id,
      bodyBytes: body?.length,
      read,
      kind,
    });
    const { canonical } = operation.query;
    const forward = read ? route.forwardRead : route.forwardWrite;
    const reply = await forward(
      {
        method,
        path: canonical ? `${path}?${canonical}` : path,
        headers,
        ...(body && { body }),
        maxReplyBytes,
      },
      deadline,
    );
    const verdict = judge(operation, reply);
    await finish({ ...describeVerdict(verdict), status: reply.status, sent: true, bytes: reply.body.length });
    return { reply, verdict, authorization };
  } catch (thrown) {
    if (!(thrown instanceof NoReply)) throw thrown;
    const result = !read && thrown.sent ? 'unknown' : 'failure';
    await finish({ result, sent: thrown.sent, code: codeOf(thrown.cause) });
    return { fault: thrown, authorization };
  }
}

/** What a physical call came to, for its record: a page of HTML with status 200 is no success. */
function describeVerdict(verdict: Reply | ScimError): Pick<UpstreamOutcome, 'result' | 'error'> {
  if (!(verdict instanceof ScimError)) return { result: verdict.status < 400 ? 'success' : 'failure' };
  return { result: verdict.kind === 'outcome-unknown' ? 'unknown' : 'failure', error: verdict.kind };
}

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
