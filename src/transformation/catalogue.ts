/** All functions of the language by name (facts: transformations 8.2). */
import { collectionFunctions } from './collection-functions.ts';
import { dateFunctions } from './date-functions.ts';
import type { FunctionKind } from './function-kind.ts';
import { passwordFunctions } from './password.ts';
import { placeFunctions } from './place-functions.ts';
import { textFunctions } from './text-functions.ts';

export const catalogue: Readonly<Record<string, FunctionKind>> = {
  ...textFunctions,
  ...collectionFunctions,
  ...dateFunctions,
  ...placeFunctions,
  ...passwordFunctions,
};
