/**
 * The quirks of callers that a profile may name, and the shape of its file. The list is closed: what is not here cannot be
 * repaired, and a profile has no way to describe a repair of its own.
 */
import { z } from 'zod';

export const quirkNames = [
  'media-types',
  'slashes',
  'page-numbers',
  'unpaged-lists',
  'lower-case-ids',
  'patch-spelling',
] as const;

export type Quirk = (typeof quirkNames)[number];
/** What a profile repairs. */
export type Quirks = ReadonlySet<Quirk>;

export const profileShape = z.strictObject({
  /** Which product it is for. */
  product: z.string().min(1),
  repairs: z
    .array(z.enum(quirkNames, { error: `must be one of ${quirkNames.join(', ')}` }))
    .refine((names) => new Set(names).size === names.length, { error: 'names a quirk twice' }),
});
