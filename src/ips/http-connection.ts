/**
 * The way to a backend over HTTP(S), configured by SAP's own property names (facts: IPS 8.1). Whatever it
 * answers beyond 2xx is the backend's failure, quoted as it came.
 */
import { scimMediaType } from '../scim/message.ts';
import { BackendFailure, BackendTimeout } from './refusal.ts';
import { isObject, type Resource } from './resource.ts';

export class HttpConnection {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #contentType: string;
  readonly #timeoutMs: number;

  constructor(properties: Readonly<Record<string, string>>, timeoutMs = 60_000) {
    const url = properties['URL'];
    if (url === undefined) throw new Error('a backend over HTTP needs the property URL');
    this.url = url.replace(/\/+$/, '');
    this.#contentType = properties['scim.content.type'] ?? scimMediaType;
    this.#headers = headersOf(properties);
    this.#timeoutMs = timeoutMs;
  }

  async ask(method: string, path: string, body?: Resource): Promise<Resource> {
    const response = await this.#send(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new BackendFailure(response.status, text);
    if (text === '') return {};
    try {
      const value: unknown = JSON.parse(text);
      if (isObject(value)) return value;
    } catch {
      // A page for people instead of JSON: told below like any other answer that is no resource.
    }
    throw new BackendFailure(502, text.slice(0, 1000));
  }

  async #send(method: string, path: string, body?: Resource): Promise<Response> {
    try {
      return await fetch(this.url + path, {
        method,
        redirect: 'manual',
        signal: AbortSignal.timeout(this.#timeoutMs),
        headers: {
          accept: scimMediaType,
          ...this.#headers,
          ...(body && { 'content-type': this.#contentType }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'TimeoutError') throw new BackendTimeout();
      throw new BackendFailure(502, 'The backend cannot be reached.');
    }
  }
}

function headersOf(properties: Readonly<Record<string, string>>): Record<string, string> {
  const prefix = 'ips.http.header.';
  const extra = Object.entries(properties)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length).toLowerCase(), value]);
  const { Authentication: authentication, User: user = '', Password: password = '' } = properties;
  const credential = Buffer.from(`${user}:${password}`).toString('base64');
  return {
    ...Object.fromEntries(extra),
    ...(properties['scim.include.if.match.wildcard.header'] === 'true' && { 'if-match': '*' }),
    ...(authentication === 'BasicAuthentication' && { authorization: `Basic ${credential}` }),
  };
}
