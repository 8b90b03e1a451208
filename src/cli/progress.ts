/** How far a long reading has come, on a terminal only; a script sees nothing of it. */
const firstAfterMs = 500;
const everyMs = 200;

export interface Progress {
  add(bytes: number): void;
  /** Takes the line away again. */
  end(): void;
}

export function startProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { add: () => {}, end: () => {} };
  const startedAt = performance.now();
  let shownAt = startedAt + firstAfterMs - everyMs;
  let done = 0;
  let shown = false;
  return {
    add(bytes) {
      done += bytes;
      const now = performance.now();
      if (now - shownAt < everyMs) return;
      shownAt = now;
      shown = true;
      stream.write(`\r\u001b[K${describe(done, total, now - startedAt)}`);
    },
    end() {
      if (shown) stream.write('\r\u001b[K');
      shown = false;
    },
  };
}

function describe(done: number, total: number, ms: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const bar = '#'.repeat(Math.round(share * 20)).padEnd(20, '.');
  const left = share > 0 ? Math.ceil((ms * (1 - share)) / share / 1000) : 0;
  return `[${bar}] ${Math.floor(share * 100)} %  ${(done / 1e6 / (ms / 1000)).toFixed(0)} MB/s  ${left} s left`;
}
