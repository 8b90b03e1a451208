/**
 * Calls to the console's server. Invariant: whatever changes something carries the session's CSRF token, and the first
 * answer `not logged on` is told to whoever waits for it, so that no page shows data of a session that is over.
 */
import { endpoints, type Problem } from '../api/endpoints.ts';
import type { Session } from '../api/session.ts';

export class Refusal extends Error {
  readonly status: number;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(problem.detail);
    this.status = status;
    this.problem = problem;
  }
}

let csrf = '';
let whenOver: () => void = () => undefined;
let lastCallAt = Date.now();

export function keepToken({ csrf: token }: Session): void {
  csrf = token;
}

export function onSessionOver(tell: () => void): void {
  whenOver = tell;
}

/** Each call moves the end of the session; live events and questions about the session do not. */
export const lastCall = (): number => lastCallAt;

export const apiBase = '/console/api';

export async function call<T>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<T> {
  if (path !== endpoints.session.path) lastCallAt = Date.now();
  const response = await fetch(`${apiBase}${path}`, {
    method,
    ...(method !== 'GET' && { headers: { 'content-type': 'application/json', 'x-csrf-token': csrf } }),
    ...(body !== undefined && { body: JSON.stringify(body) }),
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    ...(signal && { signal }),
  });
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  const problem = await problemOf(response);
  if (response.status === 401 && problem.error === 'not-logged-on') whenOver();
  throw new Refusal(response.status, problem);
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    // A balancer in between answers in its own words.
    return { error: 'unavailable', detail: `HTTP ${response.status}` };
  }
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> =>
  call<T>('GET', path, undefined, signal);

export const fill = (path: string, values: Readonly<Record<string, string>>): string =>
  path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
