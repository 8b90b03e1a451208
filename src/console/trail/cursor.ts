/** Where the next page of records goes on, and how an address carries that. */
import { z } from 'zod';

/** Of each chain the last record that was told: number of its segment, place in it. */
export type Cursor = Readonly<Record<string, readonly [segment: number, ordinal: number]>>;

const cursorSchema = z.record(z.string(), z.tuple([z.int(), z.int()]));

export const cursorParameter = z
  .string()
  .max(8000)
  .transform((text, ctx): Cursor | undefined => {
    const found = cursorSchema.safeParse(jsonIn(text)).data;
    if (!found) ctx.addIssue({ code: 'custom', message: 'is none' });
    return found;
  });

export function cursorText(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined; // somebody else's text
  }
}
