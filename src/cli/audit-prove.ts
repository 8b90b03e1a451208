/** `gatehouse audit prove`: takes records out of the trail together with the proof that they stand in it. */
import { writeFile } from 'node:fs/promises';

import { NotProvable, proofText, Prover, type ProvenRecord } from '../audit/proof.ts';
import { matcherOf } from '../audit/query.ts';
import type { Chain } from '../audit/read.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { chainsIn, contentOf, exitCodes, mostDirectories, Pass } from './audit-input.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse audit prove <record> <directory>... [--checkpoint FILE]... [--out FILE]

Writes a proof that a record stands in the trail: its line, the hashes that lead from it to the root of the chain's
tree, and a signed checkpoint that states this root. 'gatehouse audit check-proof' checks it with the chain's public
key and without the trail, so no other record is shown to anybody.

  <record>           a sequence number, as gateway-1:4711 where there are several instances, or a request's id, which
                     proves all records of that call
  --checkpoint FILE  one that was kept elsewhere, or that a witness has cosigned; without it those beside the segments
  --out FILE         instead of standard output
  --help             this text

examples:
  gatehouse audit prove gateway-1:4711 var/audit --out deletion.proof
  gatehouse audit prove 6d9f79d7-ffa6-49bc-8b28-ba555950530c var/audit --checkpoint kept/gateway-1.checkpoint

exit codes:
  0  written
  1  there is no such record, or no checkpoint covers it yet
  2  the trail and its checkpoint contradict each other, or the trail is damaged
  4  the command was not understood, or a file cannot be read
`;

const options = { checkpoint: { type: 'string', multiple: true }, out: { type: 'string' } } as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 2, mostDirectories);
  if (!given) return exitCodes.done;
  const [wanted = '', ...directories] = given.positionals;
  const { checkpoint = [], out } = given.values;
  const notes = await Promise.all(checkpoint.map((file) => contentOf(file, help)));
  using pass = new Pass(await chainsIn(directories, help));
  const places = await placesOf(wanted, pass);
  if (places.size === 0) {
    process.stderr.write(`gatehouse: there is no record ${wanted}\n`);
    return pass.exitCode(exitCodes.finding);
  }
  try {
    const text = proofText(await proveAll(places, notes));
    if (out === undefined) await write(text);
    else await writeFile(out, text, { mode: 0o640 });
    return pass.exitCode(exitCodes.done);
  } catch (error) {
    if (!(error instanceof NotProvable)) throw error;
    process.stderr.write(`gatehouse: ${error.message}\n`);
    return pass.exitCode(error.damaged ? exitCodes.damaged : exitCodes.finding);
  }
}

type Places = ReadonlyMap<Chain, readonly number[]>;

async function placesOf(wanted: string, pass: Pass): Promise<Places> {
  const [, instance, seq] = /^(?:(.+):)?([1-9]\d{0,14})$/.exec(wanted) ?? [];
  if (seq === undefined) return placesOfRequest(wanted, pass);
  const named = pass.chains.filter((chain) => instance === undefined || chain.instance === instance);
  if (instance !== undefined && named.length === 0)
    throw new WrongUsage(`there is no instance ${instance}`, help);
  const [only, second] = named;
  if (second) throw new WrongUsage('there are several instances: say which, as gateway-1:4711', help);
  return new Map(only ? [[only, [Number(seq)]]] : []);
}

async function placesOfRequest(request: string, pass: Pass): Promise<Places> {
  const matches = matcherOf({ request });
  const places = new Map<Chain, number[]>();
  for await (const entry of pass.entries()) {
    const chain = pass.chains.find(({ instance }) => instance === entry.instance);
    if (chain && matches(entry)) places.getOrInsertComputed(chain, () => []).push(entry.seq);
  }
  return places;
}

async function proveAll(places: Places, notes: readonly string[]): Promise<ProvenRecord[]> {
  const records: ProvenRecord[] = [];
  for (const [chain, numbers] of places) {
    const prover = new Prover(chain, notes);
    for (const seq of numbers) records.push(await prover.prove(seq));
  }
  return records;
}
