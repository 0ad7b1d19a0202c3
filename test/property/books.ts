/** Random books for property tests: on a made-up market, sizes so that each position refers to about as much money. */
import fc from 'fast-check';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import type { MarginResult } from '../../src/margin/result.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { fillInProcess, type InProcess } from '../engine/inProcess.ts';

export const demo = demoMarket({
  underlyings: 4,
  optionExpiries: 4,
  strikes: 5,
  seed: 'properties',
});

export function opened(methodology: MethodologyInput): InProcess {
  return fillInProcess({ market: demo.market, factors: demo.factors, methodology });
}

/** Uniform between two numbers; `fc.double` is uniform in its bits, so that nearly all it draws are tiny or huge. */
export const between = (low: number, high: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: 1_000_003 }).map((part) => low + ((high - low) * part) / 1_000_003);

export interface Position {
  readonly instrument: string;
  readonly size: number;
  readonly entryPrice?: number;
  readonly allocated?: number;
}

/** Currency that a position of weight 1 refers to. */
const NOTIONAL = 50_000;

/** Positions in different instruments: weights from −20 to 20 and not near 0; futures at random entries where asked for. */
export function books(
  { session }: InProcess,
  {
    least = 1,
    most = 8,
    entries = false,
  }: { readonly least?: number; readonly most?: number; readonly entries?: boolean } = {},
): fc.Arbitrary<readonly Position[]> {
  const { market, exposures } = session.valuation;
  const weight = between(0.01, 20).chain((size) =>
    fc.boolean().map((long) => (long ? size : -size)),
  );
  const position = fc.record({
    index: fc.nat(market.instruments.length - 1),
    weight,
    profit: fc.option(between(-0.3, 0.3), { nil: null }),
  });
  return fc
    .uniqueArray(position, { minLength: least, maxLength: most, selector: ({ index }) => index })
    .map((drawn) =>
      drawn.map(({ index, weight: w, profit }) => {
        const { id, type, mark } = market.instruments[index]!;
        const size = (w * NOTIONAL) / exposures.notionals[index]!;
        const dated = entries && profit !== null && (type === 'perpetual' || type === 'future');
        return {
          instrument: id,
          size,
          ...(dated ? { entryPrice: mark * (1 + profit) } : {}),
        };
      }),
    );
}

/** Collateral in money and in coins that the market knows. */
export function collaterals({ session }: InProcess) {
  const { market } = session.valuation;
  const line = fc.record({
    underlying: fc.nat(market.underlyings.length - 1),
    value: between(-20_000, 200_000),
  });
  return fc
    .record({
      money: between(-1e5, 1e6),
      coins: fc.array(line, { maxLength: 5 }),
    })
    .map(({ money, coins }) => [
      { asset: market.currency, amount: money },
      ...coins.map(({ underlying, value }) => {
        const { id, spot } = market.underlyings[underlying]!;
        return { asset: id, amount: value / spot };
      }),
    ]);
}

/** Margins accounts together, each of which must be good. */
export function marginAll(
  { evaluate }: InProcess,
  accounts: readonly object[],
): readonly MarginResult[] {
  return evaluate(accounts).map((outcome) => {
    if ('error' in outcome) throw new Error(JSON.stringify(outcome));
    return outcome;
  });
}

export const shortfallOf = ({ risk }: MarginResult): number => risk.expectedShortfall;

/** Σ |ES_i| of positions by themselves: the scale of a book's rounding. */
export function grossShortfall(filled: InProcess, positions: readonly Position[]): number {
  const alone = positions.map((position, i) => ({ id: `${i}`, positions: [position] }));
  return marginAll(filled, alone).reduce((sum, result) => sum + Math.abs(shortfallOf(result)), 0);
}
