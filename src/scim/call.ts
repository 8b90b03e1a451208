/**
 * The plain values that travel the line: a caller's request and the answer to it.
 * Nothing here knows sockets, so that every step can be tested with literals.
 */

import type { ScimError } from './error.ts';

/** Header fields with lower-case names, one value each; repeated fields are refused or joined at the edge. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** Where a call came from: the connection's own peer, or whom trusted proxies name; never what others say. */
export interface Source {
  readonly ip: string;
  /** 0 when a proxy does not say. */
  readonly port: number;
  /** The trusted proxies that the call came through, the nearest to its caller first. */
  readonly via?: readonly string[];
  readonly tls?: { readonly version: string; readonly cipher: string };
}

/** A client certificate that was verified, as far as it can stand for a caller. */
export interface ClientCertificate {
  /** SHA-256 of the whole certificate, and of its public key (SubjectPublicKeyInfo), in lower-case hexadecimal. */
  readonly sha256: string;
  readonly spki: string;
  /** Its alternative names, such as `DNS:idm.example.com` or `URI:spiffe://…`. */
  readonly names: readonly string[];
}

/** One request of a caller. */
export interface Call {
  /** The gateway's own request id; it joins log lines, audit records and the `x-request-id` of the reply. */
  readonly id: string;
  readonly receivedAt: number;
  readonly method: string;
  /** The request target exactly as it was received (RFC 9112 §3.2). */
  readonly target: string;
  readonly headers: Headers;
  /** What the receiving end found wrong before anyone read the call: ambiguous framing, shutting down. */
  readonly flaw?: ScimError;
  readonly source: Source;
  /** What the caller's connection was opened with, if it may be believed. */
  readonly certificate?: ClientCertificate;
  /** To be told as soon as it is known who calls: nobody else's connection takes the place of this one then. */
  readonly onKnown: () => void;
  /** Reads the whole body; throws `too-large` beyond the limit and `caller-left` when it breaks off. */
  readonly readBody: (maxBytes: number) => Promise<Buffer>;
  /** Aborts when the caller hangs up. */
  readonly left: AbortSignal;
}

/** The answer to a call, complete in memory. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}
