/**
 * Where messages go. What a destination throws says what became of them: `NotTaken`, and the same may be taken later, or
 * `Refused`, and the same never will be. Reasons are codes of ours or of the system, never what the other side wrote.
 */
import { codeOf } from '../audit/report.ts';
import type { Message } from './message.ts';

export interface Destination extends AsyncDisposable {
  /** Whether the native form must say the chain itself. */
  readonly enveloped: boolean;
  /** Resolves when they are taken, as far as the destination says so. Ends with the signal at the latest. */
  send(messages: readonly Message[], signal: AbortSignal): Promise<void>;
  /** Only where `send` cannot know: resolves when all that was sent has been read by the other side. */
  prove?(signal: AbortSignal): Promise<void>;
}

export class NotTaken extends Error {
  readonly reason: string;
  /** How long the destination wants to be left alone. */
  readonly retryAfterMs: number;

  constructor(reason: string, { cause, retryAfterMs = 0 }: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(`The destination did not take it: ${reason}.`, { cause });
    this.name = 'NotTaken';
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** It is the content that the destination does not want. */
export class Refused extends NotTaken {}

export function reasonOf(error: unknown): string {
  return error instanceof NotTaken ? error.reason : codeOf(error);
}
