import { describe, expect, it } from 'vitest';
import { openKernels } from '../kernels.ts';
import { type ExpiryScenario, expiryScenario, optionPnl } from '../reference/black76.ts';
import { exp } from '../reference/maths.ts';
import { Errors, fraction, readPoints } from './black76Points.ts';

const open = openKernels(1 << 24);
const { kernels } = open;

/** Runs optionRows at scale 1 and base 0 unless said, and gathers what it scattered. */
function optionRows(
  scenarios: readonly ExpiryScenario[],
  option: {
    moneyness: number;
    strike: number;
    v0: number;
    scale?: number;
    callBase?: number;
    putBase?: number;
  },
  blockSize: number,
  stride: number,
  wanted = { call: true, put: true },
): [Float64Array, Float64Array] {
  const local = scratch(scenarios.length, blockSize, stride);
  const { columns, rows } = local;
  for (const [c, key] of (['logMove', 'forward', 'up', 'down', 'conversion'] as const).entries()) {
    open.floats(columns[c]!, scenarios.length).set(scenarios.map((s) => s[key]));
  }
  for (const row of rows) open.floats(row, local.length).fill(UNTOUCHED);
  const [logMove, forward, up, down, conversion] = columns as Columns;
  kernels.optionRows(
    scenarios.length,
    logMove,
    forward,
    up,
    down,
    conversion,
    option.moneyness,
    option.strike,
    option.v0,
    option.scale ?? 1,
    option.callBase ?? 0,
    wanted.call ? rows[0]! : 0,
    option.putBase ?? 0,
    wanted.put ? rows[1]! : 0,
    blockSize,
    stride,
  );
  return rows.map((row) => gather(row, scenarios.length, blockSize, stride)) as [
    Float64Array,
    Float64Array,
  ];
}

/** Pointers to logMove, forward, up, down, conversion. */
type Columns = [number, number, number, number, number];

const UNTOUCHED = -12345.678;

interface Scratch {
  readonly columns: readonly number[];
  readonly rows: readonly number[];
  /** Numbers in a scattered row, with what lies between its blocks and one block beyond. */
  readonly length: number;
}

const scratches = new Map<string, Scratch>();

function scratch(n: number, blockSize: number, stride: number): Scratch {
  const key = `${n} ${blockSize} ${stride}`;
  const length = ((n / blockSize) * stride) / 8 + blockSize;
  const made = scratches.get(key) ?? {
    columns: [1, 2, 3, 4, 5].map(() => open.allocate(8 * n)),
    rows: [1, 2].map(() => open.allocate(8 * length)),
    length,
  };
  scratches.set(key, made);
  return made;
}

/** A scattered row in the order of scenarios; what lies between the blocks must not have been touched. */
function gather(row: number, n: number, blockSize: number, stride: number): Float64Array {
  const length = scratch(n, blockSize, stride).length;
  const all = open.floats(row, length);
  const values = new Float64Array(n);
  const inside = new Uint8Array(length);
  for (let s = 0; s < n; s++) {
    const at = (Math.floor(s / blockSize) * stride) / 8 + (s % blockSize);
    values[s] = all[at]!;
    inside[at] = 1;
  }
  expect(all.findIndex((value, i) => !inside[i] && value !== UNTOUCHED)).toBe(-1);
  return values;
}

describe('rows against 50-digit arithmetic', () => {
  it('prices, where the moneyness is split between the option and the scenario', () => {
    const errors = new Errors();
    readPoints().forEach(({ forward, strike, v, call, put }, i) => {
      // |move| ≤ 2^-3 and up a power of 2: their own rounding then adds less than 1e-16 of the forward.
      const move = (fraction(i, 1) - 0.5) / 4;
      const up = [0.5, 1, 2][i % 3]!;
      const scenario = {
        logMove: move,
        forward,
        up,
        down: 1 / up,
        conversion: 1,
      };
      const option = { moneyness: kernels.log(forward / strike) - move, strike, v0: v / up };
      const [calls, puts] = optionRows(Array(16).fill(scenario), option, 16, 128);
      errors.add(calls[15]!, call, forward);
      errors.add(puts[0]!, put, forward);
    });
    errors.check();
  });
});

const LAYOUTS: [number, number, number][] = [
  [16, 16, 128],
  [1_024, 16, 16 * 8 * 37],
  [1_024, 64, 64 * 8 * 5 + 48],
  [1_024, 64, 64 * 8],
  [2_048, 1_024, 1_024 * 8 + 16],
  [96, 48, 48 * 8 * 3],
];

