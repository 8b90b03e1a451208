/** A configuration file with its secrets on disk, for a gateway that runs as a process of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { generateSecret, hashSecret } from '../../src/auth/secret.ts';
import { systemId } from './gateway.ts';

export interface Installation {
  readonly file: string;
  readonly authorization: string;
}

/** One technical user `caller` with all rights, one system, free ports, and a pace that nothing waits for. */
export async function prepareInstallation(directory: string, upstreamUrl: string): Promise<Installation> {
  const secret = generateSecret();
  const file = join(directory, 'gatehouse.yaml');
  const book = { caller: [{ hash: await hashSecret(secret) }] };
  await writeFile(join(directory, 'secrets.yaml'), stringify(book), { mode: 0o600 });
  const permission = { permission: 'Access Proxy System API', systems: 'all', access: ['read', 'write'] };
  const pace = { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, minute: '1s', concurrency: 64 };
  const config = {
    listen: { port: 0 },
    admin: { port: 0 },
    audit: { directory: 'audit', instance: 'test', keyFile: 'audit.key', ballast: '0B' },
    secretsFile: 'secrets.yaml',
    callers: { caller: { permissions: [permission] } },
    tenants: { acme: { url: upstreamUrl, credential: { type: 'none' }, pace } },
    systems: { [systemId]: { tenant: 'acme' } },
  };
  await writeFile(file, stringify(config));
  return { file, authorization: `Basic ${Buffer.from(`caller:${secret}`).toString('base64')}` };
}
