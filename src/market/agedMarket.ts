/**
 * The market as it would be at a later instant if no price moved: spots, forwards by expiry and implied volatilities by strike as they
 * are, less time left. It is compiled anew from the snapshot that it came from, so that a market read then would be the same to the bit.
 */
import { PlimsollError } from '../errors.ts';
import { formatInstant } from './dates.ts';
import type { InstrumentRecord } from './instruments.ts';
import { compileMarket, type Instrument, type Market } from './market.ts';
import type { UnderlyingRecord } from './snapshot.ts';
import type { SurfaceModel } from './surface.ts';

type StoredUnderlying = UnderlyingRecord & { readonly instruments: readonly InstrumentRecord[] };

/** Reads the parts of a market back once, and ages them as often as it is asked to. */
export class AgeingMarket {
  private readonly market: Market;
  private readonly surfaceModel: SurfaceModel;
  private readonly stored: readonly StoredUnderlying[];

  /**
   * @param underlyings those that grow older (indices); the others stay as they are
   * @param surfaceModel with which the market was compiled
   */
  constructor(
    market: Market,
    underlyings: Iterable<number>,
    surfaceModel: SurfaceModel = 'quotes',
  ) {
    this.market = market;
    this.surfaceModel = surfaceModel;
    this.stored = [...new Set(underlyings)]
      .sort((a, b) => a - b)
      .map((u) => JSON.parse(market.underlyings[u]!.text) as StoredUnderlying);
  }

  /**
   * Instruments that expired by then carry EXPIRED_INSTRUMENT. Where an option's volatility lay between two expiries of the surface and the
   * earlier one is over, so that it could not be read any more, it keeps the one that it has now.
   * @param atMs no earlier than the asOf of any underlying that grows older
   * @throws INVALID_FIELD for an earlier instant
   */
  at(atMs: number): Market {
    const { market } = this;
    if (this.stored.length === 0) return market;
    const asOf = formatInstant(atMs);
    const snapshot = {
      asOf,
      currency: market.currency,
      underlyings: this.stored.map((record) => this.later(record, asOf, atMs)),
      instruments: this.stored.flatMap(({ instruments }) => instruments),
    };
    const older = compileMarket(snapshot, this.surfaceModel);
    const underlyings = [...market.underlyings];
    const placeOf = older.underlyings.map(({ id }) => market.underlyingIndex.get(id)!);
    older.underlyings.forEach((underlying, i) => {
      underlyings[placeOf[i]!] = underlying;
    });
    const instruments = [...market.instruments];
    for (const instrument of older.instruments) {
      const at = market.instrumentIndex.get(instrument.id)!;
      const underlying = placeOf[instrument.underlying]!;
      instruments[at] = readable({ ...instrument, underlying }, market.instruments[at]!);
    }
    return { ...market, underlyings, instruments };
  }

  private later(
    { instruments: _, ...record }: StoredUnderlying,
    asOf: string,
    atMs: number,
  ): UnderlyingRecord {
    const { asOfMs, asOfText, id } =
      this.market.underlyings[this.market.underlyingIndex.get(record.id)!]!;
    if (!(atMs >= asOfMs)) {
      const message = `${id} is as of ${asOfText}; ${asOf} lies before it`;
      throw new PlimsollError('INVALID_FIELD', message, { path: 'asOf' });
    }
    return { ...record, asOf };
  }
}

function readable(older: Instrument, now: Instrument): Instrument {
  if (older.problem?.code !== 'MISSING_VOLATILITY' || now.problem !== null) return older;
  return { ...older, volatility: now.volatility, problem: null };
}
