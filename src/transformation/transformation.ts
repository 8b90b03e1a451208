/**
 * SAP Identity Provisioning's transformation language: `compile` a document, `run` it for one entity. Pure and
 * bounded: it reads no file, keeps nothing between runs, and ends whatever the document says.
 */
import { currentDate } from './date-functions.ts';
import { anyEntity, compileDocument, type Entity, type Operation, parseDocument } from './document.ts';
import { Effort, RunFault } from './effort.ts';
import { collectFindings, describe, type Fault } from './fault.ts';
import type { ResolveId } from './function-kind.ts';
import { holds } from './guard.ts';
import { deepest, isBytes, type Json, presentable, sizeOf, type Value } from './json.ts';
import type { MissingAs } from './operators.ts';
import { printOf, type Properties, replaceParameters, templateOf } from './parameters.ts';
import { type Course, type Mode, runMappings } from './run.ts';
import type { MappingTrace } from './trace.ts';

export interface Run {
  readonly entity: string;
  readonly operation: Operation;
  readonly input: Json;
  /** The system's properties by key; what is absent reads as `null` in the transformation. */
  readonly properties?: Properties;
  /** Set before the first mapping: `entityIdTargetSystem`, `entityBaseLocation` and what the caller likes. */
  readonly variables?: Readonly<Record<string, Json>>;
  readonly now?: Date;
  /** In a proxy a delete runs only the mapping of `entityIdTargetSystem`. Default: job. */
  readonly mode?: Mode;
  readonly resolveId?: ResolveId;
  /** Whether a missing list equals `[]` in conditions (facts: transformations 7.1.1). Default: nothing. */
  readonly missing?: MissingAs;
}

export interface Outcome {
  readonly output: Json;
  /** The variables after the run; those that hold bytes are left out. */
  readonly variables: Readonly<Record<string, Json>>;
  /** Why the entity was left out. */
  readonly skipped?: Skip;
  readonly trace: readonly MappingTrace[];
}

export interface Skip {
  readonly kind: 'unsupported' | 'ignored' | 'condition' | 'operation';
  readonly reason: string;
}

/** One entity cannot be transformed; the others can. */
export class EntityFailure extends Error {
  readonly entity: string;
  readonly mapping: number | undefined;
  readonly reason: string;
  readonly trace: readonly MappingTrace[];

  constructor(entity: string, reason: string, trace: readonly MappingTrace[], cause: unknown) {
    const mapping = trace.at(-1)?.mapping;
    super(`${entity}${mapping === undefined ? '' : `, mapping ${mapping}`}: ${reason}`, { cause });
    this.name = 'EntityFailure';
    this.entity = entity;
    this.mapping = mapping;
    this.reason = reason;
    this.trace = trace;
  }
}

export interface Compiled {
  readonly transformation: Transformation;
  readonly faults: readonly Fault[];
  /** What is understood but has no effect. */
  readonly remarks: readonly Fault[];
}

/** Text is taken as it stands; parameters outside of strings only exist there. */
export function compile(document: unknown, where = ''): Compiled {
  const transformation = new Transformation(textOfDocument(document), where);
  return { transformation, ...transformation.check({}) };
}

function textOfDocument(document: unknown): string {
  if (typeof document === 'string') return document.replace(/^\uFEFF/, '');
  // Too deep to be written as text; as much of it as is too deep to be read.
  if (sizeOf(document) === undefined) return '['.repeat(deepest + 2) + ']'.repeat(deepest + 2);
  return JSON.stringify(document) ?? 'null';
}

/** Programs kept per transformation; a system's properties rarely change. */
const mostPrograms = 8;

type Program = ReturnType<typeof build>;

export class Transformation {
  readonly #template: ReturnType<typeof templateOf>;
  readonly #where: string;
  readonly #programs = new Map<string, Program>();

  constructor(text: string, where: string) {
    this.#template = templateOf(text);
    this.#where = where;
  }

