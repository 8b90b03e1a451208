/**
 * Exchanges what the listener shows while it runs, when its files change. Invariant: nothing is shown that was not
 * read by the configuration's own rules and tried before; until then the last good one stays.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

import { listenerTls } from './config-certificates.ts';
import { FileWatch } from './file-watch.ts';
import { contextOptions, splitCertificates, type TlsMaterial } from './tls.ts';

export interface TlsReload extends Disposable {
  /** Reads the files now; what comes of it is told. */
  reload(): void;
}

export interface TlsReloadOptions {
  readonly show: (tls: TlsMaterial) => void;
  readonly onReloaded: (facts: { readonly sha256: string; readonly notAfter: string }) => void;
  readonly onUnfit: (reason: string) => void;
}

const watchMs = 100;
/** A pair is two files, and whoever writes them needs a moment between. */
const settleMs = 200;

/** @param tls what is shown at present, with the files that it came from */
export function watchTls(tls: TlsMaterial, { show, onReloaded, onUnfit }: TlsReloadOptions): TlsReload {
  const files = new FileWatch();
  for (const path of [tls.certificate.path, tls.key.file, tls.clients?.ca.path, tls.clients?.crl?.path])
    if (path !== undefined) files.add(path);
  let settling: NodeJS.Timeout | undefined;
  const reload = (): void => {
    clearTimeout(settling);
    try {
      const found = readAgain(tls);
      show(found);
      onReloaded(factsOf(found));
    } catch (error) {
      onUnfit(error instanceof UnfitTls ? error.message : 'TLS refuses it');
    }
  };
  files.start(watchMs, () => {
    clearTimeout(settling);
    settling = setTimeout(reload, settleMs).unref();
  });
  return {
    reload,
    [Symbol.dispose]() {
      clearTimeout(settling);
      files[Symbol.dispose]();
    },
  };
}

/** Its message is our own words and never the content of a file. */
class UnfitTls extends Error {}

function readAgain({ certificate, key, clients }: TlsMaterial): TlsMaterial {
  const parsed = listenerTls({ directory: '/', env: {} }).safeParse({
    certificate: { file: certificate.path },
    key: key.file === undefined ? key : { file: key.file },
    clients: clients && {
      ca: { file: clients.ca.path },
      crl: clients.crl && { file: clients.crl.path },
      mode: clients.mode,
      forwarders: clients.forwarders,
    },
  });
  if (!parsed.data) throw new UnfitTls(parsed.error.issues.map(({ message }) => message).join('; '));
  tryOut(parsed.data);
  return parsed.data;
}

function tryOut(tls: TlsMaterial): void {
  readAll(tls.certificate.text);
  const fault = periodFault(tls.certificate.text);
  if (fault !== undefined) throw new UnfitTls(fault);
  if (tls.clients) readAll(tls.clients.ca.text);
  createSecureContext(contextOptions(tls));
}

/** @param pem whose first certificate is the listener's own */
export function periodFault(pem: string): string | undefined {
  const { validFromDate, validToDate } = new X509Certificate(pem);
  const now = Date.now();
  if (validToDate.getTime() < now) return 'the certificate has expired';
  return validFromDate.getTime() > now ? 'the certificate is not valid yet' : undefined;
}

/** Also those behind the first one, which is all that the configuration's rules look at. */
function readAll(pem: string): X509Certificate[] {
  try {
    return splitCertificates(pem).map((text) => new X509Certificate(text));
  } catch (cause) {
    throw new UnfitTls('one of several certificates in a file cannot be read', { cause });
  }
}

function factsOf(tls: TlsMaterial) {
  const { fingerprint256, validToDate } = new X509Certificate(tls.certificate.text);
  return { sha256: fingerprint256.replaceAll(':', '').toLowerCase(), notAfter: validToDate.toISOString() };
}
