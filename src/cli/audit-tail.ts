/** `gatehouse audit tail`: the last records of all instances, and with --follow those that come. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Entry } from '../audit/entry.ts';
import { matcherOf } from '../audit/query.ts';
import { openChains, type Chain } from '../audit/read.ts';
import { endOf, Follower } from '../audit/tail.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { chainsIn, exitCodes, mostDirectories } from './audit-input.ts';
import { tableHead, tableRow } from './audit-table.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse audit tail <directory>... [-n N] [-f] [--event NAME] [--caller NAME] [--system NAME] [--json]

Shows the last records of the trail, over segments, restarts and instances.

  -n, --lines N   how many (default 10, at most 100000)
  -f, --follow    goes on with what is written, until SIGINT or SIGTERM; also in instances that come later
  --event NAME    such as authn.failure; authn.* is all that begin so
  --caller NAME, --system NAME
  --json          the lines as they stand in the trail
  --help          this text

A record may be shown a moment before the disk has confirmed it.

examples:
  gatehouse audit tail var/audit
  gatehouse audit tail var/audit -f --event 'authn.*'
  gatehouse audit tail var/audit -n 1000 --json

exit codes:
  0  shown
  1  there is no such record
  4  the command was not understood, or a directory cannot be read
`;

const options = {
  lines: { type: 'string', short: 'n', default: '10' },
  follow: { type: 'boolean', short: 'f' },
  event: { type: 'string' },
  caller: { type: 'string' },
  system: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const mostLines = 100_000;
const pollMs = 500;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1, mostDirectories);
  if (!given) return exitCodes.done;
  const { lines, follow = false, json = false, event, caller, system } = given.values;
  const count = Number(lines);
  if (!/^\d{1,6}$/.test(lines) || count > mostLines)
    throw new WrongUsage(`-n is a number up to ${mostLines}`, help);
  const matches = matcherOf({ event, caller, system });
  const chains = await chainsIn(given.positionals, help);
  const ends = await Promise.all(
    chains.map(async (chain) => ({ chain, ...(await endOf(chain, count, matches)) })),
  );
  const last = inOrder(ends.flatMap(({ entries }) => entries)).slice(count === 0 ? Infinity : -count);
  if (!json) await write(`${tableHead}\n`);
  await show(last, json);
  if (!follow) return last.length > 0 ? exitCodes.done : exitCodes.finding;
  const followers = new Map(
    ends.map(({ chain, place }) => [chain.chain, new Follower(place, matches)] as const),
  );
  await followAll(given.positionals, followers, () => new Follower(undefined, matches), json);
  return exitCodes.done;
}

/** @param followers by chain */
async function followAll(
  directories: readonly string[],
  followers: Map<string | undefined, Follower>,
  begin: () => Follower,
  json: boolean,
): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  while (!stop.signal.aborted) {
    const chains = await chainsNow(directories);
    const entries = await Promise.all(
      chains.map((chain) => followers.getOrInsertComputed(chain.chain, begin).read(chain)),
    );
    await show(inOrder(entries.flat()), json);
    await sleep(pollMs, undefined, { signal: stop.signal }).catch(() => undefined); // only the signal ends it early
  }
}

async function chainsNow(directories: readonly string[]): Promise<Chain[]> {
  try {
    return await openChains(directories);
  } catch (error) {
    // A segment whose time is over may go between two looks; the next round does without it.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** The sort is stable, so records of one chain and one millisecond keep their order. */
function inOrder(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0));
}

async function show(entries: readonly Entry[], json: boolean): Promise<void> {
  for (const entry of entries) await write(`${json ? entry.line.toString() : tableRow(entry)}\n`);
}
