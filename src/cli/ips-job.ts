/** `gatehouse ips job`: starts a job in a running embedded tenant, waits for its end and tells its figures. */
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { jobTypes } from '../ips/job.ts';
import { readArguments, WrongUsage } from './arguments.ts';

const stateShape = z.object({
  id: z.string(),
  status: z.string(),
  readMode: z.string(),
  error: z.string().optional(),
  statistics: z.record(z.string(), z.record(z.string(), z.number())),
});
type State = z.infer<typeof stateShape>;

const refusalShape = z.object({ detail: z.string() });

const options = {
  source: { type: 'string' },
  at: { type: 'string', default: 'http://127.0.0.1:8081' },
  scheduled: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

export async function runJob(args: readonly string[], help: string): Promise<number> {
  const given = readArguments(args, options, help, 1);
  if (!given) return 0;
  const type = jobTypes.find((known) => known === given.positionals[0]);
  const { source, at, scheduled, json } = given.values;
  if (!type) throw new WrongUsage(`a job is one of ${jobTypes.join(', ')}`, help);
  if (source === undefined) throw new WrongUsage('--source is needed', help);
  if (!URL.canParse(at)) throw new WrongUsage('--at takes a URL', help);
  const jobs = new URL('/rehearsal/jobs', at);
  let state = await ask(jobs, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type, source, scheduled }),
  });
  while (state.status === 'Running') {
    await sleep(100);
    state = await ask(new URL(`/rehearsal/jobs/${state.id}`, at));
  }
  process.stdout.write(json ? `${JSON.stringify({ type, ...state })}\n` : reportOf(type, state));
  return state.status === 'Success' ? 0 : 1;
}

async function ask(url: URL, init: RequestInit = {}): Promise<State> {
  const response = await fetch(url, { ...init, redirect: 'manual' }).catch((cause: unknown) => {
    throw new Error(`no tenant answers at ${url.origin}; start one with 'gatehouse ips'`, { cause });
  });
  const body: unknown = await response.json().catch(() => undefined); // no JSON is no answer of a tenant: told below
  const state = stateShape.safeParse(body);
  if (response.ok && state.success) return state.data;
  const { detail = `not an embedded tenant at ${url.origin}` } = refusalShape.safeParse(body).data ?? {};
  throw new Error(detail);
}

function reportOf(type: string, { id, status, readMode, error, statistics }: State): string {
  const rows = Object.entries(statistics);
  const width = Math.max(0, ...rows.map(([system]) => system.length));
  const figures = rows.map(([system, row]) => {
    const events = Object.entries(row).map(([event, times]) => `${event} ${times}`);
    return `  ${system.padEnd(width)}  ${events.join(', ')}`;
  });
  const head = `${type} ${id} (${readMode.toLowerCase()} read): ${status}`;
  return `${[head, ...(error === undefined ? [] : [`  ${error}`]), ...figures].join('\n')}\n`;
}
