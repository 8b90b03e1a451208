/** Short ways to run one mapping, one condition or one path the way a transformation does. */
import { type Json, type JsonObject } from '../../src/transformation/json.ts';
import { compile, type Run } from '../../src/transformation/transformation.ts';

export type Options = Partial<Omit<Run, 'entity' | 'input'>>;

/** Runs the mappings on the input as a user; a faulty mapping is an error of the test. */
export function runMappings(mappings: readonly Json[], input: Json, options: Options = {}) {
  const { transformation, faults } = compile({ user: { mappings } }, 'test');
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  return transformation.run({ entity: 'user', operation: 'read', ...options, input });
}

/** What one mapping writes to `$.out`; undefined when it writes nothing. */
export function valueOf(mapping: JsonObject, input: Json, options: Options = {}): Json | undefined {
  const { output } = runMappings([{ targetPath: '$.out', ...mapping }], input, options);
  return Object(output).out;
}

/** What a path reads, with lists as they are; undefined when it is missing. */
export function readAt(sourcePath: string, input: Json): Json | undefined {
  return valueOf({ sourcePath, optional: true, preserveArrayWithSingleElement: true }, input);
}

export function isFulfilled(condition: string, input: Json, options: Options = {}): boolean {
  return valueOf({ condition, constant: true }, input, options) === true;
}

/** What functions make of a value. */
export function throughFunctions(
  value: Json,
  functions: readonly Json[],
  options: Options = {},
): Json | undefined {
  const mapping = { sourcePath: '$.in', preserveArrayWithSingleElement: true, functions };
  return valueOf(mapping, { in: value }, options);
}

export function faultsOf(document: unknown): string[] {
  return compile(document, 'file').faults.map(
    ({ entity = '', mapping = '', key = '', reason }) => `${entity}|${mapping}|${key}|${reason}`,
  );
}
