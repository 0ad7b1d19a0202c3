/** The twins of workers/kernels/jumps.ts, over plain arrays; `exp` is given, as the kernels' has bits of its own. */

/** The least k with (j + ½)·2⁻⁵² ≤ P(N ≤ k), j the top 52 bits of a word. */
export function poissons(
  words: ArrayLike<bigint>,
  mean: number,
  exp: (x: number) => number,
): number[] {
  return Array.from(words, (word) => {
    const u = (Number(word >> 12n) + 0.5) * 2 ** -52;
    let k = 0;
    let probability = exp(-mean);
    let sum = probability;
    while (u > sum && k < mean + 12 * Math.sqrt(mean) + 60) {
      k += 1;
      probability *= mean / k;
      sum += probability;
    }
    return k;
  });
}

export function jumpSums(
  counts: readonly number[],
  z: readonly number[],
  mean: number,
  volatility: number,
): number[] {
  return counts.map((count, s) => count * mean + Math.sqrt(count) * volatility * z[s]!);
}

export function addScaled(x: readonly number[], y: readonly number[], scale: number): number[] {
  return x.map((value, s) => value + scale * y[s]!);
}
