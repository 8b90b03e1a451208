/** What a webhook, a syslog receiver and a mail server get of an alert, over real connections. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import type { Alert } from '../../src/alerts/alert.ts';
import { MailChannel, type MailOptions } from '../../src/alerts/mail.ts';
import { SyslogChannel } from '../../src/alerts/syslog.ts';
import { WebhookChannel } from '../../src/alerts/webhook.ts';
import { NotTaken, Refused } from '../../src/delivery/destination.ts';
import { createCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { startMailServer, type MailServer } from '../support/mail-server.ts';
import { startSyslogReceiver, type SyslogReceiver } from '../support/syslog-receiver.ts';
import { startUpstream } from '../support/upstream.ts';
import { anAlert } from './an-alert.ts';

const authority = createCertificate();
const tls = { ca: authority.certificate };
const soon = (): AbortSignal => AbortSignal.timeout(20_000);
const reasonOf =
  (reason: RegExp, kind = NotTaken) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof kind);
    assert.match(error.reason, reason);
    return true;
  };

test('a webhook gets the alert as JSON over TLS, signed over time and body', async () => {
  await using hook = await startUpstream({ tls: { cert: authority.certificate, key: authority.key } });
  const channel = new WebhookChannel({ url: `${hook.url}/in`, tls, secret: () => 'shared' });
  await channel.send(anAlert(), soon());
  channel.close();
  const [{ body, headers } = assert.fail('nothing came')] = hook.received;
  assert.deepEqual(Object.keys(JSON.parse(body) as Alert).toSorted(), Object.keys(anAlert()).toSorted());
  const signed = `${headers['x-gatehouse-timestamp'] as string}.${body}`;
  const signature = createHmac('sha256', 'shared').update(signed).digest('hex');
  assert.equal(headers['x-gatehouse-signature'], `sha256=${signature}`);
});

test('a webhook whose certificate is not believed gets nothing', async () => {
  await using hook = await startUpstream({ tls: { cert: authority.certificate, key: authority.key } });
  const channel = new WebhookChannel({ url: hook.url, tls: {}, secret: () => 'shared' });
  await assert.rejects(channel.send(anAlert(), soon()), reasonOf(/SELF_SIGNED|UNABLE_TO_VERIFY/));
  channel.close();
  assert.equal(hook.received.length, 0);
});

const syslogTo = ({ port }: SyslogReceiver, believed: object = tls): SyslogChannel =>
  new SyslogChannel({
    host: '127.0.0.1',
    port,
    tls: believed,
    facility: 'audit',
    hostname: 'dmz-1',
    structuredDataId: 'gatehouse@32473',
  });

for (const [what, changes, priority] of [
  ['critical', {}, 106],
  ['warning', { severity: 'warning' }, 108],
  ['over', { state: 'resolved' }, 109],
  ['test', { state: 'test', name: 'test' }, 110],
] as const)
  test(`a syslog receiver gets what is ${what} over TLS with its severity`, async () => {
    await using receiver = await startSyslogReceiver(authority);
    const channel = syslogTo(receiver);
    const alert = anAlert({ ...changes, subject: 'a "quoted" one' });
    await channel.send(alert, soon());
    const [message = ''] = receiver.messages;
    const head = `<${priority}>1 ${alert.at} dmz-1 gatehouse - alert.${alert.name} [gatehouse@32473 alert="${alert.name}"`;
    assert.ok(message.startsWith(head), message);
    assert.ok(message.includes(String.raw`subject="a \"quoted\" one"`), message);
    assert.deepEqual(JSON.parse(message.slice(message.indexOf('] {') + 2)), alert);
  });

test('what a syslog receiver has not read is not taken', async () => {
  await using silent = await startSyslogReceiver(authority, { answersEnd: false });
  const channel = syslogTo(silent);
  await assert.rejects(channel.send(anAlert(), AbortSignal.timeout(1000)), reasonOf(/^deadline$/));
  await assert.rejects(
    syslogTo(silent, {}).send(anAlert(), soon()),
    reasonOf(/SELF_SIGNED|UNABLE_TO_VERIFY/),
  );
});

const mailTo = ({ port }: MailServer, changes: Partial<MailOptions> = {}): MailChannel =>
  new MailChannel({
    host: '127.0.0.1',
    port,
    encryption: 'starttls',
    tls,
    from: 'gatehouse@example.com',
    to: ['duty@example.com', 'soc@example.com'],
    ...changes,
  });

const logOn = { user: 'gatehouse', password: () => 'kept to ourselves' };

test('a mailbox gets plain text after STARTTLS and log-on, and nothing of it went unencrypted', async () => {
  await using server = await startMailServer({ certificate: authority });
  await mailTo(server, { logOn }).send(anAlert(), soon());
  const [mail = assert.fail('no mail came')] = server.mails;
  const { isEncrypted, from, to, content } = mail;
  assert.deepEqual(
    [isEncrypted, mail.logOn, from, to],
    [
      true,
      '\0gatehouse\0kept to ourselves',
      'gatehouse@example.com',
      ['duty@example.com', 'soc@example.com'],
    ],
  );
  assert.match(content, /^Subject: \[Gatehouse gw-1\] CRITICAL The guard holds back/m);
  assert.match(content, /^Content-Type: text\/plain/m);
  assert.match(content, /^Auto-Submitted: auto-generated$/m);
  assert.match(content, /^count: +51$/m);
  assert.match(content, /^What to do: Look whether it is meant\.$/m);
  assert.match(content, /^See docs\/operations\.md#guards\.$/m);
  assert.deepEqual(
    server.plain.map((line) => line.split(' ')[0]),
    ['EHLO', 'STARTTLS'],
  );
});

test('a mail goes over a connection that is encrypted from its first byte', async () => {
  await using server = await startMailServer({ certificate: authority, isImplicit: true });
  await mailTo(server, { encryption: 'tls' }).send(anAlert({ state: 'resolved' }), soon());
  const [{ content } = assert.fail('no mail came')] = server.mails;
  assert.match(content, /^Subject: \[Gatehouse gw-1\] resolved: The guard/m);
  assert.doesNotMatch(content, /What to do/);
  assert.deepEqual(server.plain, []);
});

for (const [what, options] of [
  ['does not offer STARTTLS', { certificate: authority, offersStartTls: false, answer: noStartTls }],
  ['refuses STARTTLS', { certificate: authority, answer: noStartTls }],
] as const)
  test(`a mail server that ${what} is told neither the log-on nor the mail`, async () => {
    await using server = await startMailServer(options);
    await assert.rejects(mailTo(server, { logOn }).send(anAlert(), soon()), NotTaken);
    assert.equal(server.mails.length, 0);
    assert.ok(!server.plain.some((line) => /AUTH|MAIL|DATA/.test(line)), server.plain.join());
  });

function noStartTls(verb: string): string | undefined {
  return verb === 'STARTTLS' ? '454 not now' : undefined;
}

test('a mail server whose certificate is not believed gets neither the log-on nor the mail', async () => {
  await using server = await startMailServer({ certificate: authority });
  await assert.rejects(mailTo(server, { logOn, tls: {} }).send(anAlert(), soon()), NotTaken);
  assert.equal(server.mails.length, 0);
  assert.ok(!server.plain.some((line) => line.startsWith('AUTH')));
});

test('a mail goes unencrypted only where that was asked for', async () => {
  await using server = await startMailServer();
  await mailTo(server, { encryption: 'none' }).send(anAlert(), soon());
  assert.deepEqual(
    server.mails.map(({ isEncrypted }) => isEncrypted),
    [false],
  );
});

for (const [verb, answer, reason, kind] of [
  ['RCPT', '550 jane.doe@example.com is unknown', /^smtp 550$/, Refused],
  ['RCPT', '450 later', /^smtp 450$/, NotTaken],
  ['AUTH', '535 wrong password of gatehouse', /^smtp 535$/, NotTaken],
] as const)
  test(`a mail server that answers ${verb} with ${answer} is told as a code alone`, async () => {
    await using server = await startMailServer({
      certificate: authority,
      answer: (command) => (command === verb ? answer : undefined),
    });
    await assert.rejects(mailTo(server, { logOn }).send(anAlert(), soon()), (error: unknown) => {
      reasonOf(reason, kind)(error);
      assert.equal(error instanceof Refused, kind === Refused);
      return true;
    });
    assert.equal(server.mails.length, 0);
  });

test('a mail server that hangs is given up at the deadline', async () => {
  await using server = await startMailServer({ answer: () => '' });
  const sending = mailTo(server, { encryption: 'none' }).send(anAlert(), AbortSignal.timeout(300));
  await assert.rejects(sending, reasonOf(/^deadline$/));
});

test('what an alert tells makes no header field of a mail', async () => {
  await using server = await startMailServer();
  const summary = 'a\r\nBcc: somebody@example.com';
  await mailTo(server, { encryption: 'none' }).send(anAlert({ summary }), soon());
  await eventually(async () => server.mails.length === 1);
  const [{ content, to } = assert.fail('no mail came')] = server.mails;
  const [head = ''] = content.split('\n\n');
  assert.doesNotMatch(head, /^Bcc:/m);
  assert.deepEqual(to, ['duty@example.com', 'soc@example.com']);
});
