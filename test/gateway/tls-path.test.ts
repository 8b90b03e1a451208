/** From a certificate that OpenSSL has not seen to a root that is trusted, and why not. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';

import fc from 'fast-check';

import { readLists, readRevocations } from '../../src/gateway/tls-crl.ts';
import { judgePath, type Judgement } from '../../src/gateway/tls-path.ts';
import { createCertificate, createRevocationList, type CertificateAndKey } from '../support/certificate.ts';

const day = 86_400_000;
const root = createCertificate('root');
const between = createCertificate('between', { issuer: root, isAuthority: true });
const issue = (options: Parameters<typeof createCertificate>[1] = {}): CertificateAndKey =>
  createCertificate('idm', { issuer: between, purpose: 'clientAuth', ...options });
const idm = issue();
const read = ({ certificate }: CertificateAndKey): X509Certificate => new X509Certificate(certificate);
const bothLists = (revoked: readonly CertificateAndKey[] = []): string =>
  createRevocationList(root, []) + createRevocationList(between, revoked);

interface Given {
  readonly own?: CertificateAndKey;
  readonly shown?: readonly CertificateAndKey[];
  readonly authorities?: readonly CertificateAndKey[];
  readonly lists?: string;
  readonly now?: number;
}

function judge({ own = idm, shown = [between], authorities = [root], lists, now }: Given = {}): Judgement {
  const anchors = {
    authorities: authorities.map(read),
    lists: lists === undefined ? undefined : readLists(lists),
    revoked: lists === undefined ? new Set<string>() : readRevocations(lists),
  };
  return judgePath(read(own), shown.map(read), anchors, now);
}

test('a certificate is believed until the first of its path ends', () => {
  assert.deepEqual(judge(), { until: read(root).validToDate.getTime() });
  const lists = bothLists();
  const listEnds = readLists(lists).map(({ until }) => until);
  assert.deepEqual(judge({ lists }), { until: Math.min(...listEnds) });
});

test('those between may be shown with it or be trusted', () => {
  assert.ok('until' in judge({ shown: [], authorities: [root, between] }));
  assert.ok(
    'until' in judge({ own: createCertificate('x', { issuer: root, purpose: 'clientAuth' }), shown: [] }),
  );
});

test('certificates with RSA keys are judged alike', () => {
  const rsaRoot = createCertificate('rsa', { keyType: 'rsa' });
  const own = issue({ issuer: rsaRoot, keyType: 'rsa' });
  const lists = createRevocationList(rsaRoot, []);
  assert.ok('until' in judge({ own, shown: [], authorities: [rsaRoot], lists }));
});

const namesake = createCertificate('between', { issuer: root, isAuthority: true });
const forged = createCertificate('idm', { issuer: namesake, purpose: 'clientAuth' });
const noAuthority = createCertificate('between', { issuer: root });
const servers = createCertificate('between', { issuer: root, isAuthority: true, purpose: 'serverAuth' });
const constrained = createCertificate('between', { issuer: root, isAuthority: true, isConstrained: true });
const narrow = createCertificate('narrow', { mostBelow: 0 });
const belowNarrow = createCertificate('between', { issuer: narrow, isAuthority: true });
const deep = Array.from({ length: 9 }).reduce<CertificateAndKey[]>(
  (all, _, at) => [createCertificate(`deep ${at}`, { issuer: all[0] ?? root, isAuthority: true }), ...all],
  [],
);

const refused: Readonly<Record<string, readonly [Given, fault: string]>> = {
  'nothing between': [{ shown: [] }, 'UNABLE_TO_GET_ISSUER_CERT'],
  'another root': [{ authorities: [createCertificate('root')] }, 'UNABLE_TO_GET_ISSUER_CERT'],
  'no root': [{ authorities: [between] }, 'UNABLE_TO_GET_ISSUER_CERT'],
  'its own signature': [
    { own: createCertificate('idm', { purpose: 'clientAuth' }) },
    'UNABLE_TO_GET_ISSUER_CERT',
  ],
  'an issuer’s name without its signature': [{ own: forged }, 'UNABLE_TO_GET_ISSUER_CERT'],
  'an issuer that is no authority': [
    { own: issue({ issuer: noAuthority }), shown: [noAuthority] },
    'UNABLE_TO_GET_ISSUER_CERT',
  ],
  'too long a path': [{ own: issue({ issuer: deep[0] ?? root }), shown: deep }, 'UNABLE_TO_GET_ISSUER_CERT'],
  'an end in the past': [{ own: issue({ expired: true }) }, 'CERT_HAS_EXPIRED'],
  'a beginning in the future': [{ own: issue({ notYetValid: true }) }, 'CERT_NOT_YET_VALID'],
  'an authority that has ended': [{ now: Date.now() + 3 * day }, 'CERT_HAS_EXPIRED'],
  'the purpose of servers': [{ own: issue({ purpose: 'serverAuth' }) }, 'INVALID_PURPOSE'],
  'no purpose': [{ own: createCertificate('idm', { issuer: between }) }, 'INVALID_PURPOSE'],
  'a key that may only encrypt': [{ own: issue({ usage: 0x20 }) }, 'INVALID_PURPOSE'],
  'an authority for servers': [{ own: issue({ issuer: servers }), shown: [servers] }, 'INVALID_PURPOSE'],
  'an authority that restricts names': [
    { own: issue({ issuer: constrained }), shown: [constrained] },
    'UNHANDLED_CRITICAL_EXTENSION',
  ],
  'an authority too many': [
    { own: issue({ issuer: belowNarrow }), shown: [belowNarrow], authorities: [narrow] },
    'PATH_LENGTH_EXCEEDED',
  ],
  'a short key': [{ own: issue({ keyType: 'short-rsa' }) }, 'EE_KEY_TOO_SMALL'],
  'a place in a list': [{ lists: bothLists([idm]) }, 'CERT_REVOKED'],
  'an authority in a list': [
    { lists: createRevocationList(root, [between]) + createRevocationList(between, []) },
    'CERT_REVOKED',
  ],
  'no list of its authority': [{ lists: createRevocationList(root, []) }, 'UNABLE_TO_GET_CRL'],
  'no list of the root': [{ lists: createRevocationList(between, []) }, 'UNABLE_TO_GET_CRL'],
  'a list that has ended': [
    { lists: createRevocationList(root, []) + createRevocationList(between, [], { expired: true }) },
    'CRL_HAS_EXPIRED',
  ],
  'a list that somebody else has signed': [
    { lists: createRevocationList(root, []) + createRevocationList(between, [], { signer: namesake }) },
    'UNABLE_TO_GET_CRL',
  ],
  'a list for some certificates alone': [
    { lists: createRevocationList(root, []) + createRevocationList(between, [], { isPartial: true }) },
    'UNABLE_TO_GET_CRL',
  ],
};

for (const [what, [given, fault]] of Object.entries(refused))
  test(`a certificate with ${what} is not believed`, () => {
    assert.deepEqual(judge(given), { fault });
  });

test('a certificate with any byte changed is not believed, and no error either', () => {
  const mutable = [idm, between].map((each) => read(each).raw);
  const place = fc.tuple(fc.nat(1), fc.nat(4095), fc.integer({ min: 1, max: 255 }));
  const anchors = { authorities: [read(root)], lists: readLists(bothLists()), revoked: new Set<string>() };
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 4 }), (places) => {
      const [own, above] = mutable.map((bytes) => Buffer.from(bytes));
      assert.ok(own && above);
      for (const [which, at, by] of places) {
        const bytes = which ? own : above;
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ by;
      }
      fc.pre(!own.equals(mutable[0] ?? own) || !above.equals(mutable[1] ?? above));
      const certificates = [own, above].flatMap(parse);
      fc.pre(certificates.length === 2);
      const [shown, ...rest] = certificates;
      assert.ok(shown && 'fault' in judgePath(shown, rest, anchors));
    }),
    { numRuns: 3000 },
  );
});

function parse(bytes: Buffer): X509Certificate[] {
  try {
    return [new X509Certificate(bytes)];
  } catch {
    return []; // what Node itself refuses does not get here
  }
}

test('a key that may sign is enough', () => {
  assert.ok('until' in judge({ own: issue({ usage: 0x80 }) }));
});
