/**
 * Messages of the exchange as ticks. The index is the spot; an option's `underlying_price` the forward of its expiry (a future's mark where no option of
 * the expiry is followed); mark volatilities are the quotes, one a strike; perpetuals and futures give their marks. So the snapshot readers do, too
 * (`market/readers/chain.ts`). A price of which a later time is known from another channel is left out.
 */
import { formatInstant } from '../../market/dates.ts';
import { assembleSnapshot, type ChainRow, type Listing } from '../../market/readers/chain.ts';
import { type Contract, parseContract } from '../../market/readers/contracts.ts';
import type { QuotedTick } from '../conflation.ts';
import type { BestQuote, ProblemKind } from '../feed.ts';
import {
  type MarkData,
  readIndex,
  readMarkPrices,
  readTicker,
  type TickerData,
} from './messages.ts';
import type { Plan } from './subscription.ts';

export interface Notice {
  readonly kind: ProblemKind;
  readonly message: string;
  readonly underlying?: string | undefined;
}

export interface Converted {
  readonly ticks: readonly QuotedTick[];
  readonly notices: readonly Notice[];
}

const NOTHING: Converted = { ticks: [], notices: [] };

/** A message so much older than the one before it on its channel is stale, not merely out of order. */
const STALE_MS = 5_000;

export class DeribitPrices {
  private readonly plan: Plan;
  /** Underlyings and expiries (`BTC 1774598400000`) of which an option is followed. */
  private readonly optionExpiries = new Set<string>();
  /** Exchange time of what came last, by what it is about. Milliseconds. */
  private readonly seen = new Map<string, number>();
  private readonly asOf = new Map<string, number>();
  /** By underlying and expiry: tells which of call and put is out of the money. */
  private readonly forwards = new Map<string, number>();

  constructor(plan: Plan) {
    this.plan = plan;
    for (const contract of plan.contracts.values()) {
      if (contract.type === 'option' && this.leads(contract)) {
        this.optionExpiries.add(expiryKey(contract));
      }
    }
  }

  /** @throws INVALID_FIELD, MISSING_FIELD */
  index(data: unknown): Converted {
    const { index_name, price, timestamp } = readIndex(data);
    const index = this.plan.indices.find(({ name }) => name === index_name);
    if (index === undefined) return malformed(`the index ${index_name} was not asked for`);
    const { underlying } = index;
    const late = this.lateness('index', index_name, timestamp, underlying);
    if (late !== null) return late;
    // A ticker of a later time may have told the index already.
    if (!this.touch(`spot ${underlying}`, timestamp)) return NOTHING;
    return one({ underlying, asOf: this.time(underlying, timestamp), spot: price });
  }

  /** @throws INVALID_FIELD, MISSING_FIELD */
  ticker(data: unknown): Converted {
    const ticker = readTicker(data);
    const contract = this.plan.contracts.get(ticker.instrument_name);
    if (contract === undefined) return malformed(`${ticker.instrument_name} was not asked for`);
    const { name, underlying, type } = contract;
    const { timestamp, mark_price: mark } = ticker;
    const late = this.lateness('ticker', name, timestamp, underlying);
    if (late !== null) return late;
    const quote = bestQuote(ticker);
    const marked = type !== 'option' && this.touch(`mark ${name}`, timestamp);
    return one({
      underlying,
      asOf: this.time(underlying, timestamp),
      ...(this.leads(contract) ? this.leadingPrices(ticker, contract) : {}),
      ...(marked ? { marks: [{ instrument: name, mark }] } : {}),
      ...(quote === null ? {} : { quotes: [quote] }),
    });
  }

