import type { Reply } from '../../src/scim/call.ts';
import { type Operation, type SystemFacts, understand } from '../../src/scim/operation.ts';
/** Operations as the line makes them, for the tests of the cache. */
import { Query } from '../../src/scim/target.ts';

const facts: SystemFacts = { id: 'hr', tenant: 'acme', kind: 'scim', resourceTypes: ['Users', 'Groups'] };

/** @param target such as `Users/1?count=2` */
export function operation(method: string, target: string, system = facts.id): Operation {
  const [path = '', search = ''] = target.split('?');
  const parameters = search
    .split('&')
    .filter(Boolean)
    .map((encoded) => {
      const [name = '', value = ''] = encoded.split('=');
      return { name, value: decodeURIComponent(value), encoded };
    });
  const segments = ['ipsproxy', 'service', 'api', 'v1', 'scim', system, ...path.split('/').filter(Boolean)];
  return understand(
    method,
    { segments, query: new Query(parameters) },
    () => ({ ...facts, id: system }),
    'acme',
  );
}

export function reply(content: string, headers: Reply['headers'] = {}): Reply {
  return {
    status: 200,
    headers: { 'content-type': 'application/scim+json', ...headers },
    body: Buffer.from(JSON.stringify({ content })),
  };
}
