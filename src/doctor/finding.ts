/**
 * What an examination says of one leg of the way: what was found, and where it fails its cause and its remedy, each in
 * one sentence. No secret, no token and nothing of a reply's body is in it.
 */
export type Outcome = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  /** Which leg: `name`, `proxy`, `connection`, `tls`, `answer`, `clock`, `token`, `read`, … */
  readonly leg: string;
  /** Of which party: a tenant, a system, or a place of the configuration. */
  readonly of: string;
  readonly outcome: Outcome;
  readonly found: string;
  readonly remedy?: string;
  readonly ms?: number;
}

export type Report = (finding: Finding) => void;

/** Why a leg fails; what is thrown instead of it is a fault of ours. */
export class Broken extends Error {
  readonly remedy: string;

  constructor(found: string, remedy: string, options?: ErrorOptions) {
    super(found, options);
    this.name = 'Broken';
    this.remedy = remedy;
  }
}

/** What a leg that holds has to say. */
export interface Sound {
  readonly found: string;
  readonly outcome?: Exclude<Outcome, 'failed'>;
  readonly remedy?: string;
}

/** Walks a leg and reports it; undefined when it is broken, so that nothing beyond it is tried. */
export async function walk<T>(
  report: Report,
  { leg, of }: Pick<Finding, 'leg' | 'of'>,
  work: () => Promise<readonly [Sound, T]>,
): Promise<T | undefined> {
  const begunAt = performance.now();
  const ms = (): number => Math.round(performance.now() - begunAt);
  try {
    const [{ outcome = 'ok', ...sound }, result] = await work();
    report({ leg, of, outcome, ...sound, ms: ms() });
    return result;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    report({ leg, of, outcome: 'failed', found: error.message, remedy: error.remedy, ms: ms() });
    return undefined;
  }
}
