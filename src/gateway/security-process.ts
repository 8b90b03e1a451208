/** How the process was started, and what of its certificates and secrets will end. */
import type { SecurityCheck } from '../console/api/security.ts';
import { processFaults } from './config-dangers.ts';
import { warningsOf, type Expiring } from './expiry.ts';
import { check } from './security-check.ts';

const area = 'process';
/** So few days before its end something is no advice any more. */
const dangerDays = 7;

export function processChecks(): SecurityCheck[] {
  const faults = processFaults(process.env, process.execArgv);
  const isRoot = process.getuid?.() === 0;
  return [
    ...faults.map(({ path, problem, remedy }) =>
      check({
        area,
        about: 'process.fault',
        id: `process.${path}`,
        found: ['danger', 'process.fault.found'],
        values: { path, problem, remedy },
      }),
    ),
    ...(faults.length === 0
      ? [check({ area, about: 'process.options', found: ['good', 'process.options.good'] })]
      : []),
    check({
      area,
      about: 'process.user',
      found: isRoot ? ['danger', 'process.user.root'] : ['good', 'process.user.own'],
    }),
  ];
}

export function expiryChecks(ends: readonly Expiring[]): SecurityCheck[] {
  const warnings = warningsOf(ends, Date.now());
  if (warnings.length === 0)
    return [check({ area: 'expiry', about: 'expiry', found: ['good', 'expiry.none'] })];
  return warnings.map(({ kind, what, subject = what, notAfter, daysLeft }) =>
    check({
      area: 'expiry',
      about: 'expiry.ending',
      id: `expiry.${what}`,
      found: [
        daysLeft < dangerDays ? 'danger' : 'advice',
        kind === 'cert' ? 'expiry.ending.cert' : 'expiry.ending.secret',
      ],
      values: { what, subject, at: `${new Date(notAfter).toISOString().slice(0, 16).replace('T', ' ')} UTC` },
    }),
  );
}
