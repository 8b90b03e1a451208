/** A caller's profile: a file among those that are delivered, of known quirks only, every fault told at once. */
import assert from 'node:assert/strict';
import { mkdtempDisposableSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { profile } from '../../src/gateway/config-profiles.ts';
import { quirkNames } from '../../src/profile/quirks.ts';
import { changed, faultsIn, load, soundDocument } from '../support/configuration.ts';

const delivered = readdirSync(resolve(import.meta.dirname, '../../config/profiles'));
const permissions = soundDocument().callers['sap-idm'].permissions;
const withProfile = (named: string) => changed({ callers: { 'sap-idm': { permissions, profile: named } } });

test('every profile that is delivered is sound, and each quirk is in one of them', () => {
  const used = delivered.flatMap(
    (file) => load(withProfile(file.replace('.yaml', ''))).callers['sap-idm']?.profile.repairs ?? [],
  );
  assert.deepEqual(new Set(used), new Set(quirkNames));
});

test('a caller without a profile is taken at its word', () => {
  assert.deepEqual(load(soundDocument()).callers['sap-idm']?.profile, { name: 'generic', repairs: [] });
});

test('a profile that does not exist is a fault that names those that do', () => {
  assert.deepEqual(faultsIn(withProfile('oracle')), ['callers.sap-idm.profile: there is no profile oracle']);
  assert.match(faultsIn(withProfile('../gatehouse'))[0] ?? '', /is no name of a profile/);
});

test('every fault of a profile is told, and a quirk that nobody knows is one', () => {
  using directory = mkdtempDisposableSync(join(import.meta.dirname, 'profiles-'));
  const file = join(directory.path, 'own.yaml');
  const told: string[] = [];
  const read = (text: string): string[] => {
    writeFileSync(file, text);
    const onFile = (path: string): void => void told.push(path);
    const schema = profile({ directory: '/', env: {}, onFile }, directory.path);
    return schema.safeParse('own').error?.issues.map(({ message }) => message.replace(file, 'FILE')) ?? [];
  };
  assert.deepEqual(read('product: Own\nrepairs: [slashes]'), []);
  assert.deepEqual(told, [file]);
  assert.deepEqual(read('repairs: [guess, slashes]\nscript: x'), [
    'FILE: product is missing',
    `FILE: repairs.0 must be one of ${quirkNames.join(', ')}`,
    'FILE: script is not a key of the configuration',
  ]);
  assert.deepEqual(read('product: Own\nrepairs: [slashes, slashes]'), ['FILE: repairs names a quirk twice']);
  assert.match(read('product: [').join(' '), /is not valid YAML/);
});
