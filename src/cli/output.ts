/** Writes results of any length: waits while the reader is slower, and ends well when it has had enough (`| head`). */
import { once } from 'node:events';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

export async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}