  /** The faults it has with these properties put in. */
  check(properties: Properties): Pick<Compiled, 'faults' | 'remarks'> {
    const { faults, remarks } = this.#program(properties);
    return { faults, remarks };
  }

  /** The entity types, and what a proxy needs to know of each. */
  entities(
    properties: Properties = {},
  ): ReadonlyMap<string, Pick<Entity, 'scimEntityEndpoint' | 'ignore' | 'mappings'>> {
    return this.#program(properties).entities;
  }

  run(run: Run): Outcome {
    const { properties = {} } = run;
    const { entities, faults } = this.#program(properties);
    const [fault] = faults;
    if (fault) throw new EntityFailure(run.entity, describe(fault), [], undefined);
    const entity = entities.get(run.entity) ?? entities.get(anyEntity);
    if (!entity)
      return leftOut({ kind: 'unsupported', reason: `The transformation has no entity type ${run.entity}.` });
    if (entity.ignore)
      return leftOut({ kind: 'ignored', reason: `The entity type ${run.entity} is ignored.` });
    return transform(entity, { ...run, properties });
  }

  #program(properties: Properties): Program {
    const print = printOf(this.#template, properties);
    const known = this.#programs.get(print);
    if (known) return known;
    const program = build(replaceParameters(this.#template, properties), this.#where);
    const [oldest] = this.#programs.keys();
    if (this.#programs.size >= mostPrograms && oldest !== undefined) this.#programs.delete(oldest);
    this.#programs.set(print, program);
    return program;
  }
}

function build(text: string, where: string) {
  const { faults, remarks, place } = collectFindings(where);
  const document = parseDocument(text, place);
  const entities: ReadonlyMap<string, Entity> =
    document === undefined ? new Map() : compileDocument(document, place);
  return { entities, faults, remarks };
}

function leftOut(skipped: Skip): Outcome {
  return { output: {}, variables: {}, skipped, trace: [] };
}

type Bound = Run & { readonly properties: Properties };

function transform(entity: Entity, run: Bound): Outcome {
  const trace: MappingTrace[] = [];
  try {
    const size = sizeOf(run.input);
    if (size === undefined) throw new RunFault('the input is nested too deeply');
    const course = courseOf(run, Effort.for(size));
    const skipped = reasonToSkip(entity, course);
    if (skipped) return { ...leftOut(skipped), variables: variablesOf(course) };
    runMappings(entity, course, trace);
    return { output: course.sheet.root, variables: variablesOf(course), trace };
  } catch (error) {
    if (!(error instanceof RunFault)) throw error;
    throw new EntityFailure(run.entity, error.message, trace, error);
  }
}

function courseOf(run: Bound, effort: Effort): Course {
  const {
    operation,
    mode = 'job',
    input,
    properties,
    now = new Date(),
    resolveId,
    missing = 'nothing',
  } = run;
  const variables = new Map<string, Value>([
    ['currentDate', currentDate(now, properties)],
    ...Object.entries(run.variables ?? {}),
  ]);
  const around = { input, properties, variables, effort, resolveId, missing };
  return { operation, mode, sheet: { root: {} }, around };
}

/** The condition comes first, and neither a delete nor a patch, whose body is no entity, is held to it. */
function reasonToSkip(entity: Entity, { operation, around }: Course): Skip | undefined {
  const { guard, skipOperations } = entity;
  if (guard && operation !== 'delete' && operation !== 'patch' && !holds(guard, around)) {
    // The wording of SAP's job logs (facts: transformations 7.1.3).
    return { kind: 'condition', reason: `The condition: ${guard.text}, is not fulfilled.` };
  }
  if (!skipOperations.includes(operation)) return undefined;
  return { kind: 'operation', reason: `The operation ${operation} is skipped by skipOperations.` };
}

function variablesOf({ around }: Course): Record<string, Json> {
  const shown = [...around.variables].flatMap(([name, value]) =>
    isBytes(value) ? [] : [[name, presentable(value)] as const],
  );
  return Object.fromEntries(shown);
}
