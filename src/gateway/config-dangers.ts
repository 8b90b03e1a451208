/**
 * Settings of the process that would undo what the configuration promises: secrets in files of their own making, TLS
 * that verifies nothing, HTTP that is read loosely. With one of them the gateway does not start.
 */
import { constants } from 'node:crypto';

import type { Fault } from './config-faults.ts';

/** Options of Node by what they do. Those that only say where or when, do nothing without one of these. */
const dangerousOptions: readonly (readonly [option: RegExp, does: string])[] = [
  [/^inspect(?:-brk|-wait)?$/, 'opens a debugger'],
  [
    /^(?:report-(?:on-.*|uncaught-exception)|heapsnapshot-(?:signal|near-heap-limit)|(?:heap|cpu)-prof|diagnostic-dir)$/,
    'lets memory, and with it secrets, into files',
  ],
  [/^abort-on-uncaught-exception$/, 'lets memory, and with it secrets, into a core file'],
  [/^(?:prof|trace-event-categories|trace-events-enabled|trace-tls|tls-keylog)$/, 'writes down what passes'],
  [/^(?:insecure-http-parser|max-http-header-size)$/, 'changes how HTTP is read'],
  [/^(?:tls-(?:min-v1\.[01]|cipher-list)|openssl-(?:legacy-provider|config|shared-config))$/, 'weakens TLS'],
  [/^experimental-(?:default-)?config-file$/, 'takes further options from a file'],
];

/** What is in force anyway; Node says it to processes that it starts itself. */
const defaults: ReadonlySet<string> = new Set([
  '--max-http-header-size=16384',
  `--tls-cipher-list=${constants.defaultCoreCipherList}`,
  '--heapsnapshot-near-heap-limit=0',
]);

/** Variables by what they do, where their value is one of those. */
const dangerousVariables: readonly (readonly [name: string, value: RegExp, does: string])[] = [
  ['SSLKEYLOGFILE', /./, 'asks for the keys of TLS in a file'],
  ['NODE_DEBUG', /http|tls|net|undici|stream|\*/i, 'writes what passes into the log, credentials included'],
  ['DEBUG', /ioredis|http-proxy|express|\*/i, 'writes what passes into the log'],
];

/** @param options those that Node itself was started with (`process.execArgv`) */
export function processFaults(env: NodeJS.ProcessEnv, options: readonly string[]): Fault[] {
  return [
    ...variableFaults(env),
    ...(env['NODE_OPTIONS'] ?? '').split(/[\s"']+/).flatMap((option) => optionFaults('NODE_OPTIONS', option)),
    ...options.flatMap((option) => optionFaults('the command line of node', option)),
  ];
}

function variableFaults(env: NodeJS.ProcessEnv): Fault[] {
  const faults = dangerousVariables
    .filter(([name, value]) => value.test(env[name] ?? ''))
    .map(([path, , does]) => ({ path, problem: does, remedy: 'unset it' }));
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return faults;
  const unverified = {
    path: 'NODE_TLS_REJECT_UNAUTHORIZED',
    problem: 'is 0, so that any certificate would be accepted',
    remedy: 'unset it, and name the certificate authority in tenants.<name>.ca',
  };
  return [unverified, ...faults];
}

function optionFaults(path: string, option: string): Fault[] {
  // Node takes `_` for `-`.
  const name = /^--([^=]+)/.exec(option)?.[1]?.replaceAll('_', '-') ?? '';
  const [, does] = dangerousOptions.find(([pattern]) => pattern.test(name)) ?? [];
  if (does === undefined || defaults.has(option)) return [];
  return [{ path, problem: `contains --${name}, which ${does}`, remedy: 'remove that option' }];
}
