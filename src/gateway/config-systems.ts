/** The shape of what the configuration says about the systems at the tenants. Same rules as config-schema.ts. */
import { z } from 'zod';

import { connectorNames } from '../scim/connectors.ts';
import { systemCache } from './config-cache.ts';
import { systemSnapshot } from './config-snapshot.ts';
import { tenantName } from './config-tenants.ts';
import { duration, name, serverUrl, size } from './config-values.ts';

export const systemId = () => name('._~-', 'id of a system');
export const resourceType = () => name('', 'resource type');

export function system() {
  return z.strictObject({
    tenant: tenantName().describe('The tenant behind it: an entry of `tenants`.'),
    kind: z
      .enum(['ips', 'scim'])
      .default('ips')
      .describe('`ips`: a proxy system of the tenant. `scim`: any SCIM 2.0 service provider under `url`.'),
    id: systemId().optional().describe('The system’s id at the tenant. Default: the id that callers use.'),
    url: serverUrl().optional().describe('Base address of a system of kind `scim`. Default: the tenant’s.'),
    name: z.string().optional().describe('A name for people: `gatehouse idm-csv` writes it.'),
    resourceTypes: z
      .array(resourceType())
      .min(1)
      .default(['Users', 'Groups'])
      .describe('Resource types by the name they have in the path.'),
    connector: z
      .enum(connectorNames)
      .optional()
      .describe(
        'The type of the proxy system, by its name in the administration console. Where that type has no mappings for PATCH, ' +
          'one is refused instead of becoming an empty write. Default: nothing is known of it, and nothing is refused.',
      ),
    patchEntity: z
      .boolean()
      .default(false)
      .describe(
        'The system’s write transformation has been given mappings of the scope `patchEntity`, so PATCH is not refused.',
      ),
    assignment: z
      .enum(['PUT', 'PATCH'])
      .optional()
      .describe(
        'How the identity manager changes memberships: `gatehouse idm-csv` writes it as SCIM_ASSIGNMENT_METHOD. ' +
          'Default: what SAP documents for the `connector`, else `PUT`.',
      ),
    lostUpdates: z
      .enum(['off', 'report', 'refuse'])
      .default('report')
      .describe(
        'What becomes of a PUT of a group that would remove a member who was added through the gateway within the last 120 s, ' +
          'after its caller read the group. `report`: it goes up, and the trail says so. `refuse`: 409, and writes of one ' +
          'group go up one after the other.',
      ),
    repeats: systemRepeats(),
    cache: systemCache(),
    pages: systemPages(),
    snapshot: systemSnapshot(),
    limits: z
      .strictObject({
        body: size({ min: '1KiB', max: '256MiB' })
          .optional()
          .describe('Largest body of a call. Default: `limits.body`.'),
        reply: size({ min: '1KiB', max: '1GiB' })
          .optional()
          .describe('Largest body of a reply. Default: `limits.reply`.'),
      })
      .prefault({})
      .describe('Limits that differ for this system.'),
    deadlines: z
      .strictObject({
        read: duration({ min: '100ms', max: '30m' })
          .optional()
          .describe('Longest time for a read. Default: the tenant’s.'),
        write: duration({ min: '100ms', max: '30m' })
          .optional()
          .describe('Longest time for a write. Default: the tenant’s.'),
      })
      .prefault({})
      .describe('Deadlines that differ for this system.'),
  });
}

function systemRepeats() {
  return z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'An identical write of the same caller waits for one that runs, and after an answer that was unknown or that ' +
            'nobody took it is told what became of it instead of being sent again.',
        ),
      window: duration({ min: '1s', max: '24h' })
        .prefault('10m')
        .describe('How long that is so after such an answer; also how long an `Idempotency-Key` is known.'),
      lookFor: duration({ min: '0ms', max: '60s' })
        .prefault('10s')
        .describe(
          'How long the tenant is looked at for what became of a write whose outcome is unknown. `0ms`: once.',
        ),
    })
    .prefault({})
    .describe('Writes that are repeated, and writes of which nobody knows whether they were carried out.');
}

function systemPages() {
  return z
    .strictObject({
      blocks: z
        .enum(['auto', 'on', 'off'])
        .default('auto')
        .describe(
          'Whether small list pages come out of pages of 100. `auto`: at systems of kind `ips`, once a caller reads on behind the first page. `on`: with any page.',
        ),
      singleReads: z
        .boolean()
        .optional()
        .describe(
          'Answers single reads out of list pages, while probes find the tenant’s two views of a resource equal. ' +
            'Default: at systems of kind `ips`, whose calls are counted; other service providers speak for themselves.',
        ),
    })
    .prefault({})
    .describe('What is made of list pages; needs the cache.');
}
