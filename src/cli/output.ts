/**
 * Writes results of any length to standard output: small pieces together, never faster than the reader takes them, and
 * to a good end when the reader has had enough (`| head`).
 */
import { once } from 'node:events';

const fullLength = 1 << 16;
let waiting = '';
let flushing: NodeJS.Immediate | undefined;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

/** What is written goes out when there is much of it, or when the command waits for something. */
export async function write(text: string): Promise<void> {
  waiting += text;
  if (waiting.length > fullLength) {
    if (!flush()) await once(process.stdout, 'drain');
  } else flushing ??= setImmediate(flush);
}

function flush(): boolean {
  clearImmediate(flushing);
  flushing = undefined;
  const text = waiting;
  waiting = '';
  return process.stdout.write(text);
}
