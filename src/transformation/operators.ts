/**
 * The relational operators (facts: transformations 7.1). Stock Jayway throughout, except `EMPTY`, which follows
 * SAP's text: missing, null, "", [] and {} are empty.
 */
import type { Effort } from './effort.ts';
import type { Operator } from './expression.ts';
import { equal, isArray, isObject, type Json, MISSING, type Missing } from './json.ts';
import { JavaRegex } from './regex.ts';

/** Stock Jayway takes a missing value for equal to nothing; SAP's defaults can be read as if it were `[]`. */
export type MissingAs = 'nothing' | 'emptyList';

export interface Ground {
  readonly effort: Effort;
  readonly missing: MissingAs;
}

export type Operand = Json | Missing | JavaRegex;

/** @param missing what a missing value is compared as with `==` and its like */
export function relate(
  left: Operand,
  operator: Operator,
  right: Operand,
  { effort, missing }: Ground,
): boolean {
  if (operator === '=~') return matches(left, right, effort);
  if (left instanceof JavaRegex || right instanceof JavaRegex) return false;
  if (missing === 'emptyList' && /^[!=]/.test(operator))
    return relations[operator](present(left), present(right));
  return relations[operator](left, right);
}

type Side = Json | Missing;

const relations: Readonly<Record<Exclude<Operator, '=~'>, (left: Side, right: Side) => boolean>> = {
  '==': same,
  '!=': (left, right) => !same(left, right),
  '===': identical,
  '!==': (left, right) => !identical(left, right),
  '<': (left, right) => compare(left, right, (order) => order < 0),
  '<=': (left, right) => compare(left, right, (order) => order <= 0),
  '>': (left, right) => compare(left, right, (order) => order > 0),
  '>=': (left, right) => compare(left, right, (order) => order >= 0),
  IN: isIn,
  NIN: (left, right) => !isIn(left, right),
  CONTAINS: (left, right) =>
    typeof left === 'string' ? typeof right === 'string' && left.includes(right) : isIn(right, left),
  SIZE: (left, right) => (typeof left === 'string' || isList(left)) && left.length === right,
  EMPTY: (left, right) => isEmpty(left) === right,
  ALL: (left, right) => isList(left) && isList(right) && right.every((item) => isIn(item, left)),
  SUBSETOF: (left, right) => isList(left) && isList(right) && left.every((item) => isIn(item, right)),
  ANYOF: (left, right) => isList(left) && isList(right) && left.some((item) => isIn(item, right)),
  NONEOF: (left, right) => isList(left) && isList(right) && !left.some((item) => isIn(item, right)),
};

/** A missing value equals nothing, not even null; a text and a number are equal when they say the same. */
function same(left: Side, right: Side): boolean {
  if (left === MISSING || right === MISSING) return false;
  if (typeof left === 'string' && typeof right === 'number') return left === String(right);
  if (typeof left === 'number' && typeof right === 'string')
    return isNumeral(right) && left === Number(right);
  return equal(left, right);
}

function identical(left: Side, right: Side): boolean {
  return typeof left === typeof right && same(left, right);
}

function isNumeral(text: string): boolean {
  return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text);
}

function compare(left: Side, right: Side, holds: (order: number) => boolean): boolean {
  if (typeof left === 'number' && typeof right === 'number') return holds(left - right);
  if (typeof left !== 'string' || typeof right !== 'string') return false;
  return holds(left < right ? -1 : Number(left > right));
}

function present(side: Side): Json {
  return side === MISSING ? [] : side;
}

function isList(value: Side): value is readonly Json[] {
  return value !== MISSING && isArray(value);
}

function isIn(item: Side, list: Side): boolean {
  return isList(list) && list.some((member) => same(item, member));
}

function isEmpty(value: Side): boolean {
  if (value === MISSING || value === null || value === '') return true;
  if (isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** Always the whole text; of a list, any element. What has no text is matched as an empty one. */
function matches(left: Operand, right: Operand, effort: Effort): boolean {
  if (!(left instanceof JavaRegex)) return matchesRegex(right, left, effort);
  return right instanceof JavaRegex ? false : matchesRegex(left, right, effort);
}

function matchesRegex(regex: Operand, side: Side, effort: Effort): boolean {
  if (!(regex instanceof JavaRegex)) return false;
  const texts = isList(side) ? side.map(matchable) : [matchable(side)];
  return texts.some((text) => regex.matches(text, effort) !== undefined);
}

function matchable(value: Side): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
