/** The stress library: what moves are worth as shocks, which days are found, what is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { type History, readHistory } from '../../src/market/history.ts';
import { type StressSubject, stressScenarios } from '../../src/scenarios/stress/library.ts';
import { readStressLibrary, type StressLibrary } from '../../src/scenarios/stress/schema.ts';
import { testData } from '../data.ts';

const FACTORS = ['BTC:spot', 'BTC:vol', 'ETH:spot', 'ETH:vol', 'ETH:basis', 'USDC:spot'];

function subjectOf(rest: Partial<StressSubject> = {}): StressSubject {
  return {
    factorIds: FACTORS,
    absolute: Uint8Array.from([0, 0, 0, 0, 1, 0]),
    underlyings: [
      { id: 'BTC', spot: 90_000 },
      { id: 'ETH', spot: 3000 },
      { id: 'USDC', spot: 1 },
    ],
    history: null,
    horizonDays: 1,
    maxLogShock: 3,
    ...rest,
  };
}

/** Rows by name, as moves by factor: relative of logs. */
function movesOf(library: StressLibrary, subject = subjectOf()) {
  const result = stressScenarios(readStressLibrary(library), subject);
  const n = subject.factorIds.length;
  const move = (name: string, factor: string): number => {
    const [row, f] = [result.names.indexOf(name), subject.factorIds.indexOf(factor)];
    expect(row, name).not.toBe(-1);
    const x = result.changes[row * n + f]!;
    return subject.absolute[f] === 1 ? x : Math.expm1(x);
  };
  return { ...result, move };
}

const only = (scenarios: StressLibrary['scenarios']): StressLibrary => ({
  hypothetical: false,
  scenarios: scenarios!,
});

describe('the library that comes with the engine', () => {
  const { names, kinds, move, set, changes, gaps, heldFactors } = movesOf({});

  it('moves every spot but stable coins, vols with or against', () => {
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(kinds)).toEqual(new Set(['hypothetical']));
    expect(set).toMatchObject({ model: 'stress', drawn: false, scenarios: names.length });
    expect(changes.length).toBe(names.length * FACTORS.length);
    expect(gaps.every((gap) => gap === null)).toBe(true);
    for (const [name, spot, vol] of [
      ['spot -40%', -0.4, 0],
      ['spot -40% vol +100%', -0.4, 1],
      ['spot -10% vol -25%', -0.1, -0.25],
      ['spot +30% vol +100%', 0.3, 1],
      ['vol -50%', 0, -0.5],
    ] as const) {
      for (const u of ['BTC', 'ETH']) {
        // A logarithm and an exponential: a few ulp.
        expect(move(name, `${u}:spot`)).toBeCloseTo(spot, 14);
        expect(move(name, `${u}:vol`)).toBeCloseTo(vol, 14);
      }
      expect(move(name, 'USDC:spot')).toBe(0);
    }
    expect(move('basis +10%', 'ETH:basis')).toBe(0.1);
    // BTC has no basis, and USDC no vol, in this model: said, not dropped. A stable coin is not moved with the market.
    expect(heldFactors).toEqual(['BTC:basis']);
  });

  it('sets each underlying against the rest, and breaks pegs', () => {
    const apart = 'BTC -30%, others +10%, vol +25%';
    expect(move(apart, 'BTC:spot')).toBeCloseTo(-0.3, 14);
    expect(move(apart, 'ETH:spot')).toBeCloseTo(0.1, 14);
    expect(move(apart, 'USDC:spot')).toBe(0);
    expect(move('USDC -10%', 'USDC:spot')).toBeCloseTo(-0.1, 14);
    expect(move('USDC -10%', 'BTC:spot')).toBe(0);
    const both = 'spot -30% vol +50%, stable coins -10%';
    expect(move(both, 'USDC:spot')).toBeCloseTo(-0.1, 14);
    expect(move(both, 'ETH:spot')).toBeCloseTo(-0.3, 14);
  });

  it('has no basis moves without a basis, no market moves of stable coins alone, and fits many underlyings', () => {
    const plain = subjectOf({ factorIds: FACTORS.slice(0, 4), absolute: new Uint8Array(4) });
    expect(movesOf({}, plain).names.some((name) => name.startsWith('basis'))).toBe(false);
    const coins = subjectOf({
      factorIds: ['USDC:spot'],
      absolute: new Uint8Array(1),
      underlyings: [{ id: 'USDC', spot: 1 }],
    });
    expect(movesOf({}, coins).names).toContain('USDC -10%');
    expect(movesOf({}, coins).names).not.toContain('spot -10%');
    const underlyings = Array.from({ length: 500 }, (_, i) => ({ id: `U${i}`, spot: 1 }));
    const factorIds = underlyings.map(({ id }) => `${id}:spot`);
    const many = subjectOf({ underlyings, factorIds, absolute: new Uint8Array(500) });
    const result = movesOf({}, many);
    expect(result.names.length).toBeLessThanOrEqual(LIMITS.stressScenariosMax);
    expect(result.withoutOwn).toEqual(underlyings.slice(64).map(({ id }) => id));
  });
});

