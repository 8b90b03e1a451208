/**
 * Runs the mappings of one entity, top to bottom (facts: transformations 3). They read the input and write a
 * fresh output; `remove` and `rename` work on the output; conditions see the input.
 */
import { scopeOf } from './condition.ts';
import type { Entity, Operation } from './document.ts';
import { RunFault } from './effort.ts';
import { type Around, kindOf } from './function-kind.ts';
import { holds } from './guard.ts';
import { isObject, MISSING, presentable, type Value } from './json.ts';
import type { EntityScope, Mapping } from './mapping.ts';
import { remove, rename, type Sheet, write } from './path-writing.ts';
import { type Nothing, sourceOf, throughFunctions } from './source.ts';
import type { FunctionTrace, MappingTrace } from './trace.ts';

/** A job writes to a target system, a proxy answers SCIM calls; they differ in what a delete does. */
export type Mode = 'proxy' | 'job';

export interface Course {
  readonly operation: Operation;
  readonly mode: Mode;
  readonly around: Around & { readonly variables: Map<string, Value> };
  readonly sheet: Sheet;
}

type Verdict = Pick<MappingTrace, 'taken' | 'why' | 'value'>;

/** The mapping that fails, by throwing RunFault, is the last one in the trace. */
export function runMappings(entity: Entity, course: Course, trace: MappingTrace[]): void {
  for (const mapping of entity.mappings) {
    const functions: FunctionTrace[] = [];
    const at = trace.push({ mapping: mapping.number, taken: true, why: 'fails', functions }) - 1;
    const verdict = passOver(mapping, course) ?? runMapping(mapping, course, functions);
    trace[at] = { mapping: mapping.number, functions, ...verdict };
  }
}

function skipped(reason: string): Verdict {
  return { taken: false, why: `skipped: ${reason}` };
}

function passOver(mapping: Mapping, course: Course): Verdict | undefined {
  if (mapping.ignore) return skipped('ignore is set');
  if (!isInScope(mapping, course)) {
    return skipped(`${mapping.scope ?? 'no scope'} does not apply to ${course.operation}`);
  }
  if (mapping.guard && !holds(mapping.guard, course.around)) {
    return skipped(`the condition is not fulfilled: ${mapping.guard.text}`);
  }
  return undefined;
}

const scopesOf: Readonly<Record<Operation, readonly (EntityScope | undefined)[]>> = {
  read: [undefined],
  create: [undefined, 'createEntity'],
  update: [undefined],
  patch: ['patchEntity'],
  delete: ['deleteEntity'],
};

/** The table of facts: transformations 5. */
function isInScope({ scope, targetVariable }: Mapping, { operation, mode }: Course): boolean {
  if (!scopesOf[operation].includes(scope)) return false;
  return operation !== 'delete' || mode === 'job' || targetVariable === 'entityIdTargetSystem';
}

function runMapping(mapping: Mapping, course: Course, functions: FunctionTrace[]): Verdict {
  if (mapping.type === 'remove') return runRemove(mapping, course);
  if (mapping.type === 'rename') return runRename(mapping, course);
  const source = sourceOf(mapping, course.around);
  if ('nothing' in source) return withoutValue(mapping, source);
  const value = source.final
    ? source.value
    : throughFunctions(mapping, source.value, course.around, functions);
  if (value === MISSING) return skipped('its functions found nothing and it is optional');
  return { ...store(mapping, value, course), value: presentable(value) };
}

/** A variable that is not set, such as the id on a create, never fails an entity. */
function withoutValue({ optional, source }: Mapping, { nothing }: Nothing): Verdict {
  if (optional) return skipped(`${nothing} and it is optional`);
  if (source.kind === 'variable' || source.kind === 'none') return skipped(nothing);
  throw new RunFault(`${nothing} and it is not optional`);
}

function runRemove({ target }: Mapping, { sheet, around }: Course): Verdict {
  if (target) remove(sheet, target.path, scopeOf(around, around.input));
  return { taken: true, why: 'removed, where it was there' };
}

function runRename({ target, newName, optional }: Mapping, { sheet, around }: Course): Verdict {
  const renamed = target && rename(sheet, target.path, newName, scopeOf(around, around.input));
  if (renamed) return { taken: true, why: `renamed to ${newName}` };
  if (optional) return skipped('there is nothing to rename and it is optional');
  throw new RunFault(`there is nothing to rename at ${target?.text}`);
}

function store(mapping: Mapping, value: Value, { around, sheet }: Course): Verdict {
  const { target, targetVariable, optional } = mapping;
  if (targetVariable !== undefined) around.variables.set(targetVariable, value);
  const stored = targetVariable === undefined ? undefined : `variable ${targetVariable}`;
  if (!target) return { taken: true, why: stored === undefined ? 'has no target' : `stored in ${stored}` };
  const written = presentable(value);
  if (target.path.steps.length === 0 && !isObject(written)) {
    throw new RunFault(`the whole output cannot be ${kindOf(written)}`);
  }
  if (write(sheet, target.path, written, scopeOf(around, around.input))) {
    return {
      taken: true,
      why: `written to ${target.text}${stored === undefined ? '' : ` and to ${stored}`}`,
    };
  }
  if (optional) return skipped(`there is nothing to write to at ${target.text} and it is optional`);
  throw new RunFault(`there is nothing to write to at ${target.text}`);
}
