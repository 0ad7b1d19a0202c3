/** A rate is worth nothing where the results differ: every twin and peer is held to the same numbers first. */

/**
 * The greatest |ours − theirs| relative to max(|theirs|, scale).
 * @param scale what an absolute error is measured by; 0 asks for relative agreement everywhere
 */
export function difference(
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
  scale: number,
): number {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  let greatest = 0;
  for (let i = 0; i < ours.length; i++) {
    if (ours[i] === theirs[i]) continue;
    const relative = Math.abs(ours[i]! - theirs[i]!) / Math.max(Math.abs(theirs[i]!), scale);
    // A NaN is a disagreement too.
    if (!(relative <= greatest)) greatest = Number.isNaN(relative) ? Infinity : relative;
  }
  return greatest;
}

/** @throws Error where the two disagree */
export function mustAgree(
  name: string,
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
  { bound, scale }: { readonly bound: number; readonly scale: number },
): void {
  const found = difference(ours, theirs, scale);
  if (!(found <= bound)) {
    throw new Error(`${name} computes something else: difference ${found}, allowed ${bound}`);
  }
}
