/**
 * The functions that may end a path, such as `.length()`. Each gets the value before it and its evaluated
 * parameters and yields a value or MISSING; `length` of a string is SAP's use (facts: transformations 6.1).
 */
import { isArray, isObject, type Json, type JsonObject, MISSING, type Missing, textOf } from './json.ts';

type PathFunction = (value: Json, parameters: readonly Json[]) => Json | Missing;

function length(value: Json): Json | Missing {
  if (typeof value === 'string' || isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : MISSING;
}

function numbers(value: Json, parameters: readonly Json[]): number[] {
  const all = [
    ...(isArray(value) ? value : []),
    ...parameters.flatMap((item) => (isArray(item) ? item : [item])),
  ];
  return all.filter((item) => typeof item === 'number');
}

/** The aggregates have no value for an empty list. */
function aggregate(reckon: (values: readonly number[]) => number): PathFunction {
  return (value, parameters) => {
    const values = numbers(value, parameters);
    return values.length === 0 ? MISSING : reckon(values);
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function deviation(values: readonly number[]): number {
  const mean = sum(values) / values.length;
  return Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / values.length);
}

function element(value: Json, index: number): Json | Missing {
  if (!isArray(value)) return MISSING;
  return value.at(index) ?? (index >= -value.length && index < value.length ? null : MISSING);
}

export const pathFunctions: Readonly<Record<string, PathFunction>> = {
  length: (value, [parameter]) => length(parameter === undefined ? value : parameter),
  size: (value, [parameter]) => length(parameter === undefined ? value : parameter),
  min: aggregate((values) => values.reduce((least, value) => Math.min(least, value))),
  max: aggregate((values) => values.reduce((most, value) => Math.max(most, value))),
  avg: aggregate((values) => sum(values) / values.length),
  sum: aggregate(sum),
  stddev: aggregate(deviation),
  keys: (value) => (isObject(value) ? Object.keys(value satisfies JsonObject) : MISSING),
  concat: (value, parameters) =>
    [...(isArray(value) ? value : []), ...parameters.flatMap((item) => (isArray(item) ? item : [item]))]
      .filter((item) => typeof item === 'string' || typeof item === 'number')
      .map(textOf)
      .join(''),
  append: (value, parameters) => (isArray(value) ? [...value, ...parameters] : MISSING),
  first: (value) => element(value, 0),
  last: (value) => element(value, -1),
  index: (value, [at]) => (typeof at === 'number' ? element(value, at) : MISSING),
};
