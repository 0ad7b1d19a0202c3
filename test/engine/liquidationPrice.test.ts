import { describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { liquidationPrice } from '../../src/engine/studies/liquidationPrice.ts';
import type { LiquidationPrice } from '../../src/engine/studies/liquidationPriceSchema.ts';
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { type AccountInput, readAccount } from '../../src/margin/account.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { movedMarket } from '../../src/market/movedMarket.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { fillInProcess, type InProcess } from './inProcess.ts';

const DEMO = demoMarket({ underlyings: 3, strikes: 9, seed: 'liquidation' });

const open = (methodology: MethodologyInput, market: MarketSnapshot = DEMO.market) =>
  fillInProcess({ market, factors: DEMO.factors, methodology });

function pricesOf(filled: InProcess, account: AccountInput): LiquidationPrice[] {
  const context = studyContext(filled.bench, 0);
  const { found } = liquidationPrice(readAccount(account), { part: 0, parts: 1 }, context);
  return found.map(({ price }) => price);
}

/** The snapshot with one underlying's prices times a factor; the quotes' strikes too where the smile moves with the price. */
function moved(id: string, factor: number, strikes = 1): MarketSnapshot {
  const { market } = DEMO;
  return {
    ...market,
    underlyings: market.underlyings.map((one) =>
      one.id !== id
        ? one
        : {
            ...one,
            spot: one.spot * factor,
            forwards: (one.forwards ?? []).map((f) => ({ ...f, price: f.price * factor })),
            surface: (one.surface ?? []).map(({ expiry, quotes }) => ({
              expiry,
              quotes: quotes.map(({ strike, iv }) => ({ strike: strike * strikes, iv })),
            })),
          },
    ),
    instruments: market.instruments.map((one) =>
      one.underlying === id && one.mark !== undefined ? { ...one, mark: one.mark * factor } : one,
    ),
  };
}

const spotOf = (id: string): number => DEMO.market.underlyings.find((one) => one.id === id)!.spot;
type Mode = NonNullable<AccountInput['mode']>;
const RISK_ONLY: MethodologyInput = { preset: 'market-risk', scenarios: 3000 };
const mmFactor = 0.8;

/** ES of one unit of price × quantity: the margin of a linear book is in proportion to its price. */
function shareOfPrice(filled: InProcess, account: AccountInput, units: number, spot: number) {
  return filled.margin(account).risk.expectedShortfall / (units * spot);
}

const linear = (id: string, mode: Mode, size: number, cash: number) =>
  ({
    id,
    mode,
    collateral: [{ asset: 'USD', amount: cash }],
    positions: [{ instrument: 'BTC-LINEAR-PERPETUAL', size, entryPrice: 90_000, allocated: cash }],
  }) satisfies AccountInput;

describe('liquidation prices in closed form', () => {
  const filled = open(RISK_ONLY);
  const spot = spotOf('BTC');
  const { mark = spot } = DEMO.market.instruments.find((i) => i.id === 'BTC-LINEAR-PERPETUAL')!;
  const basis = mark / spot;

  for (const mode of ['cross', 'portfolio', 'isolated'] as const) {
    it(`of a linear account, long and short, mode ${mode}`, () => {
      // Equity C + Q(bP − entry) meets 0.8·e·|Q|·P, b = mark/spot, e = ES of one unit over its price on that side.
      for (const size of [3, -3]) {
        const account = linear('closed', mode, size, 60_000);
        const e = shareOfPrice(filled, account, Math.abs(size), spot);
        const expected = (size * 90_000 - 60_000) / (size * basis - mmFactor * e * Math.abs(size));
        const [price] = pricesOf(filled, account);
        const [side, other] =
          size > 0 ? [price!.below, price!.above] : [price!.above, price!.below];
        // |headroom| ≤ 1e-9 of the requirement, a twentieth of the notional that its slope is.
        expect(Math.abs(side!.price / expected - 1)).toBeLessThan(1e-9);
        expect(other).toBeNull();
        expect(price!.inLiquidation).toBe(false);
        expect(price!.instrument).toBe(mode === 'isolated' ? 'BTC-LINEAR-PERPETUAL' : undefined);
        // se(P) = 0.8·se(ES)/|dH/dP| with the ES and its error in proportion to P.
        const { standardError } = filled.margin(account).risk;
        const slope = Math.abs(size * basis) - Math.sign(size) * mmFactor * e * Math.abs(size);
        const error = (mmFactor * standardError.expectedShortfall! * side!.price) / spot / slope;
        // The slope is the model's, off a table that is linear over hundredths of log price.
        expect(Math.abs(side!.standardError! / error - 1)).toBeLessThan(2e-3);
      }
    });
  }

  it('of an inverse account with its collateral in coin', () => {
    // D = coins after haircut + q/entry: equity is DP − q, and its P&L D(S₁ − S₀).
    const size = 200_000;
    const account: AccountInput = {
      id: 'inverse',
      collateral: [{ asset: 'BTC', amount: 1 }],
      positions: [{ instrument: 'BTC-PERPETUAL', size, entryPrice: 95_000 }],
    };
    const { mark: inverseMark = spot } = DEMO.market.instruments.find(
      (i) => i.id === 'BTC-PERPETUAL',
    )!;
    const units = 0.95 + size / 95_000;
    const e = shareOfPrice(filled, account, units, spot);
    const expected = (size * spot) / inverseMark / (units * (1 - mmFactor * e));
    const [price] = pricesOf(filled, account);
    expect(Math.abs(price!.below!.price / expected - 1)).toBeLessThan(1e-9);
    expect(price!.above).toBeNull();
  });

  it('a collateral coin has one too; what cannot lose has none', () => {
    const account: AccountInput = {
      id: 'coins',
      collateral: [{ asset: 'ETH', amount: 8 }],
      positions: [{ instrument: 'BTC-LINEAR-PERPETUAL', size: 1, entryPrice: mark }],
    };
    const prices = pricesOf(filled, account);
    expect(prices.map(({ underlying }) => underlying)).toEqual(['BTC', 'ETH']);
    expect(prices[1]!.below!.move).toBeLessThan(0);
    expect(prices[1]!.above).toBeNull();
    const cash: AccountInput = { id: 'cash', collateral: [{ asset: 'USD', amount: 1 }] };
    expect(pricesOf(filled, cash)).toEqual([]);
    const option = DEMO.market.instruments.find(({ type }) => type === 'option')!;
    const paid: AccountInput = {
      id: 'paid',
      collateral: [{ asset: 'USD', amount: 1000 }],
      positions: [{ instrument: option.id, size: 1 }],
    };
    const [free] = pricesOf(filled, paid);
    expect([free!.below, free!.above]).toEqual([null, null]);
  });

  it('an account in liquidation is told where it would no longer be', () => {
    const account = linear('low', 'portfolio', 3, 15_000);
    const e = shareOfPrice(filled, account, 3, spot);
    const [price] = pricesOf(filled, account);
    expect(price!.inLiquidation).toBe(true);
    expect(price!.below).toBeNull();
    const expected = (3 * 90_000 - 15_000) / (3 * basis - mmFactor * e * 3);
    expect(Math.abs(price!.above!.price / expected - 1)).toBeLessThan(1e-9);
  });
});

/** |equity − MM| on a session of its own, opened on the moved snapshot: nothing of the search is in it. */
function missOf(
  account: AccountInput,
  underlying: string,
  factor: number,
  methodology: MethodologyInput,
): number {
  const strikes = methodology.smileRule === 'sticky-moneyness' ? factor : 1;
  const there = open(methodology, moved(underlying, factor, strikes));
  const { equity, maintenanceMargin } = there.margin(account);
  return Math.abs(equity - maintenanceMargin) / Math.max(Math.abs(equity), maintenanceMargin);
}

const BOOKS = [
  ...demoAccounts({ market: DEMO.market, count: 24, positions: 14, equal: true, seed: 'books' }),
].map((account, i) => ({ ...account, mode: i % 2 === 0 ? 'portfolio' : 'cross' }) as AccountInput);

describe('liquidation prices of option books', () => {
  for (const smileRule of ['sticky-strike', 'sticky-moneyness'] as const) {
    it(`equity meets the requirement on the market moved there: ${smileRule}`, () => {
      const methodology: MethodologyInput = { scenarios: 2048, smileRule };
      const filled = open(methodology);
      let crossings = 0;
      for (const account of BOOKS.slice(0, 8)) {
        for (const { underlying, below, above } of pricesOf(filled, account)) {
          for (const found of [below, above]) {
            if (found === null || crossings >= 8) continue;
            crossings += 1;
            // Found to 1e-9; the moved snapshot rounds its strikes and volatilities anew.
            expect(missOf(account, underlying, 1 + found.move, methodology)).toBeLessThan(1e-6);
            expect(Math.abs(found.equity / found.maintenanceRequirement - 1)).toBeLessThan(1e-6);
          }
        }
      }
      expect(crossings).toBe(8);
    });
  }

  /** A made-up history of what the scenarios of the demonstration move: an LCG's steps, BTC 20 days short. */
  const history = (gaps: boolean) => {
    let state = 2026;
    const step = (): number => {
      let sum = -6;
      for (let i = 0; i < 12; i++) {
        state = (state * 1103515245 + 12345) % 2 ** 31;
        sum += state / 2 ** 31;
      }
      return sum;
    };
    const rows = 420;
    const dates = Array.from({ length: rows }, (_, i) =>
      new Date(Date.UTC(2024, 10, 1 + i)).toISOString().slice(0, 10),
    );
    const columns = DEMO.factors.factors.map(({ id }) => {
      let level = 100;
      const values = Float64Array.from({ length: rows }, (_, i) => {
        level *= Math.exp(0.035 * step());
        return gaps && id === 'BTC:spot' && i < 20 ? Number.NaN : level;
      });
      return { id, values };
    });
    return { dates, columns };
  };

  for (const [name, methodology, gaps] of [
    ['replayed history with gaps', { scenarioModel: 'historical' }, true],
    [
      'buffered and stressed',
      { preset: 'clearing-listed', scenarios: 1500, scenarioModel: 'student-t' },
      false,
    ],
  ] as const) {
    it(`equity meets the requirement on the market moved there: ${name}`, () => {
      const past = history(gaps);
      const on = (market: MarketSnapshot) =>
        fillInProcess({ market, factors: DEMO.factors, history: past, methodology });
      const filled = on(DEMO.market);
      let crossings = 0;
      for (const account of BOOKS) {
        for (const { underlying, below, above } of pricesOf(filled, account)) {
          for (const found of [below, above]) {
            if (found === null || crossings >= 4) continue;
            crossings += 1;
            const { equity, maintenanceMargin } = on(moved(underlying, 1 + found.move)).margin(
              account,
            );
            // As above.
            expect(Math.abs(equity / maintenanceMargin - 1)).toBeLessThan(1e-6);
          }
        }
      }
      expect(crossings).toBe(4);
    });
  }

  /** Ratio spreads: short an option near the money, long more further out, so that equity falls and rises again. */
  const [near, far] = [5, 8].map((i) => {
    const calls = DEMO.market.instruments
      .filter(
        ({ type, right, underlying }) =>
          type === 'option' && right === 'call' && underlying === 'BTC',
      )
      .sort((a, b) =>
        a.expiry! < b.expiry! ? -1 : a.expiry! > b.expiry! ? 1 : a.strike! - b.strike!,
      );
    return calls[i]!;
  });
  const spread = (cash: number): AccountInput => ({
    id: `spread-${cash}`,
    collateral: [{ asset: 'USD', amount: cash }],
    positions: [
      { instrument: near!.id, size: -10 },
      { instrument: far!.id, size: 16 },
    ],
  });

  it('the nearest root is found where there are several', () => {
    const filled = open({ preset: 'market-risk', scenarios: 1024 });
    const { valuation } = filled.session;
    const several: number[] = [];
    const accounts = [
      ...BOOKS.slice(0, 10),
      ...[40_000, 46_000, 50_000, 53_000, 56_000, 70_000].map(spread),
    ];
    for (const account of accounts) {
      const read = readAccount(account);
      const lab = studyContext(filled.bench, 0).lab([read]);
      const headroom = (u: number, factor: number): number => {
        lab.place(movedMarket(valuation.market, u, factor, 'sticky-strike'), [u]);
        const { equity, maintenanceRequirement } = lab.own(read);
        return equity - maintenanceRequirement;
      };
      for (const { underlying, below, above } of pricesOf(filled, account)) {
        const u = valuation.market.underlyingIndex.get(underlying)!;
        const today = Math.sign(headroom(u, 1));
        for (const [found, end] of [
          [below, 0.05],
          [above, 5],
        ] as const) {
          // Every price on a grid of 120: the first whose sign is another lies just behind the nearest root.
          const factors = Array.from({ length: 120 }, (_, i) => end ** ((i + 1) / 120));
          const signs = factors.map((factor) => Math.sign(headroom(u, factor)));
          const first = signs.indexOf(-today);
          const changes = signs.filter((sign, i) => sign !== (signs[i - 1] ?? today)).length;
          if (changes > 1) several.push(changes);
          if (first === -1) expect(found).toBeNull();
          else {
            const [a, b] = [factors[first - 1] ?? 1, factors[first]!];
            expect(found).not.toBeNull();
            expect(found!.move + 1).toBeGreaterThanOrEqual(Math.min(a, b) - 1e-12);
            expect(found!.move + 1).toBeLessThanOrEqual(Math.max(a, b) + 1e-12);
          }
        }
        lab.place(valuation.market, [u]);
      }
    }
    // The cases that this test is for did occur.
    expect(several.length).toBeGreaterThan(3);
  });

  it('is the same to the bit however the work is parted', () => {
    const filled = open({ scenarios: 2048 });
    const context = studyContext(filled.bench, 0);
    for (const account of BOOKS.slice(0, 3)) {
      const whole = liquidationPrice(readAccount(account), { part: 0, parts: 1 }, context);
      for (const parts of [2, 3, 7]) {
        const found = Array.from({ length: parts }, (_, part) =>
          liquidationPrice(readAccount(account), { part, parts }, context),
        ).flatMap((one) => one.found);
        for (const { target, price, sides } of found) {
          for (const side of sides) expect(price[side]).toEqual(whole.found[target]!.price[side]);
        }
        expect(found.flatMap(({ sides }) => sides)).toHaveLength(2 * whole.found.length);
      }
    }
  });

  it('isolated positions are those of accounts of one position each', () => {
    const filled = open({ scenarios: 2048 });
    const positions = BOOKS[0]!
      .positions!.slice(0, 6)
      .map((one) => ({ ...one, allocated: 20_000 }));
    const account: AccountInput = {
      id: 'isolated',
      mode: 'isolated',
      collateral: [{ asset: 'USD', amount: 200_000 }],
      positions,
    };
    const found = pricesOf(filled, account);
    expect(found).toHaveLength(6);
    for (const price of found) {
      const position = positions.find(({ instrument }) => instrument === price.instrument)!;
      const alone = pricesOf(filled, {
        id: 'alone',
        collateral: [{ asset: 'USD', amount: 20_000 }],
        positions: [position],
      });
      expect(price).toEqual({ ...alone[0]!, instrument: position.instrument });
    }
  });
});
