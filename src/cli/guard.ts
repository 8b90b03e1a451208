/**
 * `gatehouse guard`: what the guard holds, and its release. It reads and writes files of the gateway's own account on the
 * gateway's host, so that nobody can release anything who could not stop the gateway as well.
 */
import { configFile, loadConfig, type Config } from '../gateway/config.ts';
import { guardPlaces } from '../gateway/shared-guard.ts';
import { LocalBook, type Hold } from '../guard/local-book.ts';
import { absenceOf } from './absent-gateway.ts';
import { readArguments, requireVerb, WrongUsage } from './arguments.ts';
import { cut, visible } from './audit-table.ts';
import { operate, operatorOptions, reasonIn } from './operator.ts';

export const help = `usage: gatehouse guard list [--json] [--config FILE]
       gatehouse guard release <hold> --count N --reason TEXT [--expires 1h] [--json] [--config FILE]

The guard holds back writes that would take away more than the configuration allows, and the ends of loads that miss too
much. It runs on the gateway's host, as the account that runs the gateway.

list     The holds that this gateway knows: those that it opened, and those of other replicas that it met; and what may still
         pass of a released one, which the console tells where replicas share a Redis. Of a gateway that does not run those
         that it left, with exit code 1.
release  Lets pass what the hold is about, once: N deletes, deactivations or members, or one load that misses at most N
         resources. What is more at once, of somebody else or later stays held. Where replicas share a Redis it counts for
         all of them. With --count 0 nothing passes and the hold ends. Who released it and why is in the trail.

  --count N       how many may pass
  --expires TIME  until when: 30m, 1h, 24h (default: 1h)
  --reason TEXT   why, for the trail, in 3 to 500 characters
  --json          list: one object for each hold, of which there may be none: {"id":…,"kind":…,"caller":…,"system":…,
                  "resourceType":…,"target":…,"since":…,"amount":…,"limit":…,"refusals":…,"left":…}, and {"error":"…"} where the gateway does not run
                  release: {"done":true,"says":"…"}; where it was not done, false and why
  --help          this text

examples:
  gatehouse guard list
  gatehouse guard release k7mz3hq9rt --count 120 --expires 2h --reason 'CHG-4711: leavers of plant 3'

exit codes:
  0  done
  1  there is no such hold, the gateway does not run or took no request, or the trail could not be written
  4  the command was not understood
`;

const options = {
  ...operatorOptions,
  count: { type: 'string' },
  expires: { type: 'string' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  requireVerb(args, ['list', 'release'], help);
  const given = readArguments(args, options, help, 1, 2);
  if (!given) return 0;
  const [verb, hold] = given.positionals;
  const { count, expires, json, config: file } = given.values;
  if (verb === 'list' && hold === undefined) return list(loadConfig(configFile(file)), json === true);
  if (verb !== 'release' || hold === undefined) throw new WrongUsage('the verbs are list and release', help);
  if (count === undefined || !/^\d{1,9}$/.test(count)) throw new WrongUsage('--count is a number', help);
  const asked = {
    action: 'release',
    hold,
    count: Number(count),
    minutes: minutesOf(expires),
    reason: reasonIn(given.values.reason, help),
  } as const;
  return operate(asked, given.values);
}

function minutesOf(text = '1h'): number {
  const [, count, unit] = /^([1-9]\d{0,4})([mh])$/.exec(text) ?? [];
  if (count === undefined) throw new WrongUsage('--expires is a time such as 30m or 1h', help);
  return Number(count) * (unit === 'm' ? 1 : 60);
}

async function list(config: Config, json: boolean): Promise<number> {
  const absence = await absenceOf(config);
  const book = await LocalBook.open(guardPlaces(config).state);
  // What replicas share has its releases in Redis, and this book nothing of them.
  const isShared = config.cache.store === 'redis';
  const holds = await Promise.all(
    book.holds.map(async (hold): Promise<Listed> => {
      const { name: _, ...told } = hold;
      return isShared ? told : { ...told, left: await book.leftOf(hold.id) };
    }),
  );
  if (json) for (const hold of holds) process.stdout.write(`${JSON.stringify(hold)}\n`);
  else if (holds.length > 0)
    process.stdout.write([head, ...holds.map(rowOf)].map((row) => `${row}\n`).join(''));
  else if (absence === undefined) process.stdout.write('nothing is held\n');
  if (absence === undefined) return 0;
  if (json) process.stdout.write(`${JSON.stringify({ error: absence })}\n`);
  process.stderr.write(`gatehouse: ${absence}\n`);
  return 1;
}

/** A hold, and where only this gateway counts what may still pass of it. */
type Listed = Omit<Hold, 'name'> & { readonly left?: number };

/** The ids that the tenant gives to systems are seen whole. */
const widths = [10, 20, 12, 16, 36, 8] as const;
const head = row(['hold', 'since', 'kind', 'caller', 'system', 'type', 'found']);

function rowOf({
  id,
  since,
  kind,
  caller,
  system,
  resourceType,
  amount,
  limit,
  target,
  left,
}: Listed): string {
  const group = target === undefined ? '' : ` of ${target}`;
  const released = left === undefined || left === 0 ? '' : `; released, ${left} may still pass`;
  const found = `${amount}${group}, allowed ${limit}${released}`;
  return row([id, `${since.slice(0, 19)}Z`, kind, caller || '(all)', system, resourceType, found]);
}

function row(cells: readonly string[]): string {
  return cells
    .map((text, at) => (widths[at] ? cut(visible(text), widths[at]).padEnd(widths[at]) : visible(text)))
    .join(' ')
    .trimEnd();
}
