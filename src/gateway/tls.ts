/**
 * How the listener for callers speaks TLS. What it shows may change while it runs; what it agrees to does not, and
 * nobody configures it: every suite here has forward secrecy and authenticates what it encrypts.
 */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

import type { ListenerTls } from './config-certificates.ts';
import { splitLists } from './tls-crl.ts';

/** What the listener shows: the certificate with its intermediate ones, and the key of the first. */
export type TlsMaterial = ListenerTls;

const ciphers = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  // Of TLS 1.2; identity managers on Java 8 speak those with AES.
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];
const groups = ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'];
/** OpenSSL's own list still has SHA-1 and SHA-224. */
const signatures = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed25519',
  ...['rsa_pss_rsae', 'rsa_pss_pss', 'rsa_pkcs1'].flatMap((scheme) =>
    ['sha256', 'sha384', 'sha512'].map((digest) => `${scheme}_${digest}`),
  ),
];

/** Each set makes a context of its own, and with it keys of its own for session tickets. */
export function contextOptions({ certificate, key, clients }: TlsMaterial): SecureContextOptions {
  return {
    cert: certificate.text,
    key: key.reveal(),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: ciphers.join(':'),
    ecdhCurve: groups.join(':'),
    sigalgs: signatures.join(':'),
    honorCipherOrder: true,
    // A session that is resumed was judged by the lists of the past (facts: finding 10).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (clients ? constants.SSL_OP_NO_TICKET : 0),
    ...(clients && { ca: splitCertificates(clients.ca.text) }),
    ...(clients?.crl && { crl: splitLists(clients.crl.text) }),
  };
}

/** Each certificate of the text by itself. */
export function splitCertificates(pem: string): string[] {
  return pem.split(/(?=-----BEGIN CERTIFICATE-----)/).filter((block) => block.startsWith('-----BEGIN'));
}
