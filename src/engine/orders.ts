/** The orders in which the dependence component reads an underlying's scenarios. */
import type { Kernels } from '../../workers/kernels.ts';
import { sha256 } from '../json.ts';
import { PURPOSE } from '../scenarios/scenarioSet.ts';
import type { Views } from './bookMemory.ts';

const BITS = 4096;

/**
 * A uniform permutation of 0…n−1 (Fisher and Yates, in Durstenfeld's form of 1964) from the stream of the seed and the underlying's id: it
 * does not depend on what else the market holds.
 * @param room a place for the stream's state and 32 KiB of bits behind it
 */
export function permute(
  kernels: Kernels,
  key: bigint,
  underlying: string,
  out: Uint32Array,
  room: { readonly state: number; readonly views: Views },
): void {
  const index = Number.parseInt(
    sha256(underlying).slice('sha256:'.length, 'sha256:'.length + 7),
    16,
  );
  const bits = room.state + 256;
  const words = room.views.u32.subarray(bits / 4, bits / 4 + 2 * BITS);
  kernels.openStream(room.state, key, PURPOSE.order, index, 0);
  for (let i = 0; i < out.length; i++) out[i] = i;
  let used = BITS;
  for (let i = out.length - 1; i > 0; i--) {
    if (used === BITS) {
      kernels.fillBits(room.state, bits, BITS);
      used = 0;
    }
    // 53 bits: of n ≤ 10⁷ no place is preferred by more than one part in 10⁸.
    const uniform =
      ((words[2 * used + 1]! >>> 5) * 67_108_864 + (words[2 * used]! >>> 6)) / 2 ** 53;
    used += 1;
    const j = Math.floor(uniform * (i + 1));
    const moved = out[i]!;
    out[i] = out[j]!;
    out[j] = moved;
  }
}

/**
 * As many scenarios as there are, evenly from those in which the underlying has a shock, in a given order: a place p of S gets the row of
 * rank ⌊(p + ½)·n/S⌋. An underlying with a shorter history than another thus keeps its own law, and pairs with it at equal quantiles.
 */
export function spread(rows: Uint32Array, out: Uint32Array): void {
  const n = rows.length;
  if (n === 0) return;
  for (let p = 0; p < out.length; p++) out[p] = rows[Math.floor(((p + 0.5) * n) / out.length)]!;
}

/** Scenarios in which a factor has a shock. */
export function presentRows(scenarios: number, gap: Uint8Array | null): Uint32Array {
  const all = Uint32Array.from({ length: scenarios }, (_, s) => s);
  return gap === null ? all : all.filter((s) => gap[s] === 0);
}

/**
 * Scenario numbers by the shock of their spot, lowest first, ties by number. Shocks, not prices: the order is the same on every market.
 */
export function rankSpots(moves: Float64Array, gap: Uint8Array | null): Uint32Array {
  const rows = presentRows(moves.length, gap).sort((a, b) => moves[a]! - moves[b]! || a - b);
  const out = Uint32Array.from(moves, (_, s) => s);
  spread(rows, out);
  return out;
}
