/** Runs another program of this folder for as long as some work takes, and hears from it what it did. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** @param script prints a line when it is at work, and its account as JSON when SIGTERM comes */
export async function beside<T, Account>(
  script: string,
  args: readonly string[],
  work: () => Promise<T>,
): Promise<[result: T, account: Account]> {
  const other = spawn(process.execPath, [resolve(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: other.stdout });
  const told = lines[Symbol.asyncIterator]();
  await told.next();
  const result = await work();
  other.kill('SIGTERM');
  const { value = '' } = await told.next();
  if (other.exitCode === null) await once(other, 'exit');
  return [result, JSON.parse(value)];
}
