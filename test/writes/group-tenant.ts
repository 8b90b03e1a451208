/**
 * A tenant with one group that knows the truth: of which version each PUT was made, and whom it therefore removes without
 * having known of them. Versions travel in `displayName`, which callers put back as they got it.
 */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { sendScim, startUpstream, type Received } from '../support/upstream.ts';

export interface GroupTenant extends AsyncDisposable {
  readonly url: string;
  /** The requests (x-request-id) that lost somebody's addition. */
  readonly losers: readonly string[];
  readonly writes: number;
  readonly members: ReadonlySet<string>;
}

export interface Copy {
  readonly displayName: string;
  readonly members: readonly { readonly value: string }[];
}

/** @param slownessMs the longest time before and after a call is carried out */
export async function startGroupTenant(slownessMs: number): Promise<GroupTenant> {
  let members = new Set<string>(['m0', 'm1']);
  let version = 0;
  let writes = 0;
  /** By member: the version that brought it. */
  const addedIn = new Map<string, number>();
  const losers: string[] = [];
  const replace = ({ body, headers }: Received): void => {
    const copy = JSON.parse(body) as Copy;
    const wanted = new Set(copy.members.map(({ value }) => value));
    const base = Number(copy.displayName);
    const isLost = (member: string): boolean => !wanted.has(member) && (addedIn.get(member) ?? 0) > base;
    if ([...members].some(isLost)) losers.push(String(headers['x-request-id']));
    version += 1;
    writes += 1;
    for (const member of wanted) if (!members.has(member)) addedIn.set(member, version);
    members = wanted;
  };
  const serve = async (request: Received, response: ServerResponse): Promise<void> => {
    await sleep(Math.random() * slownessMs);
    if (request.method === 'PUT') replace(request);
    const body = {
      id: 'g',
      displayName: String(version),
      members: [...members].map((value) => ({ value })),
    };
    await sleep(Math.random() * slownessMs);
    sendScim(response, 200, body);
  };
  const upstream = await startUpstream({
    answer: (request, response) => void serve(request, response),
    remembers: false,
  });
  return {
    url: upstream.url,
    losers,
    get writes() {
      return writes;
    },
    get members() {
      return members;
    },
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}
