/**
 * Sees to it that one process alone writes an instance's directory. Each process puts down a record of its own and
 * only then looks for others, so of two that start together at most one goes on.
 */
import { randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import type { Files, OpenFile } from './files.ts';
import { codeOf } from './report.ts';

const ownerFile = /^owner-(\d+)-(\d+)\.json$/;

export class DirectoryTaken extends Error {
  constructor(directory: string, pid: number) {
    super(`Process ${pid} writes the audit trail in ${directory}; a second one must not.`);
    this.name = 'DirectoryTaken';
  }
}

export class Owner {
  readonly #files: Files;
  readonly #path: string;
  readonly #record: Buffer;

  private constructor(files: Files, path: string, record: Buffer) {
    this.#files = files;
    this.#path = path;
    this.#record = record;
  }

  static async acquire(files: Files, directory: string): Promise<Owner> {
    const { pid } = process;
    const path = join(directory, `owner-${pid}-${await startOf(pid)}.json`);
    if (owned.has(path)) throw new DirectoryTaken(directory, pid);
    const record = JSON.stringify({
      pid,
      host: hostname(),
      since: new Date().toISOString(),
      id: randomUUID(),
    });
    const owner = new Owner(files, path, Buffer.from(`${record}\n`));
    owned.add(path);
    try {
      await owner.renew();
      await refuseOthers(files, directory, path);
    } catch (error) {
      await owner.release();
      throw error;
    }
    return owner;
  }

  /** Puts the record down, also where the directory has been replaced meanwhile. */
  async renew(): Promise<void> {
    let file: OpenFile;
    try {
      file = await this.#files.create(this.#path);
    } catch (error) {
      // Its name says all that counts, so one that is there is as good as a new one.
      if (codeOf(error) === 'EEXIST') return;
      throw error;
    }
    try {
      await file.write(this.#record, 0);
    } finally {
      await file.close();
    }
  }

  async release(): Promise<void> {
    owned.delete(this.#path);
    await this.#files.remove(this.#path);
  }
}

/** Within one process the records of two trails would have the same name. */
const owned = new Set<string>();

async function refuseOthers(files: Files, directory: string, own: string): Promise<void> {
  for (const { path, pid, alive } of await readOwners(directory)) {
    if (path === own) continue;
    if (alive) throw new DirectoryTaken(directory, pid);
    await files.remove(path);
  }
}

export interface OwnerRecord {
  readonly path: string;
  readonly pid: number;
  readonly alive: boolean;
}

export async function readOwners(directory: string): Promise<OwnerRecord[]> {
  const owners: OwnerRecord[] = [];
  for (const file of await readdir(directory)) {
    const [, pid, started] = ownerFile.exec(file) ?? [];
    if (!pid || !started) continue;
    const alive = (await startOf(Number(pid))) === started;
    owners.push({ path: join(directory, file), pid: Number(pid), alive });
  }
  return owners;
}

/**
 * When a process started, in clock ticks since boot, so that a reused pid is not taken for its predecessor.
 * Without /proc only its existence is known: '1' while it lives.
 */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The second field, the command, is in parentheses and may itself contain blanks.
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie writes nothing any more.
    return 'ZX'.includes(state) ? '0' : (fields[18] ?? '0');
  } catch {
    // No such entry: on Linux no such process, elsewhere no /proc.
    return process.platform !== 'linux' && isRunning(pid) ? '1' : '0';
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
