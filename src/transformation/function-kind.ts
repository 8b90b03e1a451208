/**
 * What every function of the catalogue has in common: its parameters, and the preparation that turns them
 * into work on a value. Preparation refuses what can be known without a value, so faults show before any run.
 */
import { type Surroundings } from './condition.ts';
import { RunFault } from './effort.ts';
import {
  isArray,
  isBytes,
  isObject,
  type Json,
  type JsonObject,
  type Missing,
  property,
  textOf,
  type Value,
} from './json.ts';

export interface Around extends Surroundings {
  /** The id that an entity of the source system has in the target system, if there is a database of them. */
  readonly resolveId?: ResolveId | undefined;
}

export interface EntityReference {
  readonly id: string;
  readonly entityType: string;
  readonly sourceSystemName?: string | undefined;
  readonly targetSystemName?: string | undefined;
}

export type ResolveId = (reference: EntityReference) => string | undefined;

/** MISSING means that the function found nothing; the mapping then falls back like one without source. */
export type Work = (value: Value, around: Around) => Value | Missing;

export interface Parameter {
  readonly type: 'text' | 'integer' | 'any' | 'names';
  readonly required?: true;
  readonly choices?: readonly string[];
}

export interface FunctionKind {
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Works through a list by itself, without applyOnElements (facts: transformations 8.1). */
  readonly iterates?: true;
  readonly prepare: (given: Given) => Work;
}

/** The parameters as they were given, checked before anything is prepared from them. */
export class Given {
  readonly #values: JsonObject;

  constructor(values: JsonObject) {
    this.#values = values;
  }

  any(name: string): Json {
    const value = property(this.#values, name);
    return typeof value === 'symbol' ? null : value;
  }

  text(name: string, otherwise = ''): string {
    const value = this.any(name);
    return value === null ? otherwise : textOf(value);
  }

  maybeText(name: string): string | undefined {
    return this.any(name) === null ? undefined : this.text(name);
  }

  integer(name: string, otherwise = 0): number {
    const value = this.any(name);
    return value === null || value === '' ? otherwise : Number(value);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }
}

/** Why a parameter cannot be taken, or undefined. Text with a variable in it is known only at run time. */
export function refusalOf(name: string, value: Json, parameter: Parameter): string | undefined {
  if (typeof value === 'string' && value.includes('${')) return undefined;
  if (parameter.type === 'integer' && !/^([-+]?\d{1,9})?$/.test(textOf(value)))
    return `${name} must be an integer`;
  if (parameter.type === 'text' && (value === null || typeof value === 'object'))
    return `${name} must be a text`;
  if (parameter.type === 'names' && !isNames(value)) return `${name} must be a name or a list of names`;
  if (parameter.choices && !parameter.choices.includes(textOf(value))) {
    return `${name} must be one of ${parameter.choices.join(', ')}`;
  }
  return undefined;
}

function isNames(value: Json): boolean {
  return typeof value === 'string' || (isArray(value) && value.every((name) => typeof name === 'string'));
}

/** The text of a value that has one; a list, an object or null fails the entity (facts: transformations 8.1). */
export function scalarText(value: Value): string {
  if (value === null || isArray(value) || isObject(value)) {
    throw new RunFault(`the value is ${kindOf(value)}, not a text`);
  }
  return textOf(value);
}

export function kindOf(value: Value): string {
  if (value === null) return 'null';
  if (isBytes(value)) return 'bytes';
  if (isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : `a ${typeof value}`;
}
