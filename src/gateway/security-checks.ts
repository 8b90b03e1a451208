/**
 * What makes this installation safer or less safe, each with its state and its remedy. It says what the configuration and
 * the process are; whether files and hosts keep what they promise, others find out.
 */
import type { SecurityCheck } from '../console/api/security.ts';
import { processFaults } from './config-dangers.ts';
import { isLoopback } from './config-values.ts';
import type { Config } from './config.ts';
import { describeWarning, warningsOf, type Expiring } from './expiry.ts';
import { listenersOf } from './listener.ts';

type Area = SecurityCheck['area'];
type State = SecurityCheck['state'];
/** Of what is not good, what to do about it. */
type Found = readonly [state: State, detail: string, remedy?: string];

export function checksOf(config: Config, ends: readonly Expiring[]): SecurityCheck[] {
  return [
    ...listenerChecks(config),
    ...consoleChecks(config),
    ...callerChecks(config),
    ...tenantChecks(config),
    ...auditChecks(config),
    ...cacheChecks(config),
    ...processChecks(),
    ...expiryChecks(ends),
  ];
}

function check(
  area: Area,
  id: string,
  title: string,
  setting: string | undefined,
  found: Found,
): SecurityCheck {
  const [state, detail, remedy] = found;
  const isGood = state === 'good';
  return {
    id,
    area,
    title,
    state,
    detail,
    ...(!isGood && remedy !== undefined && { remedy }),
    ...(setting !== undefined && { setting }),
  };
}

function listenerChecks(config: Config): SecurityCheck[] {
  const callers = listenersOf(config).flatMap(([place, { host, tls, tlsTerminatedElsewhere }]) => [
    check(
      'listeners',
      `${place}.tls`,
      `TLS at ${place}`,
      `${place}.tls`,
      transportOf(host, tls, tlsTerminatedElsewhere),
    ),
    check(
      'listeners',
      `${place}.clients`,
      `Client certificates at ${place}`,
      `${place}.tls.clients`,
      tls?.clients
        ? ['good', 'Callers can show a certificate.']
        : [
            'advice',
            'Callers log on with secrets or tokens alone.',
            'Give callers certificates and name their authority.',
          ],
    ),
  ]);
  const { host, tls } = config.admin;
  return [
    ...callers,
    check(
      'listeners',
      'admin.tls',
      'TLS at the administrative listener',
      'admin.tls',
      isLoopback(host)
        ? ['good', 'It is reached from this machine only.']
        : tls
          ? [
              'advice',
              'Health and figures are told to whoever reaches it.',
              'Let only monitoring and administrators reach it; see docs/dmz.md.',
            ]
          : ['danger', 'It speaks plain HTTP to others.', 'Give a certificate, or listen on 127.0.0.1.'],
    ),
  ];
}

function transportOf(host: string, tls: object | undefined, isElsewhere: boolean): Found {
  if (tls) return ['good', 'Connections are encrypted.'];
  if (isLoopback(host)) return ['good', 'It is reached from this machine only.'];
  return isElsewhere
    ? [
        'advice',
        'TLS ends at a load balancer; from there on traffic is plain.',
        'Let TLS pass through to the gateway.',
      ]
    : ['danger', 'Secrets travel in plain HTTP.', 'Give a certificate.'];
}

function consoleChecks({ admin }: Config): SecurityCheck[] {
  const { console: settings } = admin;
  if (!settings) return [];
  const accounts = Object.keys(settings.accounts).length;
  return [
    check(
      'console',
      'console.oidc',
      'Log-on to the console',
      'admin.console.oidc',
      settings.oidc
        ? [
            'good',
            'People log on with the identity provider, and its rules for passwords and second factors hold.',
          ]
        : ['advice', 'There are local accounts only, without a second factor.', 'Give an identity provider.'],
    ),
    check(
      'console',
      'console.accounts',
      'Local accounts of the console',
      'admin.console.accounts',
      accounts <= 2
        ? ['good', `There are ${accounts}, for when the identity provider is away.`]
        : ['advice', `There are ${accounts}.`, 'Keep one or two for emergencies, with secrets in a safe.'],
    ),
    check(
      'console',
      'console.idle',
      'Idle sessions of the console',
      'admin.console.idle',
      settings.idle <= 30 * 60_000
        ? ['good', `They end after ${Math.round(settings.idle / 60_000)} minutes.`]
        : [
            'advice',
            `They end after ${Math.round(settings.idle / 60_000)} minutes.`,
            'Half an hour at most is usual.',
          ],
    ),
  ];
}

function callerChecks({ callers, firstStart, listen }: Config): SecurityCheck[] {
  const each = Object.values(callers).flatMap(({ name, sourceNetworks, permissions }) => {
    const writesAll = permissions.some(
      (permission) =>
        'systems' in permission && permission.systems === 'all' && permission.access.includes('write'),
    );
    return [
      check(
        'callers',
        `caller.networks.${name}`,
        `Where ${name} calls from`,
        `callers.${name}.sourceNetworks`,
        sourceNetworks
          ? ['good', `Only from ${sourceNetworks.join(', ')}.`]
          : ['advice', 'From anywhere that reaches the gateway.', 'Name its networks.'],
      ),
      check(
        'callers',
        `caller.scope.${name}`,
        `What ${name} may write`,
        `callers.${name}.permissions`,
        writesAll
          ? ['advice', 'It may write to all systems, also to those that come later.', 'Name the systems.']
          : ['good', 'Only what is named.'],
      ),
    ];
  });
  const generates = firstStart.generateSecrets && !isLoopback(listen.host);
  return [
    ...each,
    check(
      'callers',
      'firstStart.generateSecrets',
      'Secrets at the first start',
      'firstStart.generateSecrets',
      generates
        ? [
            'advice',
            'Secrets of new callers are generated and shown on standard output.',
            'Make them by gatehouse secret new.',
          ]
        : ['good', 'Secrets are not shown where a log keeps them.'],
    ),
  ];
}

