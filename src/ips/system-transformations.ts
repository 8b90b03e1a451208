/**
 * The read and the write transformation of a system, applied call by call as facts: transformations 9 says.
 * A transformation with faults is refused when the system is opened, with all of them, never during a call.
 */
import type { Operation } from '../transformation/document.ts';
import { describe } from '../transformation/fault.ts';
import type { ResolveId } from '../transformation/function-kind.ts';
import type { Json } from '../transformation/json.ts';
import { compile, EntityFailure, type Skip, type Transformation } from '../transformation/transformation.ts';
import type { Comparison } from './backend.ts';
import { idOf, isObject, type Resource, type ResourceType } from './resource.ts';
import type {
  JobContext,
  JobRead,
  JobWrite,
  ReadOutcome,
  Transformer,
  WriteOperation,
  WriteOutcome,
} from './transformer.ts';

type Document = Readonly<Record<string, unknown>>;

export interface TransformationOptions {
  /** The system's name, for messages. */
  readonly system: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly read?: Document | undefined;
  readonly write?: Document | undefined;
  /** What a side without a transformation does. */
  readonly otherwise: Transformer;
}

const idVariable = 'entityIdTargetSystem';
const entityNames = { Users: 'user', Groups: 'group' } as const;
const operations = { create: 'create', replace: 'update', patch: 'patch', delete: 'delete' } as const;

export class SystemTransformations implements Transformer {
  readonly #properties: Readonly<Record<string, string>>;
  readonly #otherwise: Transformer;
  readonly #readDocument: Document | undefined;
  readonly #read: Transformation | undefined;
  readonly #write: Transformation | undefined;
  readonly #decoders: Transformation | undefined;

  constructor({ system, properties, read, write, otherwise }: TransformationOptions) {
    this.#properties = properties;
    this.#otherwise = otherwise;
    this.#readDocument = read;
    this.#read = read && compileOrRefuse(read, properties, `${system}, read transformation`);
    this.#decoders = write && decodersOf(write);
    this.#write = write && compileOrRefuse(write, properties, `${system}, write transformation`);
  }

