/**
 * Writes what is generated from the configuration's schema: `config/gatehouse.schema.json` for editors and
 * `docs/configuration.md` for people. Run `node src/cli/reference.ts` after a change of the schema; a test
 * compares both files with what this would write.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import {
  alternativesOf,
  configJsonSchema,
  entryOf,
  isSchema,
  propertiesOf,
  type JsonSchema,
} from '../gateway/config-json-schema.ts';

const root = resolve(import.meta.dirname, '../..');

/** The generated files with their content, by path. */
export function references(): Readonly<Record<string, string>> {
  const schema = configJsonSchema();
  return {
    [resolve(root, 'config/gatehouse.schema.json')]: `${JSON.stringify(schema, null, 2)}\n`,
    [resolve(root, 'docs/configuration.md')]: renderDocument(schema),
  };
}

const introduction = `# Configuration

Generated from the schema in \`src/gateway/config-schema.ts\` by \`node src/cli/reference.ts\`; do not edit it here.

The gateway reads one YAML file: the one that \`--config FILE\` names, otherwise the one that \`GATEHOUSE_CONFIG\` names,
otherwise \`config/gatehouse.yaml\`. \`bin/gatehouse check\` reads it in the same way and reports every fault at once, each
with its path and a remedy, and warns of what is dangerous. \`config/gatehouse.example.yaml\` explains a real deployment. Unknown keys are faults.

- **Durations** carry a unit: \`250ms\`, \`30s\`, \`5m\`, \`1h\`. **Sizes** too: \`512B\`, \`64KiB\`, \`8MiB\`, \`1GiB\`.
- **Paths** start at the directory of the configuration file.
- **Files** are written \`{ file: path }\`; certificates are PEM.
- **References** stand for secrets: \`{ file: path }\` names a file that its owner alone can access (mode 0400 or 0600),
  \`{ env: NAME }\` an environment variable. A line feed at the end of the file does not count.
- **Environment variables** override keys: \`GATEHOUSE_TENANTS__ACME__PACE__PER_MINUTE=100\`. Two underscores descend one
  level; case and punctuation do not count, so \`SAP_IDM\` finds \`sap-idm\` and \`PER_MINUTE\` finds \`perMinute\`. Lists are
  written as in YAML: \`[Users, Groups]\`. A variable changes keys of existing entries, it does not add entries; a
  \`GATEHOUSE_\` variable that names no key is a fault.

The gateway does not start with settings that would betray secrets:

| Setting | Remedy |
|---|---|
| an \`http://\` address that is not on this machine | write \`https://\` |
| a listener that others reach without TLS | \`listen.tls\`, or \`listen.tlsTerminatedElsewhere: true\` behind a load balancer |
| \`trustedHops\` or \`proxyProtocol.from\` with everybody in it | name the addresses of your load balancers |
| \`NODE_TLS_REJECT_UNAUTHORIZED=0\` | unset it; name the authority in \`tenants.<name>.ca\` |
| \`--inspect…\` or \`--insecure-http-parser\` in \`NODE_OPTIONS\` | remove the option |
| a secret in the configuration itself | refer to it |
| a secret's file that others can access | \`chmod 0600\` |
| a secret that is empty or a placeholder such as \`changeme\` or \`<secret>\` | put the real one there |
| a quota above what the tenant grants | lower \`pace.perMinute\` or \`pace.burst\` |
`;

function renderDocument(schema: JsonSchema): string {
  const [maps, values] = partition(
    propertiesOf(schema),
    ([, property]) => rowsBelow('', property).length > 0,
  );
  return [
    introduction,
    renderSection(
      'General',
      '',
      values.flatMap(([key, property]) => rowsOf(key, property, schema)),
    ),
    ...maps.map(([key, property]) =>
      renderSection(`\`${key}\``, property.description ?? '', rowsBelow(key, property)),
    ),
  ].join('\n');
}

function partition<T>(list: readonly T[], matches: (element: T) => boolean): [T[], T[]] {
  return [list.filter(matches), list.filter((element) => !matches(element))];
}

function renderSection(title: string, text: string, rows: readonly string[]): string {
  const table = ['| Key | Type | Default | Meaning |', '|---|---|---|---|', ...rows].join('\n');
  return `## ${title}\n\n${text && `${text}\n\n`}${table}\n`;
}

/** The row of a key and those of all keys below it. */
function rowsOf(path: string, schema: JsonSchema, parent?: JsonSchema): string[] {
  const below = rowsBelow(path, schema);
  const name = path.split('.').at(-1) ?? path;
  const own = [
    `\`${path}\``,
    typeOf(schema),
    defaultOf(schema, parent?.required?.includes(name) ?? false),
    schema.description ?? '',
  ];
  return [`| ${own.join(' | ').replaceAll(/ +/g, ' ')} |`, ...below];
}

function rowsBelow(path: string, schema: JsonSchema): string[] {
  // One value to its reader; its form is explained once, in the introduction.
  if (schema.title?.endsWith('reference') || schema.title === 'file') return [];
  const prefix = path && `${path}.`;
  const entry = entryOf(schema);
  if (entry) return rowsBelow(`${prefix}${isIdMap(schema) ? '<id>' : '<name>'}`, entry);
  if (schema.type === 'array') return isSchema(schema.items) ? rowsBelow(`${path}[]`, schema.items) : [];
  return alternativesOf(schema).flatMap((form) =>
    propertiesOf(form).flatMap(([key, property]) => rowsOf(`${prefix}${key}`, property, form)),
  );
}

function isIdMap({ propertyNames }: JsonSchema): boolean {
  return isSchema(propertyNames) && (propertyNames.title?.startsWith('id') ?? false);
}

function typeOf(schema: JsonSchema): string {
  if (schema.title) return schema.title;
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.type === 'array') return `list of ${isSchema(schema.items) ? typeOf(schema.items) : 'anything'}`;
  const forms = alternativesOf(schema);
  if (forms.length > 1) return [...new Set(forms.map(typeOf))].join(' or ');
  const words: Readonly<Record<string, string>> = { object: 'map', string: 'text', integer: 'number' };
  return words[String(schema.type)] ?? String(schema.type);
}

function defaultOf(schema: JsonSchema, isRequired: boolean): string {
  if (isRequired) return '*required*';
  if (schema.default === undefined || isSchema(schema.default)) return '';
  return `\`${typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default)}\``;
}

if (import.meta.main)
  for (const [path, content] of Object.entries(references())) writeFileSync(path, content);
