/** What the codes of sockets, names and TLS mean to whoever has to mend it. */
import { PinMismatch } from '../gateway/pins.ts';
import { Broken } from './finding.ts';

/** What is asked, in the words of the configuration. */
export interface Place {
  readonly host: string;
  /** The key that leads to it, such as `tenants.main.url`. */
  readonly key: string;
  /** The key of what is trusted there. */
  readonly trust?: string;
  /** The key of a proxy that may ask and go in this host's stead; a proxy and a store have none. */
  readonly proxy?: string;
}

type Explain = (place: Place) => readonly [found: string, remedy: string];

const unknownName: Explain = ({ host, key, proxy }) => [
  `The name ${host} is not known here.`,
  `Correct ${key}, or let this host's resolver know the name.${proxy === undefined ? '' : ` Behind an outbound proxy, set ${proxy}: then the proxy asks for it.`}`,
];
const noWay: Explain = ({ host, proxy }) => [
  `There is no way to ${host}: nobody answered.`,
  `Open the firewall for this host towards it${proxy === undefined ? '' : `, or set ${proxy} where only the proxy may go out`}.`,
];
const unknownIssuer: Explain = ({ host, trust }) => [
  `The certificate of ${host} comes from an authority that is not trusted here.`,
  `If a firewall of yours opens TLS, or the authority is your own, name its certificate in ${trust ?? 'ca'}; otherwise somebody stands between.`,
];

const explanations: Readonly<Record<string, Explain>> = {
  ENOTFOUND: unknownName,
  EAI_NONAME: unknownName,
  EAI_AGAIN: ({ host }) => [
    `The resolver did not answer for ${host}.`,
    'Look at the name servers of this host (/etc/resolv.conf) and the way to them.',
  ],
  ECONNREFUSED: ({ host, key }) => [
    `${host} refuses connections on that port.`,
    `Correct host and port in ${key}, or start what should listen there.`,
  ],
  ETIMEDOUT: noWay,
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
  ECONNRESET: ({ host }) => [
    `${host} broke the connection off.`,
    'A firewall or a load balancer on the way ends it: ask its log for this host and time.',
  ],
  CERT_HAS_EXPIRED: ({ host }) => [
    `The certificate of ${host}, or one above it, has expired.`,
    'Whoever runs it must renew it; if others reach it without complaint, look at the clock of this host.',
  ],
  CERT_NOT_YET_VALID: ({ host }) => [
    `The certificate of ${host} is not valid yet.`,
    'Look at the clock of this host first, then at the certificate.',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: ({ host, key }) => [
    `The certificate is for other names than ${host}.`,
    `Use in ${key} the name that the certificate has, or look where the name leads from here.`,
  ],
  SELF_SIGNED_CERT_IN_CHAIN: unknownIssuer,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
  PIN_MISMATCH: ({ host }) => [
    `No pinned key vouches for the certificate of ${host}.`,
    'Compare the key with what its operator publishes; if it was renewed, add its pin.',
  ],
  EPROTO: ({ host }) => [
    `What answers at ${host} does not speak TLS as it should.`,
    'Look whether the port is one for TLS, and whether TLS 1.2 with ECDHE is offered there.',
  ],
};

/** Who took the connection and then says nothing is there, so its way is not the fault. */
const silences = {
  tls: ({ host }: Place) => [
    `${host} took the connection and does not answer TLS.`,
    'Look whether the port is one for TLS, and whether a firewall in between opens TLS and holds it back.',
  ],
  answer: ({ host }: Place) => [
    `${host} took the connection and the call, and then said nothing.`,
    'It hangs, or what stands in front of it does: look at its status page, and at the time-outs of a proxy or firewall in between.',
  ],
} as const satisfies Readonly<Record<string, Explain>>;

/** @param leg where nothing came within the time, although a connection stood */
export function brokenAfterConnect(error: unknown, leg: keyof typeof silences, place: Place): Broken {
  if (codeOf(error) !== 'ETIMEDOUT') return brokenBy(error, place);
  const [found, remedy] = silences[leg](place);
  return new Broken(found, remedy, { cause: error });
}

/** In the words of the trade, or as the code that it has. */
export function brokenBy(error: unknown, place: Place): Broken {
  const code = codeOf(error);
  const [found, remedy] = explanations[code]?.(place) ?? [
    `${place.host} could not be reached (${code}).`,
    `Look at ${place.key} and at what stands between this host and it.`,
  ];
  return new Broken(found, remedy, { cause: error });
}

export function codeOf(error: unknown): string {
  if (error instanceof PinMismatch) return error.code;
  if (!(error instanceof Error)) return 'UNKNOWN';
  if (error.name === 'TimeoutError') return 'ETIMEDOUT';
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if ('code' in error && typeof error.code === 'string')
    // What OpenSSL says of a protocol has a code of its own for each of its reasons.
    return error.code.startsWith('ERR_SSL_') ? 'EPROTO' : error.code;
  return error.cause === undefined ? error.name : codeOf(error.cause);
}
