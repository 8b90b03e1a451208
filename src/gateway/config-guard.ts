/** The part of the configuration that says how much may be lost at once, for whom and when. Same rules as config-schema.ts. */
import { z } from 'zod';

import { days } from '../guard/planned.ts';
import { entriesOf, listOf, type Draft, type DraftConfig, type Refuse } from './config-draft.ts';
import type { ParsedConfig } from './config-schema.ts';
import { count, duration } from './config-values.ts';

const actions = ['off', 'alert', 'refuse'] as const;

export function guard() {
  return z
    .strictObject({
      window: duration({ min: '1s', max: '24h' })
        .prefault('10m')
        .describe('Over how long losses are counted, for each technical user, system and resource type.'),
      deletes: ceiling({ most: 50, share: 5, above: 'refuse' }, 'resources that the last load had').describe(
        'Deleted resources.',
      ),
      deactivations: ceiling(
        { most: 50, share: 5, above: 'alert' },
        'resources that the last load had',
      ).describe('Writes with `active: false`.'),
      shrinking: ceiling({ most: 20, share: 50, above: 'refuse' }, 'members that the group had').describe(
        'Members that one group loses.',
      ),
      loads: loads().describe('Loads that miss what the last one had.'),
      rules: z
        .array(rule())
        .default([])
        .describe(
          'What is different for some systems, technical users or times. All rules that fit count, the later before the earlier.',
        ),
    })
    .prefault({})
    .describe('Guards against mass changes that nobody meant, and against loads that shrink in silence.');
}

const mostHelp = 'How many may be lost within `window`.';
const aboveHelp =
  'What happens above: nothing (`off`), a record in the trail (`alert`), or no more until an operator releases it (`refuse`).';

function ceiling(
  { most, share, above }: { most: number; share: number; above: (typeof actions)[number] },
  of: string,
) {
  return z
    .strictObject({
      most: count(0, 10_000_000).default(most).describe(mostHelp),
      share: percent().default(share).describe(`Or how many per cent of the ${of}, where that is more.`),
      above: z.enum(actions).default(above).describe(aboveHelp),
    })
    .prefault({});
}

const loadShareHelp = 'By how many per cent a load may be smaller than the last whole one.';
const loadAboveHelp =
  'What happens otherwise, and with an empty load: nothing (`off`), a record in the trail (`alert`), or 503 in place of its last page until an operator releases it (`refuse`).';

function loads() {
  return z
    .strictObject({
      share: percent().default(10).describe(loadShareHelp),
      above: z.enum(actions).default('alert').describe(loadAboveHelp),
    })
    .prefault({});
}

function percent() {
  return z.number().min(0).max(100);
}

function rule() {
  const other = z.strictObject({
    most: count(0, 10_000_000).optional().describe(mostHelp),
    share: percent().optional().describe('Or how many per cent of what there was, where that is more.'),
    above: z.enum(actions).optional().describe(aboveHelp),
  });
  return z.strictObject({
    systems: z.array(z.string()).min(1).optional().describe('For which systems. Default: all.'),
    callers: z.array(z.string()).min(1).optional().describe('For which technical users. Default: all.'),
    when: plannedWindow().optional().describe('When. Default: always.'),
    deletes: other.optional().describe('Deleted resources.'),
    deactivations: other.optional().describe('Writes with `active: false`.'),
    shrinking: other.optional().describe('Members that one group loses.'),
    loads: z
      .strictObject({
        share: percent().optional().describe(loadShareHelp),
        above: z.enum(actions).optional().describe(loadAboveHelp),
      })
      .optional()
      .describe('Loads that miss what the last one had.'),
  });
}

function plannedWindow() {
  const time = (error = 'must be a time such as 22:00') =>
    z.string({ error }).regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error });
  const date = (error = 'must be a day such as 2026-12-31') => z.iso.date({ error });
  return z.strictObject({
    days: z.array(z.enum(days)).min(1).optional().describe('Days on which it begins. Default: all.'),
    from: time().default('00:00').describe('When it begins.'),
    to: time().default('00:00').describe('When it ends: on the next day, if that is not later than `from`.'),
    since: date().optional().describe('The first day on which it begins.'),
    until: date().optional().describe('The last day on which it begins.'),
    timezone: z
      .string()
      .default('UTC')
      .refine(isTimeZone, { error: 'must be a time zone such as Europe/Berlin' })
      .describe('The place whose clocks count.'),
  });
}

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false; // there is no such place
  }
}

/** A rule for somebody who does not exist would never fit, and nobody would notice. */
export function checkGuard(config: DraftConfig, refuse: Refuse): void {
  const settings: Draft<ParsedConfig['guard']> = config?.guard;
  const known = {
    systems: entriesOf(config?.systems).map(([id]) => id),
    callers: entriesOf(config?.callers).map(([name]) => name),
  };
  for (const [at, each] of listOf(settings?.rules).entries())
    for (const key of ['systems', 'callers'] as const)
      for (const name of listOf(each?.[key]))
        if (typeof name === 'string' && !known[key].includes(name))
          refuse(
            ['guard', 'rules', at, key],
            `there is no ${key.slice(0, -1)} ${name}`,
            `name one of: ${known[key].join(', ')}`,
          );
}
