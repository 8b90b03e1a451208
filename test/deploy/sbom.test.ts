/** The bill of materials against the lockfile and against what CycloneDX 1.6 demands. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { z } from 'zod';

import { lockedPackages } from '../../deploy/locked-packages.ts';
import { billOfMaterials } from '../../deploy/sbom.ts';

const root = resolve(import.meta.dirname, '../..');
const bill = billOfMaterials(lockedPackages(root));
const manifest = z
  .object({
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

const purl = z.string().regex(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@[\w.+-]+$/);
const component = z.strictObject({
  type: z.enum(['library', 'application']),
  'bom-ref': z.string().min(1),
  name: z.string().min(1),
  version: z.string().min(1),
  licenses: z
    .array(
      z.union([
        z.strictObject({ license: z.strictObject({ id: z.string().regex(/^[A-Za-z0-9.+-]+$/) }) }),
        z.strictObject({ expression: z.string() }),
      ]),
    )
    .optional(),
  purl,
  cpe: z
    .string()
    .regex(/^cpe:2\.3:a:nodejs:node\.js:\d+\.\d+\.\d+(:\*){7}$/)
    .optional(),
  hashes: z
    .array(z.strictObject({ alg: z.literal('SHA-512'), content: z.string().regex(/^[0-9a-f]{128}$/) }))
    .optional(),
});
/** The parts of the published schema that concern a document such as ours. */
const cycloneDx = z.strictObject({
  $schema: z.literal('http://cyclonedx.org/schema/bom-1.6.schema.json'),
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  version: z.int().min(1),
  metadata: z.strictObject({ component, tools: z.strictObject({ components: z.array(z.looseObject({})) }) }),
  components: z.array(component.required({ hashes: true })),
  dependencies: z.array(z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

test('it has the form of CycloneDX 1.6, every package with address and hash', () => {
  assert.deepEqual(cycloneDx.safeParse(bill).error?.issues ?? [], []);
});

test('every package has a licence but the one that states none', () => {
  assert.deepEqual(
    bill.components.filter((each) => !('licenses' in each)).map(({ name }) => name),
    ['pause'],
  );
});

test('every reference in it is unique and leads to a component', () => {
  const refs = [bill.metadata.component, ...bill.components].map((each) => each['bom-ref']);
  assert.equal(new Set(refs).size, refs.length);
  assert.deepEqual(bill.dependencies.map(({ ref }) => ref).toSorted(), refs.toSorted());
  const known = new Set(refs);
  assert.deepEqual(
    bill.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !known.has(ref)),
    [],
  );
});

test('it lists every package that runs in service and none that only development needs', () => {
  const names = new Set(bill.components.map(({ name }) => name));
  assert.deepEqual(
    Object.keys(manifest.dependencies).filter((name) => !names.has(name)),
    [],
  );
  assert.deepEqual(
    Object.keys(manifest.devDependencies).filter((name) => names.has(name) && !name.startsWith('@types/')),
    [],
  );
});

test('Node is in it under the name that scanners know', () => {
  assert.equal(bill.components.filter((each) => 'cpe' in each).length, 1);
});

test('the same lockfile gives the same document', () => {
  assert.deepEqual(billOfMaterials(lockedPackages(root)), bill);
});

test('at most twenty packages are direct dependencies', () => {
  assert.ok(Object.keys(manifest.dependencies).length <= 20);
});