describe('scenarios of the user', () => {
  it('take moves for all and for one, the latter in place of the former', () => {
    const scenarios = [
      { name: 'all', spot: -0.3, vol: 0.5 },
      { name: 'one', spot: -0.3, vol: 0.5, underlyings: { ETH: { spot: 0, basis: 0.02 } } },
      { name: 'other', underlyings: { BTC: { spot: 0.25 }, SOL: { spot: -0.9 } } },
    ];
    const { move, kinds, heldFactors } = movesOf(only(scenarios));
    expect(kinds).toEqual(['user', 'user', 'user']);
    expect(move('all', 'USDC:spot')).toBeCloseTo(-0.3, 15);
    expect(move('one', 'BTC:spot')).toBeCloseTo(-0.3, 15);
    expect(move('one', 'ETH:spot')).toBe(0);
    expect(move('one', 'ETH:vol')).toBeCloseTo(0.5, 15);
    expect(move('one', 'ETH:basis')).toBe(0.02);
    expect(move('other', 'BTC:spot')).toBeCloseTo(0.25, 15);
    expect(move('other', 'ETH:spot')).toBe(0);
    expect(heldFactors).toEqual(['SOL:spot', 'USDC:vol']);
  });

  it('move an absolute spot in price units', () => {
    const absolute = Uint8Array.from([1, 0, 0, 0, 1, 0]);
    const { move } = movesOf(only([{ name: 'all', spot: -0.3 }]), subjectOf({ absolute }));
    expect(move('all', 'BTC:spot')).toBe(-27_000);
    expect(move('all', 'ETH:spot')).toBeCloseTo(-0.3, 15);
  });

  it.each([
    [{ scenarios: [{ name: 'x', spot: -1 }] }, 'INVALID_FIELD', 'scenarios[0].spot'],
    [{ scenarios: [{ name: 'x', spot: '0.1' }] }, 'INVALID_FIELD', 'scenarios[0].spot'],
    [{ scenarios: [{ spot: -0.1 }] }, 'MISSING_FIELD', 'scenarios[0].name'],
    [{ scenarios: [{ name: 'x', spt: -0.1 }] }, 'UNKNOWN_FIELD', 'scenarios[0].spt'],
    [
      { scenarios: [{ name: 'x', underlyings: { BTC: { vol: -2 } } }] },
      'INVALID_FIELD',
      'scenarios[0].underlyings.BTC.vol',
    ],
    [{ scenarios: [{ name: 'x' }] }, 'INVALID_FIELD', 'scenarios[0]'],
    [{ scenarios: [{ name: 'x', vol: 0, underlyings: {} }] }, 'INVALID_FIELD', 'scenarios[0]'],
    [
      {
        scenarios: [
          { name: 'x', spot: 1 },
          { name: 'x', spot: 2 },
        ],
      },
      'DUPLICATE_ID',
      'scenarios[1].name',
    ],
    [{ scenarios: [{ name: 'vol -50%', vol: -0.5 }] }, 'DUPLICATE_ID', 'scenarios[0].name'],
    [{ hypothetical: false }, 'INVALID_SCENARIO_COUNT', 'scenarios'],
    [{ grid: { spot: [], vol: [0] } }, 'INVALID_FIELD', 'grid.spot'],
    [{ historicalDays: 1.5 }, 'INVALID_FIELD', 'historicalDays'],
    [
      {
        grid: {
          spot: Array.from({ length: 60 }, (_, i) => i / 100),
          vol: [0, 1, 2, 3, 4, 5, 6, 7, 8],
        },
      },
      'INVALID_SCENARIO_COUNT',
      'scenarios',
    ],
  ])('refuses %j', (library, code, path) => {
    expect(() => stressScenarios(readStressLibrary(library), subjectOf())).toThrow(
      expect.objectContaining({ code, path }),
    );
  });
});

