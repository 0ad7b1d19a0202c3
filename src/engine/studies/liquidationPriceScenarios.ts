/** A session's scenarios as an account sees them on whom one underlying's price moves: P&L of all that does not move, and the shocks of what does. */
import { holdingBook } from '../../margin/books.ts';
import type { Holding } from '../../margin/holding.ts';
import type { Portfolio } from '../../margin/portfolio.ts';
import { tailRanks } from '../../risk/tail.ts';
import { DRAW_BLOCK, DRAW_STRIDE } from '../../scenarios/scenarioSet.ts';
import type { UnderlyingRows } from '../../valuation/plan.ts';
import { type Cube, type CubeName, cubeOf, cubesOf } from '../sessionData.ts';
import type { Bench } from '../shards.ts';
import { SingleBook } from '../singleBook.ts';
import type { ScannedSet } from './liquidationPriceTails.ts';

/**
 * @param portfolio resolved on the session
 * @param rows of the underlying that moves
 */
export function scannedSets(
  bench: Bench,
  slot: number,
  portfolio: Portfolio,
  underlying: number,
  rows: UnderlyingRows,
): ReadonlyMap<CubeName, ScannedSet> {
  const { session } = bench;
  const { valuation } = session;
  const { mode } = portfolio.account;
  // Under cross margin what else the account holds is in other pools.
  const resting = portfolio.parts.filter((part) => part.underlying !== underlying);
  const others: Holding | null =
    mode === 'portfolio' && resting.length > 0 ? { ...portfolio, parts: resting } : null;
  const whole = holdingBook(portfolio, valuation);
  return new Map(
    cubesOf(session).map((name) => {
      const cube = cubeOf(session, name);
      const single = new SingleBook(bench, slot, cube);
      const rest =
        others === null
          ? new Float64Array(cube.set.scenarios)
          : single.pnl(holdingBook(others, valuation)).slice();
      if (whole.masks.length > 0) {
        const pnl = single.pnl(whole);
        for (let s = 0; s < rest.length; s++) {
          if (pnl[s] === Number.POSITIVE_INFINITY) rest[s] = Number.POSITIVE_INFINITY;
        }
      }
      const vols = rows.volFactor === -1 ? null : shocksOf(bench, cube, rows.volFactor);
      const moves = shocksOf(bench, cube, rows.spotFactor);
      return [name, { others: rest, moves, vols, mass: massOf(bench, cube, name, rest) }];
    }),
  );
}

function massOf({ session }: Bench, { set }: Cube, name: CubeName, rest: Float64Array): number {
  if (name === 'stress') return 1;
  let usable = 0;
  for (const gain of rest) if (gain !== Number.POSITIVE_INFINITY) usable += 1;
  return tailRanks(usable, session.valuation.methodology.confidence, set.overlap).mass;
}

function shocksOf({ views }: Bench, { layout, set }: Cube, factor: number): Float64Array {
  const moves = new Float64Array(set.scenarios);
  for (let first = 0; first < set.scenarios; first += DRAW_BLOCK) {
    const at =
      (layout.shocks + (first / DRAW_BLOCK) * layout.shockBytes) / 8 + factor * DRAW_STRIDE;
    moves.set(views.f64.subarray(at, at + Math.min(DRAW_BLOCK, set.scenarios - first)), first);
  }
  return moves;
}
