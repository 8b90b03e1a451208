/** A gateway with its console, and people who use it as a browser does: with cookie, CSRF token and their own page's headers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { generateSecret, hashSecret } from '../../src/auth/secret.ts';
import type { Role } from '../../src/console/api/endpoints.ts';
import type { Session } from '../../src/console/api/session.ts';
import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { eventually } from './eventually.ts';
import { startGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts';

export const roles = ['auditor', 'operator', 'administrator'] as const satisfies readonly Role[];

type ConsoleDocument = NonNullable<NonNullable<ConfigDocument['admin']>['console']>;

export interface Person {
  readonly session: Session;
  readonly cookie: string;
  /** Below `/console/api`, as the page asks. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** The JSON of a GET that must succeed. */
  get<T>(path: string): Promise<T>;
}

export interface TestConsole extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly url: string;
  readonly secret: string;
  /** The local account of a role has its name. */
  logOn(role: Role): Promise<Person>;
  /** The facts of the trail's records of this event. */
  events(name: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Resolves when the trail says it. */
  untilTold(name: string, facts: Readonly<Record<string, unknown>>): Promise<void>;
}

const secret = generateSecret();

export async function startConsole(
  changes: ConsoleDocument = {},
  {
    admin,
    ...options
  }: Omit<TestGatewayOptions, 'config'> & { readonly admin?: ConfigDocument['admin'] } = {},
  config: TestGatewayOptions['config'] = {},
): Promise<TestConsole> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-console-'));
  starting.defer(() => rm(directory, { recursive: true }));
  const secretsFile = join(directory, 'secrets.yaml');
  const book = Object.fromEntries(
    await Promise.all(roles.map(async (role) => [role, [{ hash: await hashSecret(secret) }]])),
  );
  await writeFile(secretsFile, stringify(book), { mode: 0o600 });
  const accounts = Object.fromEntries(roles.map((role) => [role, { role }]));
  const console = { accounts, secretsFile, indexDirectory: join(directory, 'index'), ...changes };
  const gateway = starting.use(
    await startGateway({ ...options, config: { admin: { port: 0, ...admin, console }, ...config } }),
  );
  const running = starting.move();
  const url = gateway.adminUrl;
  const events = async (name: string): Promise<Readonly<Record<string, unknown>>[]> =>
    (await gateway.records()).filter(({ event }) => event === name).map(({ facts = {} }) => ({ ...facts }));
  return {
    gateway,
    url,
    secret,
    logOn: async (role) => personOf(url, await logOnLocally(url, role, secret)),
    events,
    untilTold: (name, facts) =>
      eventually(async () =>
        (await events(name)).some((told) =>
          Object.entries(facts).every(([key, value]) => told[key] === value),
        ),
      ),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export function logOnLocally(
  url: string,
  user: string,
  given: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/console/api/log-on`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ user, secret: given }),
  });
}

export function cookieOf(response: Response): string {
  const set = response.headers.getSetCookie().find((each) => /session=[^;]/.test(each)) ?? '';
  return set.split(';', 1)[0] ?? '';
}

export async function personOf(url: string, response: Response): Promise<Person> {
  if (response.status !== 200) throw new Error(`The log-on was answered with ${response.status}.`);
  const session = (await response.json()) as Session;
  const cookie = cookieOf(response);
  const ask: Person['ask'] = (method, path, body, headers = {}) =>
    fetch(`${url}/console/api${path}`, {
      method,
      headers: {
        cookie,
        ...(method !== 'GET' && { 'x-csrf-token': session.csrf, origin: url }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
    });
  return {
    session,
    cookie,
    ask,
    async get<T>(path: string): Promise<T> {
      const reply = await ask('GET', path);
      if (reply.status !== 200)
        throw new Error(`${path} was answered with ${reply.status}: ${await reply.text()}`);
      return (await reply.json()) as T;
    },
  };
}
