/** What happens at expiry: positions are settled at the spot, orders in them lapse. */
import type { Account } from '../../margin/account.ts';
import type { Instrument } from '../../market/market.ts';
import { AccountDraft, markPrice, type Quotes } from './accountDraft.ts';

export interface SettledPosition {
  readonly instrument: string;
  readonly size: number;
  /** Quote price at which it is closed: the spot of a future, the payoff of an option (coin-settled: in coin). */
  readonly price: number;
  /** What it pays into the collateral (< 0: takes out of it). */
  readonly asset: string;
  readonly amount: number;
}

export interface Settled {
  readonly account: Account;
  readonly positions: readonly SettledPosition[];
  /** Instruments of orders that lapsed. */
  readonly lapsed: readonly string[];
}

/**
 * Settles all that expires up to an instant, in the order of expiry: options and binaries pay what they are worth at the
 * spot (a binary call pays above its strike, a put at or below it), futures realise their gain up to it (from the entry price, or from the mark
 * where they have none), in coin what settles in coin. In isolated mode the collateral that was set apart for them is free again.
 */
export function settleExpired(
  account: Account,
  { market, plan }: Quotes,
  untilMs: number,
): Settled {
  const due = (id: string): boolean => {
    const index = market.instrumentIndex.get(id);
    const expiryMs = index === undefined ? 0 : market.instruments[index]!.expiryMs;
    return expiryMs !== 0 && expiryMs <= untilMs;
  };
  const expiring = account.instruments
    .filter(due)
    .map((id) => market.instrumentIndex.get(id)!)
    .sort((a, b) => market.instruments[a]!.expiryMs - market.instruments[b]!.expiryMs || a - b);
  const lapsed = account.orders.filter(({ instrument }) => due(instrument));
  if (expiring.length === 0 && lapsed.length === 0) return { account, positions: [], lapsed: [] };
  const draft = new AccountDraft(account, market);
  draft.orders = account.orders.filter(({ instrument }) => !due(instrument));
  const positions = expiring.map((index): SettledPosition => {
    const instrument = market.instruments[index]!;
    const { id } = instrument;
    const { spot } = market.underlyings[instrument.underlying]!;
    const size = draft.sizeOf(id);
    const price = settlementPrice(instrument, spot);
    const flow = draft.fill(
      instrument,
      -size,
      price,
      markPrice(instrument, index, { market, plan }),
    );
    return { instrument: id, size, price, ...(flow ?? { asset: market.currency, amount: 0 }) };
  });
  return { account: draft.finish(), positions, lapsed: lapsed.map(({ instrument }) => instrument) };
}

function settlementPrice({ type, strike, right, settlement }: Instrument, spot: number): number {
  if (type === 'future') return spot;
  if (type === 'binary') return (right === 1 ? spot > strike : spot <= strike) ? 1 : 0;
  const payoff = Math.max(right * (spot - strike), 0);
  return settlement === 'coin' ? payoff / spot : payoff;
}
