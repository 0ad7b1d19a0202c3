/** The parts of ES against sorting by hand, smaller accounts margined by themselves, and closed forms. */
import { describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import type { ExplainDocument, Explanation } from '../../src/engine/studies/explainSchema.ts';
import { PlimsollError } from '../../src/errors.ts';
import { type AccountInput, readAccount } from '../../src/margin/account.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { explained, sum } from './explained.ts';
import { fillInProcess, type InProcess } from './inProcess.ts';

const demo = demoMarket({ underlyings: 3, seed: 'explain', basis: true, strikes: 7 });
const filled = fillInProcess({ ...demo, methodology: { scenarios: 4_000 } });
const generated = [...demoAccounts({ market: demo.market, count: 24, positions: 14 })];
const modes = ['portfolio', 'cross', 'isolated'] as const;
const accounts: AccountInput[] = generated.map((account, i) => ({
  ...account,
  mode: modes[i % 3]!,
  collateral: [...(account.collateral ?? []), { asset: 'BTC', amount: 0.7 - 0.1 * (i % 9) }],
  positions: account.positions.map((position) => ({ ...position, allocated: 1000 })),
}));

const explain = (account: unknown, asked: ExplainDocument = {}): Explanation =>
  explained(account, asked, filled);

/** A row of the cube, read where the memory has it. */
function row({ session, bench }: InProcess, index: number): Float64Array {
  const { layout, set } = session;
  const at = (layout.rows + index * layout.rowBytes) / 8;
  return bench.views.f64.slice(at, at + set.scenarios);
}

describe('parts of ES', () => {
  it('sum to ES, by line, underlying, expiry and factor type', () => {
    for (const account of accounts) {
      const e = explain(account);
      const es = e.margin.risk.expectedShortfall;
      const parts = [...e.positions, ...e.collateral].map(({ contribution }) => contribution);
      const gross = sum(parts.map(Math.abs));
      // The demand is 1e-12 of Σ|C|; sums of 40 scenarios and 20 lines round by some 1e-15.
      expect(Math.abs(sum(parts) - es)).toBeLessThan(1e-13 * gross);
      for (const group of [e.underlyings, e.expiries]) {
        const all = group.map(({ contribution }) => contribution);
        expect(Math.abs(sum(all) - es)).toBeLessThan(1e-13 * gross);
      }
      const { time, types, interaction } = e.factors;
      const ofTypes = types.map(({ contribution }) => contribution);
      expect(Math.abs(time + sum(ofTypes) + interaction - es)).toBeLessThan(1e-13 * gross);
      expect(types.map(({ type }) => type)).toEqual(['spot', 'vol', 'basis']);
      for (const { contribution, underlyings } of types) {
        const own = sum(underlyings.map((part) => part.contribution));
        expect(Math.abs(own - contribution)).toBeLessThan(1e-13 * gross);
      }
      expect(JSON.stringify(e.margin)).toBe(JSON.stringify(filled.margin(account)));
    }
  });

  it('are means over the tail that sorting the cube gives', () => {
    const account = readAccount(accounts[4]);
    const { valuation } = filled.session;
    const { plan, market } = valuation;
    const e = explain(accounts[4]);
    // By definition, from the rows: sizes × P&L, coins at the spot's change, everything sorted.
    const lines = e.positions.map(({ instrument, size }) => {
      const index = market.instrumentIndex.get(instrument)!;
      const { underlying, settlement, mark, type, multiplier } = market.instruments[index]!;
      const entry = account.entryPrices![account.instruments.indexOf(instrument)]!;
      const inverse = settlement === 'inverse' && type !== 'option' && !Number.isNaN(entry);
      const coins = inverse ? size * multiplier * (1 / entry - 1 / mark) : 0;
      const spot = row(filled, plan.underlyings[underlying]!.spotRow);
      return row(filled, plan.rowOf[index]!).map((pnl, s) => size * pnl + coins * spot[s]!);
    });
    const coins = e.collateral.map(({ asset, coins: held }) => {
      const { spotRow } = plan.underlyings[market.underlyingIndex.get(asset)!]!;
      return row(filled, spotRow).map((move) => held * move);
    });
    const all = [...lines, ...coins];
    const total = Array.from({ length: 4_000 }, (_, s) => sum(all.map((line) => line[s]!)));
    const worst = total
      .map((pnl, s) => ({ pnl, s }))
      .sort((a, b) => a.pnl - b.pnl || a.s - b.s)
      .slice(0, 40);
    expect(e.tail).toEqual({ scenarios: 40, mass: 40 });
    expect(e.worst.map(({ scenario }) => scenario)).toEqual(worst.slice(0, 10).map(({ s }) => s));
    [...e.positions, ...e.collateral].forEach(({ contribution }, i) => {
      const mean = -sum(worst.map(({ s }) => all[i]![s]!)) / 40;
      // Forty products each way, in the same order up to where sizes multiply.
      expect(Math.abs(contribution - mean)).toBeLessThan(1e-12 * (1 + Math.abs(mean)));
    });
    e.worst.forEach(({ scenario, weight, pnl, positions, collateral }) => {
      expect(weight).toBe(1 / 40);
      expect(Math.abs(pnl - total[scenario]!)).toBeLessThan(1e-9);
      positions.forEach((position, i) => {
        expect(Math.abs(position.pnl - lines[i]![scenario]!)).toBeLessThan(1e-9);
      });
      expect(collateral.map(({ asset }) => asset)).toEqual(e.collateral.map(({ asset }) => asset));
    });
  });

  it('incremental and stand-alone ES are those of accounts margined by themselves, to the bit', () => {
    for (const account of accounts.slice(0, 9)) {
      const e = explain(account);
      const positions = account.positions ?? [];
      e.positions.forEach(({ instrument, incremental, standAlone }) => {
        const rest = positions.filter((position) => position.instrument !== instrument);
        const without = filled.margin({ ...account, positions: rest }).risk.expectedShortfall;
        expect(incremental).toBe(without - e.margin.risk.expectedShortfall);
        const own = positions.filter((position) => position.instrument === instrument);
        const alone = filled.margin({ id: 'a', positions: own }).risk.expectedShortfall;
        // One unit's ES times the size, or the sum itself where coins do not reduce to one row.
        expect(Math.abs(standAlone - alone)).toBeLessThan(1e-13 * Math.abs(alone) + 1e-12);
      });
    }
  });

  it('an account that holds nothing has no parts', () => {
    const e = explain({ id: 'a', collateral: [{ asset: 'USD', amount: 5 }] });
    expect(e).toMatchObject({
      tail: { scenarios: 0, mass: 0 },
      positions: [],
      collateral: [],
      underlyings: [],
      factors: { time: 0, types: [], interaction: 0 },
      worst: [],
    });
    expect(e.levels).toEqual({
      creditLine: 0,
      initialRequirement: 0,
      maintenanceRequirement: 0,
      warning: 0,
      freeCollateral: 5,
    });
  });
});

describe('components', () => {
  it('have the charges that sum to them, with inputs and words', () => {
    for (const account of accounts.slice(0, 9)) {
      const orders = [
        { instrument: account.positions![0]!.instrument, side: 'buy', size: 2, price: 70 },
      ] as const;
      const e = explain({ ...account, orders });
      const { mode } = account;
      let total = 0;
      for (const { name, initial, formula, charges } of e.components) {
        total += initial;
        expect(formula.length).toBeGreaterThan(20);
        const amounts = charges.map(({ amount }) => amount);
        // Isolated positions are summed from units there and from books here: a few roundings of 2⁻⁵³.
        expect(Math.abs(sum(amounts) - initial), name).toBeLessThanOrEqual(1e-13 * initial);
        if (mode === 'portfolio') expect(charges.map(({ of }) => of)).toEqual(['account']);
        if (mode === 'isolated') expect(charges.length).toBe(account.positions!.length);
      }
      expect(Math.abs(total - e.margin.initialMargin)).toBeLessThan(1e-12 * total);
    }
  });

  it('inputs make the amounts by the formulas', () => {
    const e = explain({ ...accounts[0]!, mode: 'portfolio' });
    const inputs = (name: string): Record<string, number> =>
      e.components.find((one) => one.name === name)!.charges[0]!.inputs;
    const amount = (name: string): number =>
      e.components.find((one) => one.name === name)!.charges[0]!.amount;
    expect(inputs('marketRisk').expectedShortfall).toBe(e.margin.risk.expectedShortfall);
    expect(inputs('stress').worstStressLoss).toBe(e.worstStress!.loss);
    expect(e.worstStress!.name.length).toBeGreaterThan(0);
    const dependence = inputs('dependence');
    expect(amount('dependence')).toBe(
      0.25 *
        Math.max(
          0,
          Math.max(dependence.expectedShortfallUnrelated!, dependence.expectedShortfallInStep!) -
            dependence.expectedShortfall!,
        ),
    );
    const costs = Object.entries(inputs('liquidity')).filter(([name]) => name.endsWith(':cost'));
    expect(sum(costs.map(([, cost]) => cost))).toBe(amount('liquidity'));
  });
});

describe('another account', () => {
  it('a change is the account after it; positions and components are set side by side', () => {
    const account = { ...accounts[0]!, mode: 'portfolio' as const };
    const first = account.positions!.find(({ instrument }) => instrument.includes('-LINEAR'))!;
    const fills = [{ instrument: first.instrument, size: -first.size }];
    const e = explain(account, { change: { fills } });
    const rest = account.positions!.filter((position) => position !== first);
    const after = e.difference!;
    const without = filled.margin({ ...account, positions: rest });
    // Closed at the mark: the position is gone, its gain is in the collateral.
    expect(after.expectedShortfall.before).toBe(e.margin.risk.expectedShortfall);
    const closed = after.positions.find(({ instrument }) => instrument === first.instrument)!;
    expect(closed.size).toEqual({
      before: first.size,
      after: 0,
      difference: -first.size,
    });
    expect(closed.contribution.after).toBe(0);
    expect(Math.abs(after.equity.difference)).toBeLessThan(1e-9 * Math.abs(e.margin.equity));
    for (const { name, initial } of after.components) {
      expect(initial.difference, name).toBe(initial.after - initial.before);
    }
    const other = explain(account, { other: { ...account, id: 'b', positions: rest } });
    expect(other.difference!.account).toBe('b');
    expect(other.difference!.initialMargin.after).toBe(without.initialMargin);
    expect(other.difference!.positions.map(({ instrument }) => instrument)).toEqual(
      e.positions.map(({ instrument }) => instrument),
    );
    const parts = [...other.difference!.positions, ...other.difference!.collateral];
    const later = sum(parts.map(({ contribution }) => contribution.after));
    expect(later / without.risk.expectedShortfall).toBeCloseTo(1, 12);
  });

  it('what is wrong in it is named by its place in the request', () => {
    const place = (asked: ExplainDocument): unknown => {
      try {
        explain(accounts[0], asked);
      } catch (error) {
        return error instanceof PlimsollError ? [error.code, error.path] : error;
      }
      return null;
    };
    const other = (positions: unknown): { other: object } => ({ other: { id: 'b', positions } });
    expect(place(other([{ instrument: 'NONE', size: 1 }]))).toEqual([
      'UNKNOWN_INSTRUMENT',
      'other.positions[0].instrument',
    ]);
    expect(place(other([{ instrument: 'NONE' }]))).toEqual([
      'MISSING_FIELD',
      'other.positions[0].size',
    ]);
    expect(place({ change: { fills: [{ instrument: 'NONE', size: 1 }] } })).toEqual([
      'UNKNOWN_INSTRUMENT',
      'change.fills[0].instrument',
    ]);
    expect(place({ ...other([]), change: {} })).toEqual(['INVALID_FIELD', 'other']);
    expect(place({ worst: -1 })).toEqual(['INVALID_FIELD', 'worst']);
  });
});
