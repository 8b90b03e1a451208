/**
 * A witness: it remembers the last checkpoint of each log that it knows, and cosigns a new one only when a proof shows
 * that the log has grown from there by additions alone (C2SP tlog-witness). What it has cosigned it never goes back on.
 */
import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { replaceFile } from './checkpoints.ts';
import { isConsistent } from './consistency.ts';
import { realFiles } from './files.ts';
import {
  cosignatureType,
  cosignNote,
  parseCheckpoint,
  verifyNote,
  type Checkpoint,
  type NoteKey,
} from './note.ts';
import { parseKeys } from './published-keys.ts';
import { readIfThere } from './read-if-there.ts';
import type { SigningKey } from './signing-key.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

/** RFC 6962: a proof for 2^63 leaves has no more. */
const mostHashes = 63;

interface Submission {
  readonly old: number;
  readonly proof: readonly string[];
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

export class Witness {
  readonly #directory: string;
  readonly #name: string;
  readonly #key: SigningKey;
  /** One submission after the other: between looking and remembering nobody else may come. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param directory holds `logs/`, with the public keys of the logs, and what is remembered */
  constructor(directory: string, name: string, key: SigningKey) {
    this.#directory = directory;
    this.#name = name;
    this.#key = key;
  }

  get verifier(): NoteKey {
    return { name: this.#name, type: cosignatureType, publicKey: this.#key.publicKey };
  }

  /** @param body of a call of `add-checkpoint` */
  add(body: string): Promise<Answer> {
    const answer = this.#turn.then(() => this.#judge(body));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  /** The last checkpoint that was cosigned, with its signatures. */
  latest(origin: string): Promise<string | undefined> {
    return readIfThere(join(this.#directory, stateFile(origin)));
  }

  async #judge(body: string): Promise<Answer> {
    const submission = parseSubmission(body);
    if (!submission) return { status: 400, body: 'This is not a checkpoint with a proof.\n' };
    const { old, proof, note, checkpoint } = submission;
    const keys = (await this.#logs()).filter(({ name }) => name === checkpoint.origin);
    if (keys.length === 0) return { status: 404, body: 'This log is not known here.\n' };
    if (!keys.some((key) => verifyNote(checkpoint, key)))
      return { status: 403, body: 'No key of this log has signed it.\n' };
    if (old > checkpoint.size) return { status: 400, body: 'The log cannot have been longer before.\n' };
    const last = await this.#remembered(checkpoint.origin);
    if (old !== last.size) return stale(last.size);
    if (old === checkpoint.size && old > 0 && last.root !== checkpoint.root) return stale(last.size);
    if (!isConsistent(last, checkpoint, proof))
      return { status: 422, body: 'The proof does not show that only lines were added.\n' };
    const cosignature = cosignNote(checkpoint.text, this.#name, this.#key, Math.floor(Date.now() / 1000));
    const file = stateFile(checkpoint.origin);
    await replaceFile(realFiles, this.#directory, file, 'checkpoint.new', `${note}${cosignature}`);
    return { status: 200, body: cosignature };
  }

  /** The last checkpoints of the logs whose keys lie in the same directory; undefined for a log that is not known. */
  async siblings(origin: string): Promise<string[] | undefined> {
    const group = (await this.#groups()).find((keys) => keys.some(({ name }) => name === origin));
    if (!group) return undefined;
    const others = new Set(group.map(({ name }) => name).filter((name) => name !== origin));
    const notes = await Promise.all([...others].map((name) => this.latest(name)));
    return notes.filter((note) => note !== undefined);
  }

  async #logs(): Promise<NoteKey[]> {
    return (await this.#groups()).flat();
  }

  /** Keys by installation. Read each time, so that a log is added without a restart. */
  async #groups(): Promise<NoteKey[][]> {
    const directory = join(this.#directory, 'logs');
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory());
    const groups = Map.groupBy(files, ({ parentPath }) => parentPath);
    return Promise.all(
      [...groups.values()].map(async (group) => {
        const paths = group.map(({ parentPath, name }) => join(parentPath, name));
        return (await Promise.all(paths.map((path) => readFile(path, 'utf8')))).flatMap(parseKeys);
      }),
    );
  }

  async #remembered(origin: string): Promise<{ readonly size: number; readonly root: string }> {
    const note = await this.latest(origin);
    if (note === undefined) return { size: 0, root: '' };
    const checkpoint = parseCheckpoint(note);
    if (!checkpoint || checkpoint.origin !== origin || !verifyNote(checkpoint, this.verifier))
      throw new Error(`${stateFile(origin)} is not what this witness has cosigned.`);
    return checkpoint;
  }
}

function stale(size: number): Answer {
  return { status: 409, body: `${size}\n`, type: 'text/x.tlog.size' };
}

function stateFile(origin: string): string {
  return `checkpoint-${hash('sha256', origin).slice(0, 32)}`;
}

function parseSubmission(body: string): Submission | undefined {
  const [, size = '', lines = '', note = ''] =
    /^old (0|[1-9]\d{0,15})\n((?:[\w+/]{43}=\n)*)\n([^]+)$/.exec(body) ?? [];
  const checkpoint = parseCheckpoint(note);
  const proof = lines.split('\n').slice(0, -1);
  if (!checkpoint || proof.length > mostHashes) return undefined;
  const hashes = proof.map((encoded) => Buffer.from(encoded, 'base64').toString('hex'));
  return { old: Number(size), proof: hashes, note, checkpoint };
}
