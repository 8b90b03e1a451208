/** The peer: express and the proxy library as their manuals show them, with a fixed credential. No audit, no cache. */
import type { AddressInfo } from 'node:net';

import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const target = process.argv[2] ?? '';
const app = express();
app.use(createProxyMiddleware({ target, changeOrigin: true, headers: { authorization: 'Basic eDp5' } }));
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
