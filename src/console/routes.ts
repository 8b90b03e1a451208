/** Which endpoint a request means, by the one table of api/endpoints.ts. What is not in it does not exist. */
import { endpoints, type Role } from './api/endpoints.ts';
import { Refusal } from './refusal.ts';

export type EndpointName = keyof typeof endpoints;

export interface Route {
  readonly name: EndpointName;
  readonly params: Readonly<Record<string, string>>;
}

export const apiPrefix = '/console/api';

const routes = Object.entries(endpoints).map(([name, { method, path }]) => ({
  name: name as EndpointName,
  method,
  // Names of parameters are words of ours, so the pattern has no surprises.
  pattern: new RegExp(`^${path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
}));

/** @param path below the prefix, as it came */
export function routeOf(method: string, path: string): Route {
  const fitting = routes.filter(({ pattern }) => pattern.test(path));
  const route = fitting.find((each) => each.method === method);
  if (!route)
    throw fitting.length > 0 ? wrongMethod() : new Refusal(404, 'not-found', 'There is nothing here.');
  const found = Object.entries(route.pattern.exec(path)?.groups ?? {});
  return { name: route.name, params: Object.fromEntries(found.map(([name, text]) => [name, decoded(text)])) };
}

export function mayUse(role: Role, name: EndpointName): boolean {
  const { roles } = endpoints[name];
  return roles === '*' || (roles as readonly Role[]).includes(role);
}

function wrongMethod(): Refusal {
  return new Refusal(405, 'bad-request', 'This is not done here.');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, 'bad-request', 'The address is not well-formed.'); // what decoding says would quote it
  }
}
