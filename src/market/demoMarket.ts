/** A made-up exchange of a stated size: the same seed and size give the same bytes, everywhere. */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { toRows } from './correlation.ts';
import { MILLISECONDS_PER_DAY } from './dates.ts';
import { type DemoRandom, demoRandom } from './demoRandom.ts';
import { type DemoListing, demoCharacter, demoUnderlying } from './demoUnderlying.ts';
import { type FactorModel, type FactorRecord, readFactorModel } from './factorModel.ts';
import { type MarketSnapshot, readSnapshot } from './snapshot.ts';

export interface DemoMarketOptions {
  /** 1 … 1,000 (666 with basis: a model holds 2,000 factors); default 5. */
  readonly underlyings?: number;
  readonly seed?: string;
  /** 0 … 10; default 4. */
  readonly futureExpiries?: number;
  /** 0 … 10; default 6. */
  readonly optionExpiries?: number;
  /** Of each expiry, a call and a put; default 17. */
  readonly strikes?: number;
  /** Options of the whole market, exactly: spread evenly over the underlyings. Overrides `strikes`. */
  readonly options?: number;
  /** Whether spot and perpetuals are listed; default true. */
  readonly outright?: boolean;
  /** Whether each underlying has a basis factor too; default false. */
  readonly basis?: boolean;
}

export interface DemoMarket {
  readonly market: MarketSnapshot;
  readonly factors: FactorModel;
}

const AS_OF = '2026-01-02T08:00:00Z';
/**
 * Days to expiry: weeklies, the month ends and quarter ends of 2026, all Fridays at 08:00. Nearest first, but weeklies beyond the
 * second only when many are asked for.
 */
const EXPIRY_DAYS = [7, 14, 28, 56, 84, 175, 266, 357, 21, 42];
const FUTURE_DAYS = [28, 84, 175, 266, 357, 7, 14, 21, 42, 56];

/**
 * The default is 5 underlyings with 211 instruments each: spot, an inverse and a linear perpetual, 4 futures, 6 × 17 × 2 options (settled in
 * coin for BTC and ETH), forwards for every expiry, a smile, liquidity; factors spot and vol of each, 365 periods a year, Student-t with 4
 * degrees of freedom.
 * @throws INVALID_FIELD for a size out of range
 */
export function demoMarket(options: DemoMarketOptions = {}): DemoMarket {
  const { seed = 'plimsoll', outright = true, basis = false } = options;
  const factorsEach = basis ? 3 : 2;
  const underlyings = whole(
    options,
    'underlyings',
    5,
    1,
    Math.floor(LIMITS.factorsMax / factorsEach),
  );
  const futureExpiries = expiries(whole(options, 'futureExpiries', 4, 0, 10), FUTURE_DAYS);
  const optionExpiries = expiries(whole(options, 'optionExpiries', 6, 0, 10), EXPIRY_DAYS);
  const strikes = whole(options, 'strikes', 17, 1, 1000);
  const each = 2 * strikes * optionExpiries.length;
  const most = optionExpiries.length === 0 ? 0 : LIMITS.instrumentsMax;
  const total = whole(options, 'options', each * underlyings, 0, most);
  const asOf = Date.parse(AS_OF);
  const made = Array.from({ length: underlyings }, (_, i) => {
    const random = demoRandom(`${seed}/market/${i}`);
    const share = Math.floor(total / underlyings) + (i < total % underlyings ? 1 : 0);
    const listing: DemoListing = { futureExpiries, optionExpiries, options: share, outright };
    const character = demoCharacter(i, random);
    return { ...demoUnderlying(character, listing, asOf, random), character };
  });
  const market = readSnapshot({
    asOf: AS_OF,
    currency: 'USD',
    underlyings: made.map(({ record }) => record),
    instruments: made.flatMap(({ instruments }) => instruments),
  });
  const factors = demoFactors(
    made.map(({ character }) => character),
    basis,
    demoRandom(`${seed}/factors`),
  );
  return { market, factors };
}

/**
 * A market of options alone with exactly so many factors (even: spot and vol of each underlying) and so many options: the size that
 * benchmarks state.
 */
export function demoOptionsMarket(size: {
  readonly factors: number;
  readonly options: number;
  readonly seed?: string;
}): DemoMarket {
  if (!(Number.isInteger(size.factors) && size.factors >= 2 && size.factors % 2 === 0)) {
    throw new PlimsollError('INVALID_FIELD', `factors must be even and ≥ 2, got ${size.factors}`, {
      path: 'factors',
    });
  }
  return demoMarket({
    underlyings: size.factors / 2,
    options: size.options,
    optionExpiries: 5,
    futureExpiries: 0,
    outright: false,
    seed: size.seed ?? 'plimsoll',
  });
}

function whole(
  options: DemoMarketOptions,
  name: 'underlyings' | 'futureExpiries' | 'optionExpiries' | 'strikes' | 'options',
  fallback: number,
  low: number,
  high: number,
): number {
  const value = options[name] ?? fallback;
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new PlimsollError(
    'INVALID_FIELD',
    `${name} must be a whole number from ${low} to ${high}, got ${value}`,
    { path: name },
  );
}

function expiries(count: number, days: readonly number[]): number[] {
  const instants = days
    .slice(0, count)
    .map((day) => Date.parse(AS_OF) + day * MILLISECONDS_PER_DAY);
  return instants.sort((a, b) => a - b);
}

/**
 * Two common drivers, the market and its volatility: each factor has loadings (a, b) with a² + b² < 1 and the rest of its own, so
 * the correlation a·a′ + b·b′ off the diagonal is positive definite by construction.
 */
function demoFactors(
  characters: readonly { readonly id: string; readonly volatility: number }[],
  basis: boolean,
  random: DemoRandom,
): FactorModel {
  const factors: FactorRecord[] = [];
  const loadings: (readonly [number, number])[] = [];
  for (const { id, volatility } of characters) {
    factors.push({ id: `${id}:spot`, volatility: Number((volatility * 1.05).toPrecision(4)) });
    loadings.push([random.between(0.8, 0.94), -0.1]);
    factors.push({ id: `${id}:vol`, volatility: Number(random.between(0.75, 1.1).toPrecision(3)) });
    loadings.push([random.between(-0.4, -0.25), random.between(0.75, 0.85)]);
    if (!basis) continue;
    factors.push({ id: `${id}:basis`, volatility: 0.08 });
    loadings.push([random.between(0.2, 0.4), 0]);
  }
  const n = factors.length;
  const correlation = Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    if (i === j) return 1;
    const [a, b] = [loadings[i]!, loadings[j]!];
    // Six decimals keep the file short; what is each factor's own (> 0.1) covers the rounding.
    return Number((a[0] * b[0] + a[1] * b[1]).toFixed(6));
  });
  return readFactorModel({
    asOf: AS_OF,
    periodsPerYear: 365,
    factors,
    correlation: toRows(correlation, n),
    degreesOfFreedom: 4,
  });
}