  /** @param channel `markprice.options.btc_usd` @throws INVALID_FIELD, MISSING_FIELD */
  markPrices(channel: string, data: unknown): Converted {
    const index = this.plan.indices.find(({ name }) => channel.endsWith(`.${name}`));
    if (index === undefined) return malformed(`${channel} was not asked for`);
    const { underlying } = index;
    const notices: Notice[] = [];
    const slices = new Map<number, Map<number, number>>();
    let latest = 0;
    for (const mark of readMarkPrices(data)) {
      const contract = this.option(mark, underlying);
      if (contract === null) {
        const message = `${mark.instrument_name} is no option of ${channel}`;
        notices.push({ kind: 'malformed', message, underlying });
        continue;
      }
      const late = this.lateness('mark', contract.name, mark.timestamp, underlying);
      if (late !== null) {
        notices.push(...late.notices);
        continue;
      }
      // A mark volatility of 0 is none: no option with time to run has it.
      if (typeof mark.iv !== 'number' || mark.iv === 0) continue;
      if (!this.touch(`iv ${contract.name}`, mark.timestamp)) continue;
      latest = Math.max(latest, mark.timestamp);
      const quotes = slices.get(contract.expiryMs) ?? new Map<number, number>();
      slices.set(contract.expiryMs, quotes);
      if (!quotes.has(contract.strike) || this.outOfTheMoney(contract)) {
        quotes.set(contract.strike, mark.iv);
      }
    }
    if (slices.size === 0) return { ticks: [], notices };
    const surface = [...slices].map(([expiryMs, quotes]) => ({
      expiry: formatInstant(expiryMs),
      quotes: Array.from(quotes, ([strike, iv]) => ({ strike, iv })),
    }));
    return { ticks: [{ underlying, asOf: this.time(underlying, latest), surface }], notices };
  }

  /**
   * The answer of public/get_book_summary_by_currency, whatever came by itself in the meantime left as it is.
   * @param rows as `readRpcAnswer` reads them, of one book
   */
  summary(rows: readonly ChainRow[]): Converted {
    const wanted = rows.filter((row) => this.wanted(row));
    if (wanted.length === 0) return NOTHING;
    const { underlyings } = assembleSnapshot(wanted, namesakes(wanted));
    const ticks = underlyings.map((record): QuotedTick => {
      const { id } = record;
      const own = wanted.filter(({ contract }) => contract.underlying === id);
      const timeMs = own.reduce((latest, row) => Math.max(latest, row.timeMs), 0);
      const fresh = (key: string): boolean => this.touch(key, timeMs);
      const leads = own.some(({ contract }) => this.leads(contract));
      const forwards = (leads ? record.forwards : undefined)?.filter(({ expiry, price }) => {
        const key = `${id} ${Date.parse(expiry)}`;
        if (!fresh(`forward ${key}`)) return false;
        this.forwards.set(key, price);
        return true;
      });
      const marks = own.flatMap(({ contract: { name }, mark, timeMs: at }) =>
        mark !== undefined && this.plan.contracts.has(name) && this.touch(`mark ${name}`, at)
          ? [{ instrument: name, mark }]
          : [],
      );
      return {
        underlying: id,
        asOf: this.time(id, timeMs),
        ...(leads && fresh(`spot ${id}`) ? { spot: record.spot } : {}),
        ...(forwards === undefined || forwards.length === 0 ? {} : { forwards }),
        ...(leads && record.surface !== undefined ? { surface: record.surface } : {}),
        ...(marks.length === 0 ? {} : { marks }),
      };
    });
    return { ticks, notices: [] };
  }

  private leadingPrices(ticker: TickerData, contract: Contract): Partial<QuotedTick> {
    const { index_price, timestamp, mark_iv, underlying_price, mark_price } = ticker;
    const { underlying, type, expiryMs, strike } = contract;
    const spot = this.touch(`spot ${underlying}`, timestamp) ? { spot: index_price } : {};
    if (type === 'perpetual') return spot;
    const key = expiryKey(contract);
    const option = type === 'option';
    const price = option ? (underlying_price ?? undefined) : mark_price;
    const quoted = price !== undefined && (option || !this.optionExpiries.has(key));
    const newer = quoted && this.touch(`forward ${key}`, timestamp);
    if (newer) this.forwards.set(key, price);
    const expiry = formatInstant(expiryMs);
    const iv = option && typeof mark_iv === 'number' && mark_iv !== 0 ? mark_iv / 100 : undefined;
    const stands =
      iv !== undefined &&
      (this.outOfTheMoney(contract) || !this.plan.contracts.has(twin(contract))) &&
      this.touch(`iv ${contract.name}`, timestamp);
    return {
      ...spot,
      ...(newer ? { forwards: [{ expiry, price }] } : {}),
      ...(stands ? { surface: [{ expiry, quotes: [{ strike, iv }] }] } : {}),
    };
  }

