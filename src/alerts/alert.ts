/**
 * What somebody is told at once, and where it may go. An alert holds names of the configuration, numbers and words of ours:
 * no person, no address, no secret, so it may be sent to a mailbox.
 */
export const severities = ['warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

export type Facts = Readonly<Record<string, string | number | boolean>>;

export interface Alert {
  /** The same on all channels and in all tries. */
  readonly id: string;
  /** One of the table, or `test`. */
  readonly name: string;
  /** raised: it has happened · again: it goes on, or has happened again · resolved: it is over · test: somebody tries a channel. */
  readonly state: 'raised' | 'again' | 'resolved' | 'test';
  readonly severity: Severity;
  /** What it is about, such as a system or a destination. */
  readonly subject: string;
  readonly summary: string;
  readonly facts: Facts;
  /** ISO 8601: when this is told, and when it began. */
  readonly at: string;
  readonly since: string;
  /** How often it has happened since it was told last. */
  readonly times: number;
  readonly instance: string;
  readonly remedy: string;
  /** The section of the documents that says more. */
  readonly see: string;
}

/** Where alerts go. What it throws says why not: `NotTaken`, or `Refused` where another try is of no use. */
export interface Channel {
  send(alert: Alert, signal: AbortSignal): Promise<void>;
  close(): void;
}