describe('what a library states and cannot have', () => {
  const scenarios = [{ name: 'x', underlyings: { BTC: { spot: 0.1 }, BCT: { spot: -0.5 } } }];
  // e^±3 − 1: −0.950… and 19.08…
  const edge = { hypothetical: false, grid: { spot: [-0.95, 19], vol: [0] } };

  it('is named: an underlying of which the model has no factor', () => {
    expect(movesOf(only(scenarios)).unknownUnderlyings).toEqual(['BCT']);
    expect(movesOf({}).unknownUnderlyings).toEqual([]);
  });

  it.each<[StressLibrary, string]>([
    [only([{ name: 'x', spot: -0.96 }]), 'scenarios[0].spot'],
    [only([{ name: 'x', spot: 0.1, vol: 20 }]), 'scenarios[0].vol'],
    [
      only([{ name: 'x', spot: 0.1, underlyings: { ETH: { spot: 19.2 } } }]),
      'scenarios[0].underlyings.ETH.spot',
    ],
    [{ hypothetical: false, grid: { spot: [0, 20], vol: [0] } }, 'grid.spot[1]'],
    [{ hypothetical: false, grid: { spot: [0], vol: [0, 0.5, -0.96] } }, 'grid.vol[2]'],
  ])('is refused beyond the clamp: %j', (library, path) => {
    expect(() => movesOf(library)).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path }),
    );
    const placed = subjectOf({ pathOf: (field) => `methodology.stress.library.${field}` });
    expect(() => movesOf(library, placed)).toThrow(
      expect.objectContaining({ path: `methodology.stress.library.${path}` }),
    );
    expect(() => movesOf(library, subjectOf({ maxLogShock: 4 }))).not.toThrow();
    expect(() => movesOf(edge)).not.toThrow();
  });

  it('is not clamped where a shock is in price units', () => {
    const absolute = Uint8Array.from([1, 0, 0, 0, 1, 0]);
    const moved = only([{ name: 'x', underlyings: { BTC: { spot: 30 } } }]);
    expect(movesOf(moved, subjectOf({ absolute })).move('x', 'BTC:spot')).toBe(2_700_000);
  });

  it('is clamped and named where nobody stated it: moves of the engine, days of a history', () => {
    // ln 1.4 = 0.336, ln 0.6 = −0.511, ln 2 = 0.693 of vol +100%.
    const { clampedScenarios } = movesOf({}, subjectOf({ maxLogShock: 0.5 }));
    expect(clampedScenarios).toContain('spot -40%');
    expect(clampedScenarios).toContain('spot +40% vol +100%');
    expect(clampedScenarios).not.toContain('spot +40%');
    const grid = { spot: [-0.5], vol: [0] };
    const unstated = subjectOf({ maxLogShock: 0.5, pathOf: () => null });
    expect(movesOf({ hypothetical: false, grid }, unstated).clampedScenarios).toEqual([
      'grid spot -50% vol 0%',
    ]);
    const history: History = {
      dates: ['2024-01-01', '2024-01-02', '2024-01-03'],
      columns: [{ id: 'BTC:spot', values: Float64Array.of(1, 30, 29) }],
    };
    const days = movesOf({ hypothetical: false }, subjectOf({ history }));
    expect(days.clampedScenarios).toEqual(['2024-01-02']);
    expect(movesOf({}).clampedScenarios).toEqual([]);
  });
});

describe('a grid', () => {
  it('has every cell', () => {
    const grid = { spot: [-0.15, 0, 0.15], vol: [-0.25, 0, 0.5] };
    const { names, kinds, move } = movesOf({ hypothetical: false, grid });
    expect(names.length).toBe(9);
    expect(kinds).toEqual(new Array(9).fill('grid'));
    expect(move('grid spot -15% vol +50%', 'BTC:spot')).toBeCloseTo(-0.15, 15);
    expect(move('grid spot -15% vol +50%', 'BTC:vol')).toBeCloseTo(0.5, 15);
    expect(move('grid spot 0% vol 0%', 'ETH:spot')).toBe(0);
  });
});

