/**
 * A tenant's description in YAML (config/tenant.yaml) as options: technical users, systems, limits and every
 * assumption. Secrets are never in the file: they are generated, or read from the environment or a file.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { parse } from 'yaml';
import { z } from 'zod';

import { withDefaultTransformations } from './default-transformations.ts';
import { importSystem } from './system-json.ts';
import type { SystemOptions } from './system.ts';
import { permissions, type Secret } from './technical-users.ts';
import { tenantFileShape, type TenantFile } from './tenant-file-shape.ts';
import type { TenantOptions } from './tenant.ts';

export interface GeneratedSecret {
  readonly clientId: string;
  readonly secret: string;
}

export interface LoadedTenant {
  readonly options: TenantOptions;
  /** To be shown once: they are kept nowhere else. */
  readonly generated: readonly GeneratedSecret[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @param environment where `{ env: NAME }` looks */
export async function loadTenantFile(path: string, environment: Environment = {}): Promise<LoadedTenant> {
  const parsed = tenantFileShape.safeParse(parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path}:\n${z.prettifyError(parsed.error)}`);
  const source: Source = { folder: dirname(resolve(path)), environment };
  const file = parsed.data;
  const generated: GeneratedSecret[] = [];
  const technicalUsers = await Promise.all(
    file.technicalUsers.map((user) => readTechnicalUser(user, source, generated)),
  );
  const systems: SystemOptions[] = [];
  for (const [id, system] of Object.entries(file.systems))
    systems.push(
      await readSystem(
        id,
        system,
        source,
        systems.map(({ name }) => name ?? ''),
      ),
    );
  const { listen, tls, state, technicalUsers: _users, systems: _systems, ...plain } = file;
  const options: TenantOptions = {
    ...listen,
    ...plain,
    ...(tls && { tls: await readTls(tls, source) }),
    ...(state !== undefined && { state: await makeRoomFor(state, source) }),
    technicalUsers,
    systems,
  };
  return { options, generated };
}

/** Where the file's references lead. */
interface Source {
  readonly folder: string;
  readonly environment: Environment;
}

async function readTechnicalUser(
  user: TenantFile['technicalUsers'][number],
  source: Source,
  generated: GeneratedSecret[],
) {
  const clientId = user.clientId === 'generate' ? randomUUID() : user.clientId;
  const secrets: Secret[] = [];
  for (const given of user.secrets) {
    const secret = given === 'generate' ? { generate: true as const } : given;
    const value =
      'generate' in secret ? randomBytes(24).toString('base64url') : await dereference(secret, source);
    if ('generate' in secret) generated.push({ clientId, secret: value });
    secrets.push({
      value,
      ...(secret.expiresAt !== undefined && { expiresAt: Date.parse(secret.expiresAt) }),
    });
  }
  const { certificates, permissions: granted = permissions } = user;
  return { clientId, secrets, ...(certificates && { certificates }), permissions: granted };
}

async function readTls({ keyFile, certFile }: { keyFile: string; certFile: string }, { folder }: Source) {
  return {
    key: await readFile(resolve(folder, keyFile), 'utf8'),
    cert: await readFile(resolve(folder, certFile), 'utf8'),
  };
}

type Reference = { readonly env: string } | { readonly file: string };

async function dereference(reference: Reference, { folder, environment }: Source): Promise<string> {
  if ('file' in reference) return (await readFile(resolve(folder, reference.file), 'utf8')).trimEnd();
  const value = environment[reference.env];
  if (value === undefined) throw new Error(`the environment has no ${reference.env}`);
  return value;
}

async function readSystem(
  id: string,
  system: TenantFile['systems'][string],
  source: Source,
  takenNames: readonly string[],
): Promise<SystemOptions> {
  const { import: file, readTransformation, writeTransformation, credentials, backend, ...plain } = system;
  const imported = file === undefined ? {} : await importFile(file, source, plain.name, takenNames);
  const secrets = Object.entries(credentials).map(
    async ([name, reference]) => [name, await dereference(reference, source)] as const,
  );
  const read = await readTransformationOf(readTransformation, source);
  const write = await readTransformationOf(writeTransformation, source);
  return withDefaultTransformations({
    ...imported,
    ...plain,
    ...(backend && { backend: await placed(backend, source) }),
    id,
    properties: { ...imported.properties, ...plain.properties },
    credentials: Object.fromEntries(await Promise.all(secrets)),
    ...(read && { readTransformation: read }),
    ...(write && { writeTransformation: write }),
  });
}

type Backend = NonNullable<TenantFile['systems'][string]['backend']>;

async function placed(backend: Backend, source: Source): Promise<Backend> {
  if (backend.kind !== 'directory' || backend.file === undefined) return backend;
  return { ...backend, file: await makeRoomFor(backend.file, source) };
}

/** The file's place, in a folder that exists. */
async function makeRoomFor(file: string, { folder }: Source): Promise<string> {
  const path = resolve(folder, file);
  await mkdir(dirname(path), { recursive: true });
  return path;
}

async function importFile(
  file: string,
  { folder }: Source,
  name: string | undefined,
  takenNames: readonly string[],
): Promise<Partial<SystemOptions>> {
  const text = await readFile(resolve(folder, file), 'utf8');
  return importSystem(text, { takenNames, ...(name !== undefined && { name }) }).system;
}

async function readTransformationOf(
  given: TenantFile['systems'][string]['readTransformation'],
  { folder }: Source,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (typeof given !== 'string') return given;
  return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(resolve(folder, given), 'utf8')));
}
