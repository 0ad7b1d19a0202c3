/**
 * A market in which one underlying's price has moved and nothing else has: its spot, all its forwards and marks are multiplied by one factor;
 * volatilities follow a smile rule (METHODOLOGY sections 2 and 5). Whatever does not move is shared with the market that it came from.
 */
import { sha256 } from '../json.ts';
import { log } from '../numerics.ts';
import type { Instrument, Market, Underlying } from './market.ts';
import type { VolatilitySlice } from './slice.ts';
import { type VolatilitySurface, volatilityAt } from './surface.ts';

export type MovedSmile = 'sticky-strike' | 'sticky-moneyness';

/**
 * `sticky-strike`: each option keeps its volatility. `sticky-moneyness`: it is read again at its new ln(K/F), so that the quotes' strikes
 * move with the price.
 * @param underlying index
 * @param factor > 0: new price over old
 * @param held instruments (indices) that are moved; all of the underlying when left out. Others keep what they had: nobody may hold them.
 */
export function movedMarket(
  market: Market,
  underlying: number,
  factor: number,
  rule: MovedSmile,
  held?: Iterable<number>,
): Market {
  const before = market.underlyings[underlying]!;
  const moved = movedUnderlying(before, factor, rule);
  const underlyings = market.underlyings.slice();
  underlyings[underlying] = moved;
  const instruments = market.instruments.slice();
  for (const i of held ?? instruments.keys()) {
    const instrument = instruments[i]!;
    if (instrument.underlying !== underlying) continue;
    instruments[i] = movedInstrument(instrument, moved, factor, rule);
  }
  return { ...market, underlyings, instruments };
}

function movedUnderlying(underlying: Underlying, factor: number, rule: MovedSmile): Underlying {
  const { spot, forwards, surface, hash } = underlying;
  // It never was quoted like this: its identity is the quoted market's, and how far it moved.
  const text = `{"moved":${factor},"from":${JSON.stringify(hash)}}`;
  return {
    ...underlying,
    spot: spot * factor,
    forwards: new Map(Array.from(forwards, ([expiry, price]) => [expiry, price * factor])),
    surface: surface === null ? null : movedSurface(surface, factor, rule),
    text,
    hash: sha256(text),
  };
}

/** Sticky strike: the smile stays over its strikes, so that it moves in ln(K/F). Sticky moneyness: the other way about. */
function movedSurface(
  { slices }: VolatilitySurface,
  factor: number,
  rule: MovedSmile,
): VolatilitySurface {
  const shift = log(factor);
  const move = (slice: VolatilitySlice): VolatilitySlice => {
    const { svi, strikes, logMoneyness } = slice;
    if (rule === 'sticky-moneyness') return { ...slice, strikes: strikes.map((k) => k * factor) };
    const moved = { ...slice, logMoneyness: logMoneyness.map((k) => k - shift) };
    return svi === undefined ? moved : { ...moved, svi: { ...svi, m: svi.m - shift } };
  };
  return { slices: slices.map(move) };
}

function movedInstrument(
  instrument: Instrument,
  underlying: Underlying,
  factor: number,
  rule: MovedSmile,
): Instrument {
  const { mark, forward, volatility, expiryMs, maturity, strike } = instrument;
  const moved = { ...instrument, mark: mark * factor, forward: forward * factor };
  const { surface } = underlying;
  // Without a volatility there was none to read, and there is none now.
  if (rule === 'sticky-strike' || surface === null || !(volatility > 0)) return moved;
  const at = { expiryMs, maturity, strike, forward: moved.forward };
  return { ...moved, volatility: volatilityAt(surface, at) };
}

/**
 * The market with only some of its instruments: planning and valuing the whole of it again and again would take longer than what is
 * asked. Underlyings keep their indices, instruments get new ones.
 */
export function narrowMarket(market: Market, instruments: ReadonlySet<number>): Market {
  const kept = market.instruments.filter((_, i) => instruments.has(i));
  const instrumentIndex = new Map(kept.map(({ id }, i) => [id, i]));
  return { ...market, instruments: kept, instrumentIndex };
}
