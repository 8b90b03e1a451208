/**
 * Messages as RFC 5424 has them, each with its length before it (octet counting, RFC 5425 §4.3). Chain and number are
 * structured data, so that a receiver tells what was sent twice without reading the body.
 */
import { factsOf, weightOf } from '../audit/record-facts.ts';
import type { Message } from './message.ts';

/** Numbers of RFC 5424 §6.2.1 that are meant for such messages. */
export const facilities = {
  auth: 4,
  authpriv: 10,
  audit: 13,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;
export type Facility = keyof typeof facilities;

/** From `informational` to `alert`: action must be taken at once. */
const severities = { 1: 6, 2: 5, 3: 4, 4: 1 } as const;

export interface FrameOptions {
  readonly facility: Facility;
  readonly hostname: string;
  /** `name@number`, the number being a private enterprise number (RFC 5424 §6.3.2). */
  readonly structuredDataId: string;
}

/** One message, with what its head and its structured data say. */
export interface Framed {
  /** RFC 5424 §6.2.1. */
  readonly severity: number;
  /** When it happened, ISO 8601. */
  readonly at: string;
  readonly messageId: string;
  /** Those without a value are left out. */
  readonly parameters: readonly (readonly [name: string, value: string | undefined])[];
  readonly bodies: readonly string[];
}

export function framesOf({ entry, isCheckpoint, bodies }: Message, options: FrameOptions): Buffer[] {
  return framed(
    {
      severity: severities[weightOf(entry, factsOf(entry))],
      at: entry.ts,
      messageId: entry.event,
      parameters: [
        ['chain', entry.segment.chain],
        [isCheckpoint ? 'size' : 'seq', String(entry.seq)],
        ['req', entry.text('req')],
        ['instance', entry.instance],
      ],
      bodies,
    },
    options,
  );
}

export function framed(
  { severity, at, messageId, parameters, bodies }: Framed,
  options: FrameOptions,
): Buffer[] {
  const { facility, hostname, structuredDataId } = options;
  const priority = facilities[facility] * 8 + severity;
  const data = parameters
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escapeValue(value)}"`))
    .join('');
  const head = `<${priority}>1 ${at} ${printable(hostname, 255)} gatehouse - ${printable(messageId, 32)} [${structuredDataId}${data}]`;
  return bodies.map((body) => {
    const text = Buffer.from(`${head} ${body}`);
    return Buffer.concat([Buffer.from(`${text.length} `), text]);
  });
}

/** RFC 5424 §6.3.3. */
function escapeValue(value: string): string {
  return value.replaceAll(/["\\\]]/g, String.raw`\$&`);
}

/** PRINTUSASCII of RFC 5424 §6, or the NILVALUE. */
function printable(text: string, longest: number): string {
  return text.replaceAll(/[^!-~]/g, '').slice(0, longest) || '-';
}
