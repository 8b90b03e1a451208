/** One mapping, checked and parsed (facts: transformations 2–4). Nothing of it is left to be found out at run time. */
import { parsePath } from './condition-grammar.ts';
import { SyntaxFault } from './cursor.ts';
import type { Path } from './expression.ts';
import type { Place } from './fault.ts';
import { compileFunction, type Step } from './function-frame.ts';
import { compileGuard, type Guard } from './guard.ts';
import {
  isArray,
  isObject,
  type Json,
  type JsonObject,
  MISSING,
  type Missing,
  property,
  textOf,
} from './json.ts';

export const scopes = ['createEntity', 'patchEntity', 'deleteEntity'] as const;
export type EntityScope = (typeof scopes)[number];

export type Source =
  | { readonly kind: 'constant'; readonly value: Json }
  | { readonly kind: 'variable'; readonly name: string; readonly path: Path | undefined }
  | { readonly kind: 'path'; readonly path: Path; readonly text: string }
  | { readonly kind: 'lookup'; readonly paths: readonly Path[]; readonly rows: readonly LookupRow[] }
  | { readonly kind: 'none' };

export interface LookupRow {
  readonly key: readonly Json[];
  readonly value: Json;
}

export interface Mapping {
  /** Counted from 1, as an author counts. */
  readonly number: number;
  readonly type: 'set' | 'remove' | 'rename' | 'valueMapping';
  readonly ignore: boolean;
  readonly scope: EntityScope | undefined;
  readonly guard: Guard | undefined;
  readonly optional: boolean;
  readonly preserve: boolean;
  readonly source: Source;
  readonly defaultValue: Json | Missing;
  readonly functions: readonly Step[];
  readonly target: { readonly path: Path; readonly text: string } | undefined;
  readonly targetVariable: string | undefined;
  readonly newName: string;
}

const types = ['set', 'remove', 'rename', 'valueMapping'] as const;

const keys: ReadonlySet<string> = new Set([
  'sourcePath',
  'targetPath',
  'sourceVariable',
  'targetVariable',
  'variablePath',
  'constant',
  'type',
  'optional',
  'defaultValue',
  'preserveArrayWithSingleElement',
  'condition',
  'ignore',
  'scope',
  'functions',
  'sourcePaths',
  'valueMappings',
  'correlationAttribute',
  'hashing',
]);

/** Undefined when it is no object at all; otherwise its faults are in `place` and it must not be run. */
export function compileMapping(definition: Json, number: number, place: Place): Mapping | undefined {
  if (!isObject(definition)) {
    place.fault('a mapping must be an object');
    return undefined;
  }
  for (const key of Object.keys(definition)) if (!keys.has(key)) place.fault('unknown key', { key });
  const reader = new MappingReader(definition, place);
  const type = reader.choice('type', types) ?? 'set';
  const mapping: Mapping = {
    number,
    type,
    ignore: reader.flag('ignore'),
    scope: reader.choice('scope', scopes),
    guard: reader.guard(),
    optional: reader.flag('optional'),
    preserve: reader.flag('preserveArrayWithSingleElement'),
    source: type === 'valueMapping' ? reader.lookup() : reader.source(),
    defaultValue: property(definition, 'defaultValue'),
    functions: reader.functions(),
    target: reader.target(),
    targetVariable: reader.text('targetVariable'),
    newName: type === 'rename' ? (reader.text('constant') ?? '') : '',
  };
  refuseIncomplete(mapping, definition, place);
  return mapping;
}

function refuseIncomplete(mapping: Mapping, definition: JsonObject, place: Place): void {
  const { type, target, targetVariable, source } = mapping;
  if (type === 'remove' || type === 'rename') {
    if (!Object.hasOwn(definition, 'targetPath'))
      place.fault(`${type} needs a targetPath`, { key: 'targetPath' });
    if (type === 'rename' && mapping.newName === '')
      place.fault('rename needs the new name as its constant', { key: 'constant' });
    return;
  }
  const hasTarget = Object.hasOwn(definition, 'targetPath') || targetVariable !== undefined;
  if (!hasTarget && !Object.hasOwn(definition, 'correlationAttribute'))
    place.remark('has no target and so no effect');
  const sourced = ['sourcePath', 'sourceVariable', 'functions'].some((key) => Object.hasOwn(definition, key));
  if (target && source.kind === 'none' && !sourced) place.remark('has no source and so no effect');
  if (Object.hasOwn(definition, 'hashing'))
    place.remark('is not documented and has no effect', { key: 'hashing' });
}

