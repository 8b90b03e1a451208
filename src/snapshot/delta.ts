/**
 * What was changed elsewhere since an instant, where the system can tell it (facts: IPS 3.3). Only a probe is believed: there
 * are systems that do not know the filter and answer with everybody. Deletions never show; they are the whole reading's.
 */
import { idOf, metaOf, readListPage } from '../pages/list-page.ts';
import type { Reply } from '../scim/call.ts';

/** Asks for a page of what was modified after an instant. */
export type AskChanged = (since: string, startIndex: number, count: number) => Promise<Reply>;

const pageSize = 100;
/** More are better read as a whole. */
const mostChanged = 500;
/** A probe expects so many at most. */
const mostExpected = 50;
/** The system's clock, and ours, may differ by so much. */
const marginMs = 10 * 60_000;

/** @param begunAt when the reading began that the changes are to follow */
export function instantBefore(begunAt: number): string {
  return isoOf(begunAt - marginMs);
}

const isoOf = (at: number): string => new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** By id; undefined when the system did not tell them all. */
export async function changedSince(
  since: string,
  ask: AskChanged,
): Promise<ReadonlyMap<string, Buffer> | undefined> {
  const found = new Map<string, Buffer>();
  for (let startIndex = 1; ;) {
    const page = readListPage(await ask(since, startIndex, pageSize));
    if (page?.startIndex !== startIndex || found.size > mostChanged) return undefined;
    if (page.itemsPerPage === 0) return found;
    for (const body of page.resources) {
      const id = idOf(body);
      if (id === undefined) return undefined;
      found.set(id, body);
    }
    startIndex += page.itemsPerPage;
  }
}

/** Whether the system tells exactly those that were modified after an instant in the midst of what it has. */
export async function tellsChanges(bodies: ReadonlyMap<string, Buffer>, ask: AskChanged): Promise<boolean> {
  const times = new Map<string, number>();
  for (const [id, body] of bodies) {
    const at = modifiedAt(body);
    if (at === undefined) return false;
    times.set(id, at);
  }
  const since = instantIn([...times.values()]);
  if (since === undefined) return false;
  const found = await changedSince(isoOf(since), ask);
  if (!found) return false;
  const expected = [...times].filter(([, at]) => at > since);
  const isFiltered = found.values().every((body) => (modifiedAt(body) ?? 0) > since);
  return isFiltered && expected.every(([id]) => found.has(id));
}

/** A whole second with few behind it, and somebody before it. */
function instantIn(times: readonly number[]): number | undefined {
  const seconds = [...new Set(times.map((at) => Math.ceil(at / 1000) * 1000))].toSorted(
    (one, other) => other - one,
  );
  return seconds.find((second) => {
    const after = times.filter((at) => at > second).length;
    return after > 0 && after <= mostExpected && after < times.length;
  });
}

function modifiedAt(resource: Buffer): number | undefined {
  const at = Date.parse(metaOf(resource, 'lastmodified') ?? '');
  return Number.isNaN(at) ? undefined : at;
}
