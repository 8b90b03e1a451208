/**
 * Reads of the gateway's own for which nobody waits: each takes a turn only where nobody else wants it, and rests after it,
 * so that at least half of the tenant's pace is left to whoever comes.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Trail } from '../audit/trail.ts';
import type { Call, Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { ask, type Route } from './ask.ts';
import { isIdle, ownEntry, sparePatience } from './own-calls.ts';

export interface SpareParts {
  readonly route: Route;
  readonly trail: Trail;
  readonly restMs: number;
}

export type AskSpare = (operation: Operation) => Promise<Reply>;

const lookAgainMs = 250;

export function spareTurns({ route, trail, restMs }: SpareParts): AskSpare {
  return async (operation) => {
    for (;;) {
      route.ending.throwIfAborted();
      const reply = isIdle(route.pacer.state) ? await askNow(route, trail, operation) : undefined;
      await sleep(reply ? restMs : Math.min(lookAgainMs, restMs), undefined, { ref: false });
      if (reply) return reply;
    }
  };
}

/** Undefined when the turn went to somebody else. */
async function askNow(route: Route, trail: Trail, operation: Operation): Promise<Reply | undefined> {
  const question = {
    call: ownCall(),
    caller: 'gateway',
    body: undefined,
    entry: ownEntry(trail, 'snapshot'),
    onSent: () => {},
    patience: sparePatience(),
    operation,
  };
  try {
    return await ask(route, question);
  } catch (thrown) {
    if (thrown instanceof ScimError && thrown.kind === 'busy') return undefined;
    throw thrown;
  }
}

function ownCall(): Call {
  return {
    id: randomUUID(),
    receivedAt: Date.now(),
    method: 'GET',
    target: '',
    headers: {},
    source: { ip: '', port: 0 },
    onKnown: () => {},
    readBody: () => Promise.resolve(Buffer.alloc(0)),
    left: new AbortController().signal,
  };
}
