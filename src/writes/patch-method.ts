/**
 * Refuses a PATCH of which Identity Provisioning would make an empty write: it is answered as a success there, and
 * changes nothing. What a type of system bears is data (scim/connectors.ts); the configuration may know better.
 */
import { connectorOf, type ConnectorName } from '../scim/connectors.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { patchesMembers } from './membership.ts';

export interface PatchMappings {
  readonly connector: ConnectorName | undefined;
  /** The write transformation has been given mappings of the scope `patchEntity`. */
  readonly patchEntity: boolean;
}

/** Throws `patch-not-mapped`. */
export function checkPatch(
  { connector, patchEntity }: PatchMappings,
  { kind, resourceType }: Operation,
  body: Buffer | undefined,
): void {
  if (kind !== 'patch' || connector === undefined || patchEntity) return;
  const { assignment, patchEntity: isMapped } = connectorOf(connector);
  if (!isMapped)
    throw refusal(
      'Systems of this type have no mappings for PATCH, so nothing would be changed. Use PUT; in SAP Identity ' +
        'Management set SCIM_ASSIGNMENT_METHOD to PUT.',
    );
  if (assignment === 'PUT' && resourceType === 'Groups' && patchesMembers(body))
    throw refusal(
      'Members of groups of this type of system are changed by PUT. In SAP Identity Management set ' +
        'SCIM_ASSIGNMENT_METHOD to PUT.',
    );
}

function refusal(detail: string): ScimError {
  return new ScimError('patch-not-mapped', detail);
}
