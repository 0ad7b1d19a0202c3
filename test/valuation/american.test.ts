import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { black76, exp } from '../../src/numerics.ts';
import {
  type AmericanContract,
  americanPrice,
  americanPricer,
} from '../../src/valuation/american.ts';
import { gaussLegendre } from '../../src/valuation/quadrature.ts';
import { contractValue } from '../../src/valuation/value.ts';
import { fraction } from '../workers/black76Points.ts';
import { find, marketOf } from './markets.ts';

type Row = readonly [string, 1 | -1, ...number[]];
const rows = JSON.parse(
  readFileSync(new URL('../fixtures/valuation/american.json', import.meta.url), 'utf8'),
) as readonly Row[];
const points = rows.map(
  ([kind, right, level, forward, strike, volatility, maturity, rate, ...prices]) => ({
    kind,
    contract: { right, level, forward, strike, volatility, maturity, rate } as AmericanContract,
    lattice: prices[0]!,
    coarse: prices[1]!,
    spectral: prices[2]!,
  }),
);
const european = ({
  forward,
  strike,
  volatility,
  maturity,
  rate,
  right,
}: AmericanContract): number =>
  exp(-rate * maturity) * black76(forward, strike, volatility * Math.sqrt(maturity), right);

describe('the reference price against other tools', () => {
  it('is within 0.1% of the lattice wherever the price is at least 0.0005 of the strike', () => {
    let compared = 0;
    for (const { contract, lattice, coarse } of points) {
      if (!(lattice >= 0.0005 * contract.strike)) continue;
      compared++;
      // The lattice's own error is of order 1/steps, which twice the fine one less the coarse one takes out (BBSR).
      const extrapolated = 2 * lattice - coarse;
      const price = americanPrice(contract);
      expect(Math.abs(price - extrapolated) / extrapolated).toBeLessThan(1e-3);
    }
    expect(compared).toBeGreaterThan(350);
  });

  it('agrees with QuantLib’s spectral collocation to 2e-6 of the strike', () => {
    // Theirs has 10 or more digits. Ours: 12 collocation points and an outer rule of 32 nodes leave up to 1e-6, most where v is small.
    for (const { contract, spectral } of points) {
      expect(Math.abs(americanPrice(contract) - spectral)).toBeLessThan(2e-6 * contract.strike);
    }
  });
});

describe('the reference price in its limits', () => {
  const base = { level: 100, strike: 95, volatility: 0.3, maturity: 0.7 };

  it('is the European price of a call without a yield, and of a put without a rate', () => {
    const call = { ...base, rate: 0.05, forward: 100 * exp(0.05 * 0.7), right: 1 } as const;
    expect(americanPrice(call)).toBe(european(call));
    const carried = { ...call, forward: 100 * exp(0.09 * 0.7) };
    expect(americanPrice(carried)).toBe(european(carried));
    const put = { ...base, rate: 0, forward: 100 * exp(-0.03 * 0.7), right: -1 } as const;
    expect(americanPrice(put)).toBe(european(put));
  });

  it('is the European price of options on futures without a rate', () => {
    for (const right of [1, -1] as const) {
      const option = { ...base, rate: 0, forward: 100, right };
      expect(americanPrice(option)).toBe(european(option));
    }
  });

  it('is the intrinsic value deep in the money', () => {
    const put = {
      ...base,
      level: 30,
      forward: 30 * exp(0.05 * 0.7),
      rate: 0.05,
      right: -1,
    } as const;
    expect(americanPrice(put)).toBe(65);
    const call = {
      ...base,
      level: 400,
      forward: 400 * exp(-0.06 * 0.7),
      rate: 0.02,
      right: 1,
    } as const;
    expect(americanPrice(call)).toBe(305);
  });

  it('is a put worth exercising at a rate of 0 where the forward stands above the spot', () => {
    const put = { ...base, level: 60, forward: 60 * exp(0.1 * 0.7), rate: 0, right: -1 } as const;
    expect(americanPrice(put)).toBe(35);
    expect(european(put)).toBeLessThan(32);
  });

  it('lies above the European price and the intrinsic value, and keeps put-call symmetry', () => {
    for (const { contract } of points.slice(0, 120)) {
      const price = americanPrice(contract);
      const { level, strike, right, forward, rate, maturity } = contract;
      expect(price).toBeGreaterThanOrEqual(european(contract));
      expect(price).toBeGreaterThanOrEqual(right * (level - strike));
      // C(S, K; r, q) = P(K, S; q, r): the same computation but for rounding in ln and e^x, which the price does not magnify.
      const yieldTime = rate * maturity - Math.log(forward / level);
      const mirror = {
        ...contract,
        level: strike,
        strike: level,
        right: right === 1 ? (-1 as const) : (1 as const),
        rate: yieldTime / maturity,
        forward: strike * Math.exp(yieldTime - rate * maturity),
      };
      expect(Math.abs(americanPrice(mirror) - price)).toBeLessThan(1e-9 * strike);
    }
  });

  it('prices moved levels from one boundary as it does from their own', () => {
    for (const { contract } of points.slice(0, 40)) {
      const moved = { ...contract, level: contract.level * 1.1, forward: contract.forward * 1.1 };
      const difference = americanPricer(contract).value(1.1) - americanPrice(moved);
      // ln(F/level) of the moved one rounds anew.
      expect(Math.abs(difference)).toBeLessThan(1e-10 * contract.strike);
    }
  });

  it('refuses two exercise boundaries', () => {
    const put = { ...base, rate: -0.03, forward: 100 * exp(0.02 * 0.7), right: -1 } as const;
    expect(() => americanPrice(put)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_INSTRUMENT' }),
    );
  });
});

