/** The parsed forms of paths and conditions. Plain data: parsing, reading and deciding live elsewhere. */
import type { Json } from './json.ts';
import type { JavaRegex } from './regex.ts';

export interface Path {
  /** `$` is the document, `@` the value at hand. */
  readonly root: '$' | '@';
  readonly steps: readonly Step[];
  /** Definite: at most one value. Indefinite: always a list (facts: transformations 6.1). */
  readonly definite: boolean;
}

export type Step =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'indexes'; readonly indexes: readonly number[] }
  | { readonly kind: 'slice'; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly kind: 'every' }
  | { readonly kind: 'deep' }
  | { readonly kind: 'filter'; readonly condition: Condition }
  | { readonly kind: 'call'; readonly name: string; readonly parameters: readonly (Path | Literal)[] };

export type Condition =
  | { readonly kind: 'or' | 'and'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'constant'; readonly holds: boolean }
  | { readonly kind: 'exists'; readonly path: Path }
  | {
      readonly kind: 'relation';
      readonly left: Operand;
      readonly operator: Operator;
      readonly right: Operand;
    }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly subject: Path | undefined;
      readonly key: string;
    };

export type Operand = PathOperand | Literal | Template | Pattern;

export interface PathOperand {
  readonly kind: 'path';
  readonly path: Path;
}

export interface Literal {
  readonly kind: 'literal';
  readonly value: Json;
}

/** A string literal in which `${variables}` stand. */
export interface Template {
  readonly kind: 'template';
  readonly text: string;
}

export interface Pattern {
  readonly kind: 'pattern';
  readonly source: string;
  readonly flags: string;
  /** Absent while `${variables}` stand in the source. */
  readonly regex: JavaRegex | undefined;
}

export const operators = [
  '==',
  '!=',
  '===',
  '!==',
  '<',
  '<=',
  '>',
  '>=',
  '=~',
  'IN',
  'NIN',
  'CONTAINS',
  'SIZE',
  'EMPTY',
  'ALL',
  'SUBSETOF',
  'ANYOF',
  'NONEOF',
] as const;

export type Operator = (typeof operators)[number];
