/** Two snapshots as the ticks between them: applied to the first they give the second, on made-up markets and on real chains. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEvent } from '../../src/book/events.ts';
import { conflate } from '../../src/feeds/conflation.ts';
import type { TickBatch } from '../../src/feeds/feed.ts';
import { gated, TickGate } from '../../src/feeds/gate.ts';
import { snapshotFeed } from '../../src/feeds/snapshotFeed.ts';
import { narrowSnapshot, snapshotTicks } from '../../src/feeds/snapshotTicks.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { compileMarket, type Market } from '../../src/market/market.ts';
import { readMarketFiles } from '../../src/market/readers/marketFiles.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { tickedSnapshot } from '../../src/market/ticks.ts';
import { testData } from '../data.ts';

/** All that the engine computes on; the snapshot's own instant, which ticks do not move, left out. */
function computedOn({ underlyings, instruments, currency }: Market): unknown {
  return { underlyings, instruments, currency };
}

function applied(before: MarketSnapshot, after: MarketSnapshot): MarketSnapshot {
  return tickedSnapshot(before, snapshotTicks(before, after).ticks).snapshot;
}

const { market } = demoMarket({ underlyings: 3, options: 60, seed: 'snapshots' });

/** Everything moved by a factor of its own, an hour later. */
function moved(snapshot: MarketSnapshot): MarketSnapshot {
  const asOf = new Date(Date.parse(snapshot.asOf) + 3_600_000).toISOString();
  return {
    ...snapshot,
    underlyings: snapshot.underlyings.map((record, i) => ({
      ...record,
      asOf,
      spot: record.spot * (1 + 0.01 * i),
      forwards: record.forwards!.map(({ expiry, price }, j) => ({
        expiry,
        price: price * (1 + 0.01 * (j % 3)),
      })),
      surface: record.surface!.map(({ expiry, quotes }) => ({
        expiry,
        quotes: quotes.map(({ strike, iv }, j) => ({ strike, iv: iv * (1 + 0.02 * (j % 2)) })),
      })),
    })),
    instruments: snapshot.instruments.map((record) =>
      record.type === 'perpetual' ? { ...record, mark: 123 } : record,
    ),
  };
}

describe('made-up snapshots', () => {
  it('with the same quotes are turned into each other exactly', () => {
    const after = moved(market);
    expect(snapshotTicks(market, after).left).toEqual([]);
    expect(computedOn(compileMarket(applied(market, after)))).toEqual(
      computedOn(compileMarket(after)),
    );
  });

  it('say only what moved', () => {
    const { ticks } = snapshotTicks(market, moved(market));
    // The first underlying's spot moved by a factor of 1, a third of forwards and half of the quotes likewise.
    expect(ticks[0]).not.toHaveProperty('spot');
    expect(ticks[1]).toHaveProperty('spot', market.underlyings[1]!.spot * 1.01);
    const quotes = market.underlyings[1]!.surface![0]!.quotes.length;
    expect(ticks[1]!.surface![0]!.quotes).toHaveLength(quotes >> 1);
    const still = snapshotTicks(market, market).ticks;
    expect(still.map((tick) => Object.keys(tick))).toEqual(
      market.underlyings.map(() => ['underlying', 'asOf']),
    );
  });

  it('name what ticks cannot say', () => {
    const [first, second, third] = market.underlyings;
    const slice = second!.surface![0]!;
    const gone = slice.quotes[0]!.strike;
    const after: MarketSnapshot = {
      ...market,
      underlyings: [
        { ...first!, rate: 0.05 },
        {
          ...second!,
          forwards: second!.forwards!.slice(1),
          surface: [{ ...slice, quotes: slice.quotes.slice(1) }, ...second!.surface!.slice(1)],
        },
      ],
      instruments: market.instruments
        .filter(({ underlying }) => underlying !== third!.id)
        .map((record, i) => (i === 0 ? { ...record, multiplier: 7 } : record)),
    };
    const { left } = snapshotTicks(market, after);
    expect(left).toContain(`${first!.id}: rate`);
    expect(left).toContain(`${second!.id}: forward of ${second!.forwards![0]!.expiry}`);
    expect(left).toContain(`${second!.id}: quote of ${slice.expiry}, ${gone}`);
    expect(left).toContain(`${third!.id}: not in the market after`);
    expect(left).toContain(`${after.instruments[0]!.id}: other terms`);
    const lost = market.instruments.filter(({ underlying }) => underlying === third!.id);
    expect(left).toEqual(expect.arrayContaining(lost.map(({ id }) => `${id}: not listed after`)));
  });
});

