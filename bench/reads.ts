/** The identity manager's reads: a load of everything at its default page, and a read of each user. */
import type { Caller, Crew } from './caller.ts';

interface Page {
  readonly itemsPerPage: number;
  readonly totalResults: number;
  readonly Resources: readonly { readonly id: string }[];
}

const pageSize = 25;

/** One reader for all pages, because each page says where the next begins. */
export async function loadAll({ first }: Crew): Promise<string[]> {
  const users = await load(first, 'Users');
  const groups = await load(first, 'Groups');
  return [...users, ...groups];
}

/** As SAP documents it: on by `itemsPerPage` until `totalResults` is reached. A page that failed is left out. */
export async function load(caller: Caller, type: string, goesOn = () => true): Promise<string[]> {
  const ids: string[] = [];
  let total = 1;
  for (let startIndex = 1; startIndex <= total && goesOn();) {
    const page = await caller.get<Page>(`/${type}?startIndex=${startIndex}`);
    // Without its first page nobody knows how much there is.
    if (!page && startIndex === 1) return ids;
    ids.push(...(page?.Resources ?? []).map(({ id }) => id));
    startIndex += page?.itemsPerPage ?? pageSize;
    total = page?.totalResults ?? total;
  }
  return ids;
}

export async function readEach(crew: Crew, ids: readonly string[]): Promise<void> {
  await crew.each(ids, (caller, id) => caller.get(`/Users/${id}`));
}
