/** Whether a gateway runs here with this configuration, and whether it takes calls. */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { json } from 'node:stream/consumers';

import type { Config } from '../gateway/config.ts';
import { codeOf } from './causes.ts';
import { Broken, walk, type Report } from './finding.ts';

export async function walkGateway(report: Report, { host, port, tls }: Config['admin']): Promise<void> {
  const authority = `${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${port}`;
  await walk(report, { leg: 'gateway', of: authority }, async () => {
    try {
      const [status, reasons] = await ready(authority, tls !== undefined);
      if (status === 200) return [{ found: 'runs and takes calls' }, true] as const;
      throw new Broken(
        `A gateway runs and takes no calls: ${reasons.join('; ') || `status ${status}`}.`,
        'Its log says more; what is wrong with the trail is found below audit.',
      );
    } catch (error) {
      if (error instanceof Broken) throw error;
      return [{ outcome: 'skipped' as const, found: `none runs here (${codeOf(error)})` }, false] as const;
    }
  });
}

/** Over TLS it is our own certificate, whose name may be that of a load balancer: what is asked is no secret. */
async function ready(authority: string, isSecure: boolean): Promise<[number, readonly string[]]> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const url = `${isSecure ? 'https' : 'http'}://${authority}/health/ready`;
  const options = { signal: AbortSignal.timeout(5000), agent: false as const };
  if (isSecure) https.get(url, { ...options, rejectUnauthorized: false }, resolve).once('error', reject);
  else http.get(url, options, resolve).once('error', reject);
  const answer = await promise;
  const said = (await json(answer)) as { readonly reasons?: readonly string[] };
  return [answer.statusCode ?? 0, said.reasons ?? []];
}
