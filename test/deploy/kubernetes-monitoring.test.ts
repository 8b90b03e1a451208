/** The manifests for Prometheus: they lead from the monitor over the service to the port that has the figures. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

import { parseConfig } from '../../src/gateway/config.ts';

const folder = resolve(import.meta.dirname, '../../deploy/kubernetes/monitoring');
const labels = z.record(z.string(), z.string());
const kustomization = z.strictObject({
  apiVersion: z.string(),
  kind: z.literal('Kustomization'),
  namespace: z.literal('gatehouse'),
  resources: z.array(z.string()),
  patches: z.tuple([
    z.strictObject({ target: z.object({ kind: z.literal('StatefulSet') }), patch: z.string() }),
  ]),
});
const patch = z.tuple([
  z.object({ value: z.object({ name: z.string(), value: z.string() }) }),
  z.object({ value: z.object({ name: z.string(), containerPort: z.number() }) }),
]);

const { resources, patches } = kustomization.parse(
  parse(readFileSync(resolve(folder, 'kustomization.yaml'), 'utf8')),
);
const [{ value: variable }, { value: port }] = patch.parse(parse(patches[0].patch));
const documents = parseAllDocuments(readFileSync(resolve(folder, 'metrics.yaml'), 'utf8'));
assert.ok(Array.isArray(documents));

function only<Shape extends z.ZodType>(kind: string, shape: Shape): z.output<Shape> {
  const found = documents.map((document) => document.toJS()).filter((each) => each.kind === kind);
  assert.equal(found.length, 1, kind);
  return shape.parse(found[0]);
}

test('the base is part of it, and the variable sets a key of the configuration', () => {
  assert.deepEqual(resources, ['..', 'metrics.yaml']);
  assert.equal(variable.name, 'GATEHOUSE_ADMIN__HOST');
  const document = {
    admin: { host: variable.value },
    callers: {
      idm: {
        permissions: [
          { permission: 'Access Real-Time Provisioning API' as const, sourceSystems: 'all' as const },
        ],
      },
    },
    tenants: { acme: { url: 'https://acme.example.com', credential: { type: 'none' as const } } },
    systems: { s1: { tenant: 'acme' } },
  };
  const { admin } = parseConfig(document, '/etc/gatehouse');
  assert.deepEqual([admin.host, admin.port], [variable.value, port.containerPort]);
});

test('the monitor finds the service, the service the port, and the policy lets Prometheus come to it alone', () => {
  const service = only(
    'Service',
    z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        selector: labels,
        ports: z.tuple([z.object({ name: z.string(), targetPort: z.string() })]),
      }),
    }),
  );
  const monitor = only(
    'ServiceMonitor',
    z.object({
      spec: z.object({
        selector: z.object({ matchLabels: labels }),
        endpoints: z.tuple([z.object({ port: z.string(), path: z.literal('/metrics') })]),
      }),
    }),
  );
  const policy = only(
    'NetworkPolicy',
    z.object({
      spec: z.object({
        podSelector: z.object({ matchLabels: labels }),
        ingress: z.tuple([
          z.object({ from: z.array(z.unknown()).min(1), ports: z.tuple([z.object({ port: z.number() })]) }),
        ]),
      }),
    }),
  );
  assert.deepEqual(monitor.spec.selector.matchLabels, service.metadata.labels);
  assert.equal(monitor.spec.endpoints[0].port, service.spec.ports[0].name);
  assert.equal(service.spec.ports[0].targetPort, port.name);
  assert.equal(policy.spec.ingress[0].ports[0].port, port.containerPort);
  assert.deepEqual(policy.spec.podSelector.matchLabels, service.spec.selector);
});
