/**
 * A value that must not be seen. It leaves only through `reveal()`, so that a log line, an error or a dump of the
 * configuration that holds it by accident shows `***`.
 */
import { inspect } from 'node:util';

const hidden = '***';

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
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
