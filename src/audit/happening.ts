/** One record of the gateway about itself as the report tells it: when, where, and in words what its facts say. */
import { isMembers, type Entry } from './entry.ts';

export interface Happening {
  readonly at: string;
  readonly instance: string;
  readonly event: string;
  readonly detail: string;
}

export function happening({ ts, instance, event }: Entry, detail: string): Happening {
  return { at: ts, instance, event, detail };
}

/** What a record that has no facts, such as the trail's about itself, says by members of its own. */
const ownMembers = [
  'code',
  'reason',
  'refused',
  'silentMs',
  'file',
  'kept',
  'bytes',
  'segment',
  'actor',
  'query',
];

/** What the record says, in words as far as it has a known shape. */
export function detailOf(entry: Entry): string {
  if (entry.text('facts', 'setting') !== undefined) return changeText(entry);
  return Object.entries(entry.object('facts') ?? pick(entry, ownMembers))
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(', ');
}

function pick(entry: Entry, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.filter((name) => name in entry.members).map((name) => [name, entry.members[name]]),
  );
}

/** `cache.lifetime: 60000 → 1000 (SIGHUP, /etc/gatehouse.yaml, 0)` */
function changeText(entry: Entry): string {
  const { setting, old, new: now, actor } = entry.object('facts') ?? {};
  const who = isMembers(actor) ? ` (${Object.values(actor).map(valueText).join(', ')})` : '';
  return `${valueText(setting)}: ${valueText(old)} → ${valueText(now)}${who}`;
}

function valueText(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}

export function lengthOf(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
