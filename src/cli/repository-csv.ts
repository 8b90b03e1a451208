/**
 * Reads where an identity manager finds a proxy system today: in the CSV of a SCIM repository as SAP Identity Management and the tenant export it (facts: IPS 6.1): a line of
 * names, a line of values, each followed by a comma, values in quotes without any escape. The columns are found by name. Or in the
 * address that it calls.
 */
import { isLoopback } from '../gateway/config-values.ts';

export interface Repository {
  /** What it was read from: a file, or an address. */
  readonly from: string;
  readonly isFile: boolean;
  /** Of every column, in the order of the file. */
  readonly columns: ReadonlyMap<string, string>;
}

export class NotARepository extends Error {
  constructor(file: string, reason: string) {
    super(`${file} is no repository of type SCIM: ${reason}`);
    this.name = 'NotARepository';
  }
}

const needed = ['Name', 'SCIM_HOST', 'SCIM_PATH'];

export function readRepository(file: string, text: string): Repository {
  const [head = '', line = '', ...rest] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (rest.some((more) => more.trim() !== '')) throw new NotARepository(file, 'it has more than two lines');
  const [names, values] = [fieldsOf(head), fieldsOf(line)];
  if (names.length !== values.length)
    throw new NotARepository(file, `it has ${names.length} names and ${values.length} values`);
  const columns = new Map(names.map((name, at) => [name, values[at] ?? '']));
  const missing = needed.filter((name) => (columns.get(name) ?? '') === '');
  if (missing.length > 0) throw new NotARepository(file, `${missing.join(', ')} is missing`);
  return { from: file, isFile: true, columns };
}

/** Undefined where it is no address of HTTPS, nor one of this machine. */
export function repositoryAt(address: string): Repository | undefined {
  const url = URL.parse(address);
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))))
    return undefined;
  const { origin, protocol, hostname, port, pathname, username } = url;
  const user = decodeURIComponent(username);
  const columns = {
    SCIM_PROTOCOL: protocol.slice(0, -1),
    SCIM_HOST: hostname,
    SCIM_PORT: port,
    SCIM_PATH: pathname,
    AUTH_USER: user,
  };
  // A password may stand before the host, and `from` is told.
  return { from: `${origin}${pathname}`, isFile: false, columns: new Map(Object.entries(columns)) };
}

/** By HTTP where the configuration permits it: on this machine, as in a rehearsal. */
export function schemeOf({ columns }: Repository): 'http' | 'https' {
  const isHere = isLoopback(columns.get('SCIM_HOST') ?? '');
  return columns.get('SCIM_PROTOCOL') === 'http' && isHere ? 'http' : 'https';
}

/** A comma behind the last field ends it and begins none. */
function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  const pattern = /\s*(?:"([^"]*)"|([^",]*))\s*(?:,|$)/y;
  while (pattern.lastIndex < line.length) {
    const found = pattern.exec(line);
    if (!found) return [];
    fields.push(found[1] ?? found[2] ?? '');
  }
  return fields;
}
