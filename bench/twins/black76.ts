/** Black (1976) as printed, one option at a time. */
import { normalCdf } from './maths.ts';

export interface LadderState {
  readonly logMove: Float64Array;
  readonly forward: Float64Array;
  readonly up: Float64Array;
}

/** Undiscounted calls of one strike in all scenarios, and the puts where asked for. */
export function black76Row(
  state: LadderState,
  strike: { readonly logMoneyness: number; readonly strike: number; readonly v0: number },
  call: Float64Array,
  put: Float64Array | null,
): void {
  const { logMove, forward, up } = state;
  const k = strike.strike;
  for (let s = 0; s < call.length; s++) {
    const f = forward[s]!;
    const v = strike.v0 * up[s]!;
    const d1 = (logMove[s]! + strike.logMoneyness) / v + 0.5 * v;
    const price = f * normalCdf(d1) - k * normalCdf(d1 - v);
    call[s] = price;
    if (put !== null) put[s] = price - (f - k);
  }
}
