/** The keys of a tenant's description. Strict: a misspelt key is a fault, not a default. */
import { z } from 'zod';

import { documentedDefaults } from './assumptions.ts';
import { faultOrderShape } from './faults.ts';
import { directoryLimits, proxyLimits, tokenLimits } from './limiter.ts';
import { permissions } from './technical-users.ts';

const expiry = { expiresAt: z.iso.datetime({ offset: true }).exactOptional() };
const secret = z.union([
  z.literal('generate'),
  z.strictObject({ generate: z.literal(true), ...expiry }),
  z.strictObject({ env: z.string().min(1), ...expiry }),
  z.strictObject({ file: z.string().min(1), ...expiry }),
]);
const reference = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);

const technicalUser = z.strictObject({
  clientId: z.union([z.literal('generate'), z.uuid()]),
  secrets: z.array(secret).max(2).default([]),
  /** SHA-256 fingerprints, as `openssl x509 -fingerprint -sha256` prints them. */
  certificates: z.array(z.string().regex(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)).exactOptional(),
  permissions: z.array(z.enum(permissions)).exactOptional(),
});

const traits = {
  givesTotal: z.boolean().exactOptional(),
  filters: z.boolean().exactOptional(),
  url: z.url().exactOptional(),
};
const population = {
  users: z.number().int().min(0).max(100_000).default(1000),
  groups: z.number().int().min(0).max(10_000).default(50),
  seed: z.number().int().default(1),
};
const documents = z.array(z.record(z.string(), z.unknown()));
const nativeShape = z.strictObject({
  key: z.string(),
  generates: z.boolean().exactOptional(),
  link: z.strictObject({ list: z.string(), value: z.string() }).exactOptional(),
  shows: documents.exactOptional(),
});

const tokenPages = z.strictObject({
  kind: z.literal('token-pages'),
  timeoutMs: z.number().int().min(1).exactOptional(),
  paths: z.strictObject({ Users: z.string().startsWith('/'), Groups: z.string().startsWith('/') }),
  key: z.string().default('id'),
  items: z.string().default('items'),
  next: z.string().default('nextPageToken'),
  tokenParameter: z.string().default('pageToken'),
  sizeParameter: z.string().default('pageSize'),
});

const backend = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('directory'),
    assigns: z.array(z.string()).exactOptional(),
    keeps: z.array(z.string()).exactOptional(),
    file: z.string().exactOptional(),
    ...population,
    ...traits,
  }),
  z.strictObject({ kind: z.literal('abap'), ...population, ...traits }),
  z.strictObject({
    kind: z.literal('native'),
    shapes: z.strictObject({ Users: nativeShape, Groups: nativeShape }),
    documents: z
      .strictObject({ Users: documents.exactOptional(), Groups: documents.exactOptional() })
      .exactOptional(),
    update: z.enum(['merge', 'replace']).default('replace'),
    ...traits,
  }),
  z.strictObject({
    kind: z.literal('scim'),
    givesTotal: z.boolean().exactOptional(),
    filters: z.boolean().exactOptional(),
    timeoutMs: z.number().int().min(1).exactOptional(),
  }),
  tokenPages,
]);

/** A file, or the transformation itself. */
const transformation = z.union([z.string(), z.record(z.string(), z.unknown())]).exactOptional();

const system = z.strictObject({
  /** A JSON file that SAP exported; other keys of the system win over it. */
  import: z.string().exactOptional(),
  name: z.string().max(100).exactOptional(),
  description: z.string().exactOptional(),
  connectorType: z.string().exactOptional(),
  role: z.enum(['proxy', 'source', 'target']).exactOptional(),
  enabled: z.boolean().exactOptional(),
  sources: z.array(z.string()).exactOptional(),
  properties: z.record(z.string(), z.string()).default({}),
  credentials: z.record(z.string(), reference).default({}),
  backend: backend.exactOptional(),
  readTransformation: transformation,
  writeTransformation: transformation,
});

const positive = z.number().int().min(1);
const limiter = z.strictObject({
  slowAt: positive.default(proxyLimits.slowAt),
  refuseAt: positive.default(proxyLimits.refuseAt),
  minuteMs: positive.default(proxyLimits.minuteMs),
  delayMs: z.number().int().min(0).default(proxyLimits.delayMs),
  retryAfter: z.union([z.boolean(), positive]).default(false),
});

const defaults = documentedDefaults;
const assumptions = z.strictObject({
  countAbove100: z.enum(['cap', 'refuse']).default(defaults.countAbove100),
  countZero: z.enum(['empty', 'refuse']).default(defaults.countZero),
  unsupportedFilter: z.enum(['refuse', 'ignore']).default(defaults.unsupportedFilter),
  tooMany: z.enum(['scimType', 'detail']).default(defaults.tooMany),
  unauthenticatedBody: z.enum(['scim', 'empty']).default(defaults.unauthenticatedBody),
  unknownSystem: z.union([z.literal(404), z.literal(400)]).default(defaults.unknownSystem),
  disabledSystem: z.union([z.literal(404), z.literal(400)]).default(defaults.disabledSystem),
  readConditionUnmet: z.enum(['not-found', 'empty']).default(defaults.readConditionUnmet),
  writeConditionUnmet: z.enum(['refuse', 'ignore']).default(defaults.writeConditionUnmet),
  mandatoryMissing: z.union([z.literal(400), z.literal(500)]).default(defaults.mandatoryMissing),
  brokenEntityInList: z.enum(['leave-out', 'fail']).default(defaults.brokenEntityInList),
  slowedBy: z.enum(['fixed', 'proportional']).default(defaults.slowedBy),
  discovery: z.enum(['absent', 'static']).default(defaults.discovery),
  bulk: z.union([z.literal(404), z.literal(501)]).default(defaults.bulk),
  etag: z.enum(['none', 'version']).default(defaults.etag),
  mediaTypes: z.enum(['both', 'scim-only']).default(defaults.mediaTypes),
  patchSpellings: z.enum(['many', 'rfc']).default(defaults.patchSpellings),
  startJob: z.enum(['job-id', 'accepted']).default(defaults.startJob),
  startJobWhileRunning: z.enum(['refuse', 'queue']).default(defaults.startJobWhileRunning),
  errorStatus: z.enum(['number', 'string']).default(defaults.errorStatus),
  totals: z.enum(['2024', '2025', '2026']).default(defaults.totals),
});

export const tenantFileShape = z.strictObject({
  listen: z.strictObject({
    host: z.string().default('127.0.0.1'),
    port: z.number().int().min(0).max(65_535),
  }),
  tls: z.strictObject({ keyFile: z.string(), certFile: z.string() }).exactOptional(),
  publicUrl: z.url().exactOptional(),
  technicalUsers: z.array(technicalUser).min(1),
  systems: z.record(z.uuid(), system),
  limiter: limiter.prefault({}),
  tokenLimiter: limiter.prefault({ slowAt: tokenLimits.slowAt, refuseAt: tokenLimits.refuseAt, delayMs: 0 }),
  identityDirectory: z.uuid().exactOptional(),
  directoryLimiter: limiter
    .extend({ penaltyMs: z.number().int().min(0).default(60_000) })
    .prefault({ slowAt: directoryLimits.slowAt, refuseAt: directoryLimits.refuseAt }),
  tokenSeconds: positive.default(3600),
  assumptions: assumptions.prefault({}),
  state: z.string().exactOptional(),
  faults: z.array(faultOrderShape).default([]),
});

export type TenantFile = z.infer<typeof tenantFileShape>;
