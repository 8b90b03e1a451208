/**
 * What an installation needs that takes the place of tenants in an identity manager's repositories: a configuration,
 * the repositories with the gateway's address, and what is left to do by hand. Nothing secret is taken over.
 */
import { Document, Scalar } from 'yaml';

import { writeRepository } from '../ips/idm-csv.ts';
import { CannotPlan, locate, remarksOnTwins, secretFileOf, tenantOf, type Found } from './init-tenants.ts';
import { schemeOf, type Repository } from './repository-csv.ts';

export interface Wishes {
  readonly host: string;
  readonly port: number;
  /** The technical user that the identity manager logs on with. */
  readonly caller: string;
  /** What is repaired of its requests. */
  readonly profile: string;
  /** Where the gateway writes: trail, keys, hashes of secrets. */
  readonly data: string;
}

export interface Plan {
  /** Path below the directory of the installation → content. */
  readonly files: ReadonlyMap<string, string>;
  /** What was noticed, in sentences. */
  readonly remarks: readonly string[];
  readonly secretFiles: readonly string[];
  readonly systems: readonly string[];
}

/** With the default patience and deadlines: 50 s for a turn, 190 s at the tenant, 20 s more, as `idm-csv` writes it. */
const readTimeoutMs = 260_000;
export const consoleAccount = 'admin';
export function planFor(repositories: readonly Repository[], wishes: Wishes): Plan {
  const found = locate(repositories);
  refuseTwice(found, 'system', ({ system }) => system);
  refuseTwice(
    found.filter(({ repository }) => repository.isFile),
    'name',
    ({ repository }) => nameOf(repository),
  );
  const tenants = new Map(found.map((each) => [each.tenant, each]));
  const csv = found
    .filter(({ repository }) => repository.isFile)
    .map(
      ({ repository }) => [`repositories/${nameOf(repository)}.csv`, redirected(repository, wishes)] as const,
    );
  return {
    files: new Map([['gatehouse.yaml', write(configOf(found, tenants, wishes), wishes)], ...csv]),
    remarks: [...remarksOnTwins(found), ...found.flatMap(({ repository }) => remarksOn(repository))],
    secretFiles: [...tenants.keys()].map(secretFileOf),
    systems: found.map(({ system }) => system),
  };
}

function refuseTwice(found: readonly Found[], what: string, valueOf: (each: Found) => string): void {
  const values = found.map(valueOf);
  const at = values.findIndex((value, index) => values.indexOf(value) !== index);
  if (at >= 0)
    throw new CannotPlan(
      `${found[at]?.repository.from}: the ${what} ${values[at]} is in two of the repositories`,
    );
}

function configOf(found: readonly Found[], tenants: ReadonlyMap<string, Found>, wishes: Wishes) {
  const data = wishes.data.replace(/\/+$/, '');
  return {
    publicUrl: `https://${wishes.host}${wishes.port === 443 ? '' : `:${wishes.port}`}`,
    listen: {
      host: '0.0.0.0',
      port: wishes.port,
      tls: { certificate: { file: 'tls/gatehouse.crt' }, key: { file: 'tls/gatehouse.key' } },
    },
    admin: {
      host: '127.0.0.1',
      port: 9090,
      console: {
        accounts: { [consoleAccount]: { role: 'administrator' } },
        secretsFile: `${data}/console-secrets.yaml`,
        indexDirectory: `${data}/console`,
      },
    },
    audit: { directory: `${data}/audit`, keyFile: `${data}/keys/audit.key` },
    secretsFile: `${data}/secrets.yaml`,
    callers: {
      [wishes.caller]: {
        profile: wishes.profile,
        permissions: [
          {
            permission: 'Access Proxy System API',
            systems: found.map(({ system }) => system),
            access: ['read', 'write'],
          },
        ],
      },
    },
    tenants: Object.fromEntries([...tenants].map(([name, each]) => [name, tenantOf(each)])),
    systems: Object.fromEntries(found.map((each) => [each.system, systemOf(each)])),
  };
}

const head = ` Written by 'gatehouse init'. config/gatehouse.example.yaml explains every key; 'gatehouse check' says what is
 still missing.`;

function write(config: ReturnType<typeof configOf>, { caller, profile }: Wishes): string {
  const document = new Document(config);
  document.commentBefore = head;
  const named = new Scalar(profile);
  named.comment =
    profile === 'generic'
      ? ' it is taken at its word; docs/profiles.md has the profiles of products'
      : ' what it writes otherwise than it means is put right and recorded, docs/profiles.md';
  document.setIn(['callers', caller, 'profile'], named);
  return document.toString();
}

function systemOf({ repository: { columns }, tenant }: Found) {
  const method = columns.get('SCIM_ASSIGNMENT_METHOD');
  const assignment = method === 'PUT' || method === 'PATCH' ? { assignment: method } : {};
  return { tenant, name: columns.get('Name'), ...assignment };
}

function nameOf({ columns }: Repository): string {
  return (columns.get('Name') ?? '').replaceAll(/[^\w.-]/g, '_');
}

/** Where the identity manager calls from now on; what it calls stays the same. */
function redirected({ columns }: Repository, { host, port, caller }: Wishes): string {
  const ours: Readonly<Record<string, string>> = {
    AUTH_TYPE: 'basic',
    AUTH_USER: caller,
    AUTH_PASSWORD: '',
    OAUTH_URL: '',
    PROXY_HOST: '',
    PROXY_PORT: '',
    PROXY_USER: '',
    PROXY_PASSWORD: '',
    READ_TIMEOUT: String(Math.max(Number(columns.get('READ_TIMEOUT')) || 0, readTimeoutMs)),
    SCIM_HOST: host,
    SCIM_PORT: String(port),
    SCIM_PROTOCOL: 'https',
  };
  return writeRepository([...columns].map(([name, value]) => [name, ours[name] ?? value]));
}

function remarksOn(repository: Repository): string[] {
  const { from: file, columns } = repository;
  const has = (column: string): boolean => (columns.get(column) ?? '') !== '';
  return [
    ...(has('AUTH_PASSWORD') ? [`${file} contains a password. It was not taken over; delete the file.`] : []),
    ...(columns.get('SCIM_PROTOCOL') === 'http' && schemeOf(repository) === 'https'
      ? [`${file} calls plain HTTP; the gateway will use HTTPS.`]
      : []),
    ...(has('PROXY_USER')
      ? [`${file} logs on at its proxy: put user and password into outboundProxy.url as a reference.`]
      : []),
    ...(has('TRUSTSTORE')
      ? [`${file} names a trust store: the authority of the gateway's certificate must be in it.`]
      : []),
  ];
}