  supports(type: ResourceType): boolean {
    const transformation = this.#read ?? this.#write;
    if (transformation === undefined) return true;
    return (
      transformation.entities(this.#properties).get(this.#entityName(transformation, type))?.ignore === false
    );
  }

  hasReadCondition(type: ResourceType): boolean {
    if (!this.#read) return false;
    const entity = this.#readDocument?.[this.#entityName(this.#read, type)];
    return isObject(entity) && Object.hasOwn(entity, 'condition');
  }

  translate(type: ResourceType, comparison: Comparison): Comparison | undefined {
    if (!this.#read) return this.#otherwise.translate(type, comparison);
    const wanted = `$.${comparison.attribute}`.toLowerCase();
    const entity = this.#read.entities(this.#properties).get(this.#entityName(this.#read, type));
    for (const { target, source, ignore } of entity?.mappings ?? []) {
      if (ignore || target?.text.toLowerCase() !== wanted || source.kind !== 'path') continue;
      return { ...comparison, attribute: nativeName(source.text) };
    }
    return undefined;
  }

  read(type: ResourceType, entity: Resource, base: string): ReadOutcome {
    if (!this.#read) return this.#otherwise.read(type, entity, base);
    const outcome = this.#run(this.#read, type, 'read', entity, { entityBaseLocation: base });
    return 'output' in outcome ? { kind: 'resource', resource: outcome.output } : outcome;
  }

  write(type: ResourceType, operation: WriteOperation, body: Resource, id?: string): WriteOutcome {
    if (!this.#write) return this.#otherwise.write(type, operation, body, id);
    const variables: Record<string, Json> = id === undefined ? {} : { [idVariable]: id };
    const outcome = this.#run(this.#write, type, operations[operation], body, variables);
    if (!('output' in outcome)) return outcome;
    const native = outcome.variables[idVariable];
    const nativeId = typeof native === 'string' || typeof native === 'number' ? String(native) : id;
    return { kind: 'entity', body: outcome.output, ...(nativeId !== undefined && { id: nativeId }) };
  }

  readForJob(type: ResourceType, entity: Resource): JobRead {
    if (!this.#read) return this.#otherwise.readForJob(type, entity);
    const outcome = this.#run(this.#read, type, 'read', entity, {});
    if (!('output' in outcome)) return { ...outcome, id: idOf(entity) };
    const id = outcome.variables['entityIdSourceSystem'];
    const isId = typeof id === 'string' || typeof id === 'number';
    return { kind: 'resource', id: isId ? String(id) : idOf(entity), resource: outcome.output };
  }

  writeForJob(
    type: ResourceType,
    operation: 'create' | 'update' | 'delete',
    resource: Resource,
    context: JobContext,
  ): JobWrite {
    if (!this.#write) return this.#otherwise.writeForJob(type, operation, resource, context);
    const { id, resolveId } = context;
    const variables: Record<string, Json> = id === undefined ? {} : { [idVariable]: id };
    const outcome = this.#run(this.#write, type, operation, resource, variables, resolveId);
    if (!('output' in outcome)) return outcome;
    const native = outcome.variables[idVariable];
    return {
      kind: 'entity',
      body: outcome.output,
      ...(typeof native === 'string' && { id: native }),
      groups: groupsIn(outcome.variables['assignGroup']),
      formerGroups: groupsIn(outcome.variables['unassignGroup']),
    };
  }

  nativeId(type: ResourceType, id: string): string {
    if (!this.#decoders) return this.#otherwise.nativeId(type, id);
    const outcome = this.#run(this.#decoders, type, 'read', {}, { [idVariable]: id });
    const native = 'variables' in outcome ? outcome.variables[idVariable] : id;
    return typeof native === 'string' ? native : id;
  }

  #run(
    transformation: Transformation,
    type: ResourceType,
    operation: Operation,
    input: Resource,
    variables: Readonly<Record<string, Json>>,
    resolveId?: ResolveId,
  ): Transformed | Untransformed {
    const properties = this.#properties;
    const entity = this.#entityName(transformation, type);
    try {
      // A resource comes from JSON text, so it is JSON.
      const run = { entity, operation, input: input as Json, properties, variables } as const;
      const job = resolveId ? ({ mode: 'job', resolveId } as const) : ({ mode: 'proxy' } as const);
      const { output, skipped, variables: after } = transformation.run({ ...run, ...job });
      if (skipped) return { kind: 'dropped', reason: reasonOf(skipped) };
      return { output: output as Resource, variables: after };
    } catch (error) {
      if (!(error instanceof EntityFailure)) throw error;
      return { kind: 'failed', reason: error.message };
    }
  }

  /** Entities are found by their endpoint; their names are free, though SAP's are `user` and `group`. */
  #entityName(transformation: Transformation, type: ResourceType): string {
    const entities = transformation.entities(this.#properties);
    const usual = entityNames[type];
    if (entities.has(usual)) return usual;
    const [name] = entities.entries().find(([, { scimEntityEndpoint }]) => scimEntityEndpoint === type) ?? [];
    return name ?? usual;
  }
}

/** `[{ "id": "…" }]`, or its only element. */
function groupsIn(variable: unknown): string[] {
  return (Array.isArray(variable) ? variable : [variable]).map(idOf).filter((group) => group !== '');
}

interface Transformed {
  readonly output: Resource;
  readonly variables: Readonly<Record<string, Json>>;
}

interface Untransformed {
  readonly kind: 'dropped' | 'failed';
  readonly reason: string;
}

function compileOrRefuse(
  document: Document,
  properties: Readonly<Record<string, string>>,
  where: string,
): Transformation {
  const { transformation } = compile(document, where);
  const { faults } = transformation.check(properties);
  if (faults.length > 0) throw new Error(faults.map((fault) => describe(fault)).join('\n'));
  return transformation;
}

/**
 * The mappings that turn an id of the read transformation back, alone. SAP runs the one of scope deleteEntity
 * on a delete; how a GET decodes is not documented (facts: transformations 9), so it runs the same, or that of
 * another scope where there is none.
 */
function decodersOf(write: Document): Transformation {
  const entities = Object.entries(write).map(([name, entity]) => {
    const mappings: unknown = isObject(entity) ? entity['mappings'] : undefined;
    const decoding = (Array.isArray(mappings) ? mappings : [])
      .filter((mapping) => isObject(mapping))
      .filter(
        ({ sourceVariable, targetVariable, ignore }) =>
          sourceVariable === idVariable && targetVariable === idVariable && ignore !== true,
      );
    const chosen = ['deleteEntity', 'patchEntity', undefined]
      .map((wanted) => decoding.find(({ scope }) => scope === wanted))
      .find((mapping) => mapping !== undefined);
    const { scope: _, ...mapping } = chosen ?? {};
    return [name, { mappings: chosen ? [mapping] : [] }];
  });
  return compile(Object.fromEntries(entities)).transformation;
}

/** The words of SAP's job logs for an entity that is left out (facts: IPS 4.1, 9). */
function reasonOf({ kind, reason }: Skip): string {
  const [, condition] = /^The condition: (.*), is not fulfilled\.$/s.exec(reason) ?? [];
  if (kind === 'condition' && condition !== undefined)
    return `Entity condition [${condition}] is not fulfilled`;
  const [, operation] = /^The operation (\w+) is skipped/.exec(reason) ?? [];
  return operation === undefined ? reason : `Operation [${operation}] is skipped in target transformation`;
}

/** `$.ADDRESS.E_MAIL` and `$['urn:…:User']['costCenter']` as a backend names them. */
function nativeName(path: string): string {
  const steps = [...path.matchAll(/\.([\w$-]+)|\['([^']+)'\]|(\[\d+\])/g)];
  const [first = '', ...rest] = steps.map(([, plain, quoted, position]) => position ?? plain ?? quoted ?? '');
  const below = rest.map((step) => (step.startsWith('[') ? step : `.${step}`)).join('');
  return first.startsWith('urn:') ? `${first}:${below.slice(1)}` : first + below;
}
