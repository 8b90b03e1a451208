/** An alert as a JSON object to an address of one's own, signed as what the delivery sends to a webhook. */
import { Poster, type PostOptions } from '../delivery/post.ts';
import { signedHeaders } from '../delivery/webhook.ts';
import type { Alert, Channel } from './alert.ts';

export interface WebhookChannelOptions extends PostOptions {
  /** Reveals the secret; asked for with each alert. */
  readonly secret: () => string;
}

export class WebhookChannel implements Channel {
  readonly #secret: () => string;
  readonly #poster: Poster;

  constructor(options: WebhookChannelOptions) {
    this.#secret = options.secret;
    this.#poster = new Poster(options);
  }

  async send(alert: Alert, signal: AbortSignal): Promise<void> {
    const body = Buffer.from(JSON.stringify(alert));
    await this.#poster.post(body, signedHeaders(this.#secret(), body), signal);
  }

  close(): void {
    this.#poster.close();
  }
}
