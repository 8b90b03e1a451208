/** The guesser of `logons.ts`: wrong secrets for one technical user, at a fixed rate, from an address of its own. */
import http from 'node:http';

const [url = '', rate = '1000', localAddress = '127.0.0.2'] = process.argv.slice(2);
const tickMs = 5;
const maxWaiting = 500;
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const answers: Record<string, number> = {};
const startedAt = performance.now();
let sent = 0;
let waiting = 0;

function settle(outcome: string): void {
  waiting -= 1;
  answers[outcome] = (answers[outcome] ?? 0) + 1;
}

function guess(): void {
  const authorization = `Basic ${Buffer.from(`caller:guess ${sent}`).toString('base64')}`;
  sent += 1;
  waiting += 1;
  http
    .get(url, { agent, localAddress, headers: { authorization } }, (response) => {
      response.resume().once('end', () => settle(String(response.statusCode)));
    })
    .once('error', () => settle('failed'));
}

setTimeout(() => process.stdout.write('at work\n'), 500); // when the first guesses are used up
const ticking = setInterval(() => {
  const due = Math.floor(((performance.now() - startedAt) * Number(rate)) / 1000);
  while (sent < due && waiting < maxWaiting) guess();
}, tickMs);

process.once('SIGTERM', () => {
  clearInterval(ticking);
  const perSecond = (sent * 1000) / (performance.now() - startedAt);
  process.stdout.write(`${JSON.stringify({ perSecond, answers })}\n`, () => process.exit());
});
