/**
 * The profiles of callers: files of `config/profiles`, which a caller names. A profile that is at fault is a fault of the
 * caller that names it; nothing of it is passed over.
 */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';

import { profileShape, type Quirk } from '../profile/quirks.ts';
import { ConfigFaults, describeFault, faultsOf } from './config-faults.ts';
import { readDocument } from './config-file.ts';
import { locate, readFrom, type References } from './config-references.ts';
import { name, refuse, type FaultSink } from './config-values.ts';

const delivered = resolve(import.meta.dirname, '../../config/profiles');

export interface Profile {
  readonly name: string;
  readonly repairs: readonly Quirk[];
}

/** @param directory where the files of profiles are */
export function profile(references: References, directory = delivered) {
  return name('_-', 'name of a profile')
    .transform((text, ctx) => readProfile(text, directory, references, ctx))
    .prefault('generic')
    .describe(
      'What is repaired of its requests: a file of `config/profiles`, such as `sap-idm`, `omada` or `midpoint`. ' +
        'The default repairs nothing (docs/profiles.md).',
    );
}

function readProfile(
  profileName: string,
  directory: string,
  references: References,
  ctx: FaultSink,
): Profile {
  const nothing: Profile = { name: profileName, repairs: [] };
  const known = profileNames(directory);
  if (!known.includes(profileName)) {
    refuse(ctx, `there is no profile ${profileName}`, `name one of: ${known.join(', ')}`);
    return nothing;
  }
  const file = locate(references, resolve(directory, `${profileName}.yaml`));
  const { data, error } = profileShape.safeParse(readOrRefuse(file, ctx), { reportInput: true });
  for (const fault of error?.issues.flatMap(faultsOf) ?? [])
    refuse(ctx, `${file}: ${fault.path} ${fault.problem}`, 'correct the file; docs/profiles.md explains it');
  return data ? readFrom(file, { name: profileName, repairs: data.repairs }) : nothing;
}

/** @param directory where the files of profiles are */
export function profileNames(directory = delivered): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .toSorted();
}

function readOrRefuse(file: string, ctx: FaultSink): unknown {
  try {
    return readDocument(file);
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw error;
    for (const fault of error.faults) refuse(ctx, describeFault(fault).trim());
    return {};
  }
}
