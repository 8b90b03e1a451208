/**
 * The way to a tenant, or to whoever else is told something, leg by leg, each over the socket of the one before it: its name,
 * the outbound proxy, the connection, TLS. Nothing is asked there, so no quota is spent.
 */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';

import { checkPins } from '../gateway/pins.ts';
import type { Upstream } from '../gateway/upstream.ts';
import { brokenAfterConnect, brokenBy, type Place } from './causes.ts';
import { Broken, walk, type Report, type Sound } from './finding.ts';
import { throughProxy, type ProxyPlace } from './proxy.ts';

const legMs = 10_000;
const dayMs = 86_400_000;
const soonDays = 30;

export interface Way extends Partial<Pick<Upstream, 'ca' | 'pins' | 'clientCertificate' | 'outboundProxy'>> {
  /** `https:` or `http:`; `tls:` and `tcp:` where something else is spoken than HTTP. */
  readonly url: string;
  /** Whose way it is, in findings. */
  readonly of: string;
  readonly place: Place;
}

export function wayTo(tenant: Upstream): Way {
  const of = (key: string): string => `tenants.${tenant.id}.${key}`;
  const { hostname: host } = new URL(tenant.url);
  const place = { host, key: of('url'), trust: of('ca'), proxy: of('outboundProxy') };
  return { ...tenant, of: `tenant ${tenant.id}`, place };
}

/** Whether the whole way holds. */
export async function walkWay(report: Report, way: Way): Promise<boolean> {
  const { of, place } = way;
  const url = new URL(way.url);
  const proxy = proxyFor(way, url);
  const first: Place = proxy ?? place;
  if (!(await walk(report, { leg: 'name', of }, () => resolve(first)))) return false;
  const socket = proxy
    ? await walk(report, { leg: 'proxy', of }, () => throughProxy(proxy, url, legMs))
    : await walk(report, { leg: 'connection', of }, () => reach(url, place));
  if (!socket) return false;
  using stack = new DisposableStack();
  stack.adopt(socket, (open) => open.destroy());
  if (url.protocol === 'http:' || url.protocol === 'tcp:') return true;
  const secured = await walk(report, { leg: 'tls', of }, () => secure(socket, way));
  if (secured) stack.adopt(secured, (open) => open.destroy());
  return secured !== undefined;
}

async function resolve(place: Place): Promise<readonly [Sound, true]> {
  const host = place.host.replaceAll(/[[\]]/g, '');
  if (isIP(host)) return [{ found: `${host} is an address` }, true];
  try {
    const found = await within(lookup(host, { all: true }));
    return [{ found: `${host} is ${found.map(({ address }) => address).join(', ')}` }, true];
  } catch (error) {
    throw brokenBy(error, place);
  }
}

async function reach(url: URL, place: Place): Promise<readonly [Sound, Socket]> {
  const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
  const socket = connect({ host: url.hostname.replaceAll(/[[\]]/g, ''), port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(legMs) });
    return [{ found: `${socket.remoteAddress}:${port} takes connections` }, socket];
  } catch (error) {
    socket.destroy();
    throw brokenBy(timedOut(error), place);
  }
}

/** What an abort at the end of the time is. */
function timedOut(error: unknown): unknown {
  return error instanceof Error && error.name === 'AbortError' ? (error.cause ?? error) : error;
}

/** Verified as the line verifies it; what is shown is looked at also where it is not believed. */
async function secure(
  socket: Socket,
  { url, ca, pins, clientCertificate, place }: Way,
): Promise<readonly [Sound, TLSSocket]> {
  const host = place.host.replaceAll(/[[\]]/g, '');
  const secured = connectTls({
    socket,
    minVersion: 'TLSv1.2',
    ...(url.startsWith('https:') && { ALPNProtocols: ['http/1.1'] }),
    rejectUnauthorized: false,
    ...(!isIP(host) && { servername: host }),
    ...(ca && { ca: ca.text }),
    ...(clientCertificate && {
      cert: clientCertificate.certificate.text,
      key: clientCertificate.key.reveal(),
    }),
  });
  try {
    await once(secured, 'secureConnect', { signal: AbortSignal.timeout(legMs) });
    const shown = secured.getPeerCertificate(true);
    const fault = faultOf(secured, host, shown, pins);
    if (fault) throw fault;
    return [soundness(secured, shown), secured];
  } catch (error) {
    secured.destroy();
    throw error instanceof Broken ? error : brokenAfterConnect(timedOut(error), 'tls', place);
  }
}

function faultOf(
  { authorized, authorizationError }: TLSSocket,
  host: string,
  shown: PeerCertificate,
  pins: Upstream['pins'],
): unknown {
  // Node's types call it an error; it is the code of OpenSSL.
  if (!authorized) return Object.assign(new Error('not trusted'), { code: String(authorizationError) });
  return (pins ? checkPins(pins) : checkServerIdentity)(host, shown);
}

/** What the other side has shown, and for how long that is still good. */
export function soundness(secured: TLSSocket, shown = secured.getPeerCertificate(true)): Sound {
  const chain = chainOf(shown);
  const ends = Math.min(...chain.map(({ valid_to: until }) => Date.parse(until)));
  const days = Math.floor((ends - Date.now()) / dayMs);
  const names = chain.map(({ subject }) => subject?.CN ?? subject?.O ?? 'without a name').join(' ← ');
  const found = `${secured.getProtocol()}, ${names}, valid for ${days} more days`;
  if (days > soonDays) return { found };
  return { outcome: 'warning', found, remedy: 'Ask its operator when the certificate will be renewed.' };
}

/** From the certificate itself upwards; a root stands above itself. */
function chainOf(shown: PeerCertificate): PeerCertificate[] {
  const chain: PeerCertificate[] = [];
  let next: PeerCertificate | undefined = shown;
  while (next && !chain.some(({ raw }) => raw.equals(next?.raw ?? Buffer.alloc(0)))) {
    chain.push(next);
    next = 'issuerCertificate' in next ? (next.issuerCertificate as PeerCertificate | undefined) : undefined;
  }
  return chain;
}

function proxyFor({ outboundProxy, place }: Way, url: URL): ProxyPlace | undefined {
  if (!outboundProxy || outboundProxy.noProxy.some((rule) => isExempt(url.hostname, rule))) return undefined;
  const proxy = new URL(outboundProxy.url.reveal());
  return { url: proxy, host: proxy.hostname, key: `${place.proxy}.url` };
}

/** As Node's agents read NO_PROXY: `*`, a host, or a domain with a dot or `*.` before it. */
function isExempt(host: string, rule: string): boolean {
  const domain = rule.replace(/^\*?\./, '');
  return rule === '*' || host === rule || (domain !== rule && host.endsWith(`.${domain}`));
}

async function within<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DOMException('no answer', 'TimeoutError')), legMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
