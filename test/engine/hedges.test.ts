import { describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { AccountDesk } from '../../src/engine/accountDesk.ts';
import { hedges } from '../../src/engine/studies/hedges.ts';
import type { HedgesRequest } from '../../src/engine/studies/hedgesSchema.ts';
import { bestSize } from '../../src/engine/studies/hedgesSizes.ts';
import { traded } from '../../src/engine/studies/liquidationPlanTrades.ts';
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { type AccountInput, readAccount } from '../../src/margin/account.ts';
import { TradeCosts } from '../../src/margin/liquidationCost.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { fillInProcess } from './inProcess.ts';

const DEMO = demoMarket({ underlyings: 2, strikes: 7, optionExpiries: 3, seed: 'hedges' });
const filled = fillInProcess({ ...DEMO, methodology: { scenarios: 2048 } });
const ask = (account: AccountInput, request: HedgesRequest = {}) =>
  hedges(readAccount(account), request, studyContext(filled.bench, 0));

describe('hedges', () => {
  it('of a perpetual in one currency is the perpetual itself, up to its cost', () => {
    const simple = fillInProcess({
      market: {
        asOf: '2026-01-02T08:00:00Z',
        currency: 'USD',
        underlyings: [{ id: 'BTC', spot: 90_000, liquidity: { halfSpread: 0.0005 } }],
        instruments: ['A', 'B'].map((id) => ({
          id,
          type: 'perpetual' as const,
          underlying: 'BTC',
          settlement: 'linear' as const,
          multiplier: 1,
        })),
      },
      factors: {
        asOf: '2026-01-02T08:00:00Z',
        periodsPerYear: 365,
        factors: [{ id: 'BTC:spot', volatility: 0.6 }],
        correlation: [[1]],
      },
      methodology: { preset: 'market-risk', scenarios: 4096 },
    });
    const account: AccountInput = {
      id: 'long',
      collateral: [{ asset: 'USD', amount: 500_000 }],
      positions: [{ instrument: 'A', size: 10 }],
    };
    const request = { count: 1, instruments: ['B'] };
    const context = studyContext(simple.bench, 0);
    const { hedges: found, after, cost } = hedges(readAccount(account), request, context);
    // Margin is e·|10 + q|·P, so that every contract sold frees the same until all is hedged; golden section in 8 leaves 2% of [5, 20].
    expect(found).toHaveLength(1);
    expect(Math.abs(found[0]!.size + 10)).toBeLessThan(0.35);
    // Half a spread of 0.05% and the default fee of 0.05%.
    expect(cost).toBeCloseTo(Math.abs(found[0]!.size) * 0.001 * 90_000, 8);
    expect(after.equity).toBeCloseTo(500_000 - cost, 8);
    expect(after.initialMargin).toBeLessThan(0.036 * simple.margin(account).initialMargin);
  });

  const BOOKS = [
    ...demoAccounts({ market: DEMO.market, count: 12, positions: 8, equal: true, seed: 'h' }),
  ];

  it('free margin for less than it is worth, and end where the account is margined', () => {
    for (const [i, account] of BOOKS.slice(0, 4).entries()) {
      const value: AccountInput = { ...account, mode: i % 2 === 0 ? 'portfolio' : 'cross' };
      const answer = ask(value);
      expect(answer.before).toEqual(filled.margin(value));
      expect(JSON.stringify(filled.margin(answer.account))).toBe(JSON.stringify(answer.after));
      expect(answer.hedges.length).toBeGreaterThan(0);
      let margin = answer.before.initialMargin;
      for (const hedge of answer.hedges) {
        expect(hedge.marginFreed).toBeGreaterThan(hedge.cost);
        // One subtraction of figures of this size.
        expect(Math.abs(margin - hedge.marginFreed - hedge.initialMargin)).toBeLessThan(
          1e-9 * margin,
        );
        margin = hedge.initialMargin;
      }
      expect(answer.after.initialMargin).toBe(margin);
    }
  });

  it('no other single trade on a grid does twice as well', () => {
    const { valuation } = filled.session;
    const { market, plan } = valuation;
    for (const account of BOOKS.slice(0, 2)) {
      const value: AccountInput = { ...account, mode: 'portfolio' };
      const [first] = ask(value, { count: 1 }).hedges;
      const read = readAccount(value);
      const desk = new AccountDesk(filled.bench, 0);
      const margin = desk.own(read).initialMargin;
      let most = 0;
      market.instruments.forEach((instrument, i) => {
        if (plan.rowOf[i] === -1 || instrument.type === 'spot') return;
        const unit =
          market.underlyings[instrument.underlying]!.spot * valuation.exposures.notionals[i]!;
        for (const share of [-2, -1, -0.5, -0.2, 0.2, 0.5, 1, 2]) {
          const size = (share * margin * market.underlyings[instrument.underlying]!.spot) / unit;
          const cost = new TradeCosts(valuation).of(i, size);
          const after = desk.own(traded(read, i, size, cost, valuation));
          most = Math.max(most, margin - after.initialMargin - cost);
        }
      });
      // What is chosen frees, after cost, at least half of the best that was sized; a grid cannot see more than that.
      expect(first!.marginFreed - first!.cost).toBeGreaterThan(0.5 * most);
    }
  });

  it('there are none in isolated mode, and of an empty account', () => {
    const isolated: AccountInput = {
      ...BOOKS[0]!,
      mode: 'isolated',
      positions: BOOKS[0]!.positions.map((one) => ({ ...one, allocated: 1e6 })),
    };
    expect(ask(isolated).hedges).toEqual([]);
    const empty = ask({ id: 'empty', collateral: [{ asset: 'USD', amount: 1 }] });
    expect(empty).toMatchObject({ hedges: [], cost: 0, marginFreed: 0 });
  });

  it('names an instrument that the market does not hold', () => {
    expect(() => ask(BOOKS[0]!, { instruments: ['no'] })).toThrowError(
      expect.objectContaining({ code: 'UNKNOWN_INSTRUMENT', path: 'instruments[0]' }),
    );
  });
});

describe('the size of a hedge', () => {
  const size = (best: number, first: number, lot = 0) =>
    bestSize((x: number) => ({ x, benefit: 4 - (x - best) ** 2 / best ** 2 }), first, lot)!.x;

  it('is found from any start', () => {
    // Eight sections leave 0.618⁸ = 2% of a bracket of one and a half times its middle.
    for (const first of [0.01, 0.7, 1, 3, 500]) {
      expect(Math.abs(size(3, first) / 3 - 1)).toBeLessThan(0.04);
    }
    expect(size(3, 1, 0.5) % 0.5).toBe(0);
  });

  it('is none where nothing is gained', () => {
    expect(bestSize((x) => ({ benefit: -x }), 1, 0)).toBeNull();
  });
});
