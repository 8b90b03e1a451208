/** JSON of others, read and written again without loss: numbers keep their digits, also those that JavaScript cannot hold. */

/** The text of numbers; Node has it, the language's types do not yet. */
const raw = JSON as unknown as { rawJSON(text: string): object; isRawJSON(value: unknown): boolean };

/** Undefined for what is no JSON. A number is an opaque value that equals nothing but by its text. */
export function readExactly(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'), (_name, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' && context?.source !== undefined ? raw.rawJSON(context.source) : value,
    );
  } catch {
    return undefined; // only JSON.parse throws here, and what it says would quote the bytes
  }
}

export function writeExactly(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** The digits of a number that was read so. */
export function digitsOf(value: unknown): string | undefined {
  return raw.isRawJSON(value) ? (value as { readonly rawJSON: string }).rawJSON : undefined;
}
