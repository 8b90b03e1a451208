/**
 * Writes a directory as a tar archive (POSIX.1-1988 ustar) that depends on its content alone: sorted names, no
 * owner, one fixed time. Two builds of the same tree are the same bytes, so that anybody can check a release.
 */
import { readdirSync } from 'node:fs';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

const block = 512;
/** 1980-01-01, because some programs warn about an older time. */
const time = 315_532_800;
const kinds = { file: '0', link: '2', directory: '5' } as const;

interface Member {
  readonly path: string;
  readonly kind: keyof typeof kinds;
  readonly mode: number;
  readonly size: number;
  readonly target: string;
}

/** @param name the one directory at the top of the archive */
export async function* tar(directory: string, name: string): AsyncGenerator<Buffer> {
  yield headerOf({ path: `${name}/`, kind: 'directory', mode: 0o755, size: 0, target: '' });
  for (const below of listBelow(directory)) {
    const member = await memberOf(directory, below, name);
    yield headerOf(member);
    if (member.kind !== 'file') continue;
    yield await readFile(join(directory, below));
    yield Buffer.alloc((block - (member.size % block)) % block);
  }
  yield Buffer.alloc(2 * block);
}

/** All that is below the directory, by relative path, parents first. */
export function listBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted();
}

async function memberOf(directory: string, below: string, name: string): Promise<Member> {
  const full = join(directory, below);
  const facts = await lstat(full);
  const path = `${name}/${below}`;
  if (facts.isSymbolicLink())
    return { path, kind: 'link', mode: 0o777, size: 0, target: await readlink(full) };
  if (facts.isDirectory()) return { path: `${path}/`, kind: 'directory', mode: 0o755, size: 0, target: '' };
  if (!facts.isFile()) throw new Error(`${full} is neither file, link nor directory`);
  return { path, kind: 'file', mode: facts.mode & 0o100 ? 0o755 : 0o644, size: facts.size, target: '' };
}

function headerOf({ path, kind, mode, size, target }: Member): Buffer {
  const header = Buffer.alloc(block);
  const { prefix, rest } = split(path);
  const put = (text: string, at: number, length: number): void => {
    if (Buffer.byteLength(text) > length) throw new Error(`too long for an archive: ${path}`);
    header.write(text, at);
  };
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  put(rest, 0, 100);
  put(octal(mode, 8), 100, 8);
  put(octal(0, 8), 108, 8);
  put(octal(0, 8), 116, 8);
  put(octal(size, 12), 124, 12);
  put(octal(time, 12), 136, 12);
  put(kinds[kind], 156, 1);
  put(target, 157, 100);
  put('ustar\u000000', 257, 8);
  put(prefix, 345, 155);
  // The sum is taken with blanks in its own place.
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return header;
}

/** A path longer than 100 bytes is cut at a slash: at most 155 bytes before it. */
function split(path: string): { readonly prefix: string; readonly rest: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', rest: path };
  const at = path.indexOf('/', path.length - 101);
  return { prefix: path.slice(0, Math.max(at, 0)), rest: path.slice(at + 1) };
}
