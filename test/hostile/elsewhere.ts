/**
 * The rows of the list that are not played here: each is held by a test elsewhere. rows.test.ts checks that every number of
 * the list stands in exactly one place and every title exists.
 */
export interface Held {
  readonly situation: string;
  readonly file: string;
  readonly title: string;
}

export const elsewhere: Readonly<Record<number, Held>> = {
  105: {
    situation: 'the trail’s disk is full, read-only or gone',
    file: 'test/faults/audit-disk.test.ts',
    title: 'on a full disk calls are refused, and when space returns they are taken again',
  },
  106: {
    situation: 'an error of fsync',
    file: 'test/faults/audit-disk.test.ts',
    title:
      'after a failed fsync the file is never written again, and the next segment says how much of it counts',
  },
  107: {
    situation: 'a slow disk under the trail',
    file: 'test/faults/audit-disk.test.ts',
    title:
      'a slow disk refuses an intent at its deadline, and one that is written late is marked as not sent',
  },
  108: {
    situation: 'kill -9 between the tenant’s commit and the answer',
    file: 'test/audit/trail.test.ts',
    title: 'a call whose outcome a stopped process never learnt is unknown after the restart',
  },
  109: {
    situation: 'lines edited, deleted, swapped, doubled, cut',
    file: 'test/audit/verify.test.ts',
    title: 'a line that was rewritten with a right checksum is found by the line after it',
  },
  110: {
    situation: 'a torn last line',
    file: 'test/faults/audit-kill.test.ts',
    title: 'a torn tail is cut off, kept in a file of its own, and recorded',
  },
  111: {
    situation: 'two processes on one directory',
    file: 'test/faults/audit-kill.test.ts',
    title: 'a second process is refused while the first lives, and takes over when it was killed',
  },
  112: {
    situation: 'the clock jumps back',
    file: 'test/audit/clock.test.ts',
    title: 'a clock that is set is noticed once, with the step',
  },
  113: {
    situation: 'dangerous settings',
    file: 'test/gateway/config-dangers.test.ts',
    title: 'refuses ${what}, and finds nothing else',
  },
  114: {
    situation: 'SIGTERM with a hundred calls at work',
    file: 'test/journeys/outages.test.ts',
    title:
      'on SIGTERM a hundred running writes are finished and told, new ones refused, and the exit code is 0',
  },
};