describe('in a market', () => {
  it('takes the carry of the quoted forward, or none into a future', () => {
    const terms = { spot: 100, forward: 104, volatility: 0.4, days: 365, rate: 0.06 };
    const common = {
      type: 'option',
      strike: 110,
      right: 'put',
      style: 'american',
      multiplier: 3,
    } as const;
    const market = marketOf(terms, [
      { ...common, id: 'spot' },
      { ...common, id: 'future', deliverable: 'future' },
    ]);
    const option = {
      strike: 110,
      volatility: 0.4,
      maturity: 1,
      rate: 0.06,
      forward: 104,
      right: -1,
    } as const;
    expect(contractValue(find(market, 'spot'), market)).toBe(
      3 * americanPrice({ ...option, level: 100 }),
    );
    expect(contractValue(find(market, 'future'), market)).toBe(
      3 * americanPrice({ ...option, level: 104 }),
    );
  });

  it('reads `deliverable` of options only', () => {
    const terms = { spot: 100, forward: 100, volatility: 0.4, days: 30, rate: 0 };
    const future = { id: 'x', type: 'future', deliverable: 'future' };
    expect(() => marketOf(terms, [future])).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path: 'instruments[0].deliverable' }),
    );
  });

  it('refuses what has no price: binaries, coin settlement, and a negative rate on the spot', () => {
    const terms = { spot: 100, forward: 100, volatility: 0.4, days: 30, rate: -0.01 };
    const common = { type: 'option', strike: 100, right: 'put', style: 'american' } as const;
    const market = marketOf(terms, [
      { ...common, id: 'spot' },
      { ...common, id: 'future', deliverable: 'future' },
      { ...common, id: 'coin', settlement: 'coin' },
      { ...common, id: 'binary', type: 'binary' },
    ]);
    for (const id of ['spot', 'coin', 'binary']) {
      expect(find(market, id).problem).toMatchObject({ code: 'UNSUPPORTED_INSTRUMENT' });
    }
    expect(find(market, 'future').problem).toBeNull();
  });
});

describe('over all that a snapshot may hold', () => {
  it('is finite, and between the European price or the intrinsic value and what exercise could ever pay', () => {
    for (let i = 0; i < 1_500; i++) {
      const volatility = 1e-6 * 2e7 ** fraction(i, 1);
      const maturity = 1e-10 * 5e11 ** fraction(i, 2);
      const rate = i % 5 === 0 ? 0 : 1e-12 * 1e13 ** fraction(i, 3);
      const level = 1e-15 * 1e30 ** fraction(i, 4);
      const forward = i % 3 === 0 ? level : level * 1e3 ** (2 * fraction(i, 5) - 1);
      const strike = level * 1e4 ** (2 * fraction(i, 6) - 1);
      const right = i % 2 === 0 ? 1 : -1;
      const option = { level, forward, strike, volatility, maturity, rate, right } as const;
      const price = americanPrice(option);
      const least = Math.max(european(option), right * (level - strike));
      const most = Math.max(european(option), right === 1 ? level : strike);
      // The upper bound by the accuracy of the quadrature.
      expect(price).toBeGreaterThanOrEqual(least);
      expect(price).toBeLessThanOrEqual(most * (1 + 1e-6));
    }
  });
});

describe('Gauss–Legendre', () => {
  it('integrates polynomials up to degree 2n − 1', () => {
    for (const n of [1, 2, 3, 24, 32]) {
      const { nodes, weights } = gaussLegendre(n);
      for (let degree = 0; degree < 2 * n; degree++) {
        const sum = nodes.reduce((total, x, i) => total + weights[i]! * x ** degree, 0);
        // A weight is off by n²·eps relatively where its node lies near ±1, as P_n is steep there; those weights sum to a few n⁻².
        expect(Math.abs(sum - (degree % 2 === 0 ? 2 / (degree + 1) : 0))).toBeLessThan(5e-14);
      }
    }
  });
});
