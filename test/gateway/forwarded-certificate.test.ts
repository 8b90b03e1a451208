/** What a proxy says of its caller's certificate: read exactly, or not at all. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';

import fc from 'fast-check';

import { readForwarded } from '../../src/gateway/forwarded-certificate.ts';
import { createCertificate } from '../support/certificate.ts';

const root = createCertificate('root');
const mine = createCertificate('mine', { issuer: root, purpose: 'clientAuth' }).certificate;
const other = createCertificate('other', { issuer: root, purpose: 'clientAuth' }).certificate;

const envoy = (pem: string): string =>
  pem
    .replaceAll('\n', '%0A')
    .replaceAll(' ', '%20')
    .replaceAll('+', '%2B')
    .replaceAll('/', '%2F')
    .replaceAll('=', '%3D');
const wholly = encodeURIComponent;
const digest = (pem: string): string =>
  new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
const read = (text: string): string | undefined => readForwarded(text)?.own.toString();
const chain = mine + root.certificate;
const unwrapped = mine.replaceAll(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/])/g, '');

const right: Readonly<Record<string, string>> = {
  'a certificate in Envoy’s encoding': `Cert="${envoy(mine)}"`,
  'a certificate in nginx’s encoding': `Cert="${wholly(mine)}"`,
  'a certificate whose base64 is one line': `Cert="${wholly(unwrapped)}"`,
  'a certificate as HAProxy can compose it': `Cert="-----BEGIN%20CERTIFICATE-----%0A${new X509Certificate(mine).raw.toString('base64')}%0A-----END%20CERTIFICATE-----"`,
  'a certificate without quotation': `Cert=${envoy(mine)}`,
  'a chain that begins with it': `Chain="${envoy(chain)}"`,
  'a certificate and its chain': `Cert="${envoy(mine)}";Chain="${envoy(chain)}"`,
  'everything that Envoy can say':
    `By=spiffe://lb/gateway;Hash=${digest(mine)};Cert="${envoy(mine)}";Chain="${envoy(chain)}";` +
    String.raw`Subject="CN=a\"b\,c;d,O=x";URI=spiffe://idm;DNS=a.example;DNS=b.example`,
  'keys in another case, and the digest in capitals': `HASH=${digest(mine).toUpperCase()};cert="${envoy(mine)}"`,
  'an empty name': `Cert="${envoy(mine)}";URI=`,
};
for (const [what, text] of Object.entries(right))
  test(`${what} is read`, () => {
    assert.equal(read(text), mine);
  });

test('what stands between the certificate and a root comes from the chain', () => {
  const between = readForwarded(`Chain="${envoy(chain)}"`)?.between.map(String);
  assert.deepEqual(between, [root.certificate]);
});

const wrong: Readonly<Record<string, string>> = {
  nothing: '',
  'a digest alone': `Hash=${digest(mine)}`,
  'names alone': 'Subject="CN=idm";URI=spiffe://idm',
  'an empty certificate': 'Cert=""',
  'another digest': `Hash=${digest(other)};Cert="${envoy(mine)}"`,
  'two elements': `Cert="${envoy(mine)}",Cert="${envoy(other)}"`,
  'two elements, one without a certificate': `Cert="${envoy(mine)}",Hash=${digest(mine)}`,
  'an element and an empty one': `Cert="${envoy(mine)}",`,
  'an empty element first': `,Cert="${envoy(mine)}"`,
  'two certificates': `Cert="${envoy(mine)}";Cert="${envoy(mine)}"`,
  'two certificates in one': `Cert="${envoy(mine + other)}"`,
  'a chain of somebody else': `Cert="${envoy(mine)}";Chain="${envoy(other)}"`,
  'two chains': `Chain="${envoy(mine)}";Chain="${envoy(mine)}"`,
  'two subjects': `Subject="a";Subject="a";Cert="${envoy(mine)}"`,
  'a key that nobody knows': `Cert="${envoy(mine)}";Admin=1`,
  'no key': `"${envoy(mine)}"`,
  'the bare PEM, as other proxies send it': wholly(mine),
  'blanks between pairs': `Subject="a"; Cert="${envoy(mine)}"`,
  'a semicolon at the end': `Cert="${envoy(mine)}";`,
  'a quotation that does not end': `Cert="${envoy(mine)}`,
  'something behind a quotation': `Cert="${envoy(mine)}"x`,
  'an equals sign without quotation': `URI=a=b;Cert="${envoy(mine)}"`,
  'a certificate inside a name': `Subject="Cert=x";Cert="${envoy(mine)}"`,
  'a broken escape': `Cert="${envoy(mine)}%"`,
  'bytes that are not UTF-8': `Cert="${envoy(mine)}%ff"`,
  'text before the PEM': `Cert="x%0A${envoy(mine)}"`,
  'text after the PEM': `Cert="${envoy(mine)}x"`,
  'a key instead of a certificate': `Cert="${envoy(root.key)}"`,
  'base64 with something else in it': `Cert="${envoy(mine.replace('MII', 'M*II'))}"`,
  'base64 that is cut': `Cert="${envoy(mine.replace(/..\n-----END/, '\n-----END'))}"`,
  'base64 without its padding': `Cert="${envoy(padded().replace(/=+\n/, '\n'))}"`,
  'bytes behind the certificate': `Cert="${envoy(pem(Buffer.concat([new X509Certificate(mine).raw, Buffer.alloc(3)])))}"`,
  'characters beyond ASCII': `Subject="ä";Cert="${envoy(mine)}"`,
};

/** One whose base64 ends with a mark of padding. */
function padded(): string {
  for (;;) {
    const { certificate } = createCertificate('padded', { issuer: root });
    if (/=\n/.test(certificate)) return certificate;
  }
}

