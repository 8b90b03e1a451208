/**
 * The functions that may stand in a condition (facts: transformations 7.1.2). Their second argument is a bare
 * property key, never `%key%`.
 */
import type { Effort } from './effort.ts';
import { isArray, isObject, type Json, MISSING, type Missing, property, textOf } from './json.ts';
import { JavaRegex } from './regex.ts';

interface Around {
  readonly input: Json;
  readonly properties: Readonly<Record<string, string>>;
  readonly effort: Effort;
}

interface ConditionFunction {
  readonly arity: number;
  readonly decide: (value: Json | Missing, key: string, around: Around) => boolean;
}

const groupExtension = 'urn:ietf:params:scim:schemas:extension:sap:2.0:Group';

const atom = "[a-zA-Z0-9!#$%&\u2018'*+/=?^_`{|}~-]+";
const label = '[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]?';
const email = new JavaRegex(
  `${atom}(?>\\.${atom})*@(?>${label}\\.)+[a-zA-Z0-9](?>[a-zA-Z0-9-]*[a-zA-Z0-9])?`,
);

const functions: Readonly<Record<string, ConditionFunction>> = {
  isValidEmail: {
    arity: 1,
    decide: (value, _, { effort }) => {
      const values: readonly (Json | Missing)[] = value !== MISSING && isArray(value) ? value : [value];
      return values.length > 0 && values.every((item) => isEmail(item, effort));
    },
  },
  isApplicationSpecificGroup: {
    arity: 0,
    decide: (_, __, { input, properties }) => {
      const application = propertyOf(properties, 'ips.application.id');
      return application !== undefined && groupAttribute(input, 'applicationId') === application;
    },
  },
  isRegularGroup: {
    arity: 0,
    decide: (_, __, { input }) =>
      ['supportedOperations', 'applicationId'].some((name) => groupAttribute(input, name) === MISSING),
  },
  isAttributeWithOptionalPrefix: {
    arity: 2,
    decide: (value, key, { properties }) => {
      const prefix = propertyOf(properties, key);
      return value === MISSING || prefix === undefined || startsWith(value, prefix);
    },
  },
  isAttributeWithMandatoryPrefix: {
    arity: 2,
    decide: (value, key, { properties }) => {
      const prefix = propertyOf(properties, key);
      return value !== MISSING && prefix !== undefined && startsWith(value, prefix);
    },
  },
};

/** Why a call cannot be, or undefined when it can. */
export function refusalOfCall(name: string, argumentCount: number): string | undefined {
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!known) return `unknown condition function ${name}()`;
  return known.arity === argumentCount
    ? undefined
    : `${name}() takes ${known.arity} arguments, not ${argumentCount}`;
}

export function decideCall(name: string, value: Json | Missing, key: string, around: Around): boolean {
  return functions[name]?.decide(value, key, around) ?? false;
}

function isEmail(value: Json | Missing, effort: Effort): boolean {
  return typeof value === 'string' && email.matches(value, effort) !== undefined;
}

function groupAttribute(input: Json, name: string): Json | Missing {
  const extension = isObject(input) ? property(input, groupExtension) : MISSING;
  const value = isObject(extension) ? property(extension, name) : MISSING;
  return value === null ? MISSING : value;
}

function propertyOf(properties: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(properties, key) ? properties[key] : undefined;
}

function startsWith(value: Json, prefix: string): boolean {
  const values = isArray(value) ? value : [value];
  return values.length > 0 && values.every((item) => item !== null && textOf(item).startsWith(prefix));
}
