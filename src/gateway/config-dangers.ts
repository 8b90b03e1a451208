/**
 * Settings of the process that would undo what the configuration promises: secrets in files of their own making, TLS
 * that verifies nothing, HTTP that is read loosely. With one of them the gateway does not start.
 */
import { constants } from 'node:crypto';

import type { Fault } from './config-faults.ts';

/** What a setting does, for whoever tells it in words of another language. */
export type Danger =
  | 'debugger'
  | 'memory'
  | 'core'
  | 'traffic'
  | 'http'
  | 'tls'
  | 'file'
  | 'keys'
  | 'unverified';

export interface ProcessFault extends Fault {
  readonly danger: Danger;
  /** Absent where it is a variable. */
  readonly option?: string;
}

/** Options of Node by what they do. Those that only say where or when, do nothing without one of these. */
const dangerousOptions: readonly (readonly [option: RegExp, danger: Danger, does: string])[] = [
  [/^inspect(?:-brk|-wait)?$/, 'debugger', 'opens a debugger'],
  [
    /^(?:report-(?:on-.*|uncaught-exception)|heapsnapshot-(?:signal|near-heap-limit)|(?:heap|cpu)-prof|diagnostic-dir)$/,
    'memory',
    'lets memory, and with it secrets, into files',
  ],
  [/^abort-on-uncaught-exception$/, 'core', 'lets memory, and with it secrets, into a core file'],
  [
    /^(?:prof|trace-event-categories|trace-events-enabled|trace-tls|tls-keylog)$/,
    'traffic',
    'writes down what passes',
  ],
  [/^(?:insecure-http-parser|max-http-header-size)$/, 'http', 'changes how HTTP is read'],
  [
    /^(?:tls-(?:min-v1\.[01]|cipher-list)|openssl-(?:legacy-provider|config|shared-config))$/,
    'tls',
    'weakens TLS',
  ],
  [/^experimental-(?:default-)?config-file$/, 'file', 'takes further options from a file'],
];

/** What is in force anyway; Node says it to processes that it starts itself. */
const defaults: ReadonlySet<string> = new Set([
  '--max-http-header-size=16384',
  `--tls-cipher-list=${constants.defaultCoreCipherList}`,
  '--heapsnapshot-near-heap-limit=0',
]);

/** Variables by what they do, where their value is one of those. */
const dangerousVariables: readonly (readonly [name: string, value: RegExp, danger: Danger, does: string])[] =
  [
    ['SSLKEYLOGFILE', /./, 'keys', 'asks for the keys of TLS in a file'],
    [
      'NODE_DEBUG',
      /http|tls|net|undici|stream|\*/i,
      'traffic',
      'writes what passes into the log, credentials included',
    ],
    ['DEBUG', /ioredis|http-proxy|express|\*/i, 'traffic', 'writes what passes into the log'],
  ];

/** @param options those that Node itself was started with (`process.execArgv`) */
export function processFaults(env: NodeJS.ProcessEnv, options: readonly string[]): ProcessFault[] {
  return [
    ...variableFaults(env),
    ...(env['NODE_OPTIONS'] ?? '').split(/[\s"']+/).flatMap((option) => optionFaults('NODE_OPTIONS', option)),
    ...options.flatMap((option) => optionFaults('the command line of node', option)),
  ];
}

function variableFaults(env: NodeJS.ProcessEnv): ProcessFault[] {
  const faults = dangerousVariables
    .filter(([name, value]) => value.test(env[name] ?? ''))
    .map(([path, , danger, does]) => ({ path, problem: does, remedy: 'unset it', danger }));
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return faults;
  const unverified = {
    path: 'NODE_TLS_REJECT_UNAUTHORIZED',
    problem: 'is 0, so that any certificate would be accepted',
    remedy: 'unset it, and name the certificate authority in tenants.<name>.ca',
    danger: 'unverified' as const,
  };
  return [unverified, ...faults];
}

function optionFaults(path: string, option: string): ProcessFault[] {
  // Node takes `_` for `-`.
  const name = /^--([^=]+)/.exec(option)?.[1]?.replaceAll('_', '-') ?? '';
  const [, danger, does] = dangerousOptions.find(([pattern]) => pattern.test(name)) ?? [];
  if (danger === undefined || defaults.has(option)) return [];
  return [
    {
      path,
      problem: `contains --${name}, which ${does}`,
      remedy: 'remove that option',
      danger,
      option: `--${name}`,
    },
  ];
}
