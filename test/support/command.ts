/** `gatehouse …` as a process of its own. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

const main = resolve(import.meta.dirname, '../../src/main.ts');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function gatehouse(...args: readonly string[]): Promise<Ended> {
  const { promise, resolve: end } = Promise.withResolvers<Ended>();
  const child = execFile(process.execPath, [main, ...args], { maxBuffer: 1 << 26 }, (_, stdout, stderr) =>
    end({ code: child.exitCode ?? -1, stdout, stderr }),
  );
  return promise;
}
