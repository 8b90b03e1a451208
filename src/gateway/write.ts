/**
 * The line's end for a write: it goes up once, and when its caller is answered nothing older is served to anybody.
 */
import { withoutDenied } from '../auth/attributes.ts';
import type { Caller } from '../auth/caller.ts';
import type { Cache } from '../cache/cache.ts';
import type { Call, Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { ask, type Patience } from './ask.ts';
import type { Doubts } from './doubts.ts';
import { deliver, type Asked, type System } from './place.ts';

export interface WriteParts {
  readonly cache: Cache;
  readonly doubts: Doubts;
  readonly patienceMs: number;
}

export async function write(parts: WriteParts, system: System, caller: Caller, asked: Asked): Promise<Reply> {
  const { call, operation } = asked;
  let sent = false;
  const onSent = (): void => {
    sent = true;
  };
  try {
    const reply = await ask(system.route, { ...asked, patience: patienceOf(call, parts.patienceMs), onSent });
    return withoutDenied(caller, operation, deliver(system, reply));
  } catch (thrown) {
    if (thrown instanceof ScimError && thrown.kind === 'outcome-unknown')
      parts.doubts.raise(operation, system.route.deadlines.writeMs);
    throw thrown;
  } finally {
    // Whatever came back, the tenant may have changed: nothing older is served once this call is answered.
    if (sent) await parts.cache.forget(operation);
  }
}

/** As long as the caller stays and its patience lasts; a call that has gone up does not end with it. */
export function patienceOf({ left }: Call, ms: number): Patience {
  return { until: performance.now() + ms, signal: AbortSignal.any([left, AbortSignal.timeout(ms)]) };
}
