/** The manifests against the gateway: ports, times, names and files are what its configuration says. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { test } from 'node:test';

import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

import { loadConfig, type Config } from '../../src/gateway/config.ts';
import { isOpenToOthers } from '../../src/gateway/private-file.ts';
import { createCertificate } from '../support/certificate.ts';

const folder = resolve(import.meta.dirname, '../../deploy/kubernetes');
const named = z.looseObject({ name: z.string() });
const selector = z.record(z.string(), z.string());
const rule = z.looseObject({ ports: z.array(z.looseObject({ port: z.number() })) });
const probe = z.looseObject({ httpGet: z.strictObject({ path: z.string(), port: z.string() }) });
const securityContext = z.looseObject({
  allowPrivilegeEscalation: z.literal(false),
  readOnlyRootFilesystem: z.literal(true),
  capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
});
const container = z.looseObject({
  image: z.string(),
  securityContext,
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});
const statefulSet = z.looseObject({
  spec: z.looseObject({
    replicas: z.number(),
    serviceName: z.string(),
    selector: z.looseObject({ matchLabels: selector }),
    volumeClaimTemplates: z.array(
      z.looseObject({ metadata: named, spec: z.looseObject({ accessModes: z.array(z.string()) }) }),
    ),
    template: z.looseObject({
      metadata: z.looseObject({ labels: selector }),
      spec: z.looseObject({
        enableServiceLinks: z.boolean(),
        automountServiceAccountToken: z.boolean(),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.looseObject({
          runAsNonRoot: z.literal(true),
          runAsUser: z.number(),
          runAsGroup: z.number(),
          fsGroup: z.number(),
          seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
        }),
        containers: z.tuple([
          container.extend({
            env: z.array(z.looseObject({ name: z.string() })),
            ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })),
            startupProbe: probe,
            livenessProbe: probe,
            readinessProbe: probe,
            lifecycle: z.looseObject({
              preStop: z.strictObject({ sleep: z.strictObject({ seconds: z.number() }) }),
            }),
          }),
        ]),
        volumes: z.array(named),
      }),
    }),
  }),
});
const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: named.optional(),
});

const files = globSync('*.yaml', { cwd: folder }).toSorted();
const manifests = files.flatMap((file) => {
  const documents = parseAllDocuments(readFileSync(join(folder, file), 'utf8'), { merge: true });
  assert.ok(Array.isArray(documents), file);
  return documents.map((document) => {
    assert.deepEqual([...document.errors, ...document.warnings], [], file);
    return { file, ...manifest.parse(document.toJS()) };
  });
});

function only<Shape extends z.ZodType>(kind: string, shape: Shape, name = 'gatehouse'): z.output<Shape> {
  const found = manifests.filter((each) => each.kind === kind && each.metadata?.name === name);
  assert.equal(found.length, 1, `${kind} ${name}`);
  return shape.parse(found[0]);
}

const { spec } = only('StatefulSet', statefulSet);
const pod = spec.template.spec;
const [gatehouse] = pod.containers;
const portOf = (name: string) => gatehouse.ports.find((port) => port.name === name)?.containerPort;
const pathOf = (volume: string) => gatehouse.volumeMounts.find(({ name }) => name === volume)?.mountPath;

/** Loads the configuration with files of the Secret's names, laid out as the pod lays them out. */
async function loadInPod(env: NodeJS.ProcessEnv): Promise<Config> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-pod-'));
  const { data } = only('ConfigMap', z.looseObject({ data: z.record(z.string(), z.string()) }));
  const { certificate, key } = createCertificate();
  const contents: Readonly<Record<string, string | Buffer>> = {
    'tls.crt': certificate,
    'tls.key': key,
    'redis-ca.pem': certificate,
    'redis-url': 'rediss://gatehouse:a-password@redis.example.com:6379/0\n',
    'audit.key': randomBytes(32),
    'periods.key': `gatehouse-period-key 2026q4 ${randomBytes(32).toString('base64')}\n`,
    'secrets.yaml': '',
    acme: 'correct-horse-battery\n',
  };
  const { stringData } = only('Secret', z.looseObject({ stringData: z.record(z.string(), z.string()) }));
  assert.deepEqual(Object.keys(stringData).toSorted(), Object.keys(contents).toSorted());
  await mkdir(join(directory.path, 'config'));
  await mkdir(join(directory.path, 'secrets'));
  for (const [name, content] of Object.entries(contents))
    await writeFile(join(directory.path, 'secrets', name), content, { mode: 0o400 });
  const file = join(directory.path, 'config/gatehouse.yaml');
  await writeFile(file, data['gatehouse.yaml'] ?? '');
  return loadConfig(file, env);
}

test('the list of resources has every manifest but the example of a secret', () => {
  const { resources } = z
    .looseObject({ resources: z.array(z.string()) })
    .parse(manifests.find(({ kind }) => kind === 'Kustomization'));
  const others = files.filter((file) => !['kustomization.yaml', 'secret.example.yaml'].includes(file));
  assert.deepEqual(resources.toSorted(), others);
});

