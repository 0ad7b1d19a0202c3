/** Volatilities that follow the market: the recursion against numpy's closed form, and what counts at which instant. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DynamicVolatility, type VolatilityRule } from '../../src/market/dynamicVolatility.ts';
import type { MarketChange } from '../../src/market/factorHearing.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { type Tick, tickedSnapshot } from '../../src/market/ticks.ts';
import { DailyInstants } from '../../src/market/volatilityInstants.ts';

interface Case {
  readonly instants: readonly string[];
  readonly lambda: number;
  readonly factors: readonly {
    readonly id: string;
    readonly volatility: number;
    readonly periodsPerYear: number;
    readonly absolute: boolean;
    readonly levels: readonly number[];
    readonly heard: readonly boolean[];
    readonly after: readonly number[];
  }[];
}

const cases = JSON.parse(
  readFileSync(new URL('../fixtures/market/dynamicVolatility.json', import.meta.url), 'utf8'),
) as Case[];

const DAY = 86_400_000;
const at = (ms: number): string => new Date(ms).toISOString();

/** A desk's part in it: the market goes along. */
class Follower {
  readonly volatility: DynamicVolatility;
  snapshot: MarketSnapshot;
  readonly rule: VolatilityRule;

  constructor(model: FactorModel, snapshot: MarketSnapshot, rule: VolatilityRule) {
    this.volatility = DynamicVolatility.of(model);
    this.snapshot = snapshot;
    this.rule = rule;
  }

  take(change: MarketChange) {
    const updates = this.volatility.advance(this.snapshot, change, this.rule);
    this.snapshot =
      'ticks' in change ? tickedSnapshot(this.snapshot, change.ticks).snapshot : change.snapshot;
    return updates;
  }

  spot(underlying: string, time: string, spot: number) {
    return this.take({ ticks: [{ underlying, asOf: time, spot }] });
  }

  get volatilities(): readonly number[] {
    return this.volatility.model.factors.map((factor) => factor.volatility);
  }
}

it.each(cases)('is numpy’s closed form: instants $instants, λ $lambda', (one) => {
  const { factors, lambda } = one;
  const model: FactorModel = {
    asOf: '2025-12-31T00:00:00Z',
    periodsPerYear: 365,
    factors: factors.map(({ id, volatility, periodsPerYear, absolute }) => ({
      id,
      volatility,
      periodsPerYear,
      ...(absolute ? { kind: 'absolute' as const } : {}),
    })),
    correlation: factors.map((_, i) => factors.map((__, j) => (i === j ? 1 : 0.5))),
  };
  const ids = factors.map(({ id }) => id.split(':')[0]!);
  const snapshot: MarketSnapshot = {
    asOf: '2025-12-31T12:00:00Z',
    currency: 'USD',
    underlyings: ids.map((id, f) => ({ id, spot: factors[f]!.levels[0]! })),
    instruments: [],
  };
  const instants = new DailyInstants(one.instants);
  const follower = new Follower(model, snapshot, { instants, lambda });
  const steps = factors[0]!.levels.length;
  const seen = factors.map((factor) => [factor.volatility]);
  let instant = instants.from(Date.parse('2026-01-01T00:00:00Z'));
  for (let n = 0; n < steps; n++) {
    // A few minutes early; the hour is over with the first tick at or after it, here one that says nothing of a level.
    const quoted = at(instant - 180_000);
    const ticks = ids.flatMap((underlying, f) =>
      factors[f]!.heard[n] ? [{ underlying, asOf: quoted, spot: factors[f]!.levels[n]! }] : [],
    );
    expect(follower.take({ ticks })).toEqual([]);
    const [update, ...more] = follower.take({ ticks: [{ underlying: 'A', asOf: at(instant) }] });
    expect(more).toEqual([]);
    expect(Date.parse(update!.instant)).toBe(instant);
    expect(update!.silent).toEqual(
      factors.filter((factor) => !factor.heard[n]).map(({ id }) => id),
    );
    for (const { factor, volatility } of update!.factors) {
      if (volatility !== undefined) seen[ids.indexOf(factor.split(':')[0]!)]!.push(volatility);
    }
    instant = instants.from(instant + 1);
  }
  factors.forEach(({ after }, f) => {
    expect(seen[f]).toHaveLength(after.length);
    // Each step rounds a few times, by 2⁻⁵³ relative; errors of the changes' logarithms (≤ 1 ulp of ~1e-2 of levels ~1e4: 1e-14 relative to the
    // change) weigh most. 120 steps of 1e-14 are 1.2e-12 at the most.
    after.forEach((volatility, n) => {
      expect(Math.abs(seen[f]![n]! / volatility - 1)).toBeLessThan(2e-12);
    });
  });
  expect(follower.volatilities).toEqual(seen.map((list) => list.at(-1)));
});