function pem(bytes: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

for (const [what, text] of Object.entries(wrong))
  test(`${what} says nothing`, () => {
    assert.equal(readForwarded(text), undefined);
  });

const full = 16 * 1024;
const begin = '-----BEGIN%20CERTIFICATE-----';
for (const [what, text] of [
  ['empty lines', `Cert="${begin}${'%0A'.repeat(full / 3)}"`],
  ['raw certificates without an end', `Cert="${begin.repeat(full / begin.length)}"`],
  ['base64', `Cert="${begin}%0A${'A'.repeat(full)}"`],
  ['escaped quotation marks', `Subject="${String.raw`\"`.repeat(full / 2)}`],
  ['quotation marks', `Subject=${'"'.repeat(full)}`],
  ['pairs', 'URI=;'.repeat(full / 5)],
] as const)
  test(`a field full of ${what} is refused at little cost`, () => {
    const since = performance.now();
    assert.equal(readForwarded(text), undefined);
    // A reader that looks back takes most of a minute.
    assert.ok(performance.now() - since < 2000, `it took ${performance.now() - since} ms`);
  });

const printable = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
const whole = `Hash=${digest(mine)};Cert="${envoy(mine)}";Chain="${envoy(chain)}";Subject="CN=idm"`;

test('a text with any part changed says the same certificate or nothing', () => {
  const change = fc.tuple(
    fc.nat(whole.length),
    fc.nat(3),
    fc.array(printable, { maxLength: 3 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      let text = whole;
      for (const [at, length, put] of changes) text = text.slice(0, at) + put + text.slice(at + length);
      assert.ok([mine, undefined].includes(read(text)), text);
    }),
    { numRuns: 3000 },
  );
});

const quotes = ['"', '";', ';URI="', ';Subject="', ';Cert="', ';Chain="'] as const;
const plain = [';', ',', '=', '\\', ' ', 'x', ';DNS=', ';Cert='] as const;
const piece = fc.constantFrom(
  ...quotes,
  ...plain,
  envoy(other),
  `";Cert="${envoy(other)}`,
  `";Cert="${envoy(other)}";URI=`,
  `";Chain="${envoy(other)}";URI="`,
);
const written = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));

test('whoever writes the names in its certificate cannot have another one believed, also where they are not escaped', () => {
  fc.assert(
    fc.property(
      fc.record({
        before: written,
        after: written,
        key: fc.constantFrom('Cert', 'Chain'),
        mark: fc.constantFrom('"', ''),
      }),
      ({ before, after, key, mark }) => {
        const text = `Subject="${before}";${key}=${mark}${envoy(mine)}${mark};URI="${after}"`;
        assert.ok([mine, undefined].includes(read(text)), text);
      },
    ),
    { numRuns: 20_000 },
  );
});

test('no text at all is an error', () => {
  const text = fc
    .array(fc.oneof(printable, piece, fc.string()), { maxLength: 20 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(text, (any) => {
      assert.doesNotThrow(() => readForwarded(any));
    }),
    { numRuns: 5000 },
  );
});
