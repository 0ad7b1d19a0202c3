/** An hour of ticks, compressed: the service's memory, handles and promptness stay as they are. */
import { expect, it } from 'vitest';
import { type Part, soak } from './soak.ts';

const LONG = process.env.PLIMSOLL_LONG === '1';
const TICKS = Number(process.env.PLIMSOLL_SOAK_TICKS ?? (LONG ? 1_000_000 : 20_000));
const PARTS = LONG ? 20 : 4;
const GROWTH = 1.1;
/** A short run is still filling what a service keeps: 20,000 records for its streams, pages of its allocators. Bytes. */
const FILLING = { heapUsed: 16 * 2 ** 20, rss: 96 * 2 ** 20 };
/** Milliseconds. The long run has the machine to itself; others run beside the short one. */
const DELAY = LONG ? 50 : 150;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

it(
  `${TICKS} ticks with fills beside: memory is flat, nothing leaks, the event loop keeps its time`,
  async () => {
    const { parts, fills, events, inOrder, code, stderr } = await soak(TICKS, PARTS);
    if (LONG) console.log(parts.map(lineOf).join('\n'));
    expect([code, inOrder]).toEqual([0, true]);
    expect(stderr).toMatch(/^\d+ of \d+ accounts were opened.*\nstopping/s);
    expect(fills).toBeGreaterThan(0);
    expect(events).toBeGreaterThan(fills);

    // The second quarter, when all is warm, and the last: single parts catch the allocators at odd moments.
    const quarter = PARTS / 4;
    const [early, late] = [parts.slice(quarter, 2 * quarter), parts.slice(-quarter)];
    for (const name of ['heapUsed', 'rss'] as const) {
      const [before, after] = [early, late].map((list) => median(list.map((part) => part[name])));
      const most = LONG ? before! * GROWTH : before! + FILLING[name];
      expect(after, `${name} was ${before}`).toBeLessThanOrEqual(most);
    }
    const most = (list: readonly Part[]) => Math.max(...list.map(({ descriptors }) => descriptors));
    expect(most(late)).toBeLessThanOrEqual(most(early));
    expect(median(parts.map(({ delayMs }) => delayMs))).toBeLessThanOrEqual(DELAY);
  },
  LONG ? 7_200_000 : 300_000,
);

function lineOf({ ticks, seconds, delayMs, walBytes, ...held }: Part): string {
  const { heapUsed, arrayBuffers, rss, descriptors, resources } = held;
  const mb = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const memory = `heap ${mb(heapUsed)} buffers ${mb(arrayBuffers)} rss ${mb(rss)} MiB`;
  const pace = `${Math.round(ticks / seconds)} ticks/s, delay p99 ${delayMs.toFixed(1)} ms`;
  return `${memory}, wal ${mb(walBytes)} MiB, ${descriptors} descriptors, ${pace}, ${JSON.stringify(resources)}`;
}
