/** How the process was started, and what of its certificates and secrets will end. */
import type { SecurityCheck } from '../console/api/security.ts';
import { processFaults, type ProcessFault } from './config-dangers.ts';
import { warningsOf, type Expiring } from './expiry.ts';
import type { OpenPlace } from './open-places.ts';
import { check } from './security-check.ts';

const area = 'process';
/** So few days before its end something is no advice any more. */
const dangerDays = 7;

/** @param env and `options`: what the process was started with */
export function processChecks(
  env = process.env,
  options: readonly string[] = process.execArgv,
): SecurityCheck[] {
  const faults = processFaults(env, options);
  const isRoot = process.getuid?.() === 0;
  return [
    ...faults.map(dangerCheck),
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

function dangerCheck({ path, danger, option }: ProcessFault): SecurityCheck {
  const about = aboutOf(path, option);
  return check({
    area,
    about,
    id: ['process', path, option].filter(Boolean).join('.'),
    found: ['danger', `process.${danger}`],
    values: option === undefined ? { variable: path } : { option },
  });
}

function aboutOf(path: string, option: string | undefined) {
  if (option === undefined) return 'process.variable';
  return path === 'NODE_OPTIONS' ? 'process.nodeOptions' : 'process.argument';
}

export function fileChecks(open: readonly OpenPlace[]): SecurityCheck[] {
  const about = 'process.files';
  if (open.length === 0) return [check({ area, about, found: ['good', 'process.files.own'] })];
  return open.map(({ path, isDirectory }) =>
    check({
      area,
      about,
      id: `${about}.${path}`,
      found: ['danger', isDirectory ? 'process.files.replaced' : 'process.files.written'],
      values: { path },
    }),
  );
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
