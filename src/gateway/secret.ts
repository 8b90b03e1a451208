/**
 * A value that must not be seen. It leaves only through `reveal()`, so that a log line, an error or a dump of the
 * configuration that holds it by accident shows `***`.
 */
import { inspect } from 'node:util';

const hidden = '***';

export class Secret {
  readonly #value: string;
  /** Where it was read, for whoever reads it again; undefined when it comes from elsewhere. */
  readonly file: string | undefined;

  constructor(value: string, file?: string) {
    this.#value = value;
    this.file = file;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect.custom](): string {
    return hidden;
  }
}