class MappingReader {
  readonly #definition: JsonObject;
  readonly #place: Place;

  constructor(definition: JsonObject, place: Place) {
    this.#definition = definition;
    this.#place = place;
  }

  text(key: string): string | undefined {
    const value = property(this.#definition, key);
    if (value === MISSING) return undefined;
    if (typeof value === 'string' && value !== '') return value;
    this.#place.fault('must be a text', { key });
    return undefined;
  }

  /** The texts "true" and "false" count as well: one of SAP's own pages writes them. */
  flag(key: string): boolean {
    const value = property(this.#definition, key);
    if (value === MISSING || value === false || value === 'false') return false;
    if (value !== true && value !== 'true') this.#place.fault('must be true or false', { key });
    return true;
  }

  choice<const C extends string>(key: string, choices: readonly C[]): C | undefined {
    const value = property(this.#definition, key);
    if (value === MISSING) return undefined;
    const known = choices.find((choice) => choice === value);
    if (known === undefined) this.#place.fault(`must be one of ${choices.join(', ')}`, { key });
    return known;
  }

  guard(): Guard | undefined {
    const value = property(this.#definition, 'condition');
    return value === MISSING
      ? undefined
      : compileGuard(value, (reason) => this.#place.fault(reason, { key: 'condition' }));
  }

  path(key: string, value: Json): Path | undefined {
    try {
      if (typeof value === 'string') return parsePath(value);
      this.#place.fault('a path must be a text', { key });
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      this.#place.fault(error.message, { key });
    }
    return undefined;
  }

  /** Of several sources the constant wins, then the variable (facts: transformations 2). */
  source(): Source {
    const { constant, sourcePath, variablePath } = this.#definition;
    if (constant !== undefined) return { kind: 'constant', value: constant };
    const name = this.text('sourceVariable');
    if (name !== undefined) {
      return {
        kind: 'variable',
        name,
        path: variablePath === undefined ? undefined : this.path('variablePath', variablePath),
      };
    }
    if (variablePath !== undefined) this.#place.fault('needs a sourceVariable', { key: 'variablePath' });
    const path = sourcePath === undefined ? undefined : this.path('sourcePath', sourcePath);
    return path ? { kind: 'path', path, text: textOf(sourcePath ?? '') } : { kind: 'none' };
  }

  lookup(): Source {
    const { sourcePaths, valueMappings } = this.#definition;
    const texts = isArray(sourcePaths) ? sourcePaths : [];
    if (texts.length === 0) this.#place.fault('must be a list of paths', { key: 'sourcePaths' });
    if (!isArray(valueMappings)) this.#place.fault('must be a list', { key: 'valueMappings' });
    const paths = texts.flatMap((text) => this.path('sourcePaths', text) ?? []);
    const rows = isArray(valueMappings)
      ? valueMappings.flatMap((row, at) => this.#row(row, at, texts.length))
      : [];
    return { kind: 'lookup', paths, rows };
  }

  #row(row: Json, at: number, width: number): LookupRow[] {
    const key = isObject(row) ? property(row, 'key') : MISSING;
    const value = isObject(row) ? property(row, 'mappedValue') : MISSING;
    if (key === MISSING || value === MISSING) {
      this.#place.fault(`entry ${at + 1} needs key and mappedValue`, { key: 'valueMappings' });
      return [];
    }
    const parts = isArray(key) ? key : [key];
    if (parts.length !== width) {
      this.#place.fault(`entry ${at + 1} has ${parts.length} keys for ${width} source paths`, {
        key: 'valueMappings',
      });
    }
    return [{ key: parts, value }];
  }

  functions(): Step[] {
    const value = property(this.#definition, 'functions');
    if (value === MISSING) return [];
    if (!isArray(value)) {
      this.#place.fault('must be a list', { key: 'functions' });
      return [];
    }
    return value.flatMap((definition, at) => {
      const step = compileFunction(definition, (key, reason) =>
        this.#place.fault(reason, { key: `functions[${at}].${key}` }),
      );
      return step ?? [];
    });
  }

  target(): Mapping['target'] {
    const text = property(this.#definition, 'targetPath');
    if (text === MISSING) return undefined;
    const path = this.path('targetPath', text);
    if (!path) return undefined;
    if (path.root === '@' || path.steps.some(({ kind }) => kind === 'call')) {
      this.#place.fault('is not a path that can be written to', { key: 'targetPath' });
    }
    return { path, text: textOf(text) };
  }
}