describe('days of a history', () => {
  const levels = {
    // One crash of both, one rally of BTC, one slump of ETH with a gap of BTC.
    'BTC:spot': [100, 60, 61, 61, 90, 91, Number.NaN, 91, 90.9],
    'ETH:spot': [10, 7, 7.1, 7.1, 7.2, 7.3, 7.2, 4, 4.1],
    'BTC:vol': [0.5, 0.9, 0.8, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9],
  };
  const history: History = {
    dates: Array.from({ length: 9 }, (_, i) => `2024-01-0${i + 1}`),
    columns: Object.entries(levels).map(([id, values]) => ({
      id,
      values: Float64Array.from(values),
    })),
  };
  const subject = subjectOf({ history });

  it('are the worst of the book both ways and of each underlying, once each, named by date', () => {
    const library = { hypothetical: false, historicalDays: 1 };
    const { names, kinds, move, gaps, heldInHistory } = movesOf(library, subject);
    // Book: −35% on the 2nd, but on the 8th only ETH is known: −44%. Up: BTC's +48% and ETH's +1%. BTC's own worst: the 2nd.
    expect(names).toEqual(['2024-01-08', '2024-01-05', '2024-01-02', '2024-01-09']);
    expect(new Set(kinds)).toEqual(new Set(['historical']));
    expect(move('2024-01-02', 'BTC:spot')).toBeCloseTo(-0.4, 14);
    expect(move('2024-01-02', 'BTC:vol')).toBeCloseTo(0.8, 14);
    expect(move('2024-01-05', 'BTC:spot')).toBeCloseTo(90 / 61 - 1, 14);
    // A cell that is missing is a gap; a factor that the history never had stays still and is named.
    expect(Number.isNaN(move('2024-01-08', 'BTC:spot'))).toBe(true);
    expect([...gaps[0]!]).toEqual([1, 0, 0, 0]);
    expect(gaps[2]).toBeNull();
    expect(heldInHistory).toEqual(['ETH:basis', 'ETH:vol', 'USDC:spot']);
    expect(move('2024-01-02', 'ETH:vol')).toBe(0);
  });

  it('are windows over a longer horizon, none overlapping a worse one of its list', () => {
    const values = Float64Array.from([100, 90, 70, 69, 68, 50, 49]);
    const falling = {
      dates: history.dates.slice(0, 7),
      columns: [{ id: 'BTC:spot', values }],
    };
    // Two rows cover a day and a half. Worst −30% from the 1st, then −27.9% from the 5th, which −27.5% from the 4th overlaps; no rise.
    const long = subjectOf({ history: falling, horizonDays: 1.5 });
    const { names } = movesOf({ hypothetical: false, historicalDays: 2 }, long);
    expect(names).toEqual(['2024-01-01..2024-01-03', '2024-01-05..2024-01-07']);
  });

  it('can be left out, and need a history', () => {
    expect(movesOf({ historicalDays: 0 }, subject).kinds).not.toContain('historical');
    expect(movesOf({}).kinds).not.toContain('historical');
    expect(() => movesOf({ historicalDays: 1 })).toThrow(
      expect.objectContaining({ code: 'MISSING_HISTORY', path: 'historicalDays' }),
    );
  });

  it('have ids of what they move', () => {
    const ids = [{}, { historicalDays: 1 }, { historicalDays: 0 }].map(
      (library) => movesOf(library, subject).set.id,
    );
    expect(new Set(ids).size).toBe(3);
    expect(movesOf({}, subject).set.id).toBe(ids[0]);
    expect(movesOf({}, subjectOf({ history, horizonDays: 2 })).set.id).not.toBe(ids[0]);
  });

  it.skipIf(testData === null)('hold 12 March 2020 of real coins', async () => {
    const file = 'crypto_close_daily_2017_2024.csv.gz';
    const real = await readHistory(readFileSync(join(testData!, 'crypto', file)), file);
    const ids = real.columns.map(({ id }) => id);
    const underlyings = ids.map((id) => ({ id: id.slice(0, -5), spot: 1 }));
    const absolute = new Uint8Array(ids.length);
    const crypto = subjectOf({ history: real, factorIds: ids, absolute, underlyings });
    const { names, move } = movesOf({}, crypto);
    // Closes of 11 and 12 March: BTC lost 37%.
    expect(names).toContain('2020-03-12');
    expect(move('2020-03-12', 'BTC:spot')).toBeLessThan(-0.36);
    expect(move('2020-03-12', 'BTC:spot')).toBeGreaterThan(-0.4);
  });
});
