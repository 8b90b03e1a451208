/** Puts the console together: what the configuration says of it, the parts of the gateway that it shows, and its log-ons. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { checkpointFile } from '../audit/checkpoints.ts';
import { parseCheckpoint } from '../audit/note.ts';
import { readPeriodKey } from '../audit/period-file.ts';
import { keysUntil } from '../audit/period.ts';
import { Redactor } from '../audit/redact.ts';
import { Strangers } from '../audit/strangers.ts';
import type { Trail } from '../audit/trail.ts';
import { sourceOf } from '../auth/network.ts';
import { openSecretBook, type SecretBook } from '../auth/secret-book.ts';
import type { Throttle } from '../auth/throttle.ts';
import type { Role } from '../console/api/endpoints.ts';
import type { AuditPulse } from '../console/api/overview.ts';
import { AuditDesk } from '../console/audit-desk.ts';
import { callbackPath, Console } from '../console/console.ts';
import type { LocalAccount, LogOnOptions } from '../console/log-ons.ts';
import { Oidc } from '../console/oidc.ts';
import { Origins } from '../console/origin.ts';
import { Page } from '../console/page.ts';
import { Sessions, whoIs } from '../console/sessions.ts';
import type { ConsoleState } from '../console/state.ts';
import { describeError, log } from '../log.ts';
import type { Config } from './config.ts';
import { networkOf } from './noise.ts';
import { periodKeyFileOf } from './own-trail.ts';
import { tellReload } from './secret-reloads.ts';

export interface ConsoleParts {
  readonly config: () => Config;
  /** Of the administrative listener. */
  readonly adminUrl: string;
  readonly trail: Trail;
  readonly throttle: Throttle;
  /** Signs the indexes; the same on all replicas. */
  readonly key: Buffer;
  readonly state: ConsoleState;
}

type Settings = NonNullable<Config['admin']['console']>;

export interface OpenedConsole extends AsyncDisposable {
  readonly console: Console;
  /** Reads the file of secrets again. */
  reload(): Promise<void>;
}

/** Undefined where the configuration wants none. */
export async function openConsole(parts: ConsoleParts): Promise<OpenedConsole | undefined> {
  const { config, adminUrl, trail, throttle, state } = parts;
  const { console: settings } = config().admin;
  if (!settings) return undefined;
  await using opening = new AsyncDisposableStack();
  const origins = new Origins(settings.publicUrl, adminUrl);
  const accounts = new Map(Object.entries(settings.accounts).map(([name, { role }]) => [name, role]));
  const book = accounts.size > 0 ? opening.use(await openBook(settings.secretsFile, trail)) : undefined;
  const note = (event: string, facts: Record<string, unknown>): Promise<void> => trail.note(event, facts);
  const remember = (event: string, facts: Record<string, unknown>): Promise<void> =>
    trail.remember(event, facts);
  const sessions = new Sessions({
    idleMs: settings.idle,
    lifetimeMs: settings.lifetime,
    onEnd: (session, reason) => void remember('console.logged_off', { ...whoIs(session), reason }),
    isGood: ({ name, by, credential = '' }) => by === 'oidc' || book?.holds(name, credential) === true,
  });
  const { oidc } = settings;
  const page = await Page.open();
  if (!page.isBuilt) log.warn('the console has no page; npm run build makes it');
  const console = opening.use(
    new Console({
      origins,
      sessions,
      page,
      state,
      note,
      refused: refusalsInto(remember, opening),
      audit: openDesk(parts, settings, note),
      ...(book && { local: localLogOn(book, accounts, throttle) }),
      ...(oidc && { oidc: openOidc(oidc, origins), oidcLabel: oidc.label }),
    }),
  );
  const opened = opening.move();
  return {
    console,
    reload: async () => book?.reload(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Whoever may not, and asks without end, has no end of records (decision 0010). */
function refusalsInto(
  remember: (event: string, facts: Record<string, unknown>) => Promise<void>,
  opening: AsyncDisposableStack,
): LogOnOptions['refused'] {
  const strangers = new Strangers({
    networkOf,
    write: (event, { facts }) => remember(event, facts as Record<string, unknown>).then(() => true),
  });
  opening.defer(() => strangers.flush());
  return ({ event, code, source, facts }) =>
    void (strangers.mayRecord(source) ? remember(event, facts) : strangers.gather(event, code, source));
}

function openBook(file: string, trail: Trail): Promise<SecretBook> {
  return openSecretBook(file, {
    onReloaded: tellReload(
      'admin.console.secretsFile',
      (event, facts) => void trail.remember(event, { ...facts }),
    ),
    onBroken: (cause) =>
      void log.warn(
        'the file of the console’s secrets is broken; the last good one stays',
        describeError(cause),
      ),
  });
}

/** The work of a refusal does not tell whether the account exists, and failures count with those of callers. */
function localLogOn(book: SecretBook, accounts: ReadonlyMap<string, Role>, throttle: Throttle) {
  return async (user: string, secret: string, ip: string): Promise<LocalAccount | undefined> => {
    const attempt = throttle.attempt({ source: sourceOf(ip), user: `console ${user}`, secret });
    const fits = await book.verify(user, secret, attempt);
    const role = accounts.get(user);
    return fits === undefined || role === undefined ? undefined : { role, credential: fits };
  };
}

function openOidc(
  { scopes, clientSecret, ...settings }: NonNullable<Settings['oidc']>,
  { main }: Origins,
): Oidc {
  return new Oidc({
    ...settings,
    scopes: [...new Set(['openid', ...scopes])],
    clientSecret: clientSecret?.reveal(),
    redirectUri: new URL(callbackPath, main).href,
  });
}

function openDesk({ config, trail, key }: ConsoleParts, settings: Settings, note: Trail['note']): AuditDesk {
  const { directory, instance, witness } = config().audit;
  const periods = periodKeyFileOf(config().audit);
  return new AuditDesk({
    trails: directory,
    directory: settings.indexDirectory,
    key,
    note: (event, facts) => note(event, facts),
    pseudonyms: async (text, type) => {
      const keys = keysUntil(await readPeriodKey(periods), new Date());
      const types = type === undefined ? (['id', 'value', 'name'] as const) : [type];
      return keys.flatMap((period) => types.map((each) => new Redactor(period).pseudonym(each, text)));
    },
    isKnown: (name) => namesOf(config()).has(name),
    pulse: () => pulseOf(trail, join(directory, instance)),
    ...(witness && { witness }),
  });
}

/** Names that an operator chose, and so nobody's. */
function namesOf({ callers, systems, tenants }: Config): ReadonlySet<string> {
  const types = Object.values(systems).flatMap(({ resourceTypes }) => resourceTypes);
  return new Set([
    ...Object.keys(callers),
    ...Object.keys(systems),
    ...Object.keys(tenants),
    ...types,
    'gateway',
  ]);
}

async function pulseOf(trail: Trail, directory: string): Promise<Omit<AuditPulse, 'verifiedUntil'>> {
  const file = join(directory, checkpointFile);
  const [space, checkpoint] = await Promise.all([
    trail.space().catch(() => undefined), // a directory that is away has no figure, and the trail tells of it
    readFile(file, 'utf8').then(
      async (text) => ({
        size: parseCheckpoint(text)?.size ?? 0,
        at: (await stat(file)).mtime.toISOString(),
      }),
      () => undefined, // none was made yet, or the directory is away
    ),
  ]);
  return {
    ready: trail.ready,
    ...(space && { freeBytes: space.freeBytes }),
    ...(checkpoint && { checkpoint }),
  };
}
