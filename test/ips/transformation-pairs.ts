/**
 * The pairs of proxy systems in a folder of transformations: `<page>-<n>.json` reads and `<page>-<n+1>.json`
 * writes, as SAP's pages print them one after the other.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

const mapping = z.looseObject({
  sourcePath: z.string().optional(),
  sourceVariable: z.string().optional(),
  targetPath: z.string().optional(),
  targetVariable: z.string().optional(),
  scope: z.string().optional(),
  condition: z.string().optional(),
  optional: z.boolean().optional(),
  ignore: z.boolean().optional(),
});
const entity = z.looseObject({
  scimEntityEndpoint: z.enum(['Users', 'Groups']),
  ignore: z.boolean().optional(),
  skipOperations: z.array(z.string()).default([]),
  mappings: z.array(mapping),
});
const document = z.record(z.string(), entity);

export type Mapping = z.infer<typeof mapping>;
export type Document = z.infer<typeof document>;

export interface Pair {
  readonly name: string;
  readonly read: Document;
  readonly write: Document;
}

export async function pairsIn(folder: string): Promise<Pair[]> {
  const documents = new Map<string, Document>();
  for (const file of await readdir(folder)) {
    if (!file.endsWith('.json')) continue;
    const parsed = document.safeParse(JSON.parse(await readFile(join(folder, file), 'utf8')));
    if (parsed.success) documents.set(file, parsed.data); // others are of source and target systems
  }
  const files = [...documents].toSorted(([some], [other]) => some.localeCompare(other, 'en'));
  return files.flatMap(([file, read]) => {
    const [, page = '', number = ''] = /^(.*)-(\d+)\.json$/.exec(file) ?? [];
    const write = documents.get(`${page}-${Number(number) + 1}.json`);
    if (!isRead(read) || !write || isRead(write)) return [];
    return [{ name: `${page.replace(/-[0-9a-f]{7}$/, '')} ${number}`, read, write }];
  });
}

/** Every read transformation of a proxy tells the id of an entity (facts: transformations 7.3). */
function isRead(transformation: Document): boolean {
  return Object.values(transformation).some(({ mappings }) =>
    mappings.some(({ targetVariable }) => targetVariable === 'entityIdSourceSystem'),
  );
}

export function entityOf(transformation: Document, type: 'Users' | 'Groups') {
  return Object.values(transformation).find(({ scimEntityEndpoint }) => scimEntityEndpoint === type);
}

/** Operations that the pair refuses by itself. */
export function skippedBy(write: Document, type: 'Users' | 'Groups'): readonly string[] {
  return entityOf(write, type)?.skipOperations ?? [];
}
