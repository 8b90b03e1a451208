/**
 * A list reply taken apart into its figures and its resources, and put together again with others. The resources
 * stay the bytes that the tenant sent; nothing is understood of them but their id, and what `meta` says.
 */
import type { Reply } from '../scim/call.ts';
import { itemsOf, membersOf, skipSpace, type Member } from './json-spans.ts';

export interface Figures {
  readonly startIndex: number;
  /** What the tenant read for this page, before its conditions dropped any (facts: IPS 3.1). */
  readonly itemsPerPage: number;
  readonly totalResults: number;
}

export interface ListPage extends Figures {
  readonly resources: readonly Buffer[];
  readonly headers: Reply['headers'];
  /** The reply with other figures and resources, in the tenant's own frame. */
  readonly write: (figures: Figures, resources: readonly Buffer[]) => Reply;
}

/** Undefined for all that is not a page with all its figures: such a reply is passed on and never cut. */
export function readListPage(reply: Reply): ListPage | undefined {
  const { status, body } = reply;
  const start = skipSpace(body, 0);
  if (status !== 200 || body[start] !== 0x7b) return undefined;
  const members = [...membersOf(body, start)];
  const startIndex = numberOf(body, members, 'startindex');
  const itemsPerPage = numberOf(body, members, 'itemsperpage');
  const totalResults = numberOf(body, members, 'totalresults');
  if (startIndex === undefined || itemsPerPage === undefined || totalResults === undefined) return undefined;
  const list = members.find(({ name }) => name === 'resources');
  if (list && body[list.start] !== 0x5b) return undefined;
  const resources = list ? itemsOf(body, list.start).map((item) => body.subarray(item.start, item.end)) : [];
  const write: ListPage['write'] = (figures, chosen) => ({
    ...reply,
    headers: withoutValidators(reply),
    body: writeBody(body, members, figures, chosen),
  });
  return { startIndex, itemsPerPage, totalResults, resources, headers: reply.headers, write };
}

/** The id of a resource; undefined for what has none, such as a page that was cut by `attributes`. */
export function idOf(resource: Buffer): string | undefined {
  return textOf(resource, 0, 'id') || undefined;
}

/** @param name in small letters, as whatever spelling is read */
export function metaOf(resource: Buffer, name: string): string | undefined {
  const meta = memberOf(resource, 0, 'meta');
  return meta && textOf(resource, meta.start, name);
}

function memberOf(json: Buffer, start: number, wanted: string): Member | undefined {
  return json[start] === 0x7b ? membersOf(json, start).find(({ name }) => name === wanted) : undefined;
}

function textOf(json: Buffer, start: number, wanted: string): string | undefined {
  const member = memberOf(json, start, wanted);
  const value: unknown = member && JSON.parse(json.toString('utf8', member.start, member.end));
  return typeof value === 'string' ? value : undefined;
}

function numberOf(body: Buffer, members: readonly Member[], wanted: string): number | undefined {
  const found = members.find(({ name }) => name === wanted);
  const text = found && body.toString('latin1', found.start, found.end);
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** They speak of the page that the tenant sent. */
function withoutValidators({ headers }: Reply): Reply['headers'] {
  const { etag: _, 'last-modified': __, 'content-length': ___, ...others } = headers;
  return others;
}

function writeBody(
  body: Buffer,
  members: readonly Member[],
  figures: Figures,
  resources: readonly Buffer[],
): Buffer {
  const replaced: Readonly<Record<string, Buffer>> = {
    startindex: Buffer.from(String(figures.startIndex)),
    itemsperpage: Buffer.from(String(figures.itemsPerPage)),
    totalresults: Buffer.from(String(figures.totalResults)),
    resources: Buffer.concat([Buffer.from('['), ...separated(resources), Buffer.from(']')]),
  };
  const parts: Buffer[] = [];
  let copied = 0;
  for (const { name, start, end } of members) {
    const value = replaced[name];
    if (!value) continue;
    parts.push(body.subarray(copied, start), value);
    copied = end;
  }
  return Buffer.concat([...parts, body.subarray(copied)]);
}

function separated(resources: readonly Buffer[]): Buffer[] {
  const comma = Buffer.from(',');
  return resources.flatMap((resource, at) => (at === 0 ? [resource] : [comma, resource]));
}