const MODEL: FactorModel = {
  asOf: '2025-12-31T00:00:00Z',
  periodsPerYear: 365,
  factors: [
    { id: 'A:spot', volatility: 0.5 },
    { id: 'A:vol', volatility: 0.9 },
    { id: 'A:basis', volatility: 0.1 },
    { id: 'B:spot', volatility: 0.4 },
  ],
  correlation: [
    [1, 0, 0, 0.5],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0.5, 0, 0, 1],
  ],
  degreesOfFreedom: 4,
};
const EXPIRY = '2026-01-31T08:00:00Z';
const surface = (iv: number) => [{ expiry: EXPIRY, quotes: [{ strike: 100, iv }] }];
const SNAPSHOT: MarketSnapshot = {
  asOf: '2026-01-01T10:00:00Z',
  currency: 'USD',
  underlyings: [
    {
      id: 'A',
      spot: 100,
      forwards: [{ expiry: EXPIRY, price: 100 }],
      surface: surface(0.5),
    },
    { id: 'B', spot: 10 },
  ],
  instruments: [],
};
const RULE = { instants: new DailyInstants(['00:00']), lambda: 0.94 };
const followed = (): Follower => new Follower(MODEL, SNAPSHOT, RULE);
/** σ after one change of a day. */
const stepped = (volatility: number, change: number): number =>
  Math.sqrt(0.94 * volatility ** 2 + 0.06 * 365 * change ** 2);

