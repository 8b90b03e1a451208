/**
 * What makes this installation safer or less safe, each with its state and its remedy. It says what the configuration and
 * the process are; whether files and hosts keep what they promise, others find out.
 */
import type { SecurityCheck } from '../console/api/security.ts';
import type { Config } from './config.ts';
import type { Expiring } from './expiry.ts';
import type { OpenPlace } from './open-places.ts';
import { consoleChecks, listenerChecks } from './security-entrances.ts';
import { guardChecks } from './security-guard.ts';
import { callerChecks, tenantChecks } from './security-parties.ts';
import { expiryChecks, fileChecks, processChecks } from './security-process.ts';
import { auditChecks, cacheChecks } from './security-stores.ts';

/** @param open what others can write of the files that decide */
export function checksOf(
  config: Config,
  ends: readonly Expiring[],
  open: readonly OpenPlace[],
): SecurityCheck[] {
  return [...settingChecks(config), ...processChecks(), ...fileChecks(open), ...expiryChecks(ends)];
}

/** Of the configuration alone, so that they hold without the process that it is for. */
export function settingChecks(config: Config): SecurityCheck[] {
  return [
    ...listenerChecks(config),
    ...consoleChecks(config),
    ...callerChecks(config),
    ...guardChecks(config),
    ...tenantChecks(config),
    ...auditChecks(config),
    ...cacheChecks(config),
  ];
}
