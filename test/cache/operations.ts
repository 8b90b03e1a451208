/** Operations as the line makes them, and what callers ask, for the tests of the cache. */
import type { CacheAsk, CacheRules } from '../../src/cache/cache.ts';
import type { Reply } from '../../src/scim/call.ts';
import { type Operation, type SystemFacts, understand } from '../../src/scim/operation.ts';
import { type Parameter, Query } from '../../src/scim/target.ts';

export const rules: CacheRules = {
  lifetimeMs: 60_000,
  maxStaleMs: 300_000,
  staleWhileRevalidate: false,
  staleOnError: false,
  absenceMs: 0,
  refreshesPerMinute: 30,
};

export const defaults: CacheAsk = {
  accept: undefined,
  scope: '',
  origin: 'https://acme/hr',
  caller: 'idm',
  rules,
  mayServe: true,
  maxAgeMs: Infinity,
  mayKeep: true,
};

const resourceTypes = ['Users', 'Groups'];
const onlyServiceProviders = /^(Me|\.search|Bulk|Schemas|ResourceTypes|ServiceProviderConfig)/;

/** @param target such as `Users/1?count=2` */
export function operation(method: string, target: string, system = 'hr'): Operation {
  const [path = '', search = ''] = target.split('?');
  const parameters = search.split('&').filter(Boolean).map(parameterOf);
  const segments = ['ipsproxy', 'service', 'api', 'v1', 'scim', system, ...path.split('/').filter(Boolean)];
  const kind = onlyServiceProviders.test(path) ? 'scim' : 'ips';
  const facts: SystemFacts = { id: system, tenant: 'acme', kind, resourceTypes };
  return understand(method, { segments, query: new Query(parameters) }, () => facts, 'acme');
}

function parameterOf(encoded: string): Parameter {
  const [name = '', value = ''] = encoded.split('=');
  return { name, value: decodeURIComponent(value), encoded };
}

export function reply(content: string, headers: Reply['headers'] = {}): Reply {
  return {
    status: 200,
    headers: { 'content-type': 'application/scim+json', ...headers },
    body: Buffer.from(JSON.stringify({ content })),
  };
}
