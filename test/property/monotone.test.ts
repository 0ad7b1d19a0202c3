/** More confidence, a longer horizon, less collateral of the coin that is owed: never a smaller requirement. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { greeksOf } from '../../src/valuation/greeks.ts';
import { fillInProcess } from '../engine/inProcess.ts';
import { between, books, demo, marginAll, opened, shortfallOf } from './books.ts';

const run = (numRuns: number) => ({ numRuns, seed: 20_260_106 });
const inOrder = (values: readonly number[], slack: number) => {
  for (let i = 1; i < values.length; i++) {
    expect(values[i]!).toBeGreaterThanOrEqual(values[i - 1]! - slack);
  }
};

describe('confidence', () => {
  const sessions = [0.9, 0.95, 0.975, 0.99, 0.995, 0.999].map((confidence) =>
    opened({ preset: 'market-risk', scenarios: 2_000, confidence }),
  );

  it('VaR and ES of any book grow with it, on the same scenarios', () => {
    const sets = new Set(sessions.map(({ session }) => session.set.id));
    expect(sets.size).toBe(1);
    fc.assert(
      fc.property(books(sessions[0]!, { entries: true }), (positions) => {
        const results = sessions.map((one) => marginAll(one, [{ id: 'a', positions }])[0]!);
        // The mean of the worst a losses: rounding of it alone can turn the order.
        const scale = Math.max(...results.map((one) => Math.abs(shortfallOf(one))));
        inOrder(results.map(shortfallOf), 1e-14 * scale);
        inOrder(
          results.map(({ risk }) => risk.valueAtRisk),
          0,
        );
      }),
      run(100),
    );
  });
});

describe('horizon', () => {
  const sessions = [0.25, 0.5, 1, 2, 5, 10, 30].map((horizonDays) =>
    opened({ preset: 'market-risk', scenarios: 2_000, horizonDays }),
  );
  const { instruments } = sessions[0]!.session.valuation.market;
  const undated = instruments.filter(({ type }) => type === 'perpetual' || type === 'spot');

  it('ES of one delta-one position grows with it', () => {
    expect(demo.factors.drift ?? 0).toBe(0);
    const which = fc.nat(undated.length - 1);
    const size = between(0.01, 1_000);
    fc.assert(
      fc.property(which, size, fc.boolean(), (index, amount, long) => {
        const position = { instrument: undated[index]!.id, size: long ? amount : -amount };
        const account = { id: 'a', positions: [position] };
        inOrder(
          sessions.map((one) => shortfallOf(marginAll(one, [account])[0]!)),
          0,
        );
      }),
      run(60),
    );
  });
});

describe('coin collateral of a short', () => {
  // Not 0: covered to the last bit, an equity of 1e-319 has no ratio.
  const share = between(0.001, 1);

  it.each([
    { preset: 'market-risk' },
    { preset: 'exchange-crypto' },
  ] as const)('lowers the requirement of a delta-one short up to its delta / (1 − haircut), under $preset', (methodology) => {
    const filled = opened({ ...methodology, scenarios: 2_000 });
    const { market, exposures } = filled.session.valuation;
    const outright = market.instruments.flatMap(({ type }, i) =>
      type === 'perpetual' || type === 'future' ? [i] : [],
    );
    const which = fc.nat(outright.length - 1);
    fc.assert(
      fc.property(which, share, share, (choice, a, b) => {
        const index = outright[choice]!;
        const { id, underlying } = market.instruments[index]!;
        const asset = market.underlyings[underlying]!.id;
        const haircut = asset === 'BTC' || asset === 'ETH' ? 0.05 : 0.15;
        const covering = exposures.deltas[index]! / (1 - haircut);
        const positions = [{ instrument: id, size: -1 }];
        const requirements = [0, Math.min(a, b), Math.max(a, b), 1].map((part) => {
          const collateral = [{ asset, amount: part * covering }];
          return marginAll(filled, [{ id: 'a', positions, collateral }])[0]!.initialMargin;
        });
        // From full cover to none, none of them smaller than the one before.
        inOrder(requirements.reverse(), 1e-12 * requirements.at(-1)!);
      }),
      run(60),
    );
  });

  it('lowers that of a short coin-settled call below what it is bare, at unmoved volatilities', () => {
    const factors = {
      ...demo.factors,
      factors: demo.factors.factors.map((f) =>
        f.id.endsWith(':vol') ? { ...f, volatility: 0 } : f,
      ),
    };
    const filled = fillInProcess({
      market: demo.market,
      factors,
      methodology: { preset: 'market-risk', scenarios: 2_000 },
    });
    const { market } = filled.session.valuation;
    const calls = market.instruments.filter(
      ({ type, settlement, right }) => type === 'option' && settlement === 'coin' && right === 1,
    );
    expect(calls.length).toBeGreaterThan(10);
    fc.assert(
      fc.property(fc.nat(calls.length - 1), share, (choice, part) => {
        const call = calls[choice]!;
        const asset = market.underlyings[call.underlying]!.id;
        const amount = (part * greeksOf(call, market).delta) / 0.95;
        const positions = [{ instrument: call.id, size: -1 }];
        const [bare, covered] = marginAll(filled, [
          { id: 'a', positions },
          { id: 'b', positions, collateral: [{ asset, amount }] },
        ]);
        const slack = 1e-12 * Math.abs(shortfallOf(bare!));
        expect(shortfallOf(covered!)).toBeLessThanOrEqual(shortfallOf(bare!) + slack);
      }),
      run(100),
    );
  });
});
