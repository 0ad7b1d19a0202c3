/**
 * Durable appends: a store in a temporary folder of this machine's disk, some callers at once, each waiting for its acknowledgement before
 * its next append. Beside it what the disk does by itself, and what reading the log back costs.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openStore, type Store } from '../../src/book/store/store.ts';
import { sha256 } from '../../src/json.ts';
import type { Context, Suite } from '../context.ts';
import { shortDigest } from '../digest.ts';
import { atLeast, atMost, type Line } from '../line.ts';

const CALLERS = 8;
const WRITTEN = Date.parse('2026-01-02T08:00:00.000Z');

export const store: Suite = {
  name: 'store',
  about: 'durable appends from 8 callers that wait, and the log read back; SQLite',
  async run({ quick }: Context) {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
    try {
      const size = quick
        ? { fills: 200, syncs: 20, bulk: 1_000 }
        : { fills: 20_000, syncs: 1_000, bulk: 200_000 };
      const syncs = disk(join(folder, 'raw'), size.syncs);
      return [
        syncs,
        await appends(folder, size.fills, syncs.rate),
        await reading(folder, size.bulk),
      ];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

const fill = (caller: number, i: number) => ({
  kind: 'fill',
  body: {
    account: `acct-${caller}`,
    instrument: 'BTC-27MAR26-100000-C',
    size: i % 2 === 0 ? 2.5 : -2.5,
    price: 0.041,
    fee: 0.0003,
    fill: `${caller}-${i}`,
  },
  key: `fill-${caller}-${i}`,
  answer: { status: 201 },
  bodyHash: sha256(`${caller}-${i}`),
});

const open = (folder: string, name: string): Promise<Store> =>
  openStore(join(folder, name), { clock: () => WRITTEN });

/** One block written and synchronised at a time: what a store without group commit could do at most. */
function disk(path: string, count: number): Line {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4096);
  const begun = performance.now();
  for (let i = 0; i < count; i++) {
    writeSync(file, block, 0, block.length, i * block.length);
    fdatasyncSync(file);
  }
  const seconds = (performance.now() - begun) / 1000;
  closeSync(file);
  return line('disk: write and fdatasync', count, seconds, {});
}

async function appends(folder: string, count: number, syncRate: number): Promise<Line> {
  const opened = await open(folder, 'appends.db');
  const waits: number[] = [];
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const begun = performance.now();
  const caller = async (id: number): Promise<void> => {
    for (let i = 0; i < count / CALLERS; i++) {
      const asked = performance.now();
      await opened.append([fill(id, i)]);
      waits.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, id) => caller(id)));
  const seconds = (performance.now() - begun) / 1000;
  loop.disable();
  waits.sort((a, b) => a - b);
  await opened.close();
  const at = (share: number): number => waits[Math.floor(share * (waits.length - 1))]!;
  const loopDelay = loop.percentile(99) / 1e6;
  const measured = line(`append and acknowledge, ${CALLERS} callers`, count, seconds, {
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    loopP99Ms: loopDelay,
    loopMaxMs: loop.max / 1e6,
  });
  return {
    ...measured,
    ratios: { 'one sync each': measured.rate / syncRate },
    targets: [atLeast('rate', measured.rate, 2_000), atMost('loopP99Ms', loopDelay, 50)],
  };
}

/** A log as a restart reads it, page by page, its chain checked. */
async function reading(folder: string, count: number): Promise<Line> {
  const opened = await open(folder, 'reading.db');
  for (let i = 0; i < count; i += 1_000) {
    await opened.append(Array.from({ length: 1_000 }, (_, k) => fill(0, i + k)));
  }
  const begun = performance.now();
  let read = 0;
  for await (const page of opened.pages()) read += page.length;
  const seconds = (performance.now() - begun) / 1000;
  const { hash } = await opened.head();
  await opened.close();
  return {
    ...line('records read back, chain checked', read, seconds, {}),
    hash: shortDigest(hash),
  };
}

function line(
  name: string,
  items: number,
  seconds: number,
  figures: Readonly<Record<string, number>>,
): Line {
  return {
    suite: 'store',
    name,
    rate: items / seconds,
    unit: '/s',
    seconds,
    per: String(items),
    spread: null,
    ratios: {},
    figures,
    hash: null,
    targets: [],
    notes: [],
  };
}
