/** The image and the Compose file, read: nothing here builds them, so what can be known from their text is checked. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { parse } from 'yaml';
import { z } from 'zod';

import { load, soundDocument } from '../support/configuration.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const dockerfile = read('Dockerfile').replaceAll(/\\\n\s*/g, '');
const instructions = (name: string): string[] =>
  [...dockerfile.matchAll(new RegExp(`^${name} (.*)$`, 'gm'))].map(([, text = '']) => text);
const longestWrite =
  Math.max(...Object.values(load(soundDocument()).systems).map(({ deadlines }) => deadlines.write)) / 1000;
const seconds = (text: string): number => Number(/^(\d+)s$/.exec(text)?.[1]);

test('the image runs as an account with a number that is not root', () => {
  assert.match(instructions('USER').at(-1) ?? '', /^[1-9]\d*:[1-9]\d*$/);
});

test('the image starts and is asked for health without a shell', () => {
  for (const text of [...instructions('ENTRYPOINT'), ...instructions('CMD')])
    assert.ok(Array.isArray(JSON.parse(text)), text);
  assert.match(instructions('HEALTHCHECK')[0] ?? '', /CMD \["node", "-e", /);
});

test('what the image copies exists and is sent to be built', () => {
  const sent = read('.dockerignore').split('\n');
  const sources = instructions('COPY')
    .filter((text) => !text.startsWith('--from'))
    .flatMap((text) => text.split(' ').slice(0, -1));
  assert.ok(sources.length > 0);
  for (const source of sources) {
    assert.ok(existsSync(join(root, source)), source);
    assert.ok(sent.includes(`!${source}`), source);
  }
});

const service = z.looseObject({
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  user: z.string(),
  networks: z.array(z.string()),
});
const { services, networks } = z
  .looseObject({
    services: z.strictObject({
      gatehouse: service.extend({ stop_grace_period: z.string(), ports: z.array(z.string()) }),
      redis: service,
    }),
    networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() })),
  })
  .parse(parse(read('deploy/compose.yaml'), { merge: true }));

test('Compose gives the gateway more time to end than its longest write has', () => {
  assert.ok(seconds(services.gatehouse.stop_grace_period) >= longestWrite + 20);
});

test('Compose lets nobody but the gateway reach Redis', () => {
  assert.deepEqual(services.redis.networks, ['cache']);
  assert.equal(networks['cache']?.internal, true);
  assert.equal('ports' in services.redis, false);
});

test('Compose does not publish the administrative port', () => {
  assert.deepEqual(services.gatehouse.ports, ['8443:8443']);
});

test('systemd gives the gateway more time to end than its longest write has', () => {
  const unit = read('deploy/systemd/gatehouse.service');
  assert.ok(seconds(/^TimeoutStopSec=(.*)$/m.exec(unit)?.[1] ?? '') >= longestWrite + 20);
});

test('a reload of the unit is a SIGHUP, by a program that it may execute', () => {
  const unit = read('deploy/systemd/gatehouse.service');
  const [, program = ''] = /^ExecReload=(\S+) -HUP \$MAINPID$/m.exec(unit) ?? [];
  const mayExecute = /^ExecPaths=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  assert.ok(mayExecute.includes(`-${program}`), `${program} is among ${mayExecute.join(' ')}`);
});
