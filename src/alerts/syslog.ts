/**
 * An alert as a message of syslog over TLS. Each has a connection of its own, because only the end of one shows that the other
 * side has read it (RFC 5425 §4.4).
 */
import { SyslogConnection } from '../delivery/syslog-connection.ts';
import { framed } from '../delivery/syslog-frame.ts';
import type { SyslogOptions } from '../delivery/syslog.ts';
import type { Alert, Channel } from './alert.ts';

/** RFC 5424 §6.2.1. */
const [critical, warning, notice, informational] = [2, 4, 5, 6];

export class SyslogChannel implements Channel {
  readonly #options: SyslogOptions;

  constructor(options: SyslogOptions) {
    this.#options = options;
  }

  async send(alert: Alert, signal: AbortSignal): Promise<void> {
    const { name, state, severity, subject, instance, at } = alert;
    const parameters = Object.entries({ alert: name, state, severity, subject, instance });
    const bodies = [JSON.stringify(alert)];
    const frames = framed(
      { severity: numberOf(alert), at, messageId: `alert.${name}`, parameters, bodies },
      this.#options,
    );
    const connection = new SyslogConnection(this.#options);
    try {
      await connection.write(Buffer.concat(frames), signal);
      await connection.end(signal);
    } finally {
      connection.destroy();
    }
  }

  close(): void {
    // Nothing is kept open.
  }
}

function numberOf({ state, severity }: Alert): number {
  if (state === 'test') return informational;
  if (state === 'resolved') return notice;
  return severity === 'critical' ? critical : warning;
}
