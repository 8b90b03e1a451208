/**
 * How an operator on the gateway's host asks a running gateway for something: a request is a file in a private directory,
 * its answer another. Who may write there is decided by the file system; no listener takes such requests. Invariant: only
 * plain files count, in a directory that nobody else can write to.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
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
  /** What was told of already and is still so: names, and the empty one for the directory. */
  readonly #told = new Set<string>();

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
      await requirePrivate(this.#directory);
      const names = (await readdir(this.#directory)).filter((name) => name.endsWith(request));
      for (const name of this.#told) if (!names.includes(name)) this.#told.delete(name);
      // One that cannot be taken does not stand in the way of the others.
      for (const name of names)
        await this.#serve(join(this.#directory, name)).catch((error: unknown) => this.#tell(name, error));
    } catch (error) {
      // While the disk is away the trail tells of it, and no call is taken.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#tell('', error);
    }
  }

  #tell(what: string, error: unknown): void {
    if (!this.#told.has(what)) log.warn('the requests of operators cannot be read', describeError(error));
    this.#told.add(what);
  }

  async #serve(file: string): Promise<void> {
    const { uid, text } = await readPlain(file);
    // Taken before it is carried out: what is asked for once is never done twice.
    await rm(file);
    await writePrivate(
      file.replace(request, answer),
      await this.#carryOut(text === undefined ? undefined : parse(text), uid),
    );
  }
}

class NotPrivate extends Error {
  readonly code = 'ERR_NOT_PRIVATE';
}

/** Ours, or root's; where the platform has no accounts, everything is. */
function isOwn(uid: number): boolean {
  const own = process.getuid?.() ?? uid;
  return uid === own || uid === 0;
}

async function requirePrivate(directory: string): Promise<void> {
  const { uid, mode } = await stat(directory);
  if (!isOwn(uid) || (process.getuid && (mode & 0o022) !== 0))
    throw new NotPrivate('Others can write into the directory.');
}

/** `mkdir` leaves the mode of a directory that was there before, and volumes are opened to a group when they are mounted. */
export async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
}

/**
 * Not a link, whose owner would be somebody else's file's, and nothing that waits for a writer.
 * @returns no text where there is too much
 */
async function readPlain(file: string): Promise<{ readonly uid: number; readonly text: string | undefined }> {
  await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = await handle.stat();
  if (!stats.isFile() || stats.nlink !== 1 || !isOwn(stats.uid))
    throw new NotPrivate('It is no file of ours.');
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(mostBytes + 1));
  return {
    uid: stats.uid,
    text: bytesRead > mostBytes ? undefined : buffer.toString('utf8', 0, bytesRead),
  };
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
