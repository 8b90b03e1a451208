/** How the console answers: every reply has the same protection, whoever made it. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { Refusal } from './refusal.ts';

/**
 * Nothing but our own scripts and pictures, nobody's frame, and no other page that shares a window. UI5 puts styles into
 * the page by constructed style sheets, which need no permission, and single `style` attributes, which do.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const protection = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const;

export function protect(response: ServerResponse, isSecure: boolean): void {
  for (const [name, value] of Object.entries(protection)) response.setHeader(name, value);
  if (isSecure) response.setHeader('strict-transport-security', 'max-age=31536000');
  response.setHeader('cache-control', 'no-store');
}

export function sendJson(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
}

export function sendRefusal(response: ServerResponse, { status, problem, retryAfter }: Refusal): void {
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  sendJson(response, status, problem);
}

const mostBytes = 16 * 1024;

/** The body of a request of our own page; nothing else has this type without asking us before. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json(?:;|$)/.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'bad-request', 'A body is application/json.');
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostBytes) throw new Refusal(413, 'bad-request', 'The body is too large.');
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new Refusal(400, 'bad-request', 'The body is not JSON.'); // what the parser says would quote it
  }
}
