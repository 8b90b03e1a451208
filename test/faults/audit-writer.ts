/** A process of its own that makes calls on a trail and prints the id of each that was confirmed; for killing it. */
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

import { createTrail } from '../../src/audit/trail.ts';
import { aCall, instance, upstreamCall } from '../audit/support.ts';

const [directory = '', prefix = '', padding = '0'] = process.argv.slice(2);
const key = Buffer.alloc(32, 7);
const trail = await createTrail({
  directory,
  instance,
  version: '1',
  configHash: 'c',
  key,
  periodKey: { period: '2026q1', secret: key },
  limits: { probeMs: 20 },
});
say('ready');

async function callForever(caller: number): Promise<never> {
  for (let n = 1; ; n += 1) {
    const id = `${prefix}-${caller}-${n}`;
    try {
      const entry = trail.open(aCall({ id, headers: { 'user-agent': 'x'.repeat(Number(padding)) } }));
      const upstream = await entry.intend(upstreamCall);
      say(`up ${id}`);
      await upstream.close({ result: 'success', sent: true, status: 200 });
      if (await entry.close({ status: 200 })) say(`done ${id}`);
      else say(`withheld ${id}`);
    } catch {
      // Refused for the moment, which is what some tests wait for.
      say('refused');
      await pause(5);
    }
  }
}

/** Synchronous, so that a kill cannot take back what the trail has confirmed. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

await Promise.all(Array.from({ length: 16 }, (_, caller) => callForever(caller)));
