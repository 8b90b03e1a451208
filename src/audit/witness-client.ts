/**
 * Offers checkpoints to a witness, one at a time and the newest first, beside the line: nobody waits for it, and what a
 * witness does not take is offered again with the next one. Its cosignature is put beside the checkpoint. Invariant: only 409
 * and 422, which speak of what it remembers, contradict the trail; any other refusal may come of a setting or of a proxy.
 */
import { replaceFile, type Signed } from './checkpoints.ts';
import { proveConsistency } from './consistency.ts';
import type { Files } from './files.ts';
import { LeafCursor } from './leaf-cursor.ts';
import { parseCheckpoint, parseSignatures, verifyNote, type NoteKey } from './note.ts';
import { reasonOf } from './report.ts';

/** The newest checkpoint with the witness's signature. */
export const witnessedFile = 'checkpoint.witnessed';
const answerTimeMs = 10_000;
/** After a failure; the witness may be away for long. */
const pauseMs = 10_000;
const longestAnswer = 64 * 1024;

export interface WitnessOptions {
  /** What `/add-checkpoint` follows, without a slash at its end. */
  readonly url: string;
  readonly key: NoteKey;
}

export interface WitnessFailure {
  readonly reason: string;
  /** It has cosigned what this trail does not have: the trail was put back, or written anew. */
  readonly contradicts: boolean;
}

class Contradiction extends Error {}

export class WitnessClient {
  readonly #files: Files;
  readonly #directory: string;
  readonly #options: WitnessOptions;
  readonly #onChange: (failure: WitnessFailure | undefined) => void;
  #cursor: LeafCursor | undefined;
  #waiting: Signed | undefined;
  #offering: Promise<void> | undefined;
  /** While it runs nothing is offered. */
  #pause: NodeJS.Timeout | undefined;
  #failure: WitnessFailure | undefined;
  readonly #ending = new AbortController();

  /** @param onChange told when the witness contradicts or is away, and when it takes checkpoints again */
  constructor(
    files: Files,
    directory: string,
    options: WitnessOptions,
    onChange: (failure: WitnessFailure | undefined) => void,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#options = options;
    this.#onChange = onChange;
  }

  offer(signed: Signed): void {
    this.#waiting = signed;
    if (!this.#pause) this.#offering ??= this.#offerAll();
  }

  /** Gives the last checkpoint a moment, and no more: what was not taken is offered at the next start. */
  async finish(patienceMs: number): Promise<void> {
    clearTimeout(this.#pause);
    if (this.#waiting) this.#offering ??= this.#offerAll();
    const patience = setTimeout(() => this.#ending.abort(), patienceMs);
    await this.#offering;
    clearTimeout(patience);
    clearTimeout(this.#pause);
  }

  async #offerAll(): Promise<void> {
    for (let signed; (signed = this.#waiting) && !this.#ending.signal.aborted;) {
      this.#waiting = undefined;
      try {
        await this.#submit(signed);
        this.#note(undefined);
      } catch (error) {
        this.#waiting ??= signed;
        this.#cursor = undefined;
        this.#pause = setTimeout(() => this.#again(), pauseMs).unref();
        if (!this.#ending.signal.aborted) this.#note(failureOf(error));
        break;
      }
    }
    this.#offering = undefined;
  }

  #again(): void {
    this.#pause = undefined;
    if (this.#waiting) this.#offering ??= this.#offerAll();
  }

  #note(failure: WitnessFailure | undefined): void {
    const [before, now] = [this.#failure, failure];
    // How much it lacks changes with every line, and is told once.
    if (now?.contradicts ? before?.contradicts : now?.reason === before?.reason) return;
    this.#failure = failure;
    this.#onChange(failure);
  }

  async #submit(signed: Signed): Promise<void> {
    const size = await this.#post(signed, this.#cursor);
    if (size === undefined) return;
    // It remembers another size than we do: after a start, or when an answer of it was lost.
    if (size > signed.tree.size)
      throw new Contradiction(`The witness has seen ${size} lines, and the trail has ${signed.tree.size}.`);
    const cursor = await LeafCursor.at(this.#directory, size);
    if (!cursor) throw new Error(`The lines behind ${size}, which the witness saw last, are not there.`);
    if ((await this.#post(signed, cursor)) !== undefined)
      throw new Contradiction('The witness saw another trail of this name.');
  }

  /** Undefined when it was cosigned, else the size that the witness remembers. */
  async #post({ note, tree }: Signed, from: LeafCursor | undefined): Promise<number | undefined> {
    const step = await from?.advance(tree.size);
    const proof = from && step ? proveConsistency(from.tree, step.range) : [];
    const hashes = proof.map((digest) => `${Buffer.from(digest, 'hex').toString('base64')}\n`);
    const response = await fetch(`${this.#options.url}/add-checkpoint`, {
      method: 'POST',
      body: `old ${from?.tree.size ?? 0}\n${hashes.join('')}\n${note}`,
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(answerTimeMs), this.#ending.signal]),
    });
    const answer = (await response.text()).slice(0, longestAnswer);
    if (response.status === 409 && /^\d{1,16}\n$/.test(answer)) return Number(answer);
    if (response.status === 422) throw new Contradiction('The witness saw other lines than the trail has.');
    if (response.status !== 200)
      throw new Error(`The witness refused with ${response.status}: ${answer.trim()}`);
    await this.#keep(note, answer);
    this.#cursor = step?.cursor ?? (await LeafCursor.at(this.#directory, tree.size));
    return undefined;
  }

  async #keep(note: string, cosignatures: string): Promise<void> {
    const checkpoint = parseCheckpoint(note);
    const signatures = parseSignatures(cosignatures);
    if (!checkpoint || !verifyNote({ text: checkpoint.text, signatures }, this.#options.key))
      throw new Error('The witness did not sign with its key.');
    const own = cosignatures.split('\n').filter((line) => line.startsWith(`— ${this.#options.key.name} `));
    await replaceFile(
      this.#files,
      this.#directory,
      witnessedFile,
      'witnessed.new',
      `${note}${own.join('\n')}\n`,
    );
  }
}

function failureOf(error: unknown): WitnessFailure {
  return { reason: reasonOf(error), contradicts: error instanceof Contradiction };
}
