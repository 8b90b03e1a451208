/** The slate of a gateway that runs alone. Several replicas must not use it: none would see what another one has written. */
import { fence, type Slate, type Written } from './slate.ts';

export class MemorySlate implements Slate {
  readonly key: string;
  readonly #members = new Map<string, number>();
  readonly #values = new Map<string, Buffer>();

  constructor(key: string) {
    this.key = key;
  }

  async read(): Promise<Written> {
    return { members: [...this.#members], epoch: 'process' };
  }

  async insist(members: readonly string[], score: number): Promise<void> {
    for (const member of members) this.#members.set(member, score);
  }

  async exchange(member: string, score: number, gone: readonly string[]): Promise<boolean> {
    this.#members.set(member, score);
    for (const each of gone) this.#members.delete(each);
    return true;
  }

  async next(mark: string, gone: readonly string[]): Promise<number> {
    const number = (this.#members.get(fence) ?? 0) + 1;
    this.#members.set(fence, number).set(mark, 0);
    for (const each of gone) this.#members.delete(each);
    return number;
  }

  async put(name: string, bytes: Buffer): Promise<boolean> {
    this.#values.set(name, bytes);
    return true;
  }

  async get(name: string): Promise<Buffer | 'lost'> {
    return this.#values.get(name) ?? 'lost';
  }

  async drop(names: readonly string[]): Promise<void> {
    for (const name of names) this.#values.delete(name);
  }

  async lease(): Promise<boolean> {
    return true;
  }
}
