/** Reads what a gateway answers as strictly as it must write it; everything else is a fault. */

export interface Reading {
  /** Of the answers that are whole, in order. */
  readonly statuses: (number | string)[];
  readonly faults: string[];
  /** Whether one of them was no interim one. */
  readonly isFinal: boolean;
  /** Whether the connection ends behind the last. */
  readonly isLast: boolean;
  /** What stands behind the whole answers. */
  readonly rest: string;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function readAnswers(text: string, isHead: boolean): Reading {
  const statuses: number[] = [];
  const faults: string[] = [];
  let isLast = false;
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) [ -~]+$/.exec(first)?.[1]);
    const fields = new Map(
      lines.map((line) => [
        /^([a-z-]+): /i.exec(line)?.[1]?.toLowerCase() ?? '',
        line.replace(/^[^:]*: /, ''),
      ]),
    );
    if (!status || fields.has('') || fields.size < lines.length) {
      faults.push(`not the head of an answer: ${JSON.stringify(rest.slice(0, end))}`);
      break;
    }
    // Whoever refuses what it cannot read does not know that it was a HEAD; then it closes.
    const isBare = isHead && (fields.get('connection') !== 'close' || rest.length === end + 4);
    const hasBody = status >= 200 && status !== 204 && status !== 304 && !isBare;
    const length = hasBody ? Number(fields.get('content-length')) : 0;
    if (Number.isNaN(length)) {
      faults.push(`an answer without a length: ${JSON.stringify(rest.slice(0, end))}`);
      break;
    }
    if (rest.length < end + 4 + length) break;
    const body = rest.slice(end + 4, end + 4 + length);
    rest = rest.slice(end + 4 + length);
    statuses.push(status);
    isLast = fields.get('connection') === 'close';
    if (status >= 200) faults.push(...faultsOf(status, fields, hasBody ? body : undefined));
  }
  return { statuses, faults, isFinal: statuses.some((status) => status >= 200), isLast, rest };
}

function faultsOf(status: number, fields: ReadonlyMap<string, string>, body: string | undefined): string[] {
  const faults: string[] = [];
  if (!uuid.test(fields.get('x-request-id') ?? '')) faults.push(`${status} without a request id`);
  if (fields.get('cache-control') !== 'no-store') faults.push(`${status} may be stored`);
  if (status >= 500) faults.push(`${status}: ${body}`);
  if (status < 400 || body === undefined) return faults;
  const error = parsed(body);
  const isScim =
    fields.get('content-type')?.startsWith('application/scim+json') === true &&
    Array.isArray(error['schemas']) &&
    error['status'] === String(status);
  const isOAuth =
    fields.get('content-type')?.startsWith('application/json') === true && typeof error['error'] === 'string';
  if (!isScim && !isOAuth) faults.push(`${status} is no SCIM error: ${body}`);
  return faults;
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body);
  } catch {
    return {}; // which is no error of either kind
  }
}
