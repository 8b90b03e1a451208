/**
 * W3C Trace Context: reads what a caller sends and writes what goes on from here. Invariant: what is not valid to the
 * letter does not go on, so nothing but identifiers of a fixed form passes a caller's trace to a tenant.
 */
import { randomBytes } from 'node:crypto';

export interface Trace {
  readonly id: string;
  readonly flags: string;
}

/** W3C Trace Context §3.2: version 00 has four fields; a later version may have more behind them. */
export function readTrace(traceparent: string | undefined): Trace | undefined {
  const [, version, id = '', parent = '', flags = '', more] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  // §3.2.2.3: all zeros is no id.
  if (/^0+$/.test(id) || /^0+$/.test(parent)) return undefined;
  return { id, flags };
}

export function newSpan(): string {
  return randomBytes(8).toString('hex');
}

/** §3.2.2.4: of the flags only `sampled` has a meaning in version 00. */
export function writeTrace({ id, flags }: Trace, span: string): string {
  return `00-${id}-${span}-0${Number.parseInt(flags, 16) & 1}`;
}

const maxStateLength = 512;
const maxStateMembers = 32;
const member =
  /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** What other systems keep in the trace (§3.3); dropped as a whole when it is too long or not well-formed. */
export function readTraceState(tracestate: string | undefined): string | undefined {
  if (tracestate === undefined || tracestate.length > maxStateLength) return undefined;
  const members = tracestate
    .split(',')
    .map((text) => text.trim())
    .filter(Boolean);
  const isSound =
    members.length > 0 && members.length <= maxStateMembers && members.every((text) => member.test(text));
  return isSound ? members.join(',') : undefined;
}
