/** Full revaluation of one underlying's instruments over one drawing block, written into the P&L cube. */
import type { Kernels } from '../../workers/kernels.ts';
import { DRAW_STRIDE } from '../scenarios/scenarioSet.ts';
import type { ExpiryRows, LevelRow, UnderlyingRows } from './plan.ts';

/** Where a block's rows go: row r begins at out + r·rowBytes, its scenarios are contiguous. */
export interface BlockTarget {
  readonly out: number;
  readonly rowBytes: number;
}

const ROW = DRAW_STRIDE * 8;
/** spot, ones, logMove, forward, up, down, conversion. */
export const REVALUATION_SCRATCH_BYTES: number = 7 * ROW;

/**
 * @param n scenarios, a multiple of 16, at most a drawing block
 * @param shocks the drawing block's rows, DRAW_STRIDE apart
 * @param scratch REVALUATION_SCRATCH_BYTES of working room
 */
export function revalue(
  kernels: Kernels,
  rows: UnderlyingRows,
  n: number,
  memory: { readonly shocks: number; readonly scratch: number; readonly f64: Float64Array },
  target: BlockTarget,
): void {
  const at = (row: number): number => target.out + row * target.rowBytes;
  const factor = (index: number): number => (index === -1 ? 0 : memory.shocks + index * ROW);
  const spot = memory.scratch;
  const ones = spot + ROW;
  kernels.spotScenarios(factor(rows.spotFactor), spot, n, rows.spot, rows.absolute ? 1 : 0);
  memory.f64.fill(1, ones / 8, ones / 8 + n);
  const level = (entry: LevelRow, from: number): void => {
    if (entry.inverse) {
      kernels.inverseRow(n, from, spot, entry.mark, entry.scale, at(entry.row), n, 0);
    } else {
      kernels.linearRow(n, from, entry.mark, entry.scale, at(entry.row), n, 0);
    }
  };
  kernels.linearRow(n, spot, rows.spot, 1, at(rows.spotRow), n, 0);
  for (const entry of rows.levels) level(entry, spot);
  for (const payoff of rows.payoffs) {
    const { strike, right, scale, base } = payoff;
    kernels.payoffRow(n, spot, strike, right, scale, base, at(payoff.row), n, 0);
  }
  const logMove = ones + ROW;
  const forward = logMove + ROW;
  for (const expiry of rows.expiries) {
    kernels.expiryScenarios(
      factor(rows.spotFactor),
      factor(rows.basisFactor),
      factor(rows.volFactor),
      n,
      expiry.forward,
      expiry.maturity,
      expiry.volScale,
      logMove,
      forward,
      forward + ROW,
      forward + 2 * ROW,
      forward + 3 * ROW,
    );
    for (const future of expiry.futures) level(future, forward);
    strikes(kernels, expiry, n, { logMove, forward, ones }, at);
  }
}

function strikes(
  kernels: Kernels,
  expiry: ExpiryRows,
  n: number,
  rows: { readonly logMove: number; readonly forward: number; readonly ones: number },
  at: (row: number) => number,
): void {
  const { logMove, forward, ones } = rows;
  for (const strike of expiry.strikes) {
    const { call, put } = strike;
    kernels.optionRows(
      n,
      logMove,
      forward,
      forward + ROW,
      forward + 2 * ROW,
      strike.coin ? forward + 3 * ROW : ones,
      strike.logMoneyness,
      strike.strike,
      strike.totalVolatility,
      strike.scale,
      call?.base ?? 0,
      call === null ? 0 : at(call.row),
      put?.base ?? 0,
      put === null ? 0 : at(put.row),
      n,
      0,
    );
  }
}
