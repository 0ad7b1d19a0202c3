/** Serial random numbers for made-up data, never for scenarios: ARC4 of a text (seedrandom), so pure integer arithmetic. */
import seedrandom from 'seedrandom';
import { exp, inverseNormalCdf, log } from '../numerics.ts';

/** Every draw moves the stream on by one 32-bit word. */
export interface DemoRandom {
  /** Uniform, strictly between 0 and 1: 2³² equidistant values. */
  uniform(): number;
  /** Uniform on [low, high). */
  between(low: number, high: number): number;
  /** Log-uniform on [low, high), 0 < low. */
  scale(low: number, high: number): number;
  /** Standard normal, by inversion. */
  normal(): number;
  /** A whole number from 0 to count − 1. */
  index(count: number): number;
}

export function demoRandom(seed: string): DemoRandom {
  const words = seedrandom(seed);
  const uniform = (): number => ((words.int32() >>> 0) + 0.5) / 4_294_967_296;
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    scale: (low, high) => exp(log(low) + (log(high) - log(low)) * uniform()),
    normal: () => inverseNormalCdf(uniform()),
    index: (count) => Math.floor(uniform() * count),
  };
}
