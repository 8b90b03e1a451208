/** Reads an expression character by character; every refusal names the place where it gave up. */

export class SyntaxFault extends Error {
  /** The message without the text it was found in, which at run time may hold personal data. */
  readonly reason: string;

  constructor(reason: string, place = '') {
    super(reason + place);
    this.name = 'SyntaxFault';
    this.reason = reason;
  }
}

/** Nesting that no author writes and that would exhaust the stack. */
const deepest = 100;

export class Cursor {
  readonly text: string;
  at = 0;
  #depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  peek(offset = 0): string {
    return this.text[this.at + offset] ?? '';
  }

  skipBlanks(): this {
    while (/\s/.test(this.peek())) this.at += 1;
    return this;
  }

  /** Steps over `token` if it comes next. */
  takes(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.takes(token)) this.fail(`expected ${token}`);
  }

  /** Reads as long as `pattern`, which is sticky, goes. */
  match(pattern: RegExp): string {
    const sticky = new RegExp(pattern.source, `${pattern.flags.replaceAll(/[gy]/g, '')}y`);
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > deepest) this.fail('nested too deeply');
    const result = read();
    this.#depth -= 1;
    return result;
  }

  /** A quoted string, its escapes undone; the cursor stands on the quote. */
  quoted(): string {
    const quote = this.peek();
    const start = this.at;
    let value = '';
    for (this.at += 1; !this.ended; this.at += 1) {
      if (this.takes(quote)) return value;
      value += this.peek() === '\\' ? this.#escape() : this.peek();
    }
    this.at = start;
    return this.fail('the string is not closed');
  }

  /** Leaves the cursor on the last character of the escape. */
  #escape(): string {
    this.at += 1;
    const code = this.peek();
    if (code === 'u' && /^[\da-fA-F]{4}$/.test(this.text.slice(this.at + 1, this.at + 5))) {
      this.at += 4;
      return String.fromCharCode(Number.parseInt(this.text.slice(this.at - 3, this.at + 1), 16));
    }
    return { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[code] ?? code;
  }

  fail(reason: string): never {
    const rest = this.text.slice(this.at, this.at + 24);
    throw new SyntaxFault(reason, ` at position ${this.at + 1}${rest === '' ? ' (the end)' : `: ${rest}`}`);
  }
}
