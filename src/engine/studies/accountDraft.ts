/**
 * An account on its way to another: positions that fills change, collateral that they pay from. What a fill is worth is said here, by
 * instrument type; what may be asked for is in `changes.ts`, what happens at expiry in `settlement.ts`.
 */
import { PlimsollError } from '../../errors.ts';
import type { Account, Collateral, Order } from '../../margin/account.ts';
import { afterTrade, isMarked, type PositionState, sum } from '../../margin/positionArithmetic.ts';
import type { Valuation } from '../../margin/valuation.ts';
import type { Instrument, Market } from '../../market/market.ts';

/** What quotes are read off: the market, and what its options are worth. */
export type Quotes = Pick<Valuation, 'market' | 'plan'>;

/** What came into the collateral, or left it (< 0). */
export interface CashFlow {
  readonly asset: string;
  readonly amount: number;
}

/**
 * The price at which a fill leaves equity as it is: the mark of perpetuals and futures; of the others the model's value as it would be
 * quoted, per unit of multiplier (coin-settled options in coin; a pool share per share).
 */
export function markPrice(instrument: Instrument, index: number, { market, plan }: Quotes): number {
  const { type, mark, multiplier, settlement, underlying } = instrument;
  if (isMarked(type)) return mark;
  if (type === 'spot') return market.underlyings[underlying]!.spot;
  const value = plan.baseValues[index]!;
  if (type === 'pool') return value;
  if (settlement !== 'coin') return value / multiplier;
  return value / (multiplier * market.underlyings[underlying]!.spot);
}

export class AccountDraft {
  private readonly account: Account;
  private readonly market: Market;
  private readonly positions = new Map<string, PositionState>();
  private readonly collateral: Collateral[];
  orders: readonly Order[];
  mode: Account['mode'];

  constructor(account: Account, market: Market) {
    this.account = account;
    this.market = market;
    this.collateral = account.collateral.map((line) => ({ ...line }));
    this.orders = account.orders;
    this.mode = account.mode;
    account.instruments.forEach((id, i) => {
      const entryPrice = account.entryPrices?.[i] ?? Number.NaN;
      const allocated = account.allocated?.[i] ?? Number.NaN;
      this.positions.set(id, { size: account.sizes[i]!, entryPrice, allocated });
    });
  }

  holds(id: string): boolean {
    return this.positions.has(id);
  }

  /** Signed, in contracts; 0 where there is none. */
  sizeOf(id: string): number {
    return this.positions.get(id)?.size ?? 0;
  }

  allocate(id: string, amount: number): void {
    this.positions.set(id, { ...this.positions.get(id)!, allocated: amount });
  }

  /**
   * Buys (size > 0) or sells at a price, and pays.
   *
   * What is paid and what becomes of the position is in `margin/positionArithmetic.ts`, which the book folds with too.
   *
   * Coins that come into the collateral count with its haircut, an option's value and unrealised coins without: where the methodology has a
   * haircut for the coin, equity moves by that share of what is paid.
   * @param mark what a settled position stands at
   * @returns what came into the collateral; null where nothing was paid
   */
  fill(instrument: Instrument, size: number, price: number, mark: number): CashFlow | null {
    const { id } = instrument;
    const { after, paid } = afterTrade(
      this.positions.get(id) ?? null,
      { size, price, mark },
      instrument,
    );
    if (after === null) this.positions.delete(id);
    else this.positions.set(id, after);
    return paid === 0 && isMarked(instrument.type) ? null : this.pay(instrument, paid);
  }

  deposit(asset: string, amount: number): void {
    const i = this.collateral.findIndex((line) => line.asset === asset);
    if (i === -1) this.collateral.push({ asset, amount });
    else this.collateral[i] = { asset, amount: sum(this.collateral[i]!.amount, amount) };
  }

  finish(): Account {
    const ids = [...this.positions.keys()];
    const column = (field: keyof PositionState): Float64Array => {
      const values = new Float64Array(ids.length);
      let i = 0;
      for (const position of this.positions.values()) values[i++] = position[field];
      return values;
    };
    const allocated = column('allocated');
    return {
      ...this.account,
      mode: this.mode,
      collateral: this.collateral,
      orders: this.orders,
      instruments: ids,
      sizes: column('size'),
      entryPrices: column('entryPrice'),
      allocated: allocated.every((amount) => Number.isNaN(amount)) ? null : allocated,
    };
  }

  private pay({ id, settlement, underlying }: Instrument, paid: number): CashFlow {
    const { currency } = this.market;
    const coin = this.market.underlyings[underlying]!.id;
    const asset = settlement === 'linear' ? currency : coin;
    if (asset === currency && settlement !== 'linear') {
      const message = `${id} pays in ${asset}, which is the name of the currency too`;
      throw new PlimsollError('UNSUPPORTED_INSTRUMENT', message);
    }
    // Nothing paid makes no line of collateral; and 0 has one sign.
    if (paid === 0) return { asset, amount: 0 };
    this.deposit(asset, paid);
    return { asset, amount: paid };
  }
}
