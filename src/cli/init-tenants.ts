/**
 * Which tenants an identity manager's repositories call. Repositories that call one place with one log-on share a tenant;
 * whatever differs makes another one, because the calls of one must never go where only the other went.
 */
import { isLoopback } from '../gateway/config-values.ts';
import { schemeOf, type Repository } from './repository-csv.ts';

const systemPath = /^(?<base>.*)\/ipsproxy\/service\/api\/v1\/scim\/(?<system>[^/]+)\/?$/;

/** What two repositories of one tenant have in common, by the words of a remark. */
interface Way {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: string;
  readonly path: string;
  readonly user: string;
  readonly 'token endpoint': string;
  readonly proxy: string;
}

export interface Found {
  readonly repository: Repository;
  readonly system: string;
  /** The name of the tenant in the configuration. */
  readonly tenant: string;
  readonly way: Way;
}

export class CannotPlan extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'CannotPlan';
  }
}

/** In the order of the repositories. */
export function locate(repositories: readonly Repository[]): readonly Found[] {
  const names = new Map<string, string>();
  return repositories.map((repository) => {
    const { system, way } = wayOf(repository);
    const key = JSON.stringify(way);
    const tenant = names.get(key) ?? unused(labelOf(way), new Set(names.values()));
    names.set(key, tenant);
    return { repository, system, tenant, way };
  });
}

function wayOf(repository: Repository): Pick<Found, 'system' | 'way'> {
  const { from, isFile, columns } = repository;
  const value = (column: string): string => columns.get(column) ?? '';
  const path = value('SCIM_PATH');
  const { system, base = '' } = systemPath.exec(path)?.groups ?? {};
  if (system === undefined)
    throw new CannotPlan(
      `${from}: ${isFile ? `SCIM_PATH ${JSON.stringify(path)}` : 'it'} does not lead to a proxy system`,
    );
  const port = value('SCIM_PORT');
  const proxy = value('PROXY_HOST');
  const scheme = schemeOf(repository);
  const way = {
    scheme,
    host: value('SCIM_HOST').toLowerCase(),
    port: port === (scheme === 'https' ? '443' : '80') ? '' : port,
    path: base,
    user: value('AUTH_USER'),
    'token endpoint': value('OAUTH_URL'),
    proxy: proxy === '' ? '' : `http://${proxy}:${value('PROXY_PORT') || '8080'}`,
  };
  return { system, way };
}

function labelOf({ host }: Way): string {
  if (isLoopback(host)) return 'rehearsal';
  const [label = ''] = host.split('.');
  return label.replaceAll(/[^a-z0-9-]/g, '-');
}

function unused(label: string, taken: ReadonlySet<string>): string {
  let name = label;
  for (let count = 2; taken.has(name); count += 1) name = `${label}-${count}`;
  return name;
}

/** Of each tenant whose name another one would have had, too. */
export function remarksOnTwins(found: readonly Found[]): string[] {
  const firsts = found.filter(({ tenant }, at) => found.findIndex((each) => each.tenant === tenant) === at);
  return firsts.flatMap((each, at) => {
    const twin = firsts.slice(0, at).find(({ way }) => labelOf(way) === labelOf(each.way));
    return twin ? [remarkOn(each, twin)] : [];
  });
}

function remarkOn({ repository, tenant, way }: Found, twin: Found): string {
  const aspects = Object.keys(way) as (keyof Way)[];
  const differing = aspects.filter((aspect) => way[aspect] !== twin.way[aspect]).join(', ');
  const said = `${repository.from} differs from ${twin.repository.from} in ${differing}, so it has a tenant of its own, ${tenant}.`;
  if (way.host !== twin.way.host) return said;
  return `${said} If both are one tenant of SAP, they share its quota: correct the repository, or part tenants.*.pace.perMinute between ${twin.tenant} and ${tenant}.`;
}

export function tenantOf({ tenant, way }: Found) {
  const { scheme, host, port, path, user, proxy } = way;
  const tokenUrl = way['token endpoint'];
  const secret = { file: secretFileOf(tenant) };
  return {
    url: `${scheme}://${host}${port === '' ? '' : `:${port}`}${path}`,
    credential:
      tokenUrl === '' ? { type: 'basic', user, secret } : { type: 'oauth', clientId: user, secret, tokenUrl },
    ...(proxy !== '' && { outboundProxy: { url: proxy } }),
  };
}

/** Below the directory of the installation. */
export function secretFileOf(tenant: string): string {
  return `secrets/${tenant}.secret`;
}
