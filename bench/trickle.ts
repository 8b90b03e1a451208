/**
 * The attacker of `slow.ts`: as many connections as it is told, each of which sends the head of a request a byte at a
 * time and never comes to its end. One that is cut begins anew.
 */
import { connect } from 'node:net';

const [port = '', count = '2000', localAddress = '127.0.0.1'] = process.argv.slice(2);
const byteEveryMs = 1000;
const head = `GET /ipsproxy/service/api/v1/scim/x/Users HTTP/1.1\r\nHost: localhost:${port}\r\nX-Slow: `;
let open = 0;
let most = 0;
let cut = 0;
let isOver = false;

function trickle(): void {
  let sent = 0;
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress });
  const dripping = setInterval(() => {
    socket.write(head[sent] ?? 'x');
    sent += 1;
  }, byteEveryMs);
  socket.once('connect', () => {
    open += 1;
    most = Math.max(most, open);
    socket.once('close', () => (open -= 1));
  });
  socket.on('error', () => {}); // whatever ends it, it begins anew
  socket.resume().once('close', () => {
    clearInterval(dripping);
    cut += 1;
    if (!isOver) setTimeout(trickle, byteEveryMs);
  });
}

for (let n = 0; n < Number(count); n += 1) setTimeout(trickle, n / 2);
setTimeout(() => process.stdout.write('at work\n'), Number(count) / 2 + 1000);
process.once('SIGTERM', () => {
  isOver = true;
  process.stdout.write(`${JSON.stringify({ open, most, cut })}\n`, () => process.exit());
});
