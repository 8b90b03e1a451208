/** What this folder needs of the cache and of the line: both are handed in, so that neither is imported. */
import type { Reply } from '../scim/call.ts';
import type { Operation } from '../scim/operation.ts';

export interface Answer {
  readonly reply: Reply;
  readonly result: 'hit' | 'stale' | 'miss' | 'collapsed' | 'bypass';
}

/** Another reading that the same answer of the tenant holds. */
export interface Further {
  readonly operation: Operation;
  readonly reply: Reply;
  readonly scope: string;
}

export type Fetch = (asked: () => void, also: (further: readonly Further[]) => void) => Promise<Reply>;

/** The cache for one call. Its promise holds for all of it: nothing older than an answered write is ever found. */
export interface Memory<A extends Answer> {
  /** @param scope keeps entries apart that one reader must not take for another's */
  read(operation: Operation, scope: string, fetch: Fetch): Promise<A>;
  recall(operation: Operation, scope: string): Promise<A | undefined>;
}

/** Asks the tenant; `asked` is called when the call goes up. */
export type AskTenant = (operation: Operation, asked: () => void) => Promise<Reply>;

export interface PageSettings {
  readonly blocks: 'off' | 'on' | 'auto';
  readonly singleReads: boolean;
}

/** One read of a caller. */
export interface Reading<A extends Answer = Answer> {
  readonly caller: string;
  readonly operation: Operation;
  readonly scope: string;
  /** Where the tenant has the system: another place is another system, whatever its id. */
  readonly origin: string;
  readonly accept: string;
  /** False when its caller wants the tenant's own word, or nothing may be kept. */
  readonly mayServe: boolean;
  readonly settings: PageSettings;
  readonly memory: Memory<A>;
  readonly askTenant: AskTenant;
  /** For what no caller has asked for yet; undefined while the tenant's quota has better uses. */
  readonly foresee: () => AskTenant | undefined;
}
