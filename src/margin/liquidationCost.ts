/** What it costs to trade out of a position: spread, market impact and fees, growing with what has been traded already. */
import { closingCost } from './components/liquidity.ts';
import type { UnderlyingExposure } from './exposures.ts';
import type { Valuation } from './valuation.ts';

/** Of one underlying, by absolute value: what has gone through its market. */
interface Traded {
  readonly delta: number;
  readonly vega: number;
}

const NOTHING: Traded = { delta: 0, vega: 0 };

/**
 * Costs of trades one after another, in currency. The market of an underlying does not recover between them: a trade costs what all so far
 * cost with it, less what they cost without (`closingCost` of the liquidity component: half-spread, depth or square-root impact, vega spread),
 * and the fee rate of the methodology's `openOrders` on its notional. So one trade in two halves costs what it costs whole.
 */
export class TradeCosts {
  private readonly valuation: Valuation;
  private readonly traded = new Map<number, Traded>();

  constructor(valuation: Valuation) {
    this.valuation = valuation;
  }

  /**
   * ≥ 0, in currency.
   * @param instrument index
   * @param size contracts, either sign
   */
  of(instrument: number, size: number): number {
    const { market, exposures, methodology } = this.valuation;
    const { underlying } = market.instruments[instrument]!;
    const before = this.traded.get(underlying) ?? NOTHING;
    const impact =
      this.cost(underlying, this.after(instrument, size)) - this.cost(underlying, before);
    const fee = Math.abs(size) * exposures.notionals[instrument]! * methodology.openOrders.feeRate;
    return Math.max(0, impact) + fee;
  }

  /** The trade is done. */
  add(instrument: number, size: number): void {
    const { underlying } = this.valuation.market.instruments[instrument]!;
    this.traded.set(underlying, this.after(instrument, size));
  }

  private after(instrument: number, size: number): Traded {
    const { market, exposures } = this.valuation;
    const { delta, vega } = this.traded.get(market.instruments[instrument]!.underlying) ?? NOTHING;
    return {
      delta: delta + Math.abs(size * exposures.deltas[instrument]!),
      vega: vega + Math.abs(size * exposures.vegas[instrument]!),
    };
  }

  private cost(underlying: number, { delta, vega }: Traded): number {
    const exposure: UnderlyingExposure = {
      underlying,
      delta,
      vega,
      notional: 0,
      offsetDelta: 0,
      longestMaturity: 0,
      shortOptions: 0,
    };
    return closingCost(exposure, this.valuation);
  }
}
