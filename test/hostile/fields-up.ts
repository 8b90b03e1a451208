/** All that the gateway says to a tenant of its own accord, and what it lets pass; beside these its own log-on alone. */
export const fieldsUp: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'host',
  'if-match',
  'if-none-match',
  'user-agent',
  'x-request-id',
]);
