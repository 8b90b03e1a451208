/**
 * The operational log: one JSON object a line on standard output, for people who run the gateway. It is not
 * the audit trail, and it never holds what a caller or a tenant sent: errors give their kind, their code and
 * where they happened.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

import winston from 'winston';

const requests = new AsyncLocalStorage<string>();

/** Runs work so that every line logged by it carries the request id. */
export function withRequest<T>(requestId: string, work: () => T): T {
  return requests.run(requestId, work);
}

const stamp = winston.format((line) => {
  const request = requests.getStore();
  return { ...line, time: new Date().toISOString(), ...(request && { request }) };
});

export const log = winston.createLogger({
  level: 'info',
  format: winston.format.combine(stamp(), winston.format.json()),
  transports: [new winston.transports.Console({ stderrLevels: ['error', 'warn'] })],
});

export function setLogLevel(level: string): void {
  log.level = level;
}

/** The causes of an error by name, code and place, without their messages: those may quote what was sent. */
export function describeError(error: unknown): object {
  const causes: object[] = [];
  for (let cause = error; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    causes.push({ name: cause.name, ...(code && { code }), at: placeOf(cause) });
  }
  return { causes };
}

function placeOf({ stack = '' }: Error): string | undefined {
  return /^\s+at (.*)$/m.exec(stack)?.[1]?.replace(/\(?file:\/\/.*\/(?=src\/|node_modules\/)/, '(');
}
