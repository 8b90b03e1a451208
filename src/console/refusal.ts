/** What the console says no with: a status, a word for the page and a sentence for whoever reads it. */
import type { Problem } from './api/endpoints.ts';

export interface RefusalOptions extends ErrorOptions {
  /** Seconds. */
  readonly retryAfter?: number;
}

export class Refusal extends Error {
  readonly status: number;
  readonly problem: Problem;
  readonly retryAfter: number | undefined;

  constructor(status: number, error: Problem['error'], detail: string, options: RefusalOptions = {}) {
    super(detail, options);
    this.name = 'Refusal';
    this.status = status;
    this.problem = { error, detail };
    this.retryAfter = options.retryAfter;
  }
}
