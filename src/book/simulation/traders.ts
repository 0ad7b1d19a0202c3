/** What accounts do: trades that the pre-trade check has to pass, and answers to margin calls. Each decision is a draw of its own stream. */
import { PlimsollError } from '../../errors.ts';
import { afterCredit } from '../../margin/requirement.ts';
import { type DemoRandom, demoRandom } from '../../market/demoRandom.ts';
import { significant } from '../../market/rounding.ts';
import { accountOf, type BookAccount, toAccount } from '../book.ts';
import type { BookEvent } from '../events.ts';
import type { Exchange } from './exchange.ts';

export interface TraderOptions {
  readonly seed: string;
  /** Mean number of orders of an account a day. */
  readonly tradesPerDay: number;
  /** Share of margin calls that are answered, 0 … 1. */
  readonly answerShare: number;
}

/** Of the largest position of an account: how large its orders are. */
const LEAST_SHARE = 0.05;
const GREATEST_SHARE = 0.6;
/** A call is met past the release level only: deposits bring equity to so many times the initial requirement. */
const COVER = 1.1;

interface Promised {
  readonly account: string;
  readonly call: number;
  readonly amount: number;
  readonly dueMs: number;
}

export class Traders {
  private readonly options: TraderOptions;
  /** Deposits on their way. */
  private promised: Promised[] = [];

  constructor(options: TraderOptions) {
    this.options = options;
  }

  /** One step: some accounts trade, each at most once. @param share of a day that the step is */
  async trade(exchange: Exchange, step: number, share: number): Promise<void> {
    const { seed, tradesPerDay } = this.options;
    const likelihood = Math.min(1, tradesPerDay * share);
    for (const account of [...exchange.book.accounts.values()]) {
      const random = demoRandom(`${seed}/trade/${account.id}/${step}`);
      if (!(random.uniform() < likelihood) || account.positions.size === 0) continue;
      await this.order(exchange, account, random);
    }
  }

  /** A market order: checked as an exchange would, then filled at the mark for the methodology's fee. The other side is outside the book. */
  private async order(exchange: Exchange, account: BookAccount, random: DemoRandom): Promise<void> {
    const { engine, book, tally, market, methodology } = exchange;
    const { id } = account;
    const wanted = wish(exchange, account, random);
    if (wanted === null) return;
    const { instrument, size, price } = wanted;
    const side = size > 0 ? 'buy' : 'sell';
    const order = { instrument, side, size: Math.abs(size), price } as const;
    let allowed: boolean;
    try {
      const { verdict } = await engine.whatIf(toAccount(book, id), { change: { orders: [order] } });
      allowed = verdict.allowed;
    } catch (error) {
      if (!(error instanceof PlimsollError) || error.code === 'INTERNAL') throw error;
      allowed = false;
    }
    if (!allowed) {
      tally.refused += 1;
      return;
    }
    const fee = wanted.notional * methodology.openOrders.feeRate;
    const fill = { id: `trade-${book.seq}`, instrument, size, price };
    const paid = fee > 0 ? { fee, feeAsset: market.currency } : {};
    exchange.run({ do: 'fill', account: id, fills: [{ ...fill, ...paid }] });
    tally.trades += 1;
  }

  /** Notes which of the new calls will be answered, and when. */
  hear(exchange: Exchange, events: readonly BookEvent[]): void {
    const { seed, answerShare } = this.options;
    for (const { kind, body } of events) {
      if (kind !== 'call-opened') continue;
      const { account, call, amount } = body;
      const random = demoRandom(`${seed}/call/${account}/${call}`);
      if (!(random.uniform() < answerShare)) continue;
      const delay = random.uniform() * exchange.callMinutes * 60_000;
      this.promised.push({ account, call, amount, dueMs: exchange.nowMs + delay });
    }
  }

  /** Deposits that have come; what was promised for a call that is over comes no more. @returns who has paid */
  pay(exchange: Exchange): readonly string[] {
    const due = this.promised.filter(({ dueMs }) => dueMs <= exchange.nowMs);
    this.promised = this.promised.filter(({ dueMs }) => dueMs > exchange.nowMs);
    const paid = due.filter(({ account, call }) => {
      return accountOf(exchange.book, account).call?.call === call;
    });
    for (const { account, call, amount: called } of paid) {
      const asset = exchange.market.currency;
      const amount = Math.ceil(100 * Math.max(called, lackingOf(exchange, account))) / 100;
      const reason = `margin call ${call}`;
      exchange.run({ do: 'move-collateral', account, asset, amount, reason });
    }
    return paid.map(({ account }) => account);
  }
}

/** By its latest figures; what isolated positions lack by themselves is in the amount of the call. */
function lackingOf({ figures, book }: Exchange, id: string): number {
  const known = figures.get(id);
  if (known === undefined) return 0;
  const { mode, creditLine } = accountOf(book, id);
  const { initialRequirement } = afterCredit(known, mode === 'isolated' ? 0 : creditLine);
  return COVER * initialRequirement - known.equity;
}

interface Wish {
  readonly instrument: string;
  readonly size: number;
  readonly price: number;
  /** In currency. */
  readonly notional: number;
}

/** Half of the orders are in a contract that is held, the others in any of its underlying. Isolated accounts trade what they hold. */
function wish(exchange: Exchange, account: BookAccount, random: DemoRandom): Wish | null {
  const { market } = exchange;
  const held = [...account.positions];
  const [own, { size: ownSize }] = held[random.index(held.length)]!;
  const from = market.instruments[market.instrumentIndex.get(own)!]!;
  const [elsewhere, share] = [random.uniform() < 0.5, random.scale(LEAST_SHARE, GREATEST_SHARE)];
  const long = random.uniform() < 0.5;
  const chosen = random.uniform();
  const listed = market.instruments.filter(
    ({ underlying, problem, american, type }) =>
      underlying === from.underlying && problem === null && !american && type !== 'pool',
  );
  const other = elsewhere && account.mode !== 'isolated' ? listed : [];
  const contract = other[Math.floor(chosen * other.length)] ?? from;
  if (contract.problem !== null || contract.american) return null;
  const notionalOf = ({ settlement, multiplier, underlying }: typeof contract): number =>
    settlement === 'inverse' ? multiplier : multiplier * market.underlyings[underlying]!.spot;
  const notional = Math.abs(ownSize) * notionalOf(from) * share;
  const size = significant(((long ? 1 : -1) * notional) / notionalOf(contract), 2);
  const price = exchange.quotedPrice(contract.id);
  // Worth nothing any more: there is no price to trade it at.
  if (size === 0 || !(price > 0)) return null;
  return { instrument: contract.id, size, price, notional };
}
