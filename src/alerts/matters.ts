/**
 * What somebody may be told of, in our own words: what it is, what to do, and where that is explained. An alert that is not
 * here does not exist.
 */
interface Matter {
  /** It goes on until something says that it is over. */
  readonly lasts: boolean;
  /** So often within one spell before it is told; 1 unless said otherwise. */
  readonly after?: number;
  /** So long it must go on before it is told; at once unless said otherwise. */
  readonly forMs?: number;
  readonly says: string;
  readonly remedy: string;
  readonly see: string;
}

const operations = 'docs/operations.md';

export const matters = {
  'guard-held': {
    lasts: true,
    says: 'The guard holds back what would take away too much',
    remedy:
      "Look whether it is meant. 'gatehouse guard list' shows it, 'gatehouse guard release' lets it pass once.",
    see: `${operations}#guards`,
  },
  'guard-exceeded': {
    lasts: false,
    says: 'More is taken away than usual, and nothing holds it back',
    remedy: "Look whether it is meant; 'gatehouse tenant pause' stops it.",
    see: `${operations}#guards`,
  },
  'load-smaller': {
    lasts: true,
    says: 'A load is much smaller than the last whole one',
    remedy: 'Keep the caller from deleting accounts by it until it is known why.',
    see: `${operations}#reports-of-loads`,
  },
  'password-spraying': {
    lasts: false,
    says: 'Somebody guesses secrets',
    remedy:
      "Block the source at the firewall; 'gatehouse audit search' with the event authn.spray_suspected has it.",
    see: `${operations}#log-ons-that-fail`,
  },
  'audit-disk': {
    lasts: false,
    says: 'The disk of the audit trail fills up',
    remedy: 'Make room, or let audit.keepDays remove what is old enough.',
    see: `${operations}#the-audit-trail`,
  },
  'audit-failing': {
    lasts: true,
    says: 'The audit trail cannot be written, so calls are refused',
    remedy: 'Make room on the disk or mend it; calls are taken again by themselves.',
    see: `${operations}#the-audit-trail`,
  },
  'audit-slow': {
    lasts: false,
    says: 'The disk of the audit trail took so long that calls were refused',
    remedy: 'Look what else writes to that disk; give the trail one of its own.',
    see: `${operations}#the-audit-trail`,
  },
  'witness-lost': {
    lasts: true,
    says: 'The witness does not cosign, so nobody else knows how far the audit trail has come',
    remedy: 'Look at the witness and the way to it; calls go on, and what it missed it cosigns later.',
    see: `${operations}#the-audit-trail`,
  },
  'witness-refuses': {
    lasts: true,
    says: 'The audit trail contradicts what the witness has cosigned: it was put back, or written anew',
    remedy:
      "Keep the directory as it is, and run 'gatehouse audit verify' on it with the witness's last checkpoint.",
    see: `${operations}#the-audit-trail`,
  },
  ending: {
    lasts: false,
    says: 'A certificate, revocation list or secret ends',
    remedy:
      "Renew it; 'gatehouse check' and 'gatehouse doctor' list what ends. Files are read again by themselves.",
    see: `${operations}#what-ends`,
  },
  'delivery-failing': {
    lasts: true,
    says: 'A destination does not take the audit trail',
    remedy: 'Look at its own log. Nothing is lost as long as the trail is kept.',
    see: `${operations}#delivery-to-the-siem`,
  },
  'delivery-lag': {
    lasts: true,
    says: 'A destination is far behind the audit trail',
    remedy: 'Give the destination more room, or a second one.',
    see: `${operations}#delivery-to-the-siem`,
  },
  'delivery-lost': {
    lasts: false,
    says: 'A destination will never get some records',
    remedy: "Copy the segments from the gateway's disk or its backup.",
    see: `${operations}#delivery-to-the-siem`,
  },
  'tenant-refuses': {
    lasts: true,
    // A token that has run out is renewed once, and that is no fault.
    after: 2,
    says: 'A tenant refuses the gateway',
    remedy:
      "SAP locks a client after five failures. 'gatehouse doctor --read' says whether secret or role is wrong.",
    see: `${operations}#alarms-and-what-to-do`,
  },
  'tenant-untrusted': {
    lasts: true,
    says: 'A tenant shows a certificate that is not believed, and nothing is sent',
    remedy:
      'Compare it with what its operator publishes before trusting it: somebody else may be in its place.',
    see: `${operations}#alarms-and-what-to-do`,
  },
  'lost-update': {
    lasts: false,
    says: 'Writes from an old copy of a group would undo what others added',
    remedy: 'Let one of the callers write this group alone, or with PATCH.',
    see: `${operations}#groups-that-several-write`,
  },
  'snapshot-refused': {
    lasts: true,
    says: 'A snapshot would be much smaller, so the one before stays',
    remedy: 'Look at the target; once it is right, release the snapshot.',
    see: `${operations}#snapshot-mode`,
  },
  'snapshot-failing': {
    lasts: true,
    says: 'No snapshot of a collection can be made, so the one before grows old',
    remedy:
      "'gatehouse doctor --read' says what is wrong with the system; the record snapshot.failed has the fault.",
    see: `${operations}#snapshot-mode`,
  },
  'redis-away': {
    lasts: true,
    // A restart or a fail-over is over by then.
    forMs: 5 * 60_000,
    says: 'The gateway does without Redis for more than five minutes',
    remedy: "'gatehouse doctor' says what is wrong with it. Calls go on, slower and with more of the quota.",
    see: `${operations}#redis`,
  },
  'replicas-apart': {
    lasts: true,
    says: 'Replicas with another key use the same Redis, so nothing but the quota is shared',
    remedy: 'Give all replicas the same audit.keyFile, or each installation a Redis of its own.',
    see: `${operations}#redis`,
  },
  'cache-tampered': {
    lasts: false,
    says: 'Redis holds what no gateway wrote; it was not served',
    remedy: 'Change the password in Redis and look who writes there; compare the keys of the replicas.',
    see: `${operations}#what-is-remembered`,
  },
  'cache-differs': {
    lasts: false,
    says: 'A system says something else one by one than in its lists',
    remedy: 'Look at the transformation; until a restart this is not remembered any more.',
    see: `${operations}#what-is-remembered`,
  },
  'process-fault': {
    lasts: false,
    says: 'The gateway ends after a fault of its own',
    remedy: 'Report it with the record process.fault and the log around it.',
    see: `${operations}#alarms-and-what-to-do`,
  },
} as const satisfies Readonly<Record<string, Matter>>;

export type AlertName = keyof typeof matters;
export const alertNames = Object.keys(matters) as AlertName[];
export const matterOf = (name: AlertName): Matter => matters[name];
