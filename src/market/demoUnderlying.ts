/** One made-up underlying: its prices, forwards and smile, and the contracts listed on it. */
import { exp, log } from '../numerics.ts';
import { MILLISECONDS_PER_DAY } from './dates.ts';
import type { DemoRandom } from './demoRandom.ts';
import type { InstrumentRecord } from './instruments.ts';
import { niceBelow, significant, toTick } from './rounding.ts';
import type { SurfaceSliceRecord, UnderlyingRecord } from './snapshot.ts';

/** What sets one underlying apart. */
export interface DemoCharacter {
  readonly id: string;
  readonly spot: number;
  /** Long-run annual volatility. */
  readonly volatility: number;
  /** Traded in a day, in the currency. */
  readonly turnover: number;
  /** Options and futures settled in the coin, as Deribit's; else in the currency. */
  readonly coinSettled: boolean;
}

export interface DemoListing {
  readonly futureExpiries: readonly number[];
  readonly optionExpiries: readonly number[];
  /** Options in all: strikes are spread over the expiries, a call and a put each, the rest cut off. */
  readonly options: number;
  /** Spot and perpetuals. */
  readonly outright: boolean;
}

const KNOWN: readonly DemoCharacter[] = [
  { id: 'BTC', spot: 88500, volatility: 0.46, turnover: 2.4e10, coinSettled: true },
  { id: 'ETH', spot: 2970, volatility: 0.66, turnover: 1.4e10, coinSettled: true },
  { id: 'SOL', spot: 125, volatility: 0.78, turnover: 4e9, coinSettled: false },
  { id: 'XRP', spot: 1.87, volatility: 0.74, turnover: 3e9, coinSettled: false },
  { id: 'BNB', spot: 860, volatility: 0.55, turnover: 1.8e9, coinSettled: false },
];

/** The first five bear known names; from the sixth on they are drawn and called U6, U7, …. */
export function demoCharacter(index: number, random: DemoRandom): DemoCharacter {
  const known = KNOWN[index];
  if (known !== undefined) return known;
  return {
    id: `U${index + 1}`,
    spot: significant(random.scale(0.5, 500), 4),
    volatility: significant(random.between(0.5, 1.1), 3),
    turnover: significant(random.scale(2e7, 8e8), 3),
    coinSettled: false,
  };
}

/** Spot moves by up to 2% from the character's; the smile, the carry and the liquidity are drawn too. */
export function demoUnderlying(
  character: DemoCharacter,
  listing: DemoListing,
  asOf: number,
  random: DemoRandom,
): { record: UnderlyingRecord; instruments: InstrumentRecord[] } {
  const spot = significant(character.spot * (1 + random.between(-0.02, 0.02)), 5);
  const carry = random.between(0.02, 0.07);
  const expiries = [...new Set([...listing.futureExpiries, ...listing.optionExpiries])];
  expiries.sort((a, b) => a - b);
  const forwards = new Map(
    expiries.map((expiry) => [expiry, significant(spot * exp(carry * years(asOf, expiry)), 7)]),
  );
  const smile = drawSmile(character.volatility, random);
  const surface = smiles(listing, forwards, smile, asOf);
  const record: UnderlyingRecord = {
    id: character.id,
    spot,
    forwards: [...forwards].map(([expiry, price]) => ({ expiry: isoSeconds(expiry), price })),
    surface,
    liquidity: liquidity(character, spot, random),
  };
  const instruments = [
    ...(listing.outright ? outrights(character, random, spot) : []),
    ...listing.futureExpiries.map((expiry) => future(character, expiry)),
    ...options(character, surface, listing.options),
  ];
  return { record, instruments };
}

interface Smile {
  readonly short: number;
  readonly long: number;
  readonly skew: number;
  readonly curvature: number;
}

function drawSmile(volatility: number, random: DemoRandom): Smile {
  return {
    short: volatility * random.between(0.85, 1.05),
    long: volatility,
    skew: -random.between(0.01, 0.05),
    curvature: random.between(0.02, 0.04),
  };
}

/**
 * iv = atm(T) · (1 + skew·x + curvature·x²), x = ln(K/F)/(atm√T) in ±2: mild enough to leave no butterfly arbitrage. At the money it goes
 * from the short volatility to the long one as w = long²T + (short² − long²)·τ(1 − e^(−T/τ)), τ = 0.25: total variance rises.
 */
function impliedVolatility(smile: Smile, maturity: number, k: number): number {
  const atm = atTheMoney(smile, maturity);
  const x = k / (atm * Math.sqrt(maturity));
  return significant(atm * (1 + smile.skew * x + smile.curvature * x * x), 4);
}

