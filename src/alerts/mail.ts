/**
 * An alert as a mail of plain text. Nothing is sent unless the connection is encrypted and the server's certificate believed;
 * only to this machine it may be plain.
 */
import { createTransport } from 'nodemailer';

import { codeOf } from '../audit/report.ts';
import { NotTaken, Refused } from '../delivery/destination.ts';
import type { TlsOptions } from '../delivery/syslog-connection.ts';
import type { Alert, Channel } from './alert.ts';

export interface MailOptions {
  readonly host: string;
  readonly port: number;
  /** starttls: after the greeting, or nothing is sent · tls: from the beginning · none: to this machine only. */
  readonly encryption: 'starttls' | 'tls' | 'none';
  readonly tls: TlsOptions;
  /** Reveals the password; asked for with each mail. */
  readonly logOn?: { readonly user: string; readonly password: () => string } | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

export class MailChannel implements Channel {
  readonly #options: MailOptions;

  constructor(options: MailOptions) {
    this.#options = options;
  }

  async send(alert: Alert, signal: AbortSignal): Promise<void> {
    const { from, to } = this.#options;
    const transport = this.#transport();
    try {
      await transport.sendMail({
        from,
        to: [...to],
        subject: subjectOf(alert),
        text: textOf(alert),
        date: new Date(alert.at),
        // The same in each try, so that a mailbox tells what came twice.
        messageId: `<${alert.id}@gatehouse.invalid>`,
        // RFC 3834: nobody's absence note answers it.
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal,
      });
    } catch (cause) {
      throw signal.aborted ? new NotTaken('deadline', { cause }) : faultOf(cause);
    } finally {
      transport.close();
    }
  }

  close(): void {
    // Nothing is kept open.
  }

  #transport() {
    const { host, port, encryption, tls, logOn } = this.#options;
    const { ca, certificate: cert, key } = tls;
    return createTransport({
      host,
      port,
      secure: encryption === 'tls',
      requireTLS: encryption === 'starttls',
      ignoreTLS: encryption === 'none',
      tls: { minVersion: 'TLSv1.2', ...(ca && { ca }), ...(cert && key && { cert, key }) },
      ...(logOn && { auth: { user: logOn.user, pass: logOn.password() } }),
    });
  }
}

/** What the server wrote stays out of the reason: it may quote anything. */
function faultOf(cause: unknown): NotTaken {
  const { responseCode: status } = cause as { readonly responseCode?: unknown };
  if (typeof status !== 'number') return new NotTaken(codeOf(cause), { cause });
  const reason = `smtp ${status}`;
  // RFC 5321 §4.2.1: 5yz will not become better; but a refused log-on may be mended.
  return status >= 500 && codeOf(cause) !== 'EAUTH'
    ? new Refused(reason, { cause })
    : new NotTaken(reason, { cause });
}

const states = { raised: '', again: 'again: ', resolved: 'resolved: ', test: 'test: ' } as const;

function subjectOf({ instance, severity, state, summary }: Alert): string {
  const words = state === 'raised' || state === 'again' ? severity.toUpperCase() : '';
  return [`[Gatehouse ${instance}]`, words, `${states[state]}${summary}`].filter(Boolean).join(' ');
}

function textOf(alert: Alert): string {
  const { summary, state, severity, name, facts, at, since, times, instance, remedy, see, id } = alert;
  const rows = Object.entries({
    gateway: instance,
    alert: name,
    state,
    severity,
    at,
    since,
    times,
    ...facts,
  });
  const width = Math.max(...rows.map(([key]) => key.length));
  return [
    `${summary}.`,
    '',
    ...rows.map(([key, value]) => `${`${key}:`.padEnd(width + 1)} ${value}`),
    '',
    ...(state === 'resolved' ? [] : [`What to do: ${remedy}`]),
    `See ${see}.`,
    '',
    `Alert ${id}. It names nobody; the audit trail has the rest.`,
    '',
  ].join('\n');
}