  /** Of call and put the out-of-the-money one's volatility stands, as in the snapshot readers. Unknown forward: the call's. */
  private outOfTheMoney(contract: Contract): boolean {
    const forward = this.forwards.get(expiryKey(contract)) ?? 0;
    return (contract.strike >= forward ? 'call' : 'put') === contract.right;
  }

  /** Whether a row of a summary is one of ours and no older than what came by itself. */
  private wanted({ contract, timeMs }: ChainRow): boolean {
    const { name, type, underlying } = contract;
    if (!this.plan.leading.has(underlying)) return false;
    const every = this.plan.allOptions && type === 'option' && this.leads(contract);
    if (!every && !this.plan.contracts.has(name)) return false;
    const known = type === 'option' ? `iv ${name}` : `mark ${name}`;
    return !(timeMs < (this.seen.get(known) ?? 0));
  }

  private leads({ underlying, linear }: Contract): boolean {
    return this.plan.leading.get(underlying)?.linear === linear;
  }

  private option({ instrument_name }: MarkData, underlying: string): Contract | null {
    const contract = parseContract(instrument_name);
    return contract?.type === 'option' && contract.underlying === underlying ? contract : null;
  }

  /** Notes the time of something; false where something later is known. */
  private touch(key: string, timeMs: number): boolean {
    if (timeMs < (this.seen.get(key) ?? 0)) return false;
    this.seen.set(key, timeMs);
    return true;
  }

  /** Null where a message is no older than the one before on its channel; one of equal time may tell of another moment within the millisecond. */
  private lateness(
    channel: string,
    what: string,
    timeMs: number,
    underlying: string,
  ): Converted | null {
    const key = `channel ${channel} ${what}`;
    const last = this.seen.get(key) ?? 0;
    if (this.touch(key, timeMs)) return null;
    const kind = last - timeMs > STALE_MS ? 'stale' : 'out-of-order';
    const message = `${what} of ${formatInstant(timeMs)} is older than that of ${formatInstant(last)}`;
    return { ticks: [], notices: [{ kind, message, underlying }] };
  }

  /** Channels of one underlying come with slightly different times: its prices are as of the latest. */
  private time(underlying: string, timeMs: number): string {
    const latest = Math.max(timeMs, this.asOf.get(underlying) ?? 0);
    this.asOf.set(underlying, latest);
    return formatInstant(latest);
  }
}

function one(tick: QuotedTick): Converted {
  return { ticks: [tick], notices: [] };
}

function malformed(message: string): Converted {
  return { ticks: [], notices: [{ kind: 'malformed', message }] };
}

function expiryKey({ underlying, expiryMs }: Contract): string {
  return `${underlying} ${expiryMs}`;
}

/** The put of a call's strike, and the other way about. */
function twin({ name, right }: Contract): string {
  return `${name.slice(0, -1)}${right === 'call' ? 'P' : 'C'}`;
}

/** 0 or null is how the exchange writes that there is none. */
function bestQuote(ticker: TickerData): BestQuote | null {
  const bid = ticker.best_bid_price || undefined;
  const ask = ticker.best_ask_price || undefined;
  if (bid === undefined && ask === undefined) return null;
  return {
    instrument: ticker.instrument_name,
    ...(bid === undefined ? {} : { bid }),
    ...(ask === undefined ? {} : { ask }),
  };
}

/** A summary has no contract sizes, and ticks need none. */
function namesakes(rows: readonly ChainRow[]): ReadonlyMap<string, Listing> {
  return new Map(rows.map(({ contract }) => [contract.name, { contract, contractSize: 1 }]));
}
