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
/** What the American kernel needs. */
const AMERICAN_BYTES = 672;
/** spot, ones, logMove, forward, up, down, conversion, a strike's own up and down; the smile stands behind them. */
const SMILE_AT = 9 * ROW + AMERICAN_BYTES;

/** Without smiles. */
export const REVALUATION_SCRATCH_BYTES: number = SMILE_AT + 16;

/** Working room of `revalue`, in bytes. */
export function revaluationBytes(plan: { readonly smileBytes: number }): number {
  return REVALUATION_SCRATCH_BYTES + plan.smileBytes;
}

/**
 * @param n scenarios, a multiple of 16, at most a drawing block
 * @param shocks the drawing block's rows, DRAW_STRIDE apart
 * @param scratch `revaluationBytes` of working room
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
    const { strike, right, scale, base, binary } = payoff;
    const to = at(payoff.row);
    if (binary) kernels.binaryPayoffRow(n, spot, strike, right, scale, base, to, n, 0);
    else kernels.payoffRow(n, spot, strike, right, scale, base, to, n, 0);
  }
  for (const pool of rows.pools) {
    kernels.rootRow(n, spot, rows.spot, pool.scale, at(pool.row), n, 0);
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
    const table = memory.scratch + SMILE_AT;
    if (expiry.smile !== null) memory.f64.set(expiry.smile.words, table / 8);
    const volatilities = {
      kernels,
      expiry,
      n,
      logMove,
      up: forward + ROW,
      own: forward + 4 * ROW,
      table,
    };
    strikes(kernels, expiry, n, { logMove, forward, ones, volatilities }, at);
    for (const binary of expiry.binaries) {
      const { logMoneyness, right, scale, base, row } = binary;
      const { up, v0 } = volatilityOf(volatilities, logMoneyness, binary.totalVolatility);
      const terms = [logMoneyness, v0, right, scale, base] as const;
      kernels.binaryRow(n, logMove, up, ...terms, at(row), n, 0);
    }
    const basis = factor(rows.basisFactor);
    const state = { spot, shock: factor(rows.spotFactor), basis, logMove, forward, volatilities };
    americans(kernels, expiry, n, state, at);
  }
}

interface Volatilities {
  readonly kernels: Kernels;
  readonly expiry: ExpiryRows;
  readonly n: number;
  readonly logMove: number;
  readonly up: number;
  /** Two rows for a strike of its own. */
  readonly own: number;
  readonly table: number;
}

/** The rows and the factor that total volatility is the product of: v0 · up, and its inverse down / v0. */
function volatilityOf(
  { kernels, expiry, n, logMove, up, own, table }: Volatilities,
  logMoneyness: number,
  totalVolatility: number,
): { readonly up: number; readonly down: number; readonly v0: number } {
  const down = up + ROW;
  if (expiry.smile === null) return { up, down, v0: totalVolatility };
  const scale = Math.sqrt(expiry.left / expiry.maturity);
  kernels.sliceVolatilities(table, n, logMove, logMoneyness, scale, up, down, own, own + ROW);
  return { up: own, down: own + ROW, v0: 1 };
}

function strikes(
  kernels: Kernels,
  expiry: ExpiryRows,
  n: number,
  rows: {
    readonly logMove: number;
    readonly forward: number;
    readonly ones: number;
    readonly volatilities: Volatilities;
  },
  at: (row: number) => number,
): void {
  const { logMove, forward, ones, volatilities } = rows;
  for (const strike of expiry.strikes) {
    const { call, put } = strike;
    const own = volatilityOf(volatilities, strike.logMoneyness, strike.totalVolatility);
    kernels.optionRows(
      n,
      logMove,
      forward,
      own.up,
      own.down,
      strike.coin ? forward + 3 * ROW : ones,
      strike.logMoneyness,
      strike.strike,
      own.v0,
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

function americans(
  kernels: Kernels,
  expiry: ExpiryRows,
  n: number,
  state: {
    readonly spot: number;
    readonly shock: number;
    readonly basis: number;
    readonly logMove: number;
    readonly forward: number;
    readonly volatilities: Volatilities;
  },
  at: (row: number) => number,
): void {
  const { spot, shock, basis, logMove, forward, volatilities } = state;
  for (const option of expiry.americans) {
    const { future, right, base, scale } = option;
    const own = volatilityOf(volatilities, option.logForward, option.totalVolatility);
    // Exercise into a future: its own forward is the level, which has no carry and needs no basis.
    kernels.americanRow(
      n,
      future ? forward : spot,
      future ? logMove : shock,
      forward,
      logMove,
      future ? 0 : basis,
      own.up,
      option.logLevel,
      option.logForward,
      option.carry,
      expiry.maturity,
      option.strike,
      own.v0,
      option.rateTime,
      right,
      scale,
      base,
      at(option.row),
      n,
      0,
      forward + 6 * ROW,
    );
  }
}
