/**
 * What a tenant answers: that it answers at all, what its clock says, whether it takes the gateway's credential, and
 * only when it is asked for, one read of each system, which spends a call of the quota. Each has its records in a trail.
 */
import type { Trail } from '../audit/trail.ts';
import type { Route } from '../gateway/ask.ts';
import { NoReply } from '../gateway/forward.ts';
import { headersUp } from '../gateway/headers.ts';
import type { TenantAccess } from '../gateway/upstream.ts';
import type { Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { brokenAfterConnect, brokenBy, type Place } from './causes.ts';
import { skewOf } from './clock.ts';
import { Broken, walk, type Report, type Sound } from './finding.ts';

export interface Asked {
  readonly trail: Trail;
  readonly access: TenantAccess;
  readonly route: Route;
  readonly place: Place;
}

const deadlineMs = 20_000;

/** One call outside the line, with its intent on disk first. */
async function send({ trail, route, place }: Asked, method: string, path: string, system?: string) {
  const { tenant, host } = route;
  const target = { method, path: path.split('?')[0] ?? path };
  const record = await trail.intend({
    purpose: 'doctor',
    tenant,
    host,
    ...target,
    ...(system && { system }),
  });
  const startedAt = performance.now();
  const took = (): number => performance.now() - startedAt;
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    const authorization = system === undefined ? undefined : await route.login.authorization(deadline);
    const headers = headersUp(
      {},
      { authorization, requestId: 'doctor', bodyBytes: undefined, read: true, kind: route.kind },
    );
    const reply = await route.forwardRead(
      { method, path, headers, maxReplyBytes: route.maxReplyBytes },
      deadline,
    );
    const result = reply.status < 400 ? 'success' : 'failure';
    await record.close({ result, status: reply.status, sent: true, msTotal: took() });
    return { reply, ms: took() };
  } catch (thrown) {
    const sent = thrown instanceof NoReply && thrown.sent;
    await record.close({ result: 'failure', sent, msTotal: took() });
    throw thrown instanceof NoReply ? brokenWithoutReply(thrown, place) : thrown;
  }
}

function brokenWithoutReply({ cause, sent }: NoReply, place: Place): Broken {
  return sent ? brokenAfterConnect(cause, 'answer', place) : brokenBy(cause, place);
}

/** Without a credential and beside the interfaces that count. */
export async function walkAnswer(report: Report, asked: Asked): Promise<boolean> {
  const of = `tenant ${asked.route.tenant}`;
  const answered = await walk(report, { leg: 'answer', of }, async () => {
    const { reply, ms } = await send(asked, 'HEAD', '/');
    return [answerOf(reply), { reply, ms }] as const;
  });
  if (!answered) return false;
  const date = Date.parse(answered.reply.headers['date'] ?? '');
  if (!Number.isNaN(date))
    // The field counts whole seconds, and was written half a round trip ago.
    await walk(report, { leg: 'clock', of }, async () => [
      skewOf(date + 500 + answered.ms / 2 - Date.now()),
      true,
    ]);
  return true;
}

/** Any answer shows that the way holds; some show already that calls will fare badly. */
function answerOf({ status, headers }: Reply): Sound {
  const found = `answers with ${status}`;
  if (status === 429)
    return {
      outcome: 'warning',
      found: `${found}: it has enough of calls${comeBack(headers)}`,
      remedy: spentRemedy,
    };
  if (status < 500) return { found };
  const remedy =
    'The tenant, or what stands in front of it, is not well: look at its status page and ask again.';
  return { outcome: 'warning', found, remedy };
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function comeBack({ 'retry-after': after }: Reply['headers']): string {
  if (after === undefined) return '';
  return `; it says to come back ${/^\d+$/.test(after) ? `after ${after} s` : `at ${after}`}`;
}

const spentRemedy =
  'Wait. If it happens again, lower tenants.*.pace.perMinute: other programs use the same tenant.';

export async function walkToken(report: Report, { access, route, place }: Asked): Promise<boolean> {
  const of = `tenant ${route.tenant}`;
  const held = await walk(report, { leg: 'token', of }, async () => {
    try {
      await access.login.authorization(AbortSignal.timeout(deadlineMs));
      return [{ found: 'the tenant gave a token' }, true] as const;
    } catch (thrown) {
      throw tokenFault(thrown, place);
    }
  });
  return held ?? false;
}

function tokenFault(thrown: unknown, place: Place): unknown {
  if (!(thrown instanceof ScimError)) return thrown;
  const key = place.key.replace(/url$/, 'credential');
  if (thrown.kind === 'upstream-refused-us')
    return new Broken(
      'The tenant refused the client id or its secret.',
      `Put a valid secret into the file that ${key} names. SAP locks a client after five failures, so wait before the next try.`,
    );
  if (thrown.cause instanceof NoReply) return brokenWithoutReply(thrown.cause, place);
  return new Broken(thrown.message, `Look at ${key}.tokenUrl: is it the token endpoint of this tenant?`);
}

/**
 * @param path of the system, with the shortest list that there is
 * @returns whether the tenant refused the credential, so that another try would only bring the client nearer to its lock
 */
export async function walkRead(report: Report, asked: Asked, system: string, path: string): Promise<boolean> {
  let refused = false;
  await walk(report, { leg: 'read', of: `system ${system}` }, async () => {
    const { reply } = await send(asked, 'GET', path, system);
    refused = reply.status === 401;
    return [judge(reply, system, asked.place), true] as const;
  });
  return refused;
}

function judge({ status, headers, body }: Reply, system: string, { key }: Place): Sound {
  const credential = key.replace(/url$/, 'credential');
  if (status === 401)
    throw new Broken(
      'The tenant refused the credential (401).',
      `Put a valid secret into the file that ${credential} names. SAP locks a client after five failures, so wait before the next try.`,
    );
  if (status === 403)
    throw new Broken(
      'The credential is known but may not use proxy systems (403).',
      'Give the technical user the role for the Identity Provisioning proxy API, in the administration of the tenant.',
    );
  if (status === 404)
    throw new Broken(
      'The tenant does not know this system (404).',
      `Compare systems.${system} (upstreamId) with the id of the proxy system in the tenant; it must be one of type proxy.`,
    );
  if (status === 429) throw new Broken(`The tenant's quota is spent (429)${comeBack(headers)}.`, spentRemedy);
  if (status >= 400)
    throw new Broken(
      `The tenant answered with ${status}.`,
      'Look into the job log of the proxy system: its target may be away, or its transformation wrong.',
    );
  const text = body.toString('utf8', 0, 200);
  if (!text.trimStart().startsWith('{'))
    throw new Broken(
      `The answer is no SCIM (${headers['content-type'] ?? 'without a type'}).`,
      `Something else answers in the tenant's place: look at ${key} and at a proxy in between.`,
    );
  return { found: `answers with ${status}` };
}