function atTheMoney({ short, long }: Smile, maturity: number): number {
  const tau = 0.25;
  const settled = tau * (1 - exp(-maturity / tau));
  return Math.sqrt((long * long * maturity + (short * short - long * long) * settled) / maturity);
}

function smiles(
  listing: DemoListing,
  forwards: ReadonlyMap<number, number>,
  smile: Smile,
  asOf: number,
): SurfaceSliceRecord[] {
  const count = listing.optionExpiries.length;
  if (count === 0 || listing.options === 0) return [];
  const pairs = Math.ceil(listing.options / 2);
  return listing.optionExpiries.map((expiry, i) => {
    const forward = forwards.get(expiry)!;
    const maturity = years(asOf, expiry);
    const strikes = Math.max(1, Math.floor(pairs / count) + (i < pairs % count ? 1 : 0));
    const quotes = strikeLadder(
      forward,
      atTheMoney(smile, maturity) * Math.sqrt(maturity),
      strikes,
    );
    return {
      expiry: isoSeconds(expiry),
      quotes: quotes.map((strike) => ({
        strike,
        iv: impliedVolatility(smile, maturity, log(strike / forward)),
      })),
    };
  });
}

/** Strikes evenly spaced in ln K over ±2 standard deviations, on ticks fine enough to keep them apart. */
function strikeLadder(forward: number, deviation: number, count: number): number[] {
  if (count === 1) return [significant(forward, 3)];
  const step = (4 * deviation) / (count - 1);
  const lowest = forward * exp(-2 * deviation);
  const tick = niceBelow(lowest * (exp(step) - 1) * 0.6);
  return Array.from({ length: count }, (_, i) => toTick(lowest * exp(step * i), tick));
}

function outrights(character: DemoCharacter, random: DemoRandom, spot: number): InstrumentRecord[] {
  const { id } = character;
  const common = { type: 'perpetual', underlying: id, multiplier: 1 } as const;
  const mark = () => significant(spot * (1 + random.between(-0.0004, 0.0004)), 7);
  return [
    { id: `${id}-SPOT`, type: 'spot', underlying: id, settlement: 'linear', multiplier: 1 },
    { id: `${id}-PERPETUAL`, ...common, settlement: 'inverse', mark: mark() },
    { id: `${id}-LINEAR-PERPETUAL`, ...common, settlement: 'linear', mark: mark() },
  ];
}

function future(character: DemoCharacter, expiry: number): InstrumentRecord {
  return {
    id: `${character.id}-${dayName(expiry)}`,
    type: 'future',
    underlying: character.id,
    expiry: isoSeconds(expiry),
    settlement: character.coinSettled ? 'inverse' : 'linear',
    multiplier: 1,
  };
}

function options(
  character: DemoCharacter,
  surface: readonly SurfaceSliceRecord[],
  count: number,
): InstrumentRecord[] {
  const all = surface.flatMap(({ expiry, quotes }) =>
    quotes.flatMap(({ strike }) =>
      (['call', 'put'] as const).map((right) => ({
        id: `${character.id}-${dayName(Date.parse(expiry))}-${strike}-${right === 'call' ? 'C' : 'P'}`,
        type: 'option' as const,
        underlying: character.id,
        expiry,
        strike,
        right,
        style: 'european' as const,
        settlement: character.coinSettled ? ('coin' as const) : ('linear' as const),
        multiplier: 1,
      })),
    ),
  );
  return all.slice(0, count);
}

function liquidity(
  { turnover }: DemoCharacter,
  spot: number,
  random: DemoRandom,
): NonNullable<UnderlyingRecord['liquidity']> {
  const volume = turnover / spot;
  const halfSpread = significant(0.0001 + 20 / Math.sqrt(turnover) + random.between(0, 1e-4), 3);
  const depth = [1, 3, 10, 30].map((multiple) => ({
    distance: significant(halfSpread * multiple, 3),
    size: significant(volume * 1e-4 * multiple * 1.5, 3),
  }));
  return { halfSpread, dailyVolume: significant(volume, 4), depth };
}

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');

/** `27MAR26`. */
function dayName(instant: number): string {
  const date = new Date(instant);
  return `${date.getUTCDate()}${MONTHS[date.getUTCMonth()]}${String(date.getUTCFullYear()).slice(2)}`;
}

function years(from: number, to: number): number {
  return (to - from) / (365 * MILLISECONDS_PER_DAY);
}

function isoSeconds(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}
