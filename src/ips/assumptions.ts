/**
 * What SAP does not document, as switches: each has the default that facts/ips.md 15 proposes and the
 * alternative that a real tenant might show. Whoever learns the truth changes a key, not the code.
 */
export interface Assumptions {
  /** `count` above 100. */
  readonly countAbove100: 'cap' | 'refuse';
  readonly countZero: 'empty' | 'refuse';
  readonly unsupportedFilter: 'refuse' | 'ignore';
  /** Where the word `tooMany` stands. */
  readonly tooMany: 'scimType' | 'detail';
  readonly unauthenticatedBody: 'scim' | 'empty';
  readonly unknownSystem: 404 | 400;
  readonly disabledSystem: 404 | 400;
  /** GET of an entity that the read condition drops. */
  readonly readConditionUnmet: 'not-found' | 'empty';
  readonly writeConditionUnmet: 'refuse' | 'ignore';
  readonly mandatoryMissing: 400 | 500;
  /** A page with an entity that the read transformation cannot build. */
  readonly brokenEntityInList: 'leave-out' | 'fail';
  readonly slowedBy: 'fixed' | 'proportional';
  readonly discovery: 'absent' | 'static';
  readonly bulk: 404 | 501;
  readonly etag: 'none' | 'version';
  readonly mediaTypes: 'both' | 'scim-only';
  /** How freely a PATCH may be spelt. */
  readonly patchSpellings: 'many' | 'rfc';
  readonly startJob: 'job-id' | 'accepted';
  readonly startJobWhileRunning: 'refuse' | 'queue';
  readonly errorStatus: 'number' | 'string';
  /** Which of the three documented rules for `totalResults` holds (facts: IPS 3.2). */
  readonly totals: '2024' | '2025' | '2026';
}

export const documentedDefaults: Assumptions = {
  countAbove100: 'cap',
  countZero: 'empty',
  unsupportedFilter: 'refuse',
  tooMany: 'scimType',
  unauthenticatedBody: 'scim',
  unknownSystem: 404,
  disabledSystem: 404,
  readConditionUnmet: 'not-found',
  writeConditionUnmet: 'refuse',
  mandatoryMissing: 400,
  brokenEntityInList: 'leave-out',
  slowedBy: 'fixed',
  discovery: 'absent',
  bulk: 404,
  etag: 'none',
  mediaTypes: 'both',
  patchSpellings: 'many',
  startJob: 'job-id',
  startJobWhileRunning: 'refuse',
  errorStatus: 'number',
  totals: '2026',
};
