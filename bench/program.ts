/** Programs of the machine that a measurement needs and that may be absent. */
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Servers are often where only root looks. */
const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** @param program a name, or a path that is taken as it is */
export function findProgram(program: string): string | undefined {
  const candidates = isAbsolute(program) ? [program] : places.map((place) => join(place, program));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false; // not here, or not ours to run
    }
  });
}
