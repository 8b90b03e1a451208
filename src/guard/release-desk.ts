/**
 * How an operator on the gateway's host reaches the guard: a request is a file in a private directory, its answer another.
 * Who may write there is decided by the file system; no listener takes releases.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { describeError, log } from '../log.ts';
import type { Release } from './guard.ts';
import { writePrivate } from './state-file.ts';

export type Answer = 'released' | 'unknown hold' | 'not recorded' | 'not understood';

const lookEveryMs = 500;
const request = '.request';
const answer = '.answer';
const mostBytes = 16 * 1024;

export class ReleaseDesk implements AsyncDisposable {
  readonly #directory: string;
  readonly #release: (release: Release) => Promise<boolean>;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  constructor(directory: string, release: (release: Release) => Promise<boolean>) {
    this.#directory = directory;
    this.#release = release;
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, lookEveryMs).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    try {
      for (const name of await readdir(this.#directory))
        if (name.endsWith(request)) await this.#serve(join(this.#directory, name));
    } catch (error) {
      // While the disk is away the trail tells of it, and no call is taken.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.warn('releases of the guard cannot be read', describeError(error));
    }
  }

  async #serve(file: string): Promise<void> {
    const { uid, size } = await stat(file);
    const asked = size > mostBytes ? undefined : readRelease(await readFile(file, 'utf8'));
    // Taken before it is carried out: a release that is asked for once never counts twice.
    await rm(file);
    // The owner of the file is who asks, whatever the file says.
    const answered = asked
      ? await this.#carryOut({ ...asked, actor: { ...asked.actor, uid } })
      : 'not understood';
    await writePrivate(file.replace(request, answer), answered);
  }

  async #carryOut(asked: Release): Promise<Answer> {
    try {
      return (await this.#release(asked)) ? 'released' : 'unknown hold';
    } catch (error) {
      log.warn('a release of the guard could not be recorded, so it does not count', describeError(error));
      return 'not recorded';
    }
  }
}

function readRelease(text: string): Release | undefined {
  try {
    const { hold, count, lifetimeMs, reason, actor } = JSON.parse(text) as Partial<Release>;
    if (!isCount(count, 0) || !isCount(lifetimeMs, 1)) return undefined;
    if (typeof hold !== 'string' || typeof reason !== 'string') return undefined;
    return { hold, count, lifetimeMs, reason, actor: { name: String(actor?.['name']) } };
  } catch {
    return undefined; // no JSON; the answer says so
  }
}

function isCount(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
}

/** Asks the gateway that serves this directory; undefined when none takes the request in time. */
export async function askForRelease(
  directory: string,
  release: Release,
  patienceMs: number,
): Promise<Answer | undefined> {
  const base = join(directory, randomUUID());
  await writePrivate(`${base}${request}`, JSON.stringify(release));
  const until = performance.now() + patienceMs;
  try {
    while (performance.now() < until) {
      const said = await readFile(`${base}${answer}`, 'utf8').catch(orNotYet);
      if (said !== undefined) return said as Answer;
      await sleep(50);
    }
    return undefined;
  } finally {
    await rm(`${base}${request}`, { force: true });
    await rm(`${base}${answer}`, { force: true });
  }
}

function orNotYet(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
