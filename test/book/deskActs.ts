/** What may happen to a desk, as arbitraries: commands of every kind, reservations, ticks of every price, new snapshots. Some will be refused. */
import fc from 'fast-check';
import type { Desk } from '../../src/book/desk/desk.ts';
import type { MarketSnapshot, UnderlyingRecord } from '../../src/market/snapshot.ts';

export type Act = (desk: Desk) => Promise<unknown>;

/** @param accounts those that the acts are about: booked or not */
export function deskActs(market: MarketSnapshot, accounts: readonly string[]): fc.Arbitrary<Act> {
  const acts = new Acts(market, accounts);
  return fc.oneof(
    { weight: 6, arbitrary: acts.trades() },
    { weight: 3, arbitrary: acts.settings() },
    { weight: 3, arbitrary: acts.money() },
    { weight: 4, arbitrary: acts.ticks() },
    { weight: 1, arbitrary: acts.snapshots() },
  );
}

class Acts {
  private readonly market: MarketSnapshot;
  private readonly account: fc.Arbitrary<string>;
  private readonly instrument: fc.Arbitrary<string>;
  private readonly perpetual: fc.Arbitrary<string>;
  private readonly size = fc.integer({ min: -20, max: 20 }).filter((n) => n !== 0);
  /** Of a price, what it becomes. */
  private readonly share = fc.integer({ min: 950, max: 1_050 }).map((n) => n / 1_000);
  private made = 0;
  private second = 0;
  private sequence = 0;

  constructor(market: MarketSnapshot, accounts: readonly string[]) {
    this.market = market;
    this.account = fc.constantFrom(...accounts);
    const idsOf = (wanted: (type: string) => boolean): fc.Arbitrary<string> =>
      fc.constantFrom(...market.instruments.filter(({ type }) => wanted(type)).map(({ id }) => id));
    this.instrument = idsOf((type) => type !== 'spot');
    this.perpetual = idsOf((type) => type === 'perpetual');
  }

  trades(): fc.Arbitrary<Act> {
    const traded = {
      kind: fc.constantFrom('fill', 'order', 'reserve', 'amend'),
      account: this.account,
      instrument: this.instrument,
      size: this.size,
      share: this.share,
    };
    return fc.record(traded).map((one): Act => {
      const { kind: what, account: id, instrument } = one;
      return (desk) => {
        const price = this.markOf(instrument) * one.share;
        const line = { id: `x-${this.made++}`, instrument, price };
        if (what === 'fill') {
          return desk.command({
            do: 'fill',
            account: id,
            fills: [{ ...line, size: one.size / 10 }],
          });
        }
        const side = one.size > 0 ? ('buy' as const) : ('sell' as const);
        const orders = [{ ...line, side, size: Math.abs(one.size) / 10 }];
        if (what === 'order') return desk.command({ do: 'place-orders', account: id, orders });
        if (what === 'reserve') return desk.reserve(id, { orders });
        const [open] = desk.book.accounts.get(id)?.orders.keys() ?? [];
        const order = open ?? 'none';
        return desk.command({ do: 'amend-order', account: id, order, size: 1.5 });
      };
    });
  }

  settings(): fc.Arbitrary<Act> {
    const kind = fc.constantFrom('cancel', 'put', 'delete');
    return fc.record({ kind, account: this.account }).map(({ kind: what, account }): Act => {
      return (desk) => {
        if (what === 'cancel') {
          return desk.command({ do: 'cancel-orders', account, reason: 'test' });
        }
        if (what === 'delete') return desk.command({ do: 'delete-account', account });
        this.made += 1;
        const mode = this.made % 2 === 0 ? 'cross' : 'portfolio';
        const creditLine = this.made % 3;
        return desk.command({ do: 'put-account', account: { id: account, mode, creditLine } });
      };
    });
  }

  money(): fc.Arbitrary<Act> {
    const moved = {
      kind: fc.constantFrom('move', 'move', 'correct', 'fund'),
      account: this.account,
      perpetual: this.perpetual,
      amount: fc.integer({ min: -2_000, max: 2_000 }),
    };
    return fc.record(moved).map((one): Act => {
      const { kind: what, account: id, amount: usd } = one;
      const movement = { asset: 'USD', amount: usd };
      return (desk) => {
        if (what === 'fund') {
          const rate = usd / 1e6;
          return desk.command({ do: 'fund', instrument: one.perpetual, rate });
        }
        if (what === 'move') {
          return desk.command({ do: 'move-collateral', account: id, ...movement, reason: 'test' });
        }
        const correction = { refersTo: 1, reason: 'test', collateral: [movement] };
        return desk.command({ do: 'correct', account: id, ...correction });
      };
    });
  }

  ticks(): fc.Arbitrary<Act> {
    const { share } = this;
    const u = fc.nat(this.market.underlyings.length - 1);
    const moves = fc.array(fc.record({ u, share, smile: share }), { minLength: 1, maxLength: 3 });
    return moves.map((list): Act => {
      return (desk) => {
        const asOf = this.nextInstant();
        const ticks = list.map(({ u: which, share: factor, smile }) => {
          const moved = movedBy(this.market.underlyings[which]!, factor, smile);
          const { id: underlying, spot, forwards, surface } = moved;
          const marks = this.market.instruments
            .filter(({ type, underlying: of }) => type === 'perpetual' && of === underlying)
            .map(({ id: instrument }) => ({ instrument, mark: spot * (1 + (factor - 1) / 10) }));
          const prices = { spot, forwards: forwards!, surface: surface!, marks };
          return { sequence: this.sequence++, underlying, asOf, ...prices };
        });
        return desk.ticks({ source: 'feed', resume: true, ticks });
      };
    });
  }

  snapshots(): fc.Arbitrary<Act> {
    const { share } = this;
    return fc.record({ share, smile: share }).map(({ share: factor, smile }): Act => {
      return (desk) => {
        const asOf = this.nextInstant();
        const underlyings = this.market.underlyings.map((record) => {
          return { ...movedBy(record, factor, smile), asOf };
        });
        return desk.replaceMarket({ ...this.market, asOf, underlyings }, 'test');
      };
    });
  }

  private nextInstant(): string {
    this.second += 1;
    return new Date(Date.parse(this.market.asOf) + this.second * 1_000).toISOString();
  }

  private markOf(id: string): number {
    const record = this.market.instruments.find((one) => one.id === id)!;
    const { spot } = this.market.underlyings.find((one) => one.id === record.underlying)!;
    // Of coin-settled options the price is a share of the coin.
    return record.settlement === 'coin' ? 0.02 : record.type === 'option' ? 0.02 * spot : spot;
  }
}

/** Spot and forwards by one factor, every second volatility by another. */
function movedBy(record: UnderlyingRecord, factor: number, smile: number): UnderlyingRecord {
  const { spot, forwards = [], surface = [] } = record;
  return {
    ...record,
    spot: spot * factor,
    forwards: forwards.map(({ expiry, price }) => ({ expiry, price: price * factor })),
    surface: surface.map(({ expiry, quotes }) => ({
      expiry,
      quotes: quotes.map(({ strike, iv }, i) => ({ strike, iv: i % 2 === 0 ? iv * smile : iv })),
    })),
  };
}
