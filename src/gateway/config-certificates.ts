/**
 * The certificates that a configuration refers to: authorities, key pairs, revocation lists. Each is tried when the
 * configuration is read, so that a listener or an agent never meets one that does not fit.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';

import { z } from 'zod';

import type { CertificateMatch } from '../auth/certificate.ts';
import { file, locate, readText, secret, unreadable, type References } from './config-references.ts';
import { refuse, type FaultSink } from './config-values.ts';
import type { Secret } from './secret.ts';
import { readLists, readRevocations } from './tls-crl.ts';

/** A file that is not secret, read when the configuration is; the path is kept for watching it. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** `{ file }` of one or several PEM certificates. */
export function certificates(references: References) {
  return file.meta({ title: 'file' }).transform(({ file }, ctx): TextFile => {
    const absolute = locate(references, file);
    const text = readText(absolute, ctx);
    if (text !== undefined && !isCertificate(text))
      refuse(
        ctx,
        `${absolute} holds no PEM certificate`,
        'give a file that begins with -----BEGIN CERTIFICATE-----',
      );
    return { path: absolute, text: text ?? '' };
  });
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    // Node reports every malformed certificate by throwing; the caller words the fault.
    return false;
  }
}

/** A certificate and the private key that belongs to it. */
export interface KeyPair {
  readonly certificate: TextFile;
  readonly key: Secret;
}

export function keyPair(references: References) {
  return z.strictObject(pairOf(references)).superRefine(checkPair);
}

/** How callers may show certificates of their own. */
export interface TlsClients {
  readonly ca: TextFile;
  readonly crl?: TextFile | undefined;
  readonly mode: 'required' | 'explained' | 'optional';
  /** Proxies that end TLS and say what their callers have shown. */
  readonly forwarders?: readonly CertificateMatch[] | undefined;
}

/** What the listener shows, and what it wants to be shown. */
export interface ListenerTls extends KeyPair {
  readonly clients?: TlsClients | undefined;
}

/** What a certificate must have to be the one that is meant. */
export function certificateMatch() {
  const digest = () =>
    z
      .string()
      .regex(/^(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/, {
        error: 'must be a SHA-256 digest: 64 hexadecimal digits',
      })
      .transform((text) => text.replaceAll(':', '').toLowerCase());
  const name = z
    .string()
    .regex(/^(?:DNS|URI):[!-~]+$/, { error: 'must be a name such as DNS:idm.example.com or URI:spiffe://…' });
  return z.union(
    [
      z.strictObject({ sha256: digest().describe('SHA-256 fingerprint of the certificate.') }),
      z.strictObject({ spki: digest().describe('SHA-256 of its public key (SubjectPublicKeyInfo in DER).') }),
      z.strictObject({ san: name.describe('One of its alternative names, exactly.') }),
    ],
    { error: 'must have one of sha256 (a digest), spki (a digest), san (DNS:… or URI:…)' },
  );
}

export function listenerTls(references: References) {
  const clients = z
    .strictObject({
      ca: certificates(references).describe(
        'PEM file with the authorities that issue certificates to callers. Dedicated ones: no public authority.',
      ),
      crl: revocationLists(references)
        .optional()
        .describe('PEM file with the revocation lists of all these authorities and those between.'),
      mode: z
        .enum(['required', 'explained', 'optional'])
        .describe(
          '`required`: without a valid certificate there is no connection. `explained`: the call is answered with 401 ' +
            'and the reason. `optional`: callers may come without; one that is shown must be valid.',
        ),
      forwarders: z
        .array(certificateMatch())
        .min(1)
        .optional()
        .describe(
          'Certificates of the proxies that end TLS and whose `X-Forwarded-Client-Cert` is believed, each by one of ' +
            '`sha256`, `spki`, `san`. They stand for no caller.',
        ),
    })
    .describe('Certificates of callers (mTLS); `callers.<name>.certificates` says whose they are.');
  return z.strictObject({ ...pairOf(references), clients: clients.optional() }).superRefine(checkPair);
}

function pairOf(references: References) {
  return {
    certificate: certificates(references).describe(
      'PEM file with the certificate and then its intermediate certificates.',
    ),
    key: secret(references).describe('The private key in PEM, as a reference.'),
  };
}

function checkPair({ certificate, key }: KeyPair, ctx: FaultSink): void {
  if (isCertificate(certificate.text) && key !== unreadable && !belongTogether(certificate.text, key))
    refuse(
      ctx,
      'the key does not belong to the certificate',
      'give the key that the certificate was issued for',
    );
}

function revocationLists(references: References) {
  return file.meta({ title: 'file' }).transform(({ file }, ctx): TextFile => {
    const absolute = locate(references, file);
    const text = readText(absolute, ctx);
    if (text !== undefined && !isRevocationList(text))
      refuse(
        ctx,
        `${absolute} holds no PEM revocation list`,
        'give a file that begins with -----BEGIN X509 CRL-----',
      );
    return { path: absolute, text: text ?? '' };
  });
}

function isRevocationList(text: string): boolean {
  try {
    readRevocations(text);
    readLists(text);
    return true;
  } catch {
    return false; // whatever is wrong with it; the caller words the fault
  }
}

function belongTogether(certificate: string, key: Secret): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key.reveal()));
  } catch {
    // A key that cannot be read belongs to no certificate; its parser’s words could quote it.
    return false;
  }
}
