/** `npm run bench`: what Gatehouse saves and costs. It exits with 1 when something that is promised did not hold. */
import { parseArgs } from 'node:util';

import { judge } from './acceptance.ts';
import { compareCachedReads, type Comparison } from './cached-reads.ts';
import { measureMemory, type Memory } from './memory.ts';
import { publish } from './publish.ts';
import { cachedText, heading, memoryText, rowOf, verdictText } from './report.ts';
import { describeCommit, describeMachine } from './run.ts';
import { missingFor, type WayName, wayNames } from './way.ts';
import { titlesOf, wayTitles } from './words.ts';
import { plays, type Costs, type Sizes, type Workload } from './workloads.ts';

const help = `usage: npm run bench -- [part …] [--only way,…] [--quick] [--out directory] [--nginx path]

parts: a b c d e f, cached, memory; all when none is given (docs/bench.md says what they are)
ways:  ${wayNames.join(', ')}

  --quick  in small, to see that it works; nothing is judged
  --out    where bench.json, bench.svg and bench.md go, default var/bench; docs renews what is published
`;

const full: Sizes = {
  users: 20_000,
  groups: 500,
  singleReads: 20_000,
  additions: 500,
  creates: 2000,
  burst: 500,
  minutesBetween: 10,
  quietSeconds: 60,
};
const quick: Sizes = {
  users: 300,
  groups: 10,
  singleReads: 300,
  additions: 20,
  creates: 10,
  burst: 20,
  minutesBetween: 0.1,
  quietSeconds: 4,
};
const parts = new Set(['a', 'b', 'c', 'd', 'e', 'f', 'cached', 'memory']);
const freshMinutes = 30;
const memoryUsers = 100_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: wayNames.join(',') },
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: 'var/bench' },
    nginx: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const only = values.only.split(',');
const ways = wayNames.filter((way) => only.includes(way));
if (values.help || !positionals.every((part) => parts.has(part)) || ways.length !== only.length) {
  process.stderr.write(help);
  process.exit(values.help ? 0 : 4);
}
const sizes = values.quick ? quick : full;
const isChosen = (part: string): boolean => positionals.length === 0 || positionals.includes(part);
const isWanted = (workload: Workload): boolean => isChosen(workload[0] ?? '');
const begun = { at: new Date().toISOString(), commit: describeCommit(), machine: describeMachine() };
const missing: Partial<Record<WayName, string>> = {};
for (const way of new Set([...ways, ...(isChosen('cached') ? (['nginx'] as const) : [])])) {
  const lack = missingFor(way, values.nginx);
  if (lack !== undefined) missing[way] = lack;
}

console.log(`${begun.machine}; commit ${begun.commit}`);
const costs = await playAll();
const cached = isChosen('cached') ? await compare() : undefined;
const memory = isChosen('memory') ? await measureMemories() : [];
const verdicts = values.quick ? [] : judge(costs);
await publish({ ...begun, sizes, costs, ...(cached && { cached }), memory, missing, verdicts }, values.out);
if (verdicts.length > 0) console.log(['', ...verdicts.map(verdictText)].join('\n'));
console.log(`\nin ${values.out}: bench.json, bench.svg, bench.md`);
process.exitCode = verdicts.every(({ held }) => held) ? 0 : 1;

async function playAll(): Promise<Costs[]> {
  const found: Costs[] = [];
  const titles = titlesOf(sizes);
  for (const { workloads, factor, isGatehouseAlone, run } of plays) {
    if (!workloads.some(isWanted)) continue;
    console.log(`\n${workloads.map((workload) => titles[workload]).join('\n')}\n${heading}`);
    for (const name of ways) {
      if (isGatehouseAlone && !name.startsWith('gatehouse')) continue;
      const lack = missing[name];
      if (lack !== undefined) console.log(`${wayTitles[name]}: not measured: ${lack}`);
      else
        await run({
          name,
          settings: { ...sizes, factor: factorFor(name, factor), freshMinutes, nginx: values.nginx },
          sizes,
          isWanted,
          begin: (workload) => progress(`${wayTitles[name]} ${titles[workload]}`),
          report(one) {
            found.push(one);
            progress('');
            console.log(rowOf(one));
          },
        });
    }
  }
  return found;
}

/** On the faster clock everything that the machine takes is longer, so what is timed of Gatehouse has a slower one. */
function factorFor(way: WayName, ofGatehouse: number): number {
  if (!way.startsWith('gatehouse')) return 60;
  return values.quick ? 20 : ofGatehouse;
}

async function compare(): Promise<Comparison> {
  const length = values.quick ? { pairs: 1, seconds: 0.3 } : { pairs: 5, seconds: 3 };
  const found = await compareCachedReads(length, values.nginx, (pair) =>
    progress(`remembered reads: pair ${pair} of ${length.pairs}`),
  );
  progress('');
  console.log(['', ...cachedText(found)].join('\n'));
  return found;
}

async function measureMemories(): Promise<Memory[]> {
  const found: Memory[] = [];
  for (const store of ['memory', 'redis'] as const) {
    if (store === 'redis' && missingFor('gatehouse-3') !== undefined) continue;
    progress(`memory: ${store}`);
    found.push(await measureMemory(store, values.quick ? 1000 : memoryUsers));
    progress('');
    console.log(found.map(memoryText).at(-1));
  }
  return found;
}

/** One line that the next one replaces, where somebody watches. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
