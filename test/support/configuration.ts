/**
 * A small sound configuration, and reading of a changed one from disk as a start would. A test changes what it is
 * about and nothing else, so that every fault it sees is its own.
 */
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { ConfigFaults } from '../../src/gateway/config-faults.ts';
import { loadConfig, type Config } from '../../src/gateway/config.ts';

export const theSecret = 'kept to ourselves: £';

export function soundDocument() {
  return {
    callers: {
      'sap-idm': {
        permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read', 'write'] }],
      },
    },
    tenants: {
      acme: {
        url: 'https://acme.accounts.ondemand.com',
        credential: { type: 'basic', user: 'gateway', secret: { env: 'ACME_SECRET' } },
      },
    },
    systems: { people: { tenant: 'acme' } },
  };
}

export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, { readonly content: string; readonly mode?: number }>>;
}

/** @param document what the file contains: text as it is, anything else as YAML */
export function load(document: unknown, { env = {}, files = {} }: Surroundings = {}): Config {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  for (const [name, { content, mode = 0o600 }] of Object.entries(files))
    writeFileSync(join(directory.path, name), content, { mode });
  const file = join(directory.path, 'gatehouse.yaml');
  writeFileSync(file, typeof document === 'string' ? document : stringify(document));
  return loadConfig(file, { ACME_SECRET: theSecret, ...env });
}

/** The faults as `path: problem`; empty when the configuration is sound. */
export function faultsIn(document: unknown, surroundings?: Surroundings): string[] {
  return faultsThrownBy(() => load(document, surroundings)).map(({ path, problem }) => `${path}: ${problem}`);
}

export function faultsThrownBy(read: () => unknown): ConfigFaults['faults'] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof ConfigFaults) return error.faults;
    throw error;
  }
}

/** The sound configuration with other top-level keys. */
export function changed(changes: object) {
  return { ...soundDocument(), ...changes };
}

/** The sound configuration with other keys of its tenant. */
export function withTenant(changes: object) {
  return changed({ tenants: { acme: { ...soundDocument().tenants.acme, ...changes } } });
}
