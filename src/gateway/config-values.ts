/**
 * The kinds of value a configuration is written in: durations, sizes, addresses, names. Each is a schema that
 * takes the operator's notation and gives the number or text that the parts use; none of them reads a file.
 */
import { isIP } from 'node:net';

import { z } from 'zod';

/** Length of each unit in milliseconds. */
export const durations: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** Length of each unit in bytes. */
const sizes: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

interface Range {
  readonly min?: string;
  readonly max?: string;
}

/** A duration with its unit, such as `250ms`, `30s`, `5m`, `1h`; gives milliseconds. */
export function duration(range: Range = {}) {
  return measure(
    'duration',
    durations,
    'must be a duration with its unit, such as 250ms, 30s, 5m or 1h',
    range,
  );
}

/** A size with its unit, such as `64KiB` or `8MiB`; gives bytes. */
export function size(range: Range = {}) {
  return measure('size', sizes, 'must be a size with its unit, such as 512B, 64KiB or 8MiB', range);
}

function measure(title: string, units: Readonly<Record<string, number>>, error: string, { min, max }: Range) {
  const pattern = new RegExp(`^([0-9]{1,9})(${Object.keys(units).join('|')})$`);
  const read = (text: string) => {
    const [, count = '', unit = ''] = pattern.exec(text) ?? [];
    return Number(count) * (units[unit] ?? Number.NaN);
  };
  return z
    .string({ error })
    .regex(pattern, { error })
    .meta({ title })
    .transform((text, ctx) => {
      const value = read(text);
      if (min !== undefined && value < read(min)) refuse(ctx, `must be at least ${min}`);
      if (max !== undefined && value > read(max)) refuse(ctx, `must be at most ${max}`);
      return value;
    });
}

/** What a transformation needs to report a fault; the remedy travels in `params`. */
export interface FaultSink {
  addIssue(issue: {
    code: 'custom';
    message: string;
    params?: Record<string, unknown>;
    continue?: boolean;
  }): void;
}

/** Reports a fault without ending the parse, so that all others are found too. */
export function refuse(ctx: FaultSink, message: string, remedy?: string): void {
  ctx.addIssue({ code: 'custom', message, continue: true, ...(remedy && { params: { remedy } }) });
}

/** Traffic to these hosts does not leave the machine, so that plain HTTP tells nobody anything. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIP(bare) === 4) return bare.startsWith('127.');
  return bare === '::1' || bare === 'localhost';
}

/**
 * An address whose traffic carries secrets or personal data: https, or http to this machine.
 * Gives it without a trailing slash.
 */
export function secureUrl() {
  const error = 'must be an address such as https://host.example.com';
  return z
    .string({ error })
    .meta({ title: 'address' })
    .transform((text, ctx) => {
      const url = URL.parse(text);
      if (!url || !/^https?:$/.test(url.protocol)) refuse(ctx, error);
      else if (url.username || url.password || url.search || url.hash)
        refuse(ctx, 'must be scheme, host, port and path only', 'remove user, password, query and fragment');
      else if (url.protocol === 'http:' && !isLoopback(url.hostname))
        refuse(ctx, 'must be https (is http)', 'write https://; http is for addresses of this machine only');
      return text.replace(/\/+$/, '');
    });
}

/**
 * Address of a server that gets a credential of the gateway. By name, because certificates are made out to names, and
 * an address may belong to somebody else tomorrow.
 */
export function serverUrl() {
  return secureUrl().superRefine((text, ctx) => {
    const host = URL.parse(text)?.hostname.replaceAll(/[[\]]/g, '') ?? '';
    if (isIP(host) && !isLoopback(host))
      refuse(ctx, 'must name a host (is an IP address)', 'write the name that its certificate has');
  });
}

export const port = () => z.int().min(0).max(65_535);
export const count = (min: number, max: number) => z.int().min(min).max(max);

/** SHA-256 of a public key as openssl prints it: hexadecimal digits or base64; gives lower-case hexadecimal digits. */
export function keyDigest() {
  const error = 'must be a SHA-256 digest: 64 hexadecimal digits, or 44 characters of base64';
  return z
    .string({ error })
    .meta({ title: 'digest' })
    .regex(/^(?:(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}|[A-Za-z0-9+/]{43}=)$/, { error })
    .transform((text) =>
      text.endsWith('=')
        ? Buffer.from(text, 'base64').toString('hex')
        : text.replaceAll(':', '').toLowerCase(),
    );
}

/** A network in CIDR notation, such as `10.20.0.0/16`, or one address. */
export function network() {
  const error = 'must be a network such as 10.20.0.0/16 or 2001:db8::/32, or an address';
  return z.string({ error }).meta({ title: 'network' }).refine(isNetwork, { error });
}

function isNetwork(text: string): boolean {
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return Number(length ?? 0) <= bits;
}

/** The name of a map entry. It becomes a part of paths, file names or log fields, hence the narrow alphabet. */
export function name(alphabet: string, what: string) {
  const allowed = ['letters', 'digits', ...alphabet.split('')].join(' ');
  return z
    .string()
    .regex(new RegExp(`^[A-Za-z0-9][A-Za-z0-9${alphabet}]{0,127}$`), {
      error: `is no ${what}: it begins with a letter or digit and has only ${allowed}`,
    })
    .meta({ title: what });
}
