/** What the commands for operators have in common: they ask the running gateway by files of its own account. */
import { userInfo } from 'node:os';

import { askDesk } from '../file-desk.ts';
import { configFile, loadConfig } from '../gateway/config.ts';
import { operatorPlace, operatorReply, type OperatorRequest } from '../gateway/operator-desk.ts';

/** A gateway looks twice a second, and may be busy. */
const patienceMs = 10_000;

type Asked = OperatorRequest extends infer Each
  ? Each extends { by: string }
    ? Omit<Each, 'by'>
    : never
  : never;

/** Asks, tells, and returns the exit code. */
export async function operate(
  asked: Asked,
  { config, json = false }: { readonly config?: string | undefined; readonly json?: boolean | undefined },
): Promise<number> {
  const place = operatorPlace(loadConfig(configFile(config)));
  const request = { ...asked, by: userInfo().username };
  const answer = await askDesk(place, request, patienceMs).catch(orNobody);
  const { done, says } =
    answer === undefined
      ? { done: false, says: 'No running gateway took the request.' }
      : operatorReply.parse(JSON.parse(answer));
  if (json) process.stdout.write(`${JSON.stringify({ done, says })}\n`);
  else (done ? process.stdout : process.stderr).write(done ? `${says}\n` : `gatehouse: ${says}\n`);
  return done ? 0 : 1;
}

/** A gateway makes the directory when it starts. */
function orNobody(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
