import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parseBasic } from '../../src/auth/credentials.ts';

const basic = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;

const accepted: readonly (readonly [title: string, header: string, user: string, secret: string])[] = [
  ['a plain pair', basic('idm:secret'), 'idm', 'secret'],
  ['a secret with colons, whole', basic('idm:pa:ss::word'), 'idm', 'pa:ss::word'],
  ['a secret that begins with a colon', basic('idm::secret'), 'idm', ':secret'],
  ['an empty secret, which no hash matches', basic('idm:'), 'idm', ''],
  ['umlauts in UTF-8', basic('jörg:gänseblümchen€'), 'jörg', 'gänseblümchen€'],
  ['a decomposed umlaut as it is', basic('idm:a\u0308'), 'idm', 'a\u0308'],
  ['spaces at both ends of the secret', basic('idm: secret '), 'idm', ' secret '],
  ['the scheme in any case', basic('idm:secret').replace('Basic', 'bAsIC'), 'idm', 'secret'],
  [
    'the longest user and secret',
    basic(`${'u'.repeat(128)}:${'s'.repeat(1024)}`),
    'u'.repeat(128),
    's'.repeat(1024),
  ],
];

for (const [title, header, user, secret] of accepted)
  test(`the Authorization reader takes ${title}`, () => {
    assert.deepEqual(parseBasic(header), { user, secret });
  });

const refused: readonly (readonly [title: string, header: string | undefined])[] = [
  ['no header (row 48)', undefined],
  ['an empty header', ''],
  ['two credentials joined into one field (row 49)', `${basic('idm:secret')}, ${basic('idm:other')}`],
  ['a scheme that contains basic (row 52)', basic('idm:secret').replace('Basic', 'NotBasicAtAll')],
  ['another scheme', basic('idm:secret').replace('Basic', 'Bearer')],
  ['no scheme', Buffer.from('idm:secret').toString('base64')],
  ['two spaces after the scheme', basic('idm:secret').replace(' ', '  ')],
  ['a tab after the scheme', basic('idm:secret').replace(' ', '\t')],
  ['a space at the end', `${basic('idm:secret')} `],
  ['a second token (row 53)', `${basic('idm:secret')} more`],
  ['what is not base64 (row 53)', 'Basic !!!!'],
  ['base64 without its padding', basic('idm:secret').replaceAll('=', '')],
  ['base64 with stray bits', 'Basic YTpiYx=='],
  ['the alphabet of base64url', basic('idm:>>>???').replaceAll('+', '-').replaceAll('/', '_')],
  ['bytes that are not UTF-8 (row 53)', basic(Buffer.from([0x69, 0x3a, 0xc3, 0x28]))],
  ['Latin-1', basic(Buffer.from('idm:gänse', 'latin1'))],
  ['an overlong encoding', basic(Buffer.from([0x69, 0x3a, 0xc0, 0xae]))],
  ['no colon', basic('idm')],
  ['no user', basic(':secret')],
  ['a user with CR and LF (row 54)', basic('id\r\nm:secret')],
  ['a user with NUL (row 54)', basic('idm\0:secret')],
  ['a user with ESC (row 54)', basic('\u001b[31midm:secret')],
  ['a secret with LF', basic('idm:secret\n')],
  ['a C1 control', basic('idm:sec\u0085ret')],
  ['a user of 129 bytes', basic(`${'u'.repeat(129)}:secret`)],
  ['a user of 129 bytes in 65 characters', basic(`${'ü'.repeat(64)}u:secret`)],
  ['a secret of 1025 bytes', basic(`idm:${'s'.repeat(1025)}`)],
];

for (const [title, header] of refused)
  test(`the Authorization reader refuses ${title}`, () => {
    assert.throws(() => parseBasic(header), { name: 'ScimError', kind: 'unauthenticated', status: 401 });
  });

test('the refusal does not repeat what was sent', () => {
  assert.throws(
    () => parseBasic(basic('idm:tell\nme')),
    (error: Error) => !JSON.stringify([error.message, error.cause]).includes('tell'),
  );
});

test('whatever user and secret may consist of, they are read exactly as they were sent', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((value) => !/\p{Cc}/u.test(value));
  const user = text.map((value) => value.replaceAll(':', '')).filter((value) => value !== '');
  fc.assert(
    fc.property(user, text, (sentUser, sentSecret) => {
      const read = parseBasic(basic(`${sentUser}:${sentSecret}`));
      assert.deepEqual(read, { user: sentUser, secret: sentSecret });
    }),
  );
});

test('no two headers are the same credential, but for the case of the scheme', () => {
  const near = fc
    .tuple(
      fc.base64String({ maxLength: 24 }),
      fc.constantFrom('Basic ', 'basic ', 'Basic  ', 'Basic\t', ''),
      fc.constantFrom('', '=', ' ', 'A'),
    )
    .map(([token, scheme, tail]) => scheme + token + tail);
  fc.assert(
    fc.property(near, (header) => {
      let read: { user: string; secret: string };
      try {
        read = parseBasic(header);
      } catch {
        return;
      }
      assert.equal(basic(`${read.user}:${read.secret}`).slice(5), header.slice(5));
    }),
    { numRuns: 5000 },
  );
});
