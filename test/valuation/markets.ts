/** One underlying, one expiry, any contracts on it: what the tests of this folder price. */
import { compileMarket, type Instrument, type Market } from '../../src/market/market.ts';
import { readSnapshot } from '../../src/market/snapshot.ts';

export interface MarketTerms {
  readonly spot: number;
  readonly forward: number;
  /** Implied volatility of every strike. */
  readonly volatility: number;
  readonly days: number;
  readonly rate: number;
}

export interface Contract {
  readonly id: string;
  readonly type: string;
  readonly settlement?: string;
  readonly strike?: number;
  readonly right?: 'call' | 'put';
  readonly style?: string;
  readonly deliverable?: string;
  readonly mark?: number;
  readonly multiplier?: number;
}

const START = Date.UTC(2026, 0, 1);

export function marketOf(terms: MarketTerms, contracts: readonly Contract[]): Market {
  const expiry = new Date(START + terms.days * 86_400_000).toISOString();
  const dated = new Set(['future', 'option', 'binary']);
  const strikes = contracts.flatMap(({ strike }) => (strike === undefined ? [] : [strike]));
  const quotes = (strikes.length === 0 ? [100] : [...new Set(strikes)]).map((strike) => ({
    strike,
    iv: terms.volatility,
  }));
  return compileMarket(
    readSnapshot({
      asOf: new Date(START).toISOString(),
      currency: 'USD',
      underlyings: [
        {
          id: 'U',
          spot: terms.spot,
          rate: terms.rate,
          forwards: [{ expiry, price: terms.forward }],
          surface: [{ expiry, quotes }],
        },
      ],
      instruments: contracts.map((contract) => ({
        underlying: 'U',
        settlement: 'linear',
        multiplier: 1,
        ...contract,
        ...(dated.has(contract.type) ? { expiry } : {}),
      })),
    }),
  );
}

export function find(market: Market, id: string): Instrument {
  return market.instruments[market.instrumentIndex.get(id)!]!;
}
