/** `gatehouse audit …` as a process of its own. */
import { execFile } from 'node:child_process';
import { resolve as resolvePath } from 'node:path';

const main = resolvePath(import.meta.dirname, '../../src/main.ts');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function audit(...args: readonly string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const child = execFile(
    process.execPath,
    [main, 'audit', ...args],
    { maxBuffer: 1 << 26 },
    (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
  );
  return promise;
}
