/** A gateway started by the command that an installation has, until the end of its scope. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Program extends AsyncDisposable {
  readonly url: string;
  /** The first line of its output, past or coming, that the pattern finds. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
}

export async function startProgram(file: string, args: readonly string[]): Promise<Program> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const lines: string[] = [];
  let arrived = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(text);
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  const ended = exited.then((): never => {
    throw new Error(`the program ended: ${errors}`);
  });
  ended.catch(() => errors); // Whoever waits for a line hears of it; nobody else needs to.
  const line = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const more = arrived.promise;
      const found = lines.map((text) => pattern.exec(text)).find((match) => match !== null);
      if (found) return found;
      await Promise.race([more, ended]);
    }
  };
  const [serving = '{}'] = await line(/^\{.*"message":"serving".*$/);
  return {
    url: (JSON.parse(serving) as { readonly url: string }).url,
    line,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
