/**
 * The configuration in force, and the line that was built from it. A changed one comes into force as a whole, once the
 * trail says what changes, or not at all: then the last good one stays (docs/decisions/0008).
 */
import { statSync } from 'node:fs';

import type { Trail } from '../audit/trail.ts';
import { describeError, log } from '../log.ts';
import { changesBetween, configHash, refuseFixed, type Change } from './config-changes.ts';
import { ConfigFaults } from './config-faults.ts';
import type { Config } from './config.ts';
import type { Line } from './line.ts';

export interface InForceParts {
  readonly trail: Pick<Trail, 'note' | 'remember'>;
  readonly createLine: (config: Config) => Line;
  /** Adjusts what lives longer than a line. */
  readonly adjust: (config: Config, changes: readonly Change[]) => Promise<void>;
}

export class InForce implements Disposable {
  readonly #parts: InForceParts;
  #config: Config;
  #line: Line;

  constructor(config: Config, parts: InForceParts) {
    this.#parts = parts;
    this.#config = config;
    this.#line = parts.createLine(config);
  }

  get config(): Config {
    return this.#config;
  }

  get line(): Line {
    return this.#line;
  }

  /** @returns whether what was loaded is in force now */
  async reconfigure(load: () => Config, actor: Readonly<Record<string, unknown>>): Promise<boolean> {
    try {
      await this.#apply(load(), actor);
      return true;
    } catch (cause) {
      const faults = cause instanceof ConfigFaults ? cause.faults : [];
      const why = { faults, ...describeError(cause) };
      log.error('the new configuration is refused; the last good one stays', why);
      void this.#parts.trail.remember('config.refused', { actor, settings: faults.map(({ path }) => path) });
      return false;
    }
  }

  async #apply(next: Config, actor: object): Promise<void> {
    const { trail, createLine, adjust } = this.#parts;
    const changes = changesBetween(this.#config, next);
    if (changes.length === 0) return;
    refuseFixed(changes, 'the new configuration');
    const nextLine = createLine(next);
    // Said before it holds: what was allowed at any moment can be told from the trail alone.
    for (const { file, ...change } of changes) {
      const whose = { ...actor, ...(file !== undefined && { file, uid: ownerOf(file) }) };
      await trail.note('config.changed', { ...change, actor: whose, configHash: configHash(next) });
    }
    this.#line[Symbol.dispose]();
    [this.#line, this.#config] = [nextLine, next];
    await adjust(next, changes);
    log.info('the configuration was read again', { changed: changes.map(({ setting }) => setting) });
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}

function ownerOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.uid;
}
