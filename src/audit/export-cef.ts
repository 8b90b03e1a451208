/**
 * Records in the Common Event Format, version 0: one line each, whatever strangers have put into a name. In the header
 * `\` and `|` are escaped, in the extension `\`, `=` and line breaks; other control characters become blanks.
 */
import { isIPv6 } from 'node:net';

import type { Entry } from './entry.ts';
import type { ExportOptions } from './formats.ts';
import { factsOf, titleOf, weightOf, type RecordFacts } from './record-facts.ts';

/** CEF counts from 0 to 10. */
const severityOf = { 1: 2, 2: 4, 3: 6, 4: 9 } as const;

export function toCef(entry: Entry, { version }: ExportOptions): string {
  const facts = factsOf(entry);
  const severity = severityOf[weightOf(entry, facts)];
  const header = ['Gatehouse', 'Gatehouse', version ?? '', entry.event, titleOf(entry, facts), severity];
  const extension = Object.entries(extensionOf(entry, facts))
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${escapeValue(String(value))}`);
  return `CEF:0|${header.map((field) => escapeHeader(String(field))).join('|')}|${extension.join(' ')}`;
}

function extensionOf(entry: Entry, facts: RecordFacts): Record<string, string | number | undefined> {
  const { address } = facts;
  const six = address !== undefined && isIPv6(address);
  return {
    rt: Date.parse(entry.ts),
    externalId: entry.id,
    msg: entry.text('facts', 'note'),
    deviceExternalId: entry.instance,
    cat: facts.area,
    act: facts.operation,
    outcome: facts.ending,
    reason: facts.error,
    src: six ? undefined : address,
    ...(six && { c6a2: address, c6a2Label: 'Source IPv6 Address' }),
    spt: facts.port,
    suser: facts.caller,
    suid: facts.claimed,
    duid: facts.resource,
    dhost: facts.upstreamHost,
    requestMethod: facts.method,
    request: facts.path,
    requestClientApplication: facts.agent,
    in: facts.bytesIn,
    out: facts.bytesOut,
    ...custom('cs', [
      ['request', facts.request],
      ['system', facts.system],
      ['resourceType', facts.resourceType],
      ['decision', facts.decision],
      ['tenant', facts.tenant],
      ['credential', facts.credential],
    ]),
    ...custom('cn', [
      ['httpStatus', facts.status],
      ['durationMs', facts.ms === undefined ? undefined : Math.round(facts.ms)],
      ['sequence', entry.seq],
    ]),
  };
}

/** Fields for what the format has no name for: `cs1=… cs1Label=request`. */
function custom(
  prefix: 'cs' | 'cn',
  fields: readonly (readonly [string, string | number | undefined])[],
): Record<string, string | number | undefined> {
  const pairs = fields.flatMap(([label, value], at) =>
    value === undefined
      ? []
      : [[`${prefix}${at + 1}`, value] as const, [`${prefix}${at + 1}Label`, label] as const],
  );
  return Object.fromEntries(pairs);
}

function escapeHeader(text: string): string {
  return withoutControls(text).replaceAll(/[\\|]/g, String.raw`\$&`);
}

function escapeValue(text: string): string {
  const escaped = text.replaceAll(/[\\=]/g, String.raw`\$&`);
  return withoutControls(escaped.replaceAll('\r', String.raw`\r`).replaceAll('\n', String.raw`\n`));
}

function withoutControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
}
