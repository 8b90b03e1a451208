/** Whether losses that nobody meant would be held: the guard's ceilings. What planned windows allow is not looked at. */
import type { SecurityCheck } from '../console/api/security.ts';
import type { Config } from './config.ts';
import { check, type Found } from './security-check.ts';

const actions = {
  refuse: ['good', 'guard.held'],
  alert: ['advice', 'guard.told'],
  off: ['danger', 'guard.off'],
} as const satisfies Record<Config['guard']['deletes']['above'], Found>;

export function guardChecks({ guard }: Config): SecurityCheck[] {
  return (['deletes', 'deactivations', 'shrinking'] as const).map((losses) =>
    check({
      area: 'callers',
      about: `guard.${losses}`,
      setting: `guard.${losses}.above`,
      found: actions[guard[losses].above],
    }),
  );
}
