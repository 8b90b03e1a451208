/** The functions on lists and objects, encodings, and the ids of other systems (facts: transformations 8.2). */
import { type Algorithm, decode, encode } from './base-encoding.ts';
import { RunFault } from './effort.ts';
import {
  type Around,
  type FunctionKind,
  type Given,
  kindOf,
  scalarText,
  type Work,
} from './function-kind.ts';
import {
  isArray,
  isBytes,
  isObject,
  type Json,
  type JsonObject,
  MISSING,
  type Missing,
  property,
  textOf,
  type Value,
} from './json.ts';

const requiredText = { type: 'text', required: true } as const;
const algorithm = { type: 'text', required: true, choices: ['base32', 'base64'] } as const;
const anyParameter = { type: 'any' } as const;
const entry = { sourceKey: requiredText, targetKey: requiredText };
const put = { key: requiredText, defaultValue: { type: 'any', required: true } } as const;

export const collectionFunctions = {
  elementAt: {
    parameters: { index: { type: 'integer', required: true } },
    prepare: (given) => {
      const index = given.integer('index');
      return (value) => {
        if (!isArray(value)) throw new RunFault(`the value is ${kindOf(value)}, not a list`);
        return index >= 0 && index < value.length ? (value[index] ?? null) : MISSING;
      };
    },
  },
  putIfAbsent: {
    parameters: put,
    iterates: true,
    prepare: (given) =>
      onObject(
        (object, key) => (has(object, key) ? object : { ...object, [key]: given.any('defaultValue') }),
        given,
      ),
  },
  putIfPresent: {
    parameters: put,
    iterates: true,
    prepare: (given) =>
      onObject(
        (object, key) => (has(object, key) ? { ...object, [key]: given.any('defaultValue') } : object),
        given,
      ),
  },
  copyMapEntry: {
    parameters: entry,
    iterates: true,
    prepare: (given) => onEntry(given, (object, value, _, target) => ({ ...object, [target]: value })),
  },
  renameMapEntry: {
    parameters: entry,
    iterates: true,
    prepare: (given) =>
      onEntry(given, (object, value, source, target) => {
        const { [source]: _, ...others } = object;
        return { ...others, [target]: value };
      }),
  },
  encode: {
    parameters: { algorithm, skipPadding: anyParameter },
    iterates: true,
    prepare: (given) => (value) => {
      const bytes = isBytes(value) ? value : new TextEncoder().encode(scalarText(value));
      return encode(bytes, algorithmOf(given), given.text('skipPadding') !== 'true');
    },
  },
  decode: {
    parameters: { algorithm, skipPadding: anyParameter },
    iterates: true,
    prepare: (given) => (value) => {
      const bytes = decode(scalarText(value), algorithmOf(given));
      if (!bytes) throw new RunFault(`the text is not ${given.text('algorithm')}`);
      return bytes;
    },
  },
  resolveEntityIds: {
    parameters: {
      entityType: { type: 'text', choices: ['user', 'group'] },
      sourceSystemName: { type: 'text' },
      targetSystemName: { type: 'text' },
    },
    iterates: true,
    prepare: (given) => (value, around) => resolve(value, given, around),
  },
} as const satisfies Record<string, FunctionKind>;

function algorithmOf(given: Given): Algorithm {
  return given.text('algorithm') === 'base32' ? 'base32' : 'base64';
}

/** A null counts as absent (facts: transformations 8.2). */
function has(object: JsonObject, key: string): boolean {
  const value = property(object, key);
  return value !== MISSING && value !== null;
}

function onObject(change: (object: JsonObject, key: string) => JsonObject, given: Given): Work {
  return (value) => change(objectOf(value), given.text('key'));
}

function onEntry(
  given: Given,
  change: (object: JsonObject, value: Json, source: string, target: string) => JsonObject,
): Work {
  return (value) => {
    const object = objectOf(value);
    const source = given.text('sourceKey');
    const moved = property(object, source);
    return moved === MISSING ? object : change(object, moved, source, given.text('targetKey'));
  };
}

function objectOf(value: Value): JsonObject {
  if (!isObject(value)) throw new RunFault(`the value is ${kindOf(value)}, not an object`);
  return value;
}

/** Where no database of ids is at hand, as in a proxy system, ids stay as they are. */
function resolve(value: Value, given: Given, around: Around): Value | Missing {
  if (isObject(value)) {
    const id = property(value, 'value');
    const resolved = id === MISSING || id === null ? MISSING : resolve(id, given, around);
    return resolved === MISSING ? MISSING : { ...value, value: textOf(resolved) };
  }
  if (!around.resolveId) return value;
  const reference = {
    id: scalarText(value),
    entityType: given.text('entityType', 'user'),
    sourceSystemName: given.maybeText('sourceSystemName'),
    targetSystemName: given.maybeText('targetSystemName'),
  };
  return around.resolveId(reference) ?? MISSING;
}
