/** From an exchange's rows, one an instrument, to a snapshot: which price is the spot, which the forward, which volatility the quote. */
import { PlimsollError } from '../../errors.ts';
import { formatInstant } from '../dates.ts';
import { byId, type InstrumentRecord } from '../instruments.ts';
import {
  type LiquidityRecord,
  type MarketSnapshot,
  readSnapshot,
  type SurfaceSliceRecord,
  type UnderlyingRecord,
} from '../snapshot.ts';
import type { Contract } from './contracts.ts';

/** One instrument as the exchange reported it. Prices in quote currency per unit of the underlying; absent is not reported. */
export interface ChainRow {
  readonly contract: Contract;
  readonly timeMs: number;
  readonly index?: number | undefined;
  /** Forward of the expiry, of options. */
  readonly forward?: number | undefined;
  /** Annual decimal, of options. */
  readonly volatility?: number | undefined;
  /** Mark price, of perpetuals and futures; so are the next three. */
  readonly mark?: number | undefined;
  readonly bid?: number | undefined;
  readonly ask?: number | undefined;
  /** Of the last 24 hours, in units of the underlying. */
  readonly volume?: number | undefined;
}

/** What an exchange's list of instruments says of one. */
export interface Listing {
  readonly contract: Contract;
  readonly contractSize: number;
}

/** The chosen rows and the listed instruments (with or without a row) as a checked snapshot in USD; linear contracts' USDC counts as USD. */
export function assembleSnapshot(
  rows: readonly ChainRow[],
  listings: ReadonlyMap<string, Listing>,
): MarketSnapshot {
  const byUnderlying = new Map<string, ChainRow[]>();
  for (const row of rows) push(byUnderlying, row.contract.underlying, row);
  const reported = new Map<string, ChainRow>();
  for (const row of rows) {
    if (reported.has(row.contract.name)) {
      throw new PlimsollError('DUPLICATE_ID', `${row.contract.name} is reported twice`, {
        path: row.contract.name,
      });
    }
    reported.set(row.contract.name, row);
  }
  const contracts = rows.map((row) => row.contract);
  for (const { contract } of listings.values()) {
    if (!reported.has(contract.name)) contracts.push(contract);
    if (!byUnderlying.has(contract.underlying)) {
      throw new PlimsollError(
        'MISSING_FIELD',
        `${contract.name} is listed, but no file has prices of ${contract.underlying}`,
        { path: contract.name },
      );
    }
  }
  const underlyings = [...byUnderlying].map(([id, own]) => assembleUnderlying(id, own));
  const instruments = contracts.map((contract) =>
    instrumentOf(contract, listings.get(contract.name), reported.get(contract.name)),
  );
  return readSnapshot({
    asOf: formatInstant(latestTime(rows)),
    currency: 'USD',
    underlyings: underlyings.sort(byId),
    instruments: instruments.sort(byId),
  });
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function latestTime(rows: readonly ChainRow[]): number {
  return rows.reduce((latest, row) => Math.max(latest, row.timeMs), 0);
}

/** Of an even number of values the lower of the middle two: a price that was reported, not an average that never was. */
function lowerMedian(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1]!;
}

/** The rows of the inverse book where it has any, else those of the linear one: two books of one underlying differ by the price of USDC. */
function leadingBook(rows: readonly ChainRow[]): readonly ChainRow[] {
  const inverse = rows.filter((row) => !row.contract.linear);
  return inverse.length > 0 ? inverse : rows;
}

function assembleUnderlying(id: string, rows: readonly ChainRow[]): UnderlyingRecord {
  const byExpiry = new Map<number, ChainRow[]>();
  for (const row of rows) {
    if (row.contract.expiryMs !== 0) push(byExpiry, row.contract.expiryMs, row);
  }
  const spot = spotOf(id, rows);
  const forwards: { expiry: string; price: number }[] = [];
  const surface: SurfaceSliceRecord[] = [];
  for (const [expiryMs, own] of [...byExpiry].sort((a, b) => a[0] - b[0])) {
    const expiry = formatInstant(expiryMs);
    const price = forwardOf(own);
    if (price !== undefined) forwards.push({ expiry, price });
    const quotes = quotesOf(own, price ?? spot);
    if (quotes.length > 0) surface.push({ expiry, quotes });
  }
  const liquidity = liquidityOf(rows);
  return {
    id,
    spot,
    asOf: formatInstant(latestTime(rows)),
    forwards,
    ...(surface.length > 0 ? { surface } : {}),
    ...(liquidity === null ? {} : { liquidity }),
  };
}

