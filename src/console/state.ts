/** The gateway as the console sees it: what there is to show, and what an operator does to it. */
import type { Overview } from './api/overview.ts';
import type { Parties } from './api/parties.ts';
import type { Security } from './api/security.ts';

/** What an operator acts on. */
export type TargetKind = 'system' | 'tenant' | 'hold' | 'channel';

export interface ConsoleState {
  readonly version: string;
  readonly instance: string;
  overview(): Promise<Omit<Overview, 'audit'>>;
  parties(): Promise<Parties>;
  security(): Promise<Security>;
  /** What there is to act on. Each resolves to what was done, in English; `undefined`: there is no such thing. */
  forget(system: string): Promise<string | undefined>;
  pause(
    tenant: string,
    stay: { readonly minutes: number; readonly by: string; readonly reason: string },
  ): Promise<string | undefined>;
  resume(tenant: string): Promise<string | undefined>;
  /** How much a hold is about; `undefined`: there is no such hold. */
  held(hold: string): number | undefined;
  release(
    hold: string,
    what: {
      readonly count: number;
      readonly minutes: number;
      readonly user: string;
      readonly reason: string;
    },
  ): Promise<string | undefined>;
  /** Sends an alert to try a channel. */
  tryChannel(channel: string): Promise<{ readonly taken: boolean; readonly says: string } | undefined>;
  readonly knows: (kind: TargetKind, id: string) => boolean;
}
