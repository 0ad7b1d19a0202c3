/** The gate: each fault that issue 4 names, by itself and in random order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedItem, SequencedTick, TickBatch } from '../../src/feeds/feed.ts';
import { gated, TickGate } from '../../src/feeds/gate.ts';

const START = Date.parse('2026-01-02T08:00:00Z');
const at = (ms: number): string => new Date(START + ms).toISOString();

function tick(sequence: number, more: Partial<SequencedTick> = {}): SequencedTick {
  return { sequence, underlying: 'BTC', asOf: at(sequence), spot: 90_000, ...more };
}

function batch(ticks: readonly SequencedTick[], more: Partial<TickBatch> = {}): TickBatch {
  return { source: 'test', receivedAt: at(100), ticks, ...more };
}

function admit(gate: TickGate, ...ticks: SequencedTick[]) {
  const { batch: passed, problems } = gate.admit(batch(ticks));
  return {
    passed: passed?.ticks.map(({ sequence }) => sequence) ?? [],
    problems: problems.map(({ kind, sequence, admitted }) => [kind, sequence, admitted]),
  };
}

describe('numbering', () => {
  it('names a gap with what is missing, and passes on the tick after it', () => {
    const gate = new TickGate();
    expect(admit(gate, tick(7))).toEqual({ passed: [7], problems: [] });
    const { batch: passed, problems } = gate.admit(batch([tick(8), tick(12)]));
    expect(passed?.ticks.map(({ sequence }) => sequence)).toEqual([8, 12]);
    expect(problems).toMatchObject([
      { kind: 'gap', admitted: true, sequence: 12, missing: { first: 9, last: 11 } },
    ]);
  });

  it('tells a late tick from one that comes twice, and refuses both', () => {
    const gate = new TickGate();
    admit(gate, tick(1), tick(5));
    expect(admit(gate, tick(3))).toEqual({ passed: [], problems: [['out-of-order', 3, false]] });
    expect(admit(gate, tick(3))).toEqual({ passed: [], problems: [['duplicate', 3, false]] });
    expect(admit(gate, tick(2))).toEqual({ passed: [], problems: [['out-of-order', 2, false]] });
    expect(admit(gate, tick(5))).toEqual({ passed: [], problems: [['duplicate', 5, false]] });
    expect(admit(gate, tick(6))).toEqual({ passed: [6], problems: [] });
  });

  it('numbers sources apart; by underlying where it is told so', () => {
    const one = new TickGate();
    one.admit(batch([tick(1)]));
    expect(one.admit(batch([tick(1)], { source: 'other' })).problems).toEqual([]);
    const each = new TickGate({ numbering: 'underlying' });
    expect(admit(each, tick(1), tick(1, { underlying: 'ETH' })).problems).toEqual([]);
    expect(admit(each, tick(3)).problems).toEqual([['gap', 3, true]]);
  });

  it('goes on after what a log has, and begins afresh when it is told so', () => {
    const gate = new TickGate();
    gate.follow('test', 41);
    expect(admit(gate, tick(41)).problems).toEqual([['duplicate', 41, false]]);
    expect(admit(gate, tick(42)).problems).toEqual([]);
    gate.restart('test');
    expect(admit(gate, tick(43, { asOf: at(50) })).problems).toEqual([]);
  });

  it('of any order of numbers: passes each at most once, rising, and every number is passed, named late or missing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 }), (numbers) => {
        const gate = new TickGate();
        const passed: number[] = [];
        const kinds = new Map<number, string[]>();
        const missing = new Set<number>();
        for (const n of numbers) {
          const { batch: some, problems } = gate.admit(batch([tick(n, { asOf: at(0) })]));
          if (some !== null) passed.push(n);
          for (const { kind, missing: range } of problems) {
            if (kind !== 'gap') kinds.set(n, [...(kinds.get(n) ?? []), kind]);
            for (let m = range?.first ?? 1; m <= (range?.last ?? 0); m++) missing.add(m);
          }
        }
        // The definition, by sets: a number passes where it is above all before it.
        const highest = numbers.filter((n, i) => numbers.slice(0, i).every((m) => m < n));
        expect(passed).toEqual(highest);
        const first = numbers[0] ?? 0;
        for (let n = first; n <= Math.max(first, ...numbers); n++) {
          expect(missing.has(n)).toBe(!highest.includes(n) && n > first);
        }
        for (const [n, some] of kinds) {
          // Late once, where it was missing; every further time it has been here.
          const late = missing.has(n) ? 1 : 0;
          expect(some.filter((kind) => kind === 'out-of-order').length).toBe(late);
        }
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe('times', () => {
  it('refuses what is older than the last of its underlying: out of order, stale beyond the bound', () => {
    const gate = new TickGate({ staleMs: 1000 });
    admit(gate, tick(1, { asOf: at(5000) }));
    expect(admit(gate, tick(2, { asOf: at(4000) })).problems).toEqual([['out-of-order', 2, false]]);
    expect(admit(gate, tick(3, { asOf: at(3999) })).problems).toEqual([['stale', 3, false]]);
    expect(admit(gate, tick(4, { asOf: at(5000) })).problems).toEqual([]);
    expect(admit(gate, tick(5, { asOf: at(0), underlying: 'ETH' })).problems).toEqual([]);
  });

  it('names what arrives long after its time, and passes it on', () => {
    const gate = new TickGate({ lateMs: 50 });
    expect(admit(gate, tick(1, { asOf: at(50) })).problems).toEqual([]);
    expect(admit(new TickGate({ lateMs: 50 }), tick(1, { asOf: at(49) }))).toEqual({
      passed: [1],
      problems: [['stale', 1, true]],
    });
  });

  it('lists underlyings that have gone silent', () => {
    const gate = new TickGate();
    admit(gate, tick(1, { asOf: at(0) }), tick(2, { asOf: at(900), underlying: 'ETH' }));
    expect(gate.silent(START + 1000, 1000)).toEqual([]);
    expect(gate.silent(START + 1001, 1000)).toEqual(['BTC']);
    expect(gate.silent(START + 5000, 1000)).toEqual(['BTC', 'ETH']);
  });
});

describe('prices', () => {
  const expiry = '2026-03-27T08:00:00Z';
  const cases: readonly (readonly [string, Partial<SequencedTick>, string, string])[] = [
    ['a spot of 0', { spot: 0 }, 'zero-price', 'spot'],
    ['a spot of −0', { spot: -0 }, 'zero-price', 'spot'],
    ['a spot that is not a number', { spot: Number.NaN }, 'malformed', 'spot'],
    ['a negative spot', { spot: -1 }, 'malformed', 'spot'],
    ['a boundless spot', { spot: Number.POSITIVE_INFINITY }, 'malformed', 'spot'],
    ['a forward of 0', { forwards: [{ expiry, price: 0 }] }, 'zero-price', 'forwards[0].price'],
    [
      'a date of no calendar',
      { forwards: [{ expiry: '2026-02-30T08:00:00Z', price: 1 }] },
      'malformed',
      'forwards[0].expiry',
    ],
    [
      'a volatility of 0',
      { surface: [{ expiry, quotes: [{ strike: 1, iv: 0 }] }] },
      'zero-price',
      'surface[0].quotes[0].iv',
    ],
    [
      'a volatility in percent',
      { surface: [{ expiry, quotes: [{ strike: 1, iv: 48 }] }] },
      'malformed',
      'surface[0].quotes[0].iv',
    ],
    [
      'a mark of 0',
      { marks: [{ instrument: 'BTC-PERPETUAL', mark: 0 }] },
      'zero-price',
      'marks[0].mark',
    ],
    ['a crossed book', { quotes: [{ instrument: 'X', bid: 2, ask: 1 }] }, 'crossed', 'quotes[0]'],
    [
      'a bid of 0',
      { quotes: [{ instrument: 'X', bid: 0, ask: 1 }] },
      'zero-price',
      'quotes[0].bid',
    ],
    ['local time', { asOf: '2026-01-02T08:00:00' }, 'malformed', 'asOf'],
  ];
  it.each(cases)('refuses %s', (_, more, kind, path) => {
    const gate = new TickGate();
    const { batch: passed, problems } = gate.admit(batch([tick(1, more), tick(2)]));
    expect(problems).toMatchObject([
      { kind, path, sequence: 1, admitted: false, underlying: 'BTC' },
    ]);
    expect(passed?.ticks.map(({ sequence }) => sequence)).toEqual([2]);
  });

  it('lets a locked book and one with one side pass, and takes the quotes off', () => {
    const quotes = [
      { instrument: 'X', bid: 1, ask: 1 },
      { instrument: 'Y', ask: 3 },
    ];
    const { batch: passed, problems } = new TickGate().admit(batch([tick(1, { quotes })]));
    expect(problems).toEqual([]);
    expect(passed).toEqual(batch([tick(1)]));
  });

  it('refuses an underlying that the market does not have', () => {
    const gate = new TickGate({ underlyings: new Set(['ETH']) });
    expect(admit(gate, tick(1))).toEqual({
      passed: [],
      problems: [['unknown-underlying', 1, false]],
    });
  });
});

it('stands behind a feed: problems first, then what passed', async () => {
  const feed = (async function* (): AsyncGenerator<FeedItem> {
    yield { batch: batch([tick(1), tick(2, { spot: 0 })]) };
    yield { batch: batch([tick(2)]) };
  })();
  const kinds: string[] = [];
  for await (const item of gated(feed, new TickGate())) {
    kinds.push('batch' in item ? `batch of ${item.batch.ticks.length}` : item.problem.kind);
  }
  expect(kinds).toEqual(['zero-price', 'batch of 1', 'duplicate']);
});