describe('what counts at an instant', () => {
  it('the first level is where changes begin; then each day has one', () => {
    const one = followed();
    one.spot('A', '2026-01-01T23:00:00Z', 101);
    const [first] = one.spot('A', '2026-01-02T00:00:01Z', 50);
    expect(first).toMatchObject({
      instant: '2026-01-02T00:00:00Z',
      factors: [{ factor: 'A:spot', level: 101, at: '2026-01-01T23:00:00Z' }],
      silent: ['A:vol', 'B:spot'],
    });
    expect(first!.before).toBe(first!.after);
    expect(one.volatility.model).toBe(MODEL);
    one.spot('A', '2026-01-02T12:00:00Z', 60);
    one.spot('A', '2026-01-02T13:00:00Z', 104);
    const [second] = one.spot('B', '2026-01-03T09:00:00Z', 11);
    const change = Math.log(104 / 101);
    expect(second!.factors[0]!.change).toBeCloseTo(change, 15);
    expect(one.volatilities).toEqual([second!.factors[0]!.volatility, 0.9, 0.1, 0.4]);
    expect(one.volatilities[0]).toBeCloseTo(stepped(0.5, change), 14);
    const { model } = one.volatility;
    expect(model).toEqual({ ...MODEL, asOf: '2026-01-03T00:00:00Z', factors: model.factors });
    expect(second).toMatchObject({ before: first!.after, after: one.volatility.hash });
  });

  it('a price as of the instant itself is the last that counts, one a millisecond later the first that does not', () => {
    const one = followed();
    one.spot('A', '2026-01-01T23:00:00Z', 101);
    const [first] = one.take({
      ticks: [
        { underlying: 'A', asOf: '2026-01-02T00:00:00Z', spot: 102 },
        { underlying: 'A', asOf: '2026-01-02T00:00:00.001Z', spot: 103 },
        { underlying: 'B', asOf: '2026-01-02T00:00:00Z', spot: 12 },
      ],
    });
    expect(first!.factors.map(({ level }) => level)).toEqual([102, 12]);
    const [second] = one.spot('B', '2026-01-03T00:00:00Z', 13);
    expect(second!.factors.map(({ level }) => level)).toEqual([103, 13]);
  });

  it('a silence is one period: what comes after it counts from before it, and its instants are no updates', () => {
    const one = followed();
    one.spot('A', '2026-01-01T23:00:00Z', 100);
    one.spot('A', '2026-01-02T10:00:00Z', 105);
    // Nothing for four days; one batch then has two of them in it.
    const updates = one.take({
      ticks: [
        { underlying: 'A', asOf: '2026-01-06T10:00:00Z', spot: 110 },
        { underlying: 'A', asOf: '2026-01-07T10:00:00Z', spot: 90 },
      ],
    });
    expect(updates.map(({ instant }) => instant)).toEqual([
      '2026-01-03T00:00:00Z',
      '2026-01-07T00:00:00Z',
    ]);
    const changes = updates.map(({ factors }) => factors[0]!.change!);
    expect(changes[0]).toBeCloseTo(Math.log(105 / 100), 15);
    expect(changes[1]).toBeCloseTo(Math.log(110 / 105), 15);
    expect(updates[1]!.before).toBe(updates[0]!.after);
    expect(one.volatilities[0]).toBeCloseTo(stepped(stepped(0.5, changes[0]!), changes[1]!), 14);
  });

  it('what comes late counts at the next instant', () => {
    const one = followed();
    one.spot('A', '2026-01-01T23:00:00Z', 100);
    one.spot('A', '2026-01-02T00:10:00Z', 100);
    expect(one.spot('B', '2026-01-01T23:30:00Z', 12)).toEqual([]);
    const [second] = one.spot('A', '2026-01-03T00:10:00Z', 100);
    expect(second!.factors.map(({ factor }) => factor)).toEqual(['A:spot', 'B:spot']);
  });

  it('one tick from a future that is none does no harm beyond its own underlying', () => {
    const one = followed();
    one.spot('A', '2026-01-01T23:00:00Z', 100);
    // The hour leaps: what was heard of so far is counted at its own instant.
    const [early, ...none] = one.spot('B', '2030-05-05T05:00:00Z', 10);
    expect([early!.instant, none]).toEqual(['2026-01-02T00:00:00Z', []]);
    const instants = [];
    for (let hour = 0; hour < 72; hour++) {
      const time = at(Date.parse('2026-01-01T23:30:00Z') + hour * 3_600_000);
      instants.push(...one.spot('A', time, 100 + hour).map(({ instant }) => instant));
    }
    // Once a day, as ever, if with the day's first price.
    expect(instants).toEqual([3, 4, 5].map((day) => `2026-01-0${day}T00:00:00Z`));
  });

  it('a volatility factor follows the implied volatility at 30 days, when quotes come', () => {
    const one = followed();
    one.take({
      ticks: [{ underlying: 'A', asOf: '2026-01-01T23:00:00Z', surface: surface(0.6) }],
    });
    one.spot('A', '2026-01-02T10:00:00Z', 100);
    one.take({
      ticks: [{ underlying: 'A', asOf: '2026-01-02T11:00:00Z', surface: surface(0.66) }],
    });
    const [update] = one.spot('A', '2026-01-03T10:00:00Z', 100);
    const [spot, vol] = update!.factors;
    // One slice: its volatility stands for 30 days, too.
    expect(vol).toMatchObject({ factor: 'A:vol', level: 0.66 });
    expect(vol!.change).toBeCloseTo(Math.log(1.1), 14);
    expect(one.volatilities[1]).toBeCloseTo(stepped(0.9, Math.log(1.1)), 14);
    expect(spot!.change).toBeUndefined();
  });

  it('a snapshot is heard of as of its own times; one that goes back in time begins anew', () => {
    const one = followed();
    const moved = (asOf: string, a: number, aAsOf: string): MarketSnapshot => ({
      ...SNAPSHOT,
      asOf,
      underlyings: [
        { ...SNAPSHOT.underlyings[0]!, spot: a, asOf: aAsOf },
        { id: 'B', spot: 11 },
        { id: 'C', spot: 1 },
      ],
    });
    const early = moved('2026-01-02T00:00:00Z', 104, '2026-01-01T23:59:00Z');
    const [first] = one.take({ snapshot: early });
    expect(first!.factors.map(({ level }) => level)).toEqual([104, 0.5, 11]);
    const late = moved('2026-01-03T00:00:01Z', 108, '2026-01-02T22:00:00Z');
    const [second] = one.take({ snapshot: late });
    // B's price is of after the instant: it was not heard of before it.
    expect(second!.factors.map(({ factor }) => factor)).toEqual(['A:spot', 'A:vol']);
    expect(second!.factors[0]!.change).toBeCloseTo(Math.log(108 / 104), 15);
    expect(one.take({ snapshot: SNAPSHOT })).toEqual([]);
    expect(one.volatility.heard.references).toEqual([]);
    const [again] = one.spot('A', '2026-01-02T00:00:00Z', 99);
    expect(again!.factors.every(({ change }) => change === undefined)).toBe(true);
  });

  it('a price that does not move lowers the estimate, one that overflows is kept at the limit', () => {
    const one = followed();
    one.spot('A', '2026-01-01T23:00:00Z', 100);
    one.spot('A', '2026-01-02T23:00:00Z', 100);
    one.spot('A', '2026-01-03T23:00:00Z', 100);
    expect(one.volatilities[0]).toBeCloseTo(stepped(0.5, 0), 15);
    const absolute = new Follower(
      { ...MODEL, factors: MODEL.factors.map((f) => ({ ...f, kind: 'absolute' as const })) },
      SNAPSHOT,
      RULE,
    );
    absolute.spot('A', '2026-01-01T23:00:00Z', 1);
    absolute.spot('A', '2026-01-02T23:00:00Z', 1e15);
    absolute.spot('A', '2026-01-03T23:00:00Z', 1);
    expect(absolute.volatilities[0]).toBe(1e15);
  });

  it('a copy, and one restored from its state, go on alike', () => {
    const one = followed();
    one.spot('A', '2026-01-01T23:00:00Z', 100);
    one.spot('A', '2026-01-02T23:00:00Z', 103);
    const state = JSON.parse(JSON.stringify(one.volatility.heard)) as typeof one.volatility.heard;
    const others = [one.volatility.copy(), DynamicVolatility.of(one.volatility.model, state)];
    const change = { ticks: [{ underlying: 'A', asOf: '2026-01-03T01:00:00Z', spot: 90 }] };
    const made = others.map((other) => other.advance(one.snapshot, change, RULE));
    const own = one.take(change);
    expect(own).toHaveLength(1);
    expect(made).toEqual([own, own]);
    // And as the log has it: heard first, then told.
    const logged = DynamicVolatility.of(MODEL);
    for (const [time, spot] of [
      ['2026-01-01T23:00:00Z', 100],
      ['2026-01-02T23:00:00Z', 103],
    ] as const) {
      logged.hear({ ticks: [{ underlying: 'A', asOf: time, spot }] });
    }
    expect(logged.heard.heard).toEqual([['A:spot', Date.parse('2026-01-02T23:00:00Z')]]);
  });
});

