/**
 * A JSON array to an address of one's own. The signature is over time and body, so that a receiver knows who sent it, that
 * nothing was changed, and that it is not an old one that somebody else sends again.
 */
import { createHmac } from 'node:crypto';

import type { Destination } from './destination.ts';
import type { FormatName, Message } from './message.ts';
import { Poster, type PostOptions } from './post.ts';
import { valueOf } from './splunk.ts';

export interface WebhookOptions extends PostOptions {
  /** Reveals the secret; asked for with each batch. */
  readonly secret: () => string;
  readonly format: FormatName;
}

const timestampHeader = 'x-gatehouse-timestamp';
const signatureHeader = 'x-gatehouse-signature';

export class WebhookDestination implements Destination {
  readonly enveloped = true;
  readonly #options: WebhookOptions;
  readonly #poster: Poster;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#poster = new Poster(options);
  }

  async send(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    const { format, secret } = this.#options;
    const values = messages.flatMap(({ bodies }) => bodies).map((body) => valueOf(body, format));
    const body = Buffer.from(`[${values.join(',')}]`);
    await this.#poster.post(body, signedHeaders(secret(), body), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#poster.close();
    await Promise.resolve();
  }
}

/** Of JSON that is sent now. */
export function signedHeaders(secret: string, body: Buffer): Record<string, string> {
  const seconds = String(Math.floor(Date.now() / 1000));
  return {
    'content-type': 'application/json',
    [timestampHeader]: seconds,
    [signatureHeader]: `sha256=${signatureOf(secret, seconds, body)}`,
  };
}

/** HMAC-SHA256 of `<seconds>.<body>`, in hexadecimal digits. */
export function signatureOf(secret: string, seconds: string, body: Buffer): string {
  return createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex');
}
