/** Rows 51 and 57 to 62: secrets that people chose, guesses, sprays, rotation, and tokens of a company's issuer. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { parse, stringify } from 'yaml';

import { hashSecret } from '../../src/auth/secret.ts';
import { request, type RawAnswer } from '../support/raw.ts';
import { besiege, type Siege } from '../support/siege.ts';
import { credential, pace } from './plain-stage.ts';
import { refused, served, type Case, type Row, type Stage } from './row.ts';
import type { Scene } from './scene.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const production = 'identity-manager';
const chosen = 'summer: and :: more';

interface BookSiege extends Siege {
  /** Writes which chosen secrets `identity-manager` has beside its own. */
  choose(secrets: readonly string[]): Promise<void>;
}

async function besiegeBook(): Promise<BookSiege> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-book-'));
  const secretsFile = join(directory, 'secrets.yaml');
  const siege = await besiege({ tenant: { credential, pace }, config: { secretsFile } });
  const book = parse(await readFile(secretsFile, 'utf8'));
  const own = book[production][0];
  return {
    ...siege,
    async choose(secrets) {
      const hashes = await Promise.all(secrets.map(async (secret) => ({ hash: await hashSecret(secret) })));
      const reloads = await reloadsOf(siege);
      await writeFile(secretsFile, stringify({ ...book, [production]: [own, ...hashes] }));
      // Whoever only tried would be slowed down for it.
      while ((await reloadsOf(siege)) === reloads) await sleep(50);
    },
    async [Symbol.asyncDispose]() {
      await siege[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

async function reloadsOf(siege: Siege): Promise<number> {
  return (await siege.records()).filter(({ event }) => event === 'secret.reloaded').length;
}

/** A read with this Authorization whose answer is looked at here and not told. */
async function ask(scene: Scene, authorization: string, path = scene.path): Promise<RawAnswer> {
  using connection = await scene.open();
  connection.send(request(scene.head('GET', path).with(2, `Authorization: ${authorization}`)));
  return await connection.answer();
}

async function logOn(scene: Scene, authorization: string): Promise<void> {
  scene.answers.push(await ask(scene, authorization));
}

const book: Stage<BookSiege> = {
  title: 'with secrets that people chose',
  open: besiegeBook,
  rows: [
    {
      row: 51,
      situation: 'a secret with colons in it',
      cases: [
        {
          sent: `<user>:${chosen}`,
          play: async (scene) => {
            await scene.siege.choose([chosen]);
            await logOn(scene, basic(`${production}:${chosen}`));
          },
          expected: served(),
        },
      ],
    },
    {
      row: 57,
      situation: 'a hundred first log-ons at once',
      cases: [
        {
          sent: '100 times the right secret',
          play: async (scene) => {
            await scene.siege.choose(['another']);
            const right = basic(`${production}:another`);
            const answers = await Promise.all(
              Array.from({ length: 100 }, () => ask(scene, right, '/Nothing')),
            );
            // Whoever is let in learns that there is no such path.
            if (answers.every(({ status }) => status === 404)) scene.found.add('all are let in');
          },
          // More than wait for a comparison at once, so that each with its own would have been refused as busy.
          expected: refused(''),
          besides: { 'all are let in': ({ found }) => found.has('all are let in') },
        },
      ],
    },
    {
      row: 60,
      situation: 'a secret that left the file while it is remembered',
      cases: [
        {
          sent: 'the old secret',
          play: async (scene) => {
            await scene.siege.choose(['old']);
            await logOn(scene, basic(`${production}:old`));
            const begunAt = performance.now();
            await scene.siege.choose([]);
            if (performance.now() - begunAt < 2500) scene.found.add('soon');
            await logOn(scene, basic(`${production}:old`));
          },
          expected: served('200, 401', 'GET', 'request.outcome, authn.failure'),
          besides: { 'it is refused soon': ({ found }) => found.has('soon') },
        },
      ],
    },
  ],
};

const guessing: Stage = {
  title: 'under guesses',
  open: () => besiege({ tenant: { credential, pace } }),
  rows: [
    {
      row: 58,
      situation: 'guesses for the user that does all the work',
      cases: [
        {
          sent: '200 wrong secrets, the right one between them',
          play: async (scene) => {
            const right = scene.siege.gateway.logOn();
            const statuses: number[] = [];
            const own: number[] = [(await ask(scene, right)).status];
            for (let at = 0; at < 200; at += 1) {
              statuses.push((await ask(scene, basic(`${production}:guess ${at}`))).status);
              if (at % 20 === 0) own.push((await ask(scene, right)).status);
            }
            if (statuses.filter((status) => status === 429).length > 180) scene.found.add('slowed');
            if (own.every((status) => status === 200)) scene.found.add('undisturbed');
            await logOn(scene, basic(`${production}:guess`));
          },
          expected: {
            ...served(
              '429',
              'GET',
              'request.outcome, authn.failure, request.cache_hit, authn.throttled, request.rejected_many',
            ),
          },
          besides: {
            'the guesser is slowed down': ({ found }) => found.has('slowed'),
            'the user notices nothing': ({ found }) => found.has('undisturbed'),
          },
        },
      ],
    },
    {
      row: 59,
      situation: 'one secret for fifty users',
      cases: [
        {
          sent: 'Spring2026! for user0 … user49',
          play: async (scene) => {
            const statuses: number[] = [];
            for (let at = 0; at < 50; at += 1)
              statuses.push((await ask(scene, basic(`user${at}:Spring2026!`))).status);
            if (statuses.filter((status) => status === 429).length >= 40) scene.found.add('slowed');
            const told = await scene.siege.records();
            const suspicion = told.find(({ event }) => event === 'authn.spray_suspected');
            if (JSON.stringify(suspicion?.facts).includes(scene.source)) scene.found.add('told');
          },
          expected: refused('', 'authn.failure, authn.throttled'),
          besides: {
            'the sprayer is slowed down': ({ found }) => found.has('slowed'),
            'the trail suspects spraying': ({ found }) => found.has('told'),
          },
        },
      ],
    },
  ],
};

const issuer = 'https://login.example.com';
const { publicKey, privateKey } = await generateKeyPair('RS256');
const stranger = await generateKeyPair('RS256');
const spki = await exportSPKI(publicKey);

interface IssuerSiege extends Siege {
  /** How often the issuer's keys were asked for. */
  readonly fetches: () => number;
  readonly keysUrl: string;
}

async function besiegeIssuer(): Promise<IssuerSiege> {
  let fetches = 0;
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }];
  const server = http.createServer((_request, response) => {
    fetches += 1;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const keysUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const company = { issuer, audience: ['gatehouse'], keys: { url: keysUrl }, callers: { iag: 'auditor' } };
  const siege = await besiege({
    tenant: { credential, pace },
    config: { oauth: { issuers: { company } } },
  });
  return {
    ...siege,
    fetches: () => fetches,
    keysUrl,
    async [Symbol.asyncDispose]() {
      await siege[Symbol.asyncDispose]();
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;
const now = (): number => Math.floor(Date.now() / 1000);
const claims = (more: Fields = {}): Fields => ({
  iss: issuer,
  aud: 'gatehouse',
  exp: now() + 60,
  client_id: 'iag',
  ...more,
});
const sign = (content: Fields, header: Fields = {}, key = privateKey): Promise<string> =>
  new SignJWT({ ...content })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt', ...header })
    .sign(key);
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function byHmac(): string {
  const signed = `${encode({ alg: 'HS256', kid: 'k1', typ: 'at+jwt' })}.${encode(claims())}`;
  return `${signed}.${createHmac('sha256', spki).update(signed).digest('base64url')}`;
}

const token = (
  sent: string,
  make: (scene: Scene<IssuerSiege>) => string | Promise<string>,
): Case<IssuerSiege> => ({
  sent,
  play: async (scene) => logOn(scene, `Bearer ${await make(scene)}`),
  expected: refused('401', 'token.rejected'),
  besides: {
    'the challenge says invalid_token': ({ answers: [answer] }) =>
      answer?.headers['www-authenticate']?.includes('error="invalid_token"') === true,
  },
});

const tokens: Stage<IssuerSiege> = {
  title: 'with an issuer of tokens',
  open: besiegeIssuer,
  rows: [
    {
      row: 61,
      situation: 'tokens that must not be believed',
      cases: [
        {
          sent: 'a right one',
          play: async (scene) => logOn(scene, `Bearer ${await sign(claims())}`),
          expected: served(),
        },
        token('alg none', () => `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claims())}.`),
        token('HS256 with the public key', byHmac),
        token('a foreign jku', ({ siege }) => sign(claims(), { jku: siege.keysUrl }, stranger.privateKey)),
        token('a jwk of its own', async () =>
          sign(claims(), { jwk: await exportJWK(stranger.publicKey) }, stranger.privateKey),
        ),
        token('another issuer', () => sign(claims({ iss: 'https://evil.example' }))),
        token('another audience', () => sign(claims({ aud: 'others' }))),
        token('expired', () => sign(claims({ exp: now() - 60 }))),
        token('not yet valid', () => sign(claims({ nbf: now() + 60 }))),
        token('without an end', () => sign(claims({ exp: undefined }))),
        token('an ID token', () => sign(claims(), { typ: 'JWT' })),
        token('a caller that is not mapped', () => sign(claims({ client_id: production }))),
        token('another signature', async () => `${(await sign(claims())).slice(0, -8)}AAAAAAAA`),
      ],
    } satisfies Row<IssuerSiege>,
    {
      row: 62,
      situation: 'key ids that nobody knows',
      cases: [
        {
          sent: '1,000 different kids',
          play: async (scene) => {
            const before = scene.siege.fetches();
            const one = await sign(claims());
            const rest = one.slice(one.indexOf('.'));
            using connection = await scene.open();
            for (let at = 0; at < 999; at += 1) {
              const forged = `${encode({ alg: 'RS256', kid: `unknown-${at}`, typ: 'at+jwt' })}${rest}`;
              connection.send(
                request(scene.head('GET', scene.path).with(2, `Authorization: Bearer ${forged}`)),
              );
              const { status } = await connection.answer();
              if (status !== 401) throw new Error(`a token was answered with ${status}`);
            }
            if (scene.siege.fetches() - before <= 1) scene.found.add('quiet');
          },
          expected: refused('', 'token.rejected, request.rejected_many'),
          besides: { 'the keys are fetched at most once': ({ found }) => found.has('quiet') },
        },
      ],
    },
  ],
};

export { book, guessing, tokens };
