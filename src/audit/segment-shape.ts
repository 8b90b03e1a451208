/** What a segment's header and footer consist of, as docs/audit-format.md has it; a reader believes nothing of another shape. */
import { z } from 'zod';

const openIntentSchema = z.object({ intent: z.int(), req: z.exactOptional(z.string()) });
export const headerSchema = z.object({
  chain: z.string(),
  segment: z.int(),
  previous: z
    .object({
      segment: z.int(),
      seq: z.int(),
      head: z.string(),
      root: z.string(),
      bytes: z.int(),
      closed: z.boolean(),
    })
    .nullable(),
  open: z.array(openIntentSchema),
  peaks: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
  key: z.string(),
  signer: z.string(),
});
export const footerSchema = z.object({
  reason: z.enum(['rotated', 'stopped', 'recovered']),
  count: z.int(),
  firstTs: z.string(),
  lastTs: z.string(),
  root: z.string(),
  head: z.string(),
});
export type Header = z.infer<typeof headerSchema>;
export type Footer = z.infer<typeof footerSchema>;

/** Undefined when the line is not JSON of that form: for a reader an answer, not an error. */
export function parse<T>(schema: z.ZodType<T>, line: Buffer): T | undefined {
  try {
    return schema.safeParse(JSON.parse(line.toString())).data;
  } catch {
    // Only JSON.parse throws here.
    return undefined;
  }
}
