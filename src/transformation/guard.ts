/** A condition as it stands in a transformation: parsed once, or for each run where variables are part of it. */
import { parseCondition } from './condition-grammar.ts';
import { decide, type Surroundings } from './condition.ts';
import { SyntaxFault } from './cursor.ts';
import { RunFault } from './effort.ts';
import type { Condition } from './expression.ts';
import type { Json } from './json.ts';
import { hasBareVariable, insertBareVariables } from './variables.ts';

export interface Guard {
  readonly text: string;
  /** Absent when a variable stands where only its value tells what the condition says. */
  readonly condition: Condition | undefined;
}

export function compileGuard(text: Json, refuse: (reason: string) => void): Guard | undefined {
  if (typeof text !== 'string') {
    refuse('a condition must be a text');
    return undefined;
  }
  if (hasBareVariable(text)) return { text, condition: undefined };
  try {
    return { text, condition: parseCondition(text) };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    refuse(error.message);
    return undefined;
  }
}

export function holds(test: Guard, around: Surroundings, current: Json = around.input): boolean {
  try {
    const condition = test.condition ?? parseCondition(insertBareVariables(test.text, around.variables));
    return decide(condition, around, current);
  } catch (error) {
    // With the variables in it, the condition is not one any more.
    if (error instanceof SyntaxFault) throw new RunFault(`the condition cannot be read: ${error.reason}`);
    throw error;
  }
}
