/** `gatehouse audit …` as a process of its own. */
import { gatehouse, type Ended } from '../support/command.ts';

export function audit(...args: readonly string[]): Promise<Ended> {
  return gatehouse('audit', ...args);
}