/** In the half hour before an expiry the index that its instruments report is already the average they will settle at. */
const SETTLEMENT_AVERAGE_MS = 30 * 60_000;

/** The index of the latest rows; where several rows of one instant disagree, their lower median. */
function spotOf(id: string, rows: readonly ChainRow[]): number {
  const priced = leadingBook(rows.filter((row) => row.index !== undefined));
  if (priced.length === 0) {
    throw new PlimsollError('MISSING_FIELD', `no row has the index price of ${id}`, { path: id });
  }
  const running = priced.filter(
    ({ contract, timeMs }) =>
      contract.expiryMs === 0 || contract.expiryMs - timeMs > SETTLEMENT_AVERAGE_MS,
  );
  const usable = running.length > 0 ? running : priced;
  const latest = latestTime(usable);
  return lowerMedian(usable.filter((row) => row.timeMs === latest).map((row) => row.index!));
}

/** A chain is not read in one instant, so its options may report several forwards: their lower median. Without options, the future's mark. */
function forwardOf(rows: readonly ChainRow[]): number | undefined {
  const options = leadingBook(rows.filter((row) => row.forward !== undefined));
  if (options.length > 0) return lowerMedian(options.map((row) => row.forward!));
  const futures = rows.filter((row) => row.contract.type === 'future' && row.mark !== undefined);
  return leadingBook(futures)[0]?.mark;
}

/**
 * One volatility a strike. Call and put carry the same mark volatility except where the chain moved between reading the two; then the
 * out-of-the-money one stands (the call at or above the forward), whose price is all time value and so says more about volatility.
 */
function quotesOf(rows: readonly ChainRow[], forward: number): SurfaceSliceRecord['quotes'] {
  const chosen = new Map<number, ChainRow>();
  for (const row of leadingBook(rows.filter((row) => row.volatility !== undefined))) {
    const { strike, right } = row.contract;
    const outOfTheMoney = strike >= forward ? 'call' : 'put';
    if (!chosen.has(strike) || right === outOfTheMoney) chosen.set(strike, row);
  }
  return [...chosen]
    .map(([strike, row]) => ({ strike, iv: row.volatility! }))
    .sort((a, b) => a.strike - b.strike);
}

/** Half spread of the perpetual, and the day's volume of perpetuals and futures; null where no perpetual is reported. */
function liquidityOf(rows: readonly ChainRow[]): LiquidityRecord | null {
  const perpetuals = leadingBook(rows.filter((row) => row.contract.type === 'perpetual'));
  const perpetual = perpetuals[0];
  if (perpetual === undefined) return null;
  const liquidity: LiquidityRecord = {};
  const { bid, ask } = perpetual;
  if (bid !== undefined && ask !== undefined && ask >= bid) {
    liquidity.halfSpread = (ask - bid) / (ask + bid);
  }
  const deltaOne = rows.filter((row) => row.contract.type !== 'option');
  const volume = deltaOne.reduce((sum, row) => sum + (row.volume ?? Number.NaN), 0);
  if (volume > 0) liquidity.dailyVolume = volume;
  return Object.keys(liquidity).length > 0 ? liquidity : null;
}

function instrumentOf(
  contract: Contract,
  listing: Listing | undefined,
  row: ChainRow | undefined,
): InstrumentRecord {
  const { name, type, underlying, linear, expiryMs, strike, right } = contract;
  const settlement = linear ? 'linear' : type === 'option' ? 'coin' : 'inverse';
  return {
    id: name,
    type,
    underlying,
    ...(expiryMs === 0 ? {} : { expiry: formatInstant(expiryMs) }),
    ...(right === null ? {} : { strike, right }),
    settlement,
    multiplier: multiplierOf(contract, listing),
    ...(type === 'option' || row?.mark === undefined ? {} : { mark: row.mark }),
  };
}

/** Sizes of inverse contracts are USD amounts whatever their contract size; an option settled in coin is on one coin. */
function multiplierOf(contract: Contract, listing: Listing | undefined): number {
  if (!contract.linear) return contract.type === 'option' ? (listing?.contractSize ?? 1) : 1;
  if (listing === undefined) {
    throw new PlimsollError(
      'MISSING_FIELD',
      `${contract.name} is linear: its contract size is needed from public/get_instruments`,
      { path: `${contract.name}.contract_size` },
    );
  }
  return listing.contractSize;
}
