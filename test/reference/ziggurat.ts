/**
 * The ziggurat (Marsaglia, Tsang 2000; Doornik 2005) and Marsaglia and Tsang's gamma method, draw by draw over BigInt words: the
 * twins of workers/kernels/normal.ts. They share the kernels' exp and log, and the layers made by another tool.
 */
import { readFileSync } from 'node:fs';
import { exp, log } from '../../src/numerics.ts';
import type { Words } from './xoshiro.ts';

interface Layers {
  readonly R: number;
  readonly V: number;
  /** x₀ = V/f(R), x₁ = R, …, x₂₅₆ = 0. */
  readonly edges: readonly number[];
  /** exp(−x²/2) of each. */
  readonly heights: readonly number[];
}

export const layers: Layers = JSON.parse(
  readFileSync(new URL('../fixtures/ziggurat.json', import.meta.url), 'utf8'),
);

/** (k + ½)/2^52, k the top 52 bits: exact in a double. */
export function uniform(word: bigint): number {
  return Number(2n * (word >> 12n) + 1n) / 2 ** 53;
}

/** A position in (−½, ½), symmetric: (2k + 1)/2^52 − ½, k the top 51 bits. */
function position(word: bigint): number {
  return Number(2n * (word >> 13n) + 1n) / 2 ** 52 - 0.5;
}

function tail(next: Words): number {
  for (;;) {
    const x = -log(uniform(next())) / layers.R;
    const y = -log(uniform(next()));
    if (2 * y >= x * x) return layers.R + x;
  }
}

export function normal(next: Words): number {
  const { edges, heights } = layers;
  for (;;) {
    const word = next();
    const i = Number(word & 255n);
    const u = position(word);
    const x = u * (2 * edges[i]!);
    if (Math.abs(u) < edges[i + 1]! / edges[i]! / 2) return x;
    if (i === 0) return Math.sign(u) * tail(next);
    const height = heights[i]! + uniform(next()) * (heights[i + 1]! - heights[i]!);
    if (height < exp(-0.5 * x * x)) return x;
  }
}

/** Gamma(a ≥ 1, 1)/d, its d beside it. */
function gammaOverD(next: Words, shape: number): readonly [number, number] {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = normal(next);
    const root = 1 + c * z;
    if (root <= 0) continue;
    const v = root * root * root;
    const u = uniform(next());
    const square = z * z;
    // The squeeze is left out: it only keeps what this test keeps.
    if (log(u) < 0.5 * square + d * (1 - v + log(v))) return [v, d];
  }
}

export function chiSquare(next: Words, degreesOfFreedom: number): number {
  const shape = degreesOfFreedom / 2;
  const [v, d] = gammaOverD(next, shape < 1 ? shape + 1 : shape);
  const value = 2 * d * v;
  return shape < 1 ? value * exp(log(uniform(next())) / shape) : value;
}
