/** The gateway as a process of its own, as it runs in service, so that it can be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const main = resolve(import.meta.dirname, '../../src/main.ts');

export interface Child {
  readonly url: string;
  readonly admin: string;
  readonly process: ChildProcess;
  /** Sends the signal and waits for the end; gives the exit code, or null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** @param nodeOptions come before the program */
export async function startChild(configFile: string, nodeOptions: readonly string[] = []): Promise<Child> {
  const child = spawn(process.execPath, [...nodeOptions, main, 'start', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const serving = Promise.withResolvers<{ url: string; admin: string }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.includes('"message":"serving"')) serving.resolve(JSON.parse(line));
  });
  void exited.then(() => serving.reject(new Error(`the gateway ended before it served: ${errors}`)));
  const { url, admin } = await serving.promise;
  return {
    url,
    admin,
    process: child,
    async end(signal) {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
