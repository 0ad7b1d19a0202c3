/** Moves as shocks of a model's factors. */
import { PlimsollError } from '../../errors.ts';
import { parseFactorId } from '../../market/factorIds.ts';
import { exp, log } from '../../numerics.ts';
import type { Moves, StressScenario } from './schema.ts';

export interface RowContext {
  /** Column of each factor of the model. */
  readonly index: ReadonlyMap<string, number>;
  /** 1 where the shock is absolute. */
  readonly absolute: Uint8Array;
  /** By underlying. */
  readonly spots: ReadonlyMap<string, number>;
  /** Log shocks beyond it are clamped when they are replayed. */
  readonly maxLogShock: number;
  /** Gathers factors that are moved but not in the model, and those that the history lacks. */
  readonly held: Set<string>;
  readonly heldInHistory: Set<string>;
}

const MOVED = ['spot', 'vol', 'basis'] as const;

/** The field in which a move is stated: of one underlying, or (null) of all. */
export type MovePlace = (what: (typeof MOVED)[number], own: string | null) => string;

/**
 * Each underlying's own moves, where it has some, before those that are for all.
 * @param place where the scenario's moves are stated; left out for those that come with the engine
 * @throws INVALID_FIELD for a stated move that the clamp would cut: it would be another than was asked for
 */
export function movesRow(
  scenario: StressScenario,
  context: RowContext,
  place?: MovePlace,
): Float64Array {
  const row = new Float64Array(context.index.size);
  const own = scenario.underlyings ?? {};
  const ids = new Set([...context.spots.keys(), ...Object.keys(own)]);
  for (const id of ids) {
    const moves: Moves = Object.hasOwn(own, id) ? own[id]! : {};
    for (const what of MOVED) {
      const move = moves[what] ?? scenario[what] ?? 0;
      if (move === 0) continue;
      const factor = `${id}:${what}`;
      const column = context.index.get(factor);
      if (column === undefined) {
        context.held.add(factor);
        continue;
      }
      const absolute = context.absolute[column] === 1;
      const shock = shockOf(what, move, id, absolute, context);
      if (place !== undefined && !absolute && !(Math.abs(shock) <= context.maxLogShock)) {
        throw beyondClamp(place(what, moves[what] === undefined ? null : id), move, context);
      }
      row[column] = shock;
    }
  }
  return row;
}

function beyondClamp(path: string, move: number, { maxLogShock }: RowContext): PlimsollError {
  const [least, most] = [exp(-maxLogShock) - 1, exp(maxLogShock) - 1];
  const message = `${path} is ${move}: log shocks are clamped at ±${maxLogShock} (maxLogShock), so a move must lie from ${least} to ${most}`;
  return new PlimsollError('INVALID_FIELD', message, { path });
}

function shockOf(
  what: (typeof MOVED)[number],
  move: number,
  id: string,
  absolute: boolean,
  context: RowContext,
): number {
  if (what === 'basis') return move;
  return what === 'spot' && absolute ? move * spotOf(id, context) : log(1 + move);
}

/** A factor without a price in the market moves nothing that could be held. */
function spotOf(id: string, { spots }: RowContext): number {
  return spots.get(id) ?? 0;
}

/** Changes of a history as shocks; a factor that it lacks altogether stays still, a missing cell is a gap. */
export function dayRow(changes: ReadonlyMap<string, number>, context: RowContext): Float64Array {
  const row = new Float64Array(context.index.size);
  for (const [id, column] of context.index) {
    const change = changes.get(id);
    if (change === undefined) {
      context.heldInHistory.add(id);
      continue;
    }
    const { underlying, type } = parseFactorId(id);
    const inPrice = type === 'spot' && context.absolute[column] === 1;
    row[column] = inPrice ? spotOf(underlying, context) * (exp(change) - 1) : change;
  }
  return row;
}