describe('properties', () => {
  const start = Date.parse('2026-01-01T10:00:00Z');
  const tick = fc.record({
    // Up to two days between two ticks, often none.
    wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 * DAY })),
    underlying: fc.constantFrom('A', 'B'),
    spot: fc.option(fc.double({ min: 1, max: 1_000, noNaN: true }), { nil: undefined }),
    iv: fc.option(fc.double({ min: 0.1, max: 2, noNaN: true }), { nil: undefined }),
    ends: fc.boolean(),
  });
  const rule = { instants: new DailyInstants(['00:00', '07:15']), lambda: 0.9 };
  const sequences = fc.array(tick, { maxLength: 40 }).map((list) => {
    let time = start;
    return list.map(({ wait, ends, underlying, spot, iv }) => {
      time += wait;
      const quotes = iv === undefined || underlying === 'B' ? {} : { surface: surface(iv) };
      return { tick: { underlying, asOf: at(time), spot, ...quotes }, ends };
    });
  });

  it('how ticks are cut into batches decides nothing, and the log makes what the live book made', () => {
    fc.assert(
      fc.property(sequences, (sequence) => {
        const single = new Follower(MODEL, SNAPSHOT, rule);
        const cut = new Follower(MODEL, SNAPSHOT, rule);
        const logged = DynamicVolatility.of(MODEL);
        for (const { tick } of sequence) single.take({ ticks: [tick] });
        let batch: Tick[] = [];
        sequence.forEach(({ tick, ends }, i) => {
          batch.push(tick);
          if (!ends && i < sequence.length - 1) return;
          const change = { ticks: batch };
          const updates = cut.take(change);
          logged.hear(change);
          for (const update of updates) logged.apply(update);
          expect(logged.hash).toBe(cut.volatility.hash);
          expect(logged.heard).toEqual(cut.volatility.heard);
          batch = [];
        });
        // One batch may end at an instant that the single ticks reach one by one: what stands at it is then heard of a little later.
        const atInstant = sequence.some(({ tick: { asOf } }) => {
          const time = Date.parse(asOf);
          return rule.instants.from(time) === time;
        });
        fc.pre(!atInstant);
        expect(cut.volatility.hash).toBe(single.volatility.hash);
        expect(cut.volatility.heard).toEqual(single.volatility.heard);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe('instants of the day', () => {
  it('are found whatever the hour', () => {
    const instants = new DailyInstants(['16:00', '00:00', '08:30', '16:00']);
    const midnight = Date.parse('2026-01-02T00:00:00Z');
    const hour = 3_600_000;
    expect(instants.from(midnight)).toBe(midnight);
    expect(instants.from(midnight + 1)).toBe(midnight + 8.5 * hour);
    expect(instants.from(midnight + 16 * hour)).toBe(midnight + 16 * hour);
    expect(instants.from(midnight + 16 * hour + 1)).toBe(midnight + DAY);
    const shares = [0, 8.5, 16].map((h) => instants.shareBefore(midnight + h * hour));
    expect(shares).toEqual([8 / 24, 8.5 / 24, 7.5 / 24]);
    expect(new DailyInstants(['09:00']).shareBefore(midnight + 9 * hour)).toBe(1);
  });

  it.each(['24:00', '9:00', '00:60', '', '00:00Z'])('refuses %j', (text) => {
    expect(() => new DailyInstants([text])).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path: 'instants[0]' }),
    );
    expect(() => new DailyInstants([])).toThrow(/at least one/);
  });
});
