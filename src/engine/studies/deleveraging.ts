/**
 * Auto-deleveraging: whose positions are reduced when neither a liquidated account nor the insurance fund can bear its loss. Profitable
 * positions of leveraged accounts come first. Pure.
 */

/** A position opposite to one that is liquidated. */
export interface OpposingPosition {
  readonly account: string;
  /** Signed, in contracts. */
  readonly size: number;
  /** Unrealised profit over the value at entry; 0 where no entry price is known. */
  readonly profit: number;
  /** Gross notional of its account over the account's equity, > 0. */
  readonly leverage: number;
}

export interface RankedPosition extends OpposingPosition {
  readonly score: number;
}

/** A winner ranks the higher the more it is leveraged, a loser the lower. */
export function deleveragingScore({ profit, leverage }: OpposingPosition): number {
  return profit > 0 ? profit * leverage : profit / leverage;
}

/** From the first to be reduced; ties by account id (code-unit order). */
export function rankPositions(positions: readonly OpposingPosition[]): readonly RankedPosition[] {
  return positions
    .map((position) => ({ ...position, score: deleveragingScore(position) }))
    .sort(
      (a, b) => b.score - a.score || (a.account < b.account ? -1 : a.account > b.account ? 1 : 0),
    );
}

export interface TakenPosition {
  readonly account: string;
  readonly score: number;
  /** Signed change of the counterparty's position. */
  readonly size: number;
  /** What it loses against the mark, in currency, ≥ 0. */
  readonly loss: number;
}

export interface Deleveraging {
  readonly taken: readonly TakenPosition[];
  /** Loss that found nobody to bear it, in currency. */
  readonly uncovered: number;
}

/**
 * Gives a position that is closed to opposing ones in their order, each up to its size, and its loss in proportion.
 * @param size of the position that is closed, signed
 * @param loss in currency, ≥ 0
 */
export function deleverage(
  size: number,
  loss: number,
  positions: readonly OpposingPosition[],
): Deleveraging {
  const whole = Math.abs(size);
  const taken: TakenPosition[] = [];
  let left = whole;
  const opposing = positions.filter((position) => position.size * size < 0);
  for (const { account, score, size: held } of rankPositions(opposing)) {
    if (!(left > 0)) break;
    const part = Math.min(left, Math.abs(held));
    left -= part;
    taken.push({ account, score, size: Math.sign(size) * part, loss: (loss * part) / whole });
  }
  return { taken, uncovered: (loss * left) / whole };
}