const title =
  testData === null ? 'real chains (skipped: no PLIMSOLL_TEST_DATA)' : 'real chains of Deribit';
describe.skipIf(testData === null)(title, () => {
  const chain = (stamp: string): Promise<MarketSnapshot> =>
    readMarketFiles([join(testData!, 'deribit', `deribit_options_snapshot_${stamp}.csv.gz`)]);
  const stamps = ['20251230T173115Z', '20251230T211751Z', '20251231T091828Z'] as const;

  it.each([
    [stamps[0], stamps[1]],
    [stamps[1], stamps[2]],
    [stamps[0], stamps[2]],
  ])('%s to %s: the ticks give the later one for all instruments that both quote', async (a, b) => {
    const [before, after] = [await chain(a), await chain(b)];
    const listed = new Set(before.instruments.map(({ id }) => id));
    const shared = new Set(after.instruments.map(({ id }) => id).filter((id) => listed.has(id)));
    expect(shared.size).toBeGreaterThan(1000);
    const from = narrowSnapshot(before, shared);
    const to = narrowSnapshot(after, shared);
    const { ticks, left } = snapshotTicks(from, to);
    // Nothing is listed or quoted in only one of them.
    expect(left).toEqual([]);
    const { snapshot } = tickedSnapshot(from, ticks);
    const got = compileMarket(snapshot);
    const wanted = compileMarket(to);
    expect(got.instruments).toEqual(wanted.instruments);
    expect(got.underlyings).toEqual(wanted.underlyings);
  });

  it('all three as a feed, through a gate and conflated, come to the third', async () => {
    const chains = await Promise.all(stamps.map(chain));
    const listed = chains.map(({ instruments }) => new Set(instruments.map(({ id }) => id)));
    const shared = new Set([...listed[0]!].filter((id) => listed.every((ids) => ids.has(id))));
    const [first, second, third] = chains.map((snapshot) => narrowSnapshot(snapshot, shared));
    const gate = new TickGate({ underlyings: new Set(['BTC', 'ETH']) });
    const batches: TickBatch[] = [];
    for await (const item of gated(snapshotFeed([first!, second!, third!]), gate)) {
      if ('problem' in item) throw new Error(item.problem.message);
      batches.push(item.batch);
    }
    // Two underlyings, two steps.
    expect(batches.map(({ ticks }) => ticks[0]!.sequence)).toEqual([1, 2, 3, 4]);
    const { ticks, covered } = conflate(batches);
    expect(covered).toEqual([{ source: 'snapshots', first: 1, last: 4 }]);
    const got = compileMarket(tickedSnapshot(first!, ticks).snapshot);
    expect(computedOn(got)).toEqual(computedOn(compileMarket(third!)));
    const body = { v: 1, source: 'snapshots', first: 1, last: 4 };
    const all = batches.flatMap((batch) => batch.ticks);
    // The log of the book takes them as they are.
    const event = { seq: 1, at: third!.asOf, kind: 'ticks', body: { ...body, ticks: all } };
    expect(readEvent(event).body).toEqual(event.body);
  });

  it('without narrowing, names what stays of the first, and prices what both quote as the third does', async () => {
    const [before, after] = [await chain(stamps[0]), await chain(stamps[2])];
    const { ticks, left } = snapshotTicks(before, after);
    expect(left.length).toBeGreaterThan(0);
    const got = compileMarket(tickedSnapshot(before, ticks).snapshot);
    const wanted = compileMarket(after);
    let compared = 0;
    for (const instrument of wanted.instruments) {
      const i = got.instrumentIndex.get(instrument.id);
      if (i === undefined || instrument.problem !== null) continue;
      expect(got.instruments[i]).toEqual({
        ...instrument,
        underlying: got.underlyingIndex.get(wanted.underlyings[instrument.underlying]!.id),
      });
      compared++;
    }
    expect(compared).toBeGreaterThan(1000);
  });
});
