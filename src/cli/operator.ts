/** What the commands for operators have in common: they ask the running gateway by files of its own account. */
import { userInfo } from 'node:os';

import { askDesk } from '../file-desk.ts';
import { configFile, loadConfig, type Config } from '../gateway/config.ts';
import {
  operatorPlace,
  operatorReply,
  reasonLength,
  type OperatorRequest,
} from '../gateway/operator-desk.ts';
import { absenceOf } from './absent-gateway.ts';
import { WrongUsage } from './arguments.ts';

/** What each of them takes beside its own. */
export const operatorOptions = {
  reason: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** A gateway looks twice a second, and may be busy. */
const patienceMs = 10_000;

type Asked = OperatorRequest extends infer Each
  ? Each extends { by: string }
    ? Omit<Each, 'by'>
    : never
  : never;

/** Why something is done, for the trail; who is asked would not say what is wrong with it. */
export function reasonIn(text: string | undefined, help: string): string {
  const { least, most } = reasonLength;
  const { length } = text?.trim() ?? '';
  if (text === undefined || length < least || length > most)
    throw new WrongUsage(`--reason is a text of ${least} to ${most} characters`, help);
  return text;
}

/** Asks, tells, and returns the exit code. */
export async function operate(
  asked: Asked,
  { config, json = false }: { readonly config?: string | undefined; readonly json?: boolean | undefined },
): Promise<number> {
  const gateway = loadConfig(configFile(config));
  const request = { ...asked, by: userInfo().username };
  const answer = await askDesk(operatorPlace(gateway), request, patienceMs).catch(orNobody);
  const { done, says } =
    answer === undefined
      ? { done: false, says: (await absenceOf(gateway)) ?? tooBusy(gateway) }
      : operatorReply.parse(JSON.parse(answer));
  if (json) process.stdout.write(`${JSON.stringify({ done, says })}\n`);
  else (done ? process.stdout : process.stderr).write(done ? `${says}\n` : `gatehouse: ${says}\n`);
  return done ? 0 : 1;
}

function tooBusy({ audit }: Config): string {
  return `gateway ${audit.instance} runs, but did not take the request within ${patienceMs / 1000} seconds.`;
}

/** A gateway makes the directory when it starts. */
function orNobody(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
