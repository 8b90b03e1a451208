/**
 * Decides a parsed condition (facts: transformations 7.1). `$` is always the input document, `@` the value
 * at hand; a missing value follows the truth table of 7.1.1, not JavaScript.
 */
import { decideCall } from './condition-functions.ts';
import { SyntaxFault } from './cursor.ts';
import { type Effort, RunFault } from './effort.ts';
import type { Condition, Operand, Pattern } from './expression.ts';
import { type Json, MISSING, type Missing } from './json.ts';
import { type MissingAs, relate } from './operators.ts';
import { read, type Scope } from './path-reading.ts';
import { JavaRegex } from './regex.ts';
import { insertVariables, type Variables } from './variables.ts';

/** What conditions and functions can see during one run. */
export interface Surroundings {
  readonly input: Json;
  readonly properties: Readonly<Record<string, string>>;
  readonly variables: Variables;
  readonly effort: Effort;
  readonly missing: MissingAs;
}

export function scopeOf(around: Surroundings, current: Json): Scope {
  return {
    document: around.input,
    current,
    effort: around.effort,
    accepts: (condition, item) => decide(condition, around, item),
  };
}

/** In steps of the matcher. */
const decisionCost = 5;

export function decide(condition: Condition, around: Surroundings, current: Json = around.input): boolean {
  around.effort.spend(decisionCost);
  switch (condition.kind) {
    case 'or':
      return condition.parts.some((part) => decide(part, around, current));
    case 'and':
      return condition.parts.every((part) => decide(part, around, current));
    case 'not':
      return !decide(condition.part, around, current);
    case 'constant':
      return condition.holds;
    case 'exists':
      return read(condition.path, scopeOf(around, current)) !== MISSING;
    case 'call': {
      const { subject } = condition;
      const value = subject ? read(subject, scopeOf(around, current)) : MISSING;
      return decideCall(condition.name, value, condition.key, around);
    }
    case 'relation':
      return relate(
        valueOf(condition.left, around, current),
        condition.operator,
        valueOf(condition.right, around, current),
        around,
      );
  }
}

function valueOf(operand: Operand, around: Surroundings, current: Json): Json | Missing | JavaRegex {
  if (operand.kind === 'path') return read(operand.path, scopeOf(around, current));
  if (operand.kind === 'literal') return operand.value;
  if (operand.kind === 'template') return insertVariables(operand.text, around.variables);
  return operand.regex ?? filledRegex(operand, around);
}

function filledRegex({ source, flags }: Pattern, around: Surroundings): JavaRegex {
  try {
    return new JavaRegex(insertVariables(source, around.variables), flags);
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    throw new RunFault(`with its variables the regular expression cannot be read: ${error.reason}`);
  }
}
