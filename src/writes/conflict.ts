/**
 * Conflicts of an IPS tenant in the words of RFC 7644 §3.12. The tenant quotes its backend's error and says no `scimType`
 * itself (facts: IPS 4.1), so that a caller cannot tell a resource that exists from a request that is bad.
 */
import type { Reply } from '../scim/call.ts';
import { kinds, type ScimError } from '../scim/error.ts';
import { schemas } from '../scim/message.ts';
import type { Operation } from '../scim/operation.ts';
import { isAttributes } from './agreement.ts';

const { status: conflict, scimType: uniqueness } = kinds.conflict satisfies Partial<ScimError>;

/** A 409 `uniqueness` where the refusal says so in any of its layers; its detail stays as it is. Else the reply itself. */
export function tellConflict({ kind }: Operation, reply: Reply): Reply {
  if (reply.status < 400 || reply.status >= 500 || reply.body.length === 0) return reply;
  const error: unknown = JSON.parse(reply.body.toString());
  if (!isAttributes(error) || !isError(error) || error['scimType'] !== undefined) return reply;
  const quoted = quotedIn(error['detail']);
  const isConflict = quoted.scimType === uniqueness || (kind === 'create' && isOf(conflict, reply, quoted));
  if (!isConflict) return reply;
  const { detail, ...rest } = error;
  const status = reply.status === conflict ? error['status'] : String(conflict);
  const body = Buffer.from(JSON.stringify({ ...rest, status, scimType: uniqueness, detail }));
  const length =
    reply.headers['content-length'] === undefined ? {} : { 'content-length': String(body.length) };
  return { status: conflict, headers: { ...reply.headers, ...length }, body };
}

interface Quoted {
  readonly status?: number;
  readonly scimType?: unknown;
}

/** What the backend said, as the tenant quotes it (facts: IPS 4.1). */
function quotedIn(detail: unknown): Quoted {
  const [, status, answer = ''] =
    /with statusCode: ?(\d{3})(?: and response: ([\s\S]*))?$/.exec(String(detail)) ?? [];
  if (status === undefined) return {};
  try {
    const said: unknown = JSON.parse(answer);
    return { status: Number(status), ...(isAttributes(said) && { scimType: said['scimType'] }) };
  } catch {
    return { status: Number(status) }; // a backend's error need not be JSON
  }
}

function isOf(status: number, reply: Reply, quoted: Quoted): boolean {
  return reply.status === status || quoted.status === status;
}

function isError({ schemas: named }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(named) && named.includes(schemas.error);
}