test('the gateway accepts the configuration, with the pod’s name as its own', async () => {
  const config = await loadInPod({ GATEHOUSE_AUDIT__INSTANCE: 'gatehouse-1' });
  assert.equal(config.audit.instance, 'gatehouse-1');
  const instance = gatehouse.env.find(({ name }) => name === 'GATEHOUSE_AUDIT__INSTANCE');
  assert.deepEqual(instance?.['valueFrom'], { fieldRef: { fieldPath: 'metadata.name' } });
});

test('the variables that a Service would give the pod would keep the gateway from starting, so there are none', async () => {
  await assert.rejects(loadInPod({ GATEHOUSE_PORT: 'tcp://10.0.0.1:443' }), /GATEHOUSE_PORT/);
  assert.equal(pod.enableServiceLinks, false);
});

test('ports, replicas and places agree with the configuration', async () => {
  const config = await loadInPod({});
  assert.equal(portOf('https'), config.listen.port);
  assert.equal(portOf('health'), config.health?.port);
  assert.equal(spec.replicas, config.replicas);
  assert.equal(pathOf('audit'), config.audit.directory);
  assert.equal(config.cache.store, 'redis');
  const file = gatehouse.env.find(({ name }) => name === 'GATEHOUSE_CONFIG')?.['value'];
  assert.equal(file, join(pathOf('config') ?? '', 'gatehouse.yaml'));
});

test('a pod gets more time to end than its longest write has', async () => {
  const config = await loadInPod({});
  const longest = Math.max(...Object.values(config.systems).map(({ deadlines }) => deadlines.write)) / 1000;
  const wait = gatehouse.lifecycle.preStop.sleep.seconds;
  assert.ok(pod.terminationGracePeriodSeconds >= longest + 20 + wait + 5);
});

test('the kubelet asks the listener for health, where it can reach it, and nobody the administrative one', async () => {
  const config = await loadInPod({});
  assert.equal(config.health?.host, '0.0.0.0');
  assert.equal(config.admin.host, '127.0.0.1');
  assert.equal(portOf('admin'), undefined);
  const probes = [gatehouse.startupProbe, gatehouse.livenessProbe, gatehouse.readinessProbe];
  assert.deepEqual(
    probes.map(({ httpGet }) => httpGet),
    ['startup', 'live', 'ready'].map((what) => ({ path: `/health/${what}`, port: 'health' })),
  );
});

test('no pod may reach anything but the port for callers', () => {
  const policy = z.looseObject({ spec: z.looseObject({ ingress: z.array(rule), egress: z.array(rule) }) });
  const { ingress } = only('NetworkPolicy', policy).spec;
  assert.deepEqual(
    ingress.flatMap(({ ports }) => ports.map(({ port }) => port)),
    [portOf('https')],
  );
  only(
    'NetworkPolicy',
    z.looseObject({ spec: z.looseObject({ podSelector: z.strictObject({}) }) }),
    'nothing',
  );
});

test('each pod has a trail of its own that no other pod can mount', () => {
  const [claim, ...more] = spec.volumeClaimTemplates;
  assert.equal(more.length, 0);
  assert.equal(claim?.metadata.name, 'audit');
  assert.deepEqual(claim?.spec.accessModes, ['ReadWriteOncePod']);
});

test('selectors find the pods', () => {
  const { labels } = spec.template.metadata;
  assert.deepEqual(spec.selector.matchLabels, labels);
  const withLabels = z.looseObject({
    spec: z.looseObject({ selector: z.looseObject({ matchLabels: selector }) }),
  });
  assert.deepEqual(only('PodDisruptionBudget', withLabels).spec.selector.matchLabels, labels);
  const service = z.looseObject({ spec: z.looseObject({ selector }) });
  for (const name of ['gatehouse', spec.serviceName])
    assert.deepEqual(only('Service', service, name).spec.selector, labels);
});

test('the files of the Secret have a mode and a group that the gateway accepts', () => {
  const secrets = pod.volumes.find(({ name }) => name === 'secrets');
  const { secretName, defaultMode } = z
    .strictObject({ secretName: z.string(), defaultMode: z.number() })
    .parse(secrets?.['secret']);
  assert.equal(secretName, 'gatehouse');
  const { runAsUser: uid, runAsGroup, fsGroup } = pod.securityContext;
  // Kubernetes reads YAML 1.1, where a leading zero means octal.
  const mode = Number.parseInt(String(defaultMode), 8);
  const file = { mode, uid: 0, gid: fsGroup };
  assert.equal(isOpenToOthers(file, { uid, groups: [runAsGroup, fsGroup] }), false);
  assert.equal(mode & 0o040, 0o040, 'the group can read, or the gateway could not');
  assert.equal(pathOf('secrets'), '/etc/gatehouse/secrets');
});

test('everything is pinned to one namespace with the restricted profile', () => {
  const labels = only('Namespace', z.looseObject({ metadata: z.looseObject({ labels: selector }) })).metadata
    .labels;
  assert.equal(labels['pod-security.kubernetes.io/enforce'], 'restricted');
  const spaces = manifests
    .filter(({ kind }) => !['Namespace', 'Kustomization'].includes(kind))
    .map((each) => [basename(each.file), each.metadata?.['namespace']]);
  assert.deepEqual(
    spaces.filter(([, space]) => space !== 'gatehouse'),
    [],
  );
});
