/**
 * A system as SAP exports and imports it: JSON with properties and transformations, never with credentials
 * (facts: IPS 8.2). What is imported gets a new id.
 */
import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import type { SystemOptions } from './system.ts';

const transformation = z.record(z.string(), z.unknown());

const systemShape = z.looseObject({
  connectorTypeString: z.string(),
  accessMode: z.enum(['PROXY', 'SOURCE', 'TARGET']),
  name: z
    .string()
    .max(100)
    .regex(/^[\w\-. ]+$/, 'letters, digits, space and -_. only'),
  description: z.string().exactOptional(),
  state: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  properties: z.record(z.string(), z.string()).default({}),
  encryptedProperties: z.record(z.string(), z.null()).default({}),
  readTransformation: transformation.exactOptional(),
  writeTransformation: transformation.exactOptional(),
});

export interface ImportRules {
  /** What the file is imported as; a file of another role is refused. */
  readonly role?: NonNullable<SystemOptions['role']>;
  readonly takenNames?: readonly string[];
  /** Another name, because the file's own is taken. */
  readonly name?: string;
}

export interface Imported {
  readonly system: SystemOptions;
  /** Credentials that have to be entered again. */
  readonly missingCredentials: readonly string[];
}

export function importSystem(text: string, { role, takenNames = [], name }: ImportRules = {}): Imported {
  const parsed = systemShape.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`not an exported system:\n${z.prettifyError(parsed.error)}`);
  const file = parsed.data;
  const fileRole = roles[file.accessMode];
  if (role && role !== fileRole)
    throw new Error(`a ${fileRole} system cannot be imported as a ${role} system`);
  const chosen = name ?? file.name;
  if (takenNames.includes(chosen)) throw new Error(`there is a system named ${chosen}; choose another name`);
  const { description, readTransformation, writeTransformation } = file;
  return {
    system: {
      id: randomUUID(),
      name: chosen,
      ...(description !== undefined && { description }),
      connectorType: file.connectorTypeString,
      role: fileRole,
      enabled: file.state === 'ENABLED',
      properties: file.properties,
      ...(readTransformation && { readTransformation }),
      ...(writeTransformation && { writeTransformation }),
    },
    missingCredentials: Object.keys(file.encryptedProperties),
  };
}

const roles = { PROXY: 'proxy', SOURCE: 'source', TARGET: 'target' } as const;

export function exportSystem(system: SystemOptions, tenantId: string): string {
  const { id, name = id, role = 'proxy', enabled = true, properties = {}, credentials = {} } = system;
  const { readTransformation, writeTransformation, description } = system;
  const exported = {
    id,
    connectorTypeString: system.connectorType ?? 'SCIM',
    accessMode: role.toUpperCase(),
    destinationName: '',
    gitAllowedExpressions: [],
    gitDisallowedExpressions: [],
    emailSubscribers: [],
    name,
    ...(description !== undefined && { description }),
    tenantId,
    state: enabled ? 'ENABLED' : 'DISABLED',
    systemManagementType: 'CUSTOMER_MANAGED',
    properties,
    encryptedProperties: Object.fromEntries(Object.keys(credentials).map((credential) => [credential, null])),
    automaticOutboundCertificateRenew: false,
    transformationChanged: false,
    readTransformationChanged: readTransformation !== undefined,
    writeTransformationChanged: writeTransformation !== undefined,
    fromImport: false,
    ...(readTransformation && { readTransformation }),
    ...(writeTransformation && { writeTransformation }),
  };
  return `${JSON.stringify(exported, null, 2)}\n`;
}
