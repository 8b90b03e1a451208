/**
 * What an operator on the gateway's host can ask of it with the command line: forget, pause, resume, release, try alerts. It is the same as
 * in the console, and who asked for it and why is on stable storage before it is done.
 */
import { join } from 'node:path';

import { z } from 'zod';

import { sayTried, type Tried } from '../alerts/alerts.ts';
import { FileDesk, makePrivate } from '../file-desk.ts';
import type { Release } from '../guard/holds.ts';
import { describeError, log } from '../log.ts';
import type { Config } from './config.ts';
import { unknownName } from './unknown-name.ts';

/** What can be done, each with the sentence that says so; undefined where there is no such system or tenant. */
export interface Operations {
  forget(system: string): Promise<string | undefined>;
  pause(
    tenant: string,
    how: { readonly minutes: number; readonly by: string; readonly reason: string },
  ): Promise<string | undefined>;
  resume(tenant: string): Promise<string | undefined>;
  /** Records itself who releases what and why. */
  releaseSome(release: Release): Promise<string | undefined>;
  /** Lets the next snapshot of a collection be of any size. */
  releaseSnapshot(system: string, resourceType: string): Promise<string | undefined>;
  /** Sends an alert to a channel, or to all, to see whether it arrives. */
  tryAlerts(channel: string | undefined): Promise<readonly Tried[]>;
  /** Of those that there are now, for whoever named another one. */
  names(kind: 'systems' | 'tenants' | 'channels'): readonly string[];
}

/** In characters: enough to be looked up, and no place to keep something. */
export const reasonLength = { least: 3, most: 500 } as const;
const reason = z.string().trim().min(reasonLength.least).max(reasonLength.most);
const by = z.string().max(100);
const request = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('forget'), system: z.string(), reason, by }),
  z.strictObject({
    action: z.literal('pause'),
    tenant: z.string(),
    minutes: z.int().min(1).max(1440),
    reason,
    by,
  }),
  z.strictObject({ action: z.literal('resume'), tenant: z.string(), reason, by }),
  z.strictObject({
    action: z.literal('release'),
    hold: z.string(),
    count: z.int().min(0),
    minutes: z.int().min(1),
    reason,
    by,
  }),
  z.strictObject({
    action: z.literal('release-snapshot'),
    system: z.string(),
    resourceType: z.string(),
    reason,
    by,
  }),
  z.strictObject({ action: z.literal('test-alert'), channel: z.string().optional(), by }),
]);

export type OperatorRequest = z.infer<typeof request>;

/** Whether it was done, and the sentence that says so or why not. */
export const operatorReply = z.strictObject({ done: z.boolean(), says: z.string() });
type OperatorReply = z.infer<typeof operatorReply>;

/** `gatehouse cache` and `gatehouse tenant` find it there. */
export function operatorPlace({ audit }: Pick<Config, 'audit'>): string {
  return join(audit.directory, audit.instance, 'operator');
}

/** @param note rejects where it is not on stable storage */
export async function openOperatorDesk(
  config: Pick<Config, 'audit'>,
  operations: Operations,
  note: (event: string, facts: Record<string, unknown>) => Promise<void>,
): Promise<AsyncDisposable> {
  const directory = operatorPlace(config);
  await makePrivate(directory);
  return new FileDesk(directory, async (given, uid) => {
    const asked = request.safeParse(given).data;
    const reply = asked
      ? await carryOut(asked, uid, operations, note)
      : refused('The request was not understood.');
    return JSON.stringify(reply);
  });
}

const refused = (says: string): OperatorReply => ({ done: false, says });

async function carryOut(
  asked: OperatorRequest,
  uid: number,
  operations: Operations,
  note: (event: string, facts: Record<string, unknown>) => Promise<void>,
): Promise<OperatorReply> {
  try {
    if (asked.action !== 'release') await note('operator.acted', { ...asked, uid });
  } catch (error) {
    log.warn('what an operator asked for could not be recorded, so it is not done', describeError(error));
    return refused('It cannot be recorded, so it is not done.');
  }
  try {
    const says = await done(asked, uid, operations);
    if (typeof says === 'object') return says;
    if (says !== undefined) return { done: true, says };
  } catch (error) {
    log.error('what an operator asked for failed', describeError(error));
    return refused('It failed; the gateway’s log says where.');
  }
  return refused(`${unknownIn(asked, operations)}.`);
}

function unknownIn(asked: OperatorRequest, operations: Operations): string {
  switch (asked.action) {
    case 'forget':
      return unknownName('system', asked.system, operations.names('systems'));
    case 'pause':
    case 'resume':
      return unknownName('tenant', asked.tenant, operations.names('tenants'));
    case 'release':
      return `there is no hold ${JSON.stringify(asked.hold)}; 'gatehouse guard list' lists them`;
    case 'release-snapshot':
      return operations.names('systems').includes(asked.system)
        ? `${asked.system} keeps no snapshot of ${asked.resourceType} (systems.${asked.system}.snapshot)`
        : unknownName('system', asked.system, operations.names('systems'));
    case 'test-alert':
      return unknownName('channel', asked.channel ?? '', operations.names('channels'));
  }
}

async function done(
  asked: OperatorRequest,
  uid: number,
  operations: Operations,
): Promise<string | OperatorReply | undefined> {
  switch (asked.action) {
    case 'forget':
      return operations.forget(asked.system);
    case 'pause':
      return operations.pause(asked.tenant, asked);
    case 'resume':
      return operations.resume(asked.tenant);
    case 'release': {
      const { hold, count, minutes, reason: why, by: name } = asked;
      const actor = { name, uid };
      return operations.releaseSome({ hold, count, lifetimeMs: minutes * 60_000, reason: why, actor });
    }
    case 'release-snapshot':
      return operations.releaseSnapshot(asked.system, asked.resourceType);
    case 'test-alert': {
      const tried = await operations.tryAlerts(asked.channel);
      if (tried.length === 0)
        return asked.channel === undefined ? refused('No channel is configured.') : undefined;
      return { done: tried.every(({ taken }) => taken), says: sayTried(tried) };
    }
  }
}