function tenantChecks({ tenants }: Config): SecurityCheck[] {
  return Object.values(tenants).flatMap((tenant) => {
    const at = `tenants.${tenant.id}`;
    if (tenant.embedded)
      return [
        check('tenants', `tenant.embedded.${tenant.id}`, `Tenant ${tenant.id}`, `${at}.embedded`, [
          'advice',
          'It is a stand-in within this process, for trying out.',
          'Give the address of a real tenant before real users come.',
        ]),
      ];
    const { type } = tenant.credential;
    return [
      check(
        'tenants',
        `tenant.pins.${tenant.id}`,
        `Keys of ${tenant.id}`,
        `${at}.pins`,
        tenant.pins
          ? ['good', 'Its authorities are pinned.']
          : [
              'advice',
              'Any authority that Node or the configuration trusts can vouch for it.',
              'Pin the keys of its authorities.',
            ],
      ),
      check(
        'tenants',
        `tenant.credential.${tenant.id}`,
        `Credential at ${tenant.id}`,
        `${at}.credential`,
        type === 'certificate'
          ? ['good', 'The gateway shows a certificate.']
          : type === 'none'
            ? ['danger', 'The gateway shows none.', 'Give the technical user of the gateway.']
            : ['advice', 'The gateway sends a secret.', 'Let it show a certificate instead.'],
      ),
    ];
  });
}

function auditChecks({ audit }: Config): SecurityCheck[] {
  const { mode, witness, destinations, revealKeys } = audit;
  return [
    check(
      'audit',
      'audit.mode',
      'When the trail cannot be written',
      'audit.mode',
      mode === 'fail-closed'
        ? ['good', 'No call is answered without a record.']
        : [
            'advice',
            'Reads are answered, and their records are made up later as far as there is room.',
            'Write fail-closed where reads matter, too.',
          ],
    ),
    check(
      'audit',
      'audit.witness',
      'Witness of the trail',
      'audit.witness',
      witness
        ? [
            'good',
            'Another host cosigns checkpoints, so that a trail that was cut off or written anew is noticed.',
          ]
        : ['advice', 'Nobody else knows how long the trail was.', 'Run gatehouse witness on another host.'],
    ),
    check(
      'audit',
      'audit.destinations',
      'Copies of the trail',
      'audit.destinations',
      Object.keys(destinations).length > 0
        ? ['good', 'Records go to another place as they come.']
        : ['advice', 'The trail is on this disk alone.', 'Give a destination.'],
    ),
    check(
      'audit',
      'audit.revealKeys',
      'Who can reveal identifiers',
      'audit.revealKeys',
      revealKeys?.length === 1
        ? ['advice', 'One person can alone.', 'Name two keys, so that two are needed.']
        : revealKeys
          ? ['good', 'Two persons are needed.']
          : ['good', 'Nobody: there are pseudonyms alone.'],
    ),
  ];
}

function cacheChecks({ cache }: Config): SecurityCheck[] {
  if (cache.store === 'memory')
    return [
      check('cache', 'cache.store', 'Where replies are remembered', 'cache.store', [
        'good',
        'In this process alone.',
      ]),
    ];
  return [
    check(
      'cache',
      'cache.keys',
      'Encryption of what is remembered',
      'cache.keys',
      cache.keys
        ? ['good', 'It has keys of its own, which can be changed.']
        : [
            'advice',
            'It is encrypted under a key made of audit.keyFile.',
            'Give cache.keys, so that they can be changed.',
          ],
    ),
    check(
      'cache',
      'cache.redis.tls',
      'The way to Redis',
      'cache.redis',
      cache.redis?.tls
        ? ['good', 'It is encrypted.']
        : [
            'advice',
            'Entries are encrypted, their names and the password on the way are not.',
            'Use rediss:// with cache.redis.tls.',
          ],
    ),
  ];
}

function processChecks(): SecurityCheck[] {
  const faults = processFaults(process.env, process.execArgv);
  const isRoot = process.getuid?.() === 0;
  return [
    ...faults.map(({ path, problem, remedy }) =>
      check('process', `process.${path}`, path, undefined, ['danger', `${path} ${problem}.`, remedy]),
    ),
    ...(faults.length === 0
      ? [
          check('process', 'process.options', 'Options of the process', undefined, [
            'good',
            'None lets memory or traffic out.',
          ]),
        ]
      : []),
    check(
      'process',
      'process.user',
      'User of the process',
      undefined,
      isRoot
        ? ['danger', 'It runs as root.', 'Run it as a user of its own.']
        : ['good', 'It does not run as root.'],
    ),
  ];
}

function expiryChecks(ends: readonly Expiring[]): SecurityCheck[] {
  const warnings = warningsOf(ends, Date.now());
  if (warnings.length === 0)
    return [
      check('expiry', 'expiry', 'Certificates and secrets', undefined, [
        'good',
        'None ends within its time of warning.',
      ]),
    ];
  return warnings.map((warning) =>
    check('expiry', `expiry.${warning.what}`, warning.what, undefined, [
      warning.daysLeft < 7 ? 'danger' : 'advice',
      `${describeWarning(warning)}.`,
      warning.kind === 'cert'
        ? 'Replace the file; the gateway reads it by itself.'
        : 'Make a second secret, change the caller, remove the first.',
    ]),
  );
}
