/** Conflation: applied, the few ticks give the snapshot that all of them give. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { conflate } from '../../src/feeds/conflation.ts';
import type { SequencedTick, TickBatch } from '../../src/feeds/feed.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { tickedSnapshot } from '../../src/market/ticks.ts';

const { market } = demoMarket({ underlyings: 3, options: 40, seed: 'conflation' });
const start = Date.parse(market.asOf);

/** A random part of an underlying's prices, moved; expiries in either spelling. */
const randomTick = fc
  .record({
    place: fc.nat(market.underlyings.length - 1),
    factor: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
    parts: fc.integer({ min: 0, max: 15 }),
    other: fc.boolean(),
    pick: fc.nat(1000),
  })
  .map(({ place, factor, parts, other, pick }) => {
    const record = market.underlyings[place]!;
    const spell = (expiry: string): string => (other ? expiry.replace('Z', '+00:00') : expiry);
    const forward = record.forwards![pick % record.forwards!.length]!;
    const slice = record.surface![pick % record.surface!.length]!;
    const quotes = slice.quotes.filter((_, i) => (pick + i) % 3 === 0);
    const marked = market.instruments.find(
      ({ underlying, type }) => underlying === record.id && type === 'perpetual',
    );
    return {
      underlying: record.id,
      ...(parts & 1 ? { spot: record.spot * factor } : {}),
      ...(parts & 2
        ? { forwards: [{ expiry: spell(forward.expiry), price: forward.price * factor }] }
        : {}),
      ...(parts & 4 && quotes.length > 0
        ? {
            surface: [
              {
                expiry: spell(slice.expiry),
                quotes: quotes.map(({ strike, iv }) => ({ strike, iv: iv * factor })),
              },
            ],
          }
        : {}),
      ...(parts & 8 && marked !== undefined
        ? { marks: [{ instrument: marked.id, mark: record.spot * factor }] }
        : {}),
    };
  });

it('gives what all ticks give, one an underlying', () => {
  fc.assert(
    fc.property(fc.array(randomTick, { minLength: 1, maxLength: 40 }), (ticks) => {
      const all: SequencedTick[] = ticks.map((tick, i) => ({
        sequence: i + 1,
        asOf: new Date(start + 1000 * (i + 1)).toISOString(),
        ...tick,
      }));
      const batches: TickBatch[] = all.map((tick) => ({
        source: 'test',
        receivedAt: tick.asOf,
        ticks: [tick],
      }));
      const { ticks: few, covered } = conflate(batches);
      expect(new Set(few.map(({ underlying }) => underlying)).size).toBe(few.length);
      expect(tickedSnapshot(market, few)).toEqual(tickedSnapshot(market, all));
      expect(covered).toEqual([{ source: 'test', first: 1, last: all.length }]);
    }),
    { seed: 4, numRuns: 200 },
  );
});

it('says which numbers of which source it stands for', () => {
  const batch = (source: string, sequence: number): TickBatch => ({
    source,
    receivedAt: market.asOf,
    ticks: [{ sequence, underlying: market.underlyings[0]!.id, asOf: market.asOf, spot: sequence }],
  });
  const { ticks, covered } = conflate([batch('a', 5), batch('b', 1), batch('a', 6)]);
  expect(ticks).toMatchObject([{ spot: 6 }]);
  expect(covered).toEqual([
    { source: 'a', first: 5, last: 6 },
    { source: 'b', first: 1, last: 1 },
  ]);
  expect(ticks[0]).not.toHaveProperty('sequence');
});
