/** Whether the company's proxy lets us out: the tunnel that Node's agents ask it for (RFC 9110 §9.3.6), asked for alone. */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';

import { brokenAfterConnect, brokenBy, type Place } from './causes.ts';
import { Broken, type Sound } from './finding.ts';

export interface ProxyPlace extends Place {
  readonly url: URL;
}

export async function throughProxy(
  proxy: ProxyPlace,
  target: URL,
  timeMs: number,
): Promise<readonly [Sound, Socket]> {
  const authority = `${target.hostname}:${target.port || (target.protocol === 'http:' ? 80 : 443)}`;
  const { protocol, hostname, port, username, password } = proxy.url;
  const credential = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  const options = {
    host: hostname.replaceAll(/[[\]]/g, ''),
    port: port || (protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      ...(username && { 'proxy-authorization': `Basic ${credential.toString('base64')}` }),
    },
    signal: AbortSignal.timeout(timeMs),
  };
  const request = (protocol === 'https:' ? https : http).request(options);
  // A proxy that refuses may answer as to any other method.
  request.once('response', (answer) => {
    request.emit('connect', answer, answer.socket);
  });
  let stands = false;
  request.once('socket', (socket) => {
    socket.once('connect', () => {
      stands = true;
    });
  });
  try {
    const [answer, socket] = (await once(request.end(), 'connect')) as [http.IncomingMessage, Socket];
    if (answer.statusCode === 200)
      return [{ found: `${proxy.host} lets us through to ${authority}` }, socket];
    socket.destroy();
    throw refusal(answer.statusCode ?? 0, proxy, authority);
  } catch (error) {
    if (error instanceof Broken) throw error;
    const cause = error instanceof Error && error.name === 'AbortError' ? error.cause : error;
    throw stands ? brokenAfterConnect(cause, 'answer', proxy) : brokenBy(cause, proxy);
  }
}

function refusal(status: number, { host, key }: ProxyPlace, authority: string): Broken {
  if (status === 407)
    return new Broken(
      `The proxy ${host} wants another credential (407).`,
      `Put user and password into ${key}, as a reference to a file; it takes Basic only.`,
    );
  if (status === 403 || status === 405)
    return new Broken(
      `The proxy ${host} refuses the way to ${authority} (${status}).`,
      `Its operator must allow CONNECT from this host to ${authority}.`,
    );
  return new Broken(
    `The proxy ${host} could not reach ${authority} (${status}).`,
    'Ask its operator whether it knows that name and may go there.',
  );
}