describe.each(LAYOUTS)('rows of %d scenarios, blocks of %d, %d bytes apart', (n, size, stride) => {
  const numbers = Array.from({ length: n }, (_, i) => ({
    shock: (fraction(i, 2) - 0.5) * 2,
    basis: (fraction(i, 3) - 0.5) * 0.2,
    vol: (fraction(i, 4) - 0.5) * 2,
  }));
  const scenarios = numbers.map(({ shock, basis, vol }) =>
    expiryScenario(shock, basis, vol, 90_000, 0.24, 0.8),
  );
  const option = { strike: 95_000, v0: 0.3, scale: -2.5 };
  const moneyness = kernels.log(90_000 / 95_000);
  const bases = { callBase: 1_234.5, putBase: -77.7 };

  it('options: the twin’s bits; outputs of 0 are not written', () => {
    const given = { ...option, moneyness, ...bases };
    const twin = (right: 1 | -1) =>
      scenarios.map((s) =>
        optionPnl(
          s,
          { ...option, logMoneyness: moneyness, base: right > 0 ? bases.callBase : bases.putBase },
          right,
        ),
      );
    const [calls, puts] = [twin(1), twin(-1)];
    const none = Array(n).fill(UNTOUCHED);
    const row = (wanted: { call: boolean; put: boolean }) =>
      optionRows(scenarios, given, size, stride, wanted).map((values) => [...values]);
    expect(row({ call: true, put: true })).toEqual([calls, puts]);
    expect(row({ call: true, put: false })).toEqual([calls, none]);
    expect(row({ call: false, put: true })).toEqual([none, puts]);
    expect(row({ call: false, put: false })).toEqual([none, none]);
  });

  it('payoffs, linear and inverse contracts: the twin’s bits', () => {
    const levels = scenarios.map((s) => s.forward);
    const spots = numbers.map(({ shock }) => 90_000 * exp(shock));
    const level = open.place(levels);
    const spot = open.place(spots);
    const out = scratch(n, size, stride).rows[0]!;
    const check = (run: () => void, expected: readonly number[]) => {
      open.floats(out, scratch(n, size, stride).length).fill(UNTOUCHED);
      run();
      expect([...gather(out, n, size, stride)]).toEqual(expected);
    };
    check(
      () => kernels.payoffRow(n, spot, 91_000, 1, 3, 4.5, out, size, stride),
      spots.map((s) => 3 * Math.max(s - 91_000, 0) - 4.5),
    );
    check(
      () => kernels.payoffRow(n, spot, 91_000, -1, -3, 4.5, out, size, stride),
      // −3 · (+0) is −0, less a base: no matter.
      spots.map((s) => -3 * Math.max(91_000 - s, 0) - 4.5),
    );
    check(
      () => kernels.linearRow(n, level, 90_100, 0.1, out, size, stride),
      levels.map((f) => 0.1 * (f - 90_100)),
    );
    check(
      () => kernels.inverseRow(n, level, spot, 90_100, 10, out, size, stride),
      levels.map((f, s) => 10 * (1 / 90_100 - 1 / f) * spots[s]!),
    );
  });
});

describe('a value in rows that moves nothing', () => {
  it('is the intrinsic value for v0 = 0', () => {
    const still = Array.from({ length: 16 }, (_, i) => expiryScenario(i / 40, 0, 0, 90, 0.1, 1));
    const given = { moneyness: kernels.log(90 / 100), strike: 100, v0: 0 };
    const [calls, puts] = optionRows(still, given, 16, 128);
    expect([...calls]).toEqual(still.map((s) => s.forward - Math.min(s.forward, 100)));
    expect([...puts]).toEqual(still.map((s) => 100 - Math.min(s.forward, 100)));
  });

  it('carries a NaN to its own scenario and no other', () => {
    const scenarios = Array.from({ length: 32 }, (_, i) =>
      expiryScenario(i === 13 ? Number.NaN : i / 100, undefined, undefined, 90, 0.1, 1),
    );
    const rows = optionRows(scenarios, { moneyness: -0.1, strike: 99, v0: 0.2 }, 16, 128);
    for (const row of rows) {
      for (let s = 0; s < 32; s++) expect(Number.isNaN(row[s])).toBe(s === 13);
    }
  });
});

describe('scenario state', () => {
  const lengths = [1, 2, 17, 64];

  it.each(lengths)('spot of %d scenarios: the twin’s bits', (n) => {
    const shocks = Array.from({ length: n }, (_, i) => (fraction(i, 5) - 0.5) * 6);
    const out = open.place(new Float64Array(n + 1).fill(UNTOUCHED));
    const shock = open.place(shocks);
    kernels.spotScenarios(shock, out, n, 88_530.23, 0);
    expect([...open.floats(out, n)]).toEqual(shocks.map((x) => 88_530.23 * exp(x)));
    kernels.spotScenarios(shock, out, n, 88_530.23, 1);
    expect([...open.floats(out, n)]).toEqual(shocks.map((x) => 88_530.23 + x));
    expect(open.floats(out, n + 1)[n]).toBe(UNTOUCHED);
  });

  it.each(
    lengths.flatMap((n) =>
      [
        [true, true],
        [true, false],
        [false, true],
        [false, false],
      ].map(([basis, vol]) => [n, basis!, vol!] as const),
    ),
  )('expiry of %d scenarios, basis %s, volatility %s: the twin’s bits', (n, hasBasis, hasVol) => {
    const column = (salt: number, width: number) =>
      Array.from({ length: n }, (_, i) => (fraction(i, salt) - 0.5) * width);
    const [shocks, bases, vols] = [column(6, 6), column(7, 0.3), column(8, 3)];
    const out = [0, 1, 2, 3, 4].map(() => open.place(new Float64Array(n + 1).fill(UNTOUCHED)));
    const [logMove, forward, up, down, conversion] = out as Columns;
    kernels.expiryScenarios(
      open.place(shocks),
      hasBasis ? open.place(bases) : 0,
      hasVol ? open.place(vols) : 0,
      n,
      89_500.1,
      0.24,
      0.83,
      logMove,
      forward,
      up,
      down,
      conversion,
    );
    const expected = shocks.map((shock, i) =>
      expiryScenario(
        shock,
        hasBasis ? bases[i] : undefined,
        hasVol ? vols[i] : undefined,
        89_500.1,
        0.24,
        0.83,
      ),
    );
    for (const [c, key] of (
      ['logMove', 'forward', 'up', 'down', 'conversion'] as const
    ).entries()) {
      expect([...open.floats(out[c]!, n)], key).toEqual(expected.map((s) => s[key]));
      expect(open.floats(out[c]!, n + 1)[n]).toBe(UNTOUCHED);
    }
  });
});
