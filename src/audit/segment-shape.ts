/**
 * What the lines say that make a file of the trail a segment, as docs/audit-format.md has it. Who writes a segment and who
 * reads one go by this same shape, and a reader believes nothing of another.
 */
import { z } from 'zod';

export const headerEvent = 'audit.segment_opened';
export const footerEvent = 'audit.segment_closed';
/** Says that a segment was removed because its time was over. */
export const expiredEvent = 'audit.segment_expired';

const predecessorSchema = z.object({
  segment: z.int(),
  /** Its last line, the footer included. */
  seq: z.int(),
  head: z.string(),
  /** Merkle root over its lines without the footer. */
  root: z.string(),
  /** Only this much of the file counts; more than that are lines whose batch was refused. */
  bytes: z.int(),
  /** False when it could not get a footer, because its file must not be written any more. */
  closed: z.boolean(),
});
const openIntentSchema = z.object({ intent: z.int(), req: z.exactOptional(z.string()) });
export const headerSchema = z.object({
  chain: z.string(),
  segment: z.int(),
  previous: predecessorSchema.nullable(),
  open: z.array(openIntentSchema),
  peaks: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
  key: z.string(),
  signer: z.string(),
});
export const footerSchema = z.object({
  /** rotated and recovered promise a successor, stopped does not: so a deleted last segment is noticed. */
  reason: z.enum(['rotated', 'stopped', 'recovered']),
  count: z.int(),
  firstTs: z.string(),
  lastTs: z.string(),
  root: z.string(),
  head: z.string(),
});
export type Header = z.infer<typeof headerSchema>;
export type Footer = z.infer<typeof footerSchema>;
/** What the next header says of the segment before it. */
export type Predecessor = Readonly<z.infer<typeof predecessorSchema>>;
/** An upstream call that went up, or may have, and whose outcome is not recorded yet. */
export type OpenIntent = Readonly<z.infer<typeof openIntentSchema>>;
export type CloseReason = Footer['reason'];

/** Undefined when the line is not JSON of that form: for a reader an answer, not an error. */
export function parse<T>(schema: z.ZodType<T>, line: Buffer): T | undefined {
  try {
    return schema.safeParse(JSON.parse(line.toString())).data;
  } catch {
    // Only JSON.parse throws here.
    return undefined;
  }
}
