/**
 * Builds the ways up from the configuration: agents, credentials, forwarders. Agents are kept apart per system,
 * so that a connection that went astray can never carry another system's calls.
 */
import http, { type Agent } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';

import type { Trail } from '../audit/trail.ts';
import {
  createTenantLogin,
  type FetchToken,
  type TenantCredential,
  type TenantLogin,
} from '../auth/tenant-login.ts';
import { BackendPace } from '../pace/backend.ts';
import type { Pacer } from '../pace/turn.ts';
import type { Route } from './ask.ts';
import type { Credential, Deadlines, Tenant } from './config.ts';
import { createForward, NoReply, type Forward } from './forward.ts';
import { checkPins } from './pins.ts';
import { tellTlsFailures } from './tls-failure.ts';
import { judgeTokenSilence } from './verdict.ts';

/** A tenant with its address and credential; the embedded one knows them only once it has started. */
export interface Upstream extends Pick<
  Tenant,
  'id' | 'ca' | 'pins' | 'clientCertificate' | 'outboundProxy' | 'pace'
> {
  readonly url: string;
  readonly credential: Credential;
}

/**
 * What all ways to one tenant share: its quota and its credential. Disposed, it keeps no connection any more; calls
 * that are on their way go on, because a reload of the configuration must not break them.
 */
export interface TenantAccess extends Disposable {
  readonly login: TenantLogin;
  routeTo(url: string, kind: Route['kind'], settings: RouteSettings): Route;
}

export interface RouteSettings {
  readonly deadlines: Deadlines;
  readonly maxReplyBytes: number;
}

export interface TenantAccessParts {
  readonly pacer: Pacer;
  readonly trail: Trail;
  /** Aborts what still runs when the grace of a shutdown is over. */
  readonly ending: AbortSignal;
}

export function createTenantAccess(
  upstream: Upstream,
  { pacer, trail, ending }: TenantAccessParts,
): TenantAccess {
  const { id: tenant, pace } = upstream;
  const agents: Agent[] = [];
  const open = (url: string, keepAlive: boolean): Agent => {
    const agent = createAgent(upstream, url, keepAlive);
    agents.push(agent);
    return agent;
  };
  const forwardTo = (url: URL, keepAlive: boolean): Forward =>
    tellTlsFailures(createForward({ url, agent: open(url.href, keepAlive) }), trail, {
      tenant,
      host: url.host,
    });
  const login = createLogin(upstream, trail, forwardTo);
  return {
    login,
    routeTo: (url, kind, { deadlines, maxReplyBytes }) => ({
      kind,
      tenant,
      host: new URL(url).host,
      pacer,
      backend: new BackendPace({ minuteMs: pace.minute, maxQueue: pace.queue }),
      login,
      forwardRead: forwardTo(new URL(url), true),
      // A write on a connection of its own cannot die of one that the tenant had already closed.
      forwardWrite: forwardTo(new URL(url), false),
      deadlines: { readMs: deadlines.read, writeMs: deadlines.write },
      maxReplyBytes,
      pauseMs: pace.minute / 6,
      ending,
    }),
    [Symbol.dispose]: () => agents.forEach(keepNone),
  };
}

function keepNone(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) sockets?.forEach((socket) => socket.destroy());
}

function createAgent(
  { ca, pins, clientCertificate, outboundProxy, pace }: Upstream,
  url: string,
  keepAlive: boolean,
): Agent {
  const proxyUrl = outboundProxy?.url.reveal();
  const options = {
    keepAlive,
    maxSockets: pace.concurrency,
    ...(proxyUrl && {
      proxyEnv: { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl, NO_PROXY: outboundProxy?.noProxy.join(',') },
    }),
  };
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:') return new http.Agent(options);
  return new https.Agent({
    ...options,
    minVersion: 'TLSv1.2',
    // The host that is configured, whatever a Host field says; RFC 6066 §3 has no addresses in it.
    servername: isIP(hostname.replaceAll(/[[\]]/g, '')) ? '' : hostname,
    // Node verifies neither names nor pins of a session that it resumes, so none is kept.
    ...(pins && { checkServerIdentity: checkPins(pins), maxCachedSessions: 0 }),
    ...(ca && { ca: ca.text }),
    ...(clientCertificate && {
      cert: clientCertificate.certificate.text,
      key: clientCertificate.key.reveal(),
    }),
  });
}

function createLogin(
  { id: tenant, url, credential }: Upstream,
  trail: Trail,
  forwardTo: (url: URL, keepAlive: boolean) => Forward,
): TenantLogin {
  if (credential.type !== 'oauth') return createTenantLogin(revealed(credential));
  const tokenUrl = new URL(credential.tokenUrl ?? `${url}/oauth2/token`);
  const forward = forwardTo(new URL(tokenUrl.origin), false);
  const fetchToken: FetchToken = async ({ method, headers, body }, signal) => {
    const path = `${tokenUrl.pathname}${tokenUrl.search}`;
    const call = {
      method,
      path,
      body,
      headers: { ...headers, 'content-length': String(body.length) },
      maxReplyBytes: 65_536,
    };
    const record = await trail.intend({
      purpose: 'token',
      tenant,
      host: tokenUrl.host,
      method,
      path: '/oauth2/token',
    });
    const startedAt = performance.now();
    try {
      const reply = await forward(call, signal);
      const result = reply.status < 400 ? 'success' : 'failure';
      await record.close({
        result,
        status: reply.status,
        sent: true,
        msTotal: performance.now() - startedAt,
      });
      return reply;
    } catch (thrown) {
      if (!(thrown instanceof NoReply)) throw thrown;
      await record.close({ result: 'failure', sent: thrown.sent, msTotal: performance.now() - startedAt });
      throw judgeTokenSilence(thrown);
    }
  };
  return createTenantLogin(revealed(credential), fetchToken);
}

function revealed(credential: Credential): TenantCredential {
  switch (credential.type) {
    case 'basic':
      return { type: 'basic', user: credential.user, secret: credential.secret.reveal() };
    case 'oauth':
      return { type: 'oauth', clientId: credential.clientId, secret: credential.secret.reveal() };
    case 'certificate':
    case 'none':
      return { type: 'none' };
  }
}
