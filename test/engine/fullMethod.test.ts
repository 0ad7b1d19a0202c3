/**
 * The margin method in full against a second implementation that shares nothing with it (fixtures/fullMethod.py): every component, margin,
 * mode and state of varied accounts under varied methodologies. Recorded from the engine are only its draws and permutations.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { orderOf } from '../../src/engine/arrangements.ts';
import { shocksOf } from '../../src/engine/shards.ts';
import type { AccountInput } from '../../src/margin/account.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import type { MarginResult } from '../../src/margin/result.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import { readHistory } from '../../src/market/history.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess, type InProcess } from './inProcess.ts';

type Expected = Pick<
  MarginResult,
  | 'equity'
  | 'initialMargin'
  | 'maintenanceMargin'
  | 'marginRatio'
  | 'state'
  | 'components'
  | 'modes'
  | 'positions'
> & {
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
  readonly scenarios: number;
};

interface Recorded {
  readonly shocks: Readonly<Record<string, readonly number[]>>;
  /** By seed and number of scenarios, then by underlying. */
  readonly orders: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
}

const fixtureFile = (name: string) => new URL(`../fixtures/${name}.json`, import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(fixtureFile(name), 'utf8'));

const fixture = read('fullMethod') as {
  readonly market: MarketSnapshot;
  readonly history: {
    readonly dates: readonly string[];
    readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
  };
  readonly factors: FactorModel;
  readonly accounts: readonly AccountInput[];
  readonly methodologies: Readonly<Record<string, MethodologyInput>>;
  readonly expected: Readonly<Record<string, Readonly<Record<string, Expected>>>>;
};

/** Set, the engine's draws and permutations are written instead of checked: see fullMethod.py. */
const recording = process.env.PLIMSOLL_RECORD === '1';
const recorded: Recorded =
  recording || !existsSync(fixtureFile('fullMethodRecorded'))
    ? { shocks: {}, orders: {} }
    : read('fullMethodRecorded');

function permutationsOf({ bench, session }: InProcess): Readonly<Record<string, number[]>> {
  const { underlyings } = session.valuation.market;
  return Object.fromEntries(
    underlyings.map(({ id }, u) => [id, [...orderOf(session, bench.views, u, 'zero')]]),
  );
}

function drawsOf({ bench, session }: InProcess): Readonly<Record<string, number[]>> {
  return Object.fromEntries(
    session.set.factorIds.map((id, f) => [id, [...shocksOf(session, bench.views, f)]]),
  );
}

/**
 * The largest account has a gross value of 2e7 and figures of 1e5 and more: each entry of its P&L is good to 1e-14 of the gross on either
 * side, 4e-7, which is 1e-9 of a figure at worst. What is found is 1e-13.
 */
const RELATIVE = 1e-9;
/** Figures that are small because large sums cancel are good to rounding of those sums: of 1e7 at most. What is found is 2e-11. */
const ABSOLUTE = 1e-7;

/** Numbers within the tolerance, everything else the same. */
function expectAlike(got: unknown, expected: unknown, path: string): void {
  if (typeof expected === 'number' && typeof got === 'number') {
    const allowed = Math.max(RELATIVE * Math.abs(expected), ABSOLUTE);
    expect(Math.abs(got - expected), `${path}: ${got} for ${expected}`).toBeLessThan(allowed);
  } else if (expected !== null && typeof expected === 'object') {
    for (const [key, value] of Object.entries(expected)) {
      const place = (value as { name?: string } | null)?.name ?? key;
      expectAlike((got as Record<string, unknown> | undefined)?.[key], value, `${path}.${place}`);
    }
  } else {
    expect(got, path).toBe(expected);
  }
}

const names = Object.keys(fixture.history.columns);
const rows = fixture.history.dates.map((date, row) =>
  [date, ...names.map((name) => fixture.history.columns[name]![row] ?? '')].join(','),
);
const history = await readHistory(
  Buffer.from([['date', ...names].join(','), ...rows].join('\n')),
  'history.csv',
);

const record: { shocks: Recorded['shocks']; orders: Record<string, Recorded['orders'][string]> } = {
  shocks: {},
  orders: {},
};
afterAll(() => {
  if (recording) writeFileSync(fixtureFile('fullMethodRecorded'), `${JSON.stringify(record)}\n`);
});

describe.each(Object.entries(fixture.methodologies))('%s', (name, methodology) => {
  const { market, factors, accounts } = fixture;
  const filled = fillInProcess({ market, factors, history, methodology });
  const { set, layout } = filled.session;

  it('has the recorded draws and permutations', () => {
    const order = layout.orders === 0 ? null : permutationsOf(filled);
    const key = `${methodology.seed} ${set.scenarios}`;
    if (recording) {
      if (order !== null) record.orders[key] = order;
      if (name === 'default') record.shocks = drawsOf(filled);
      return;
    }
    if (order !== null) expect(order).toEqual(recorded.orders[key]);
    if (name === 'default') expect(drawsOf(filled)).toEqual(recorded.shocks);
  });

  const outcomes = filled.evaluate(accounts);
  it.runIf(!recording).each(accounts.map((account, i) => ({ id: account.id, account, i })))(
    '$id',
    ({ id, i }) => {
      const got = outcomes[i]!;
      if ('error' in got) throw new Error(JSON.stringify(got));
      const { valueAtRisk, expectedShortfall, scenarios, positions, ...margins } =
        fixture.expected[name]![id]!;
      expect(got.components.map((line) => line.name)).toEqual(
        margins.components.map((line) => line.name),
      );
      // From the parts to the whole, so that a difference shows where it arises.
      expectAlike(got.components, margins.components, `${id}.components`);
      expectAlike(got.risk, { valueAtRisk, expectedShortfall, scenarios }, 'risk');
      expect(got.positions?.map(({ instrument }) => instrument)).toEqual(
        positions?.map(({ instrument }) => instrument),
      );
      expectAlike(got, { ...margins, ...(positions === undefined ? {} : { positions }) }, id);
    },
  );
});
