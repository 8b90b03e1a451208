/**
 * Where a call can go: a configured system, or the interfaces of a tenant. A reply leaves through `deliver` only, so no
 * link in it names the tenant.
 */
import type { CacheRules } from '../cache/cache.ts';
import type { PageSettings } from '../pages/memory.ts';
import type { Reply } from '../scim/call.ts';
import type { SystemFacts } from '../scim/operation.ts';
import { relocate, type Location } from '../scim/relocate.ts';
import type { KeeperRules } from '../snapshot/keeper.ts';
import type { PatchMappings } from '../writes/patch-method.ts';
import type { UpdatesMode } from '../writes/updates.ts';
import type { Question, Route } from './ask.ts';
import type { BodyLimits } from './body.ts';
import { headersDown } from './headers.ts';

interface SnapshotSettings extends KeeperRules {
  readonly enabled: boolean;
  readonly defaultCount: number;
  /** How long a build rests after each call. */
  readonly restMs: number;
}

/** A configured system with everything the line needs to serve it. */
export interface System extends SystemFacts {
  readonly route: Route;
  readonly limits: BodyLimits;
  readonly cache: {
    readonly perCaller: boolean;
    /** Whether what a write brings back may be remembered. */
    readonly writeReplies: boolean;
    readonly rules: CacheRules;
  };
  readonly pages: PageSettings;
  readonly snapshot: SnapshotSettings;
  /** What becomes of a PUT that would undo what others have added to a group. */
  readonly lostUpdates: UpdatesMode;
  readonly patch: PatchMappings;
  /** Whether and how long a repeated write is answered from what is known, and how long what is not is looked for. */
  readonly repeats: { readonly enabled: boolean; readonly windowMs: number; readonly lookForMs: number };
  /** Where the tenant says its resources are, and where callers find them. */
  readonly location: Location;
  readonly publicUrl: URL;
}

/** The real-time and admin interfaces of a tenant. */
export interface TenantInterfaces {
  readonly route: Route;
  readonly limits: BodyLimits;
}

/** What is asked, before it is known how long somebody waits for it. */
export type Asked = Omit<Question, 'patience' | 'onSent'>;

export function deliver({ location, publicUrl }: System, reply: Reply): Reply {
  return relocate({ ...reply, headers: headersDown(reply.headers, false) }, location, publicUrl);
}
