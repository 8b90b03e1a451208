/**
 * How an operator on the gateway's host asks a running gateway for something: a request is a file in a private directory,
 * its answer another. Who may write there is decided by the file system; no listener takes such requests.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { describeError, log } from './log.ts';

/**
 * Never rejects; the answer is for a person or a command.
 * @param asked what the file says; undefined when that is no JSON, or too much
 * @param uid the owner of the file, who asks, whatever the file says
 */
export type CarryOut = (asked: unknown, uid: number) => Promise<string>;

const lookEveryMs = 500;
const request = '.request';
const answer = '.answer';
const mostBytes = 16 * 1024;

export class FileDesk implements AsyncDisposable {
  readonly #directory: string;
  readonly #carryOut: CarryOut;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  /** @param directory private, and there */
  constructor(directory: string, carryOut: CarryOut) {
    this.#directory = directory;
    this.#carryOut = carryOut;
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
        log.warn('the requests of operators cannot be read', describeError(error));
    }
  }

  async #serve(file: string): Promise<void> {
    const { uid, size } = await stat(file);
    const asked = size > mostBytes ? undefined : parse(await readFile(file, 'utf8'));
    // Taken before it is carried out: what is asked for once is never done twice.
    await rm(file);
    await writePrivate(file.replace(request, answer), await this.#carryOut(asked, uid));
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the answer says so
  }
}

/** Asks the gateway that serves this directory; undefined when none takes the request in time. */
export async function askDesk(
  directory: string,
  asked: unknown,
  patienceMs: number,
): Promise<string | undefined> {
  const base = join(directory, randomUUID());
  await writePrivate(`${base}${request}`, JSON.stringify(asked));
  const until = performance.now() + patienceMs;
  try {
    while (performance.now() < until) {
      const said = await readFile(`${base}${answer}`, 'utf8').catch(orNotYet);
      if (said !== undefined) return said;
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

/**
 * Whoever reads the file finds all of it, or what was there before. It makes no directory: where the disk is away, nothing may
 * come to stand in its place.
 */
export async function writePrivate(file: string, content: string | Buffer): Promise<void> {
  const draft = `${file}.${randomUUID()}.new`;
  await writeFile(draft, content, { mode: 0o600 });
  await rename(draft, file);
}
