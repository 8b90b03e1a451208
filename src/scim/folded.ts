/**
 * Ids as they are compared where two are better taken for one than one for two: there are callers that lower-case them, and
 * service providers that do not mind (facts: Omada).
 */
export function folded(id: string): string {
  return id.normalize('NFKC').toLowerCase();
}
