/** The Basel Committee's three zones for a number of exceedances. */
import { PlimsollError } from '../../errors.ts';
import { exp, normalCdf } from '../../numerics.ts';
import { overlapDesignEffect } from './overlap.ts';

export type Zone = 'green' | 'amber' | 'red';

export interface TrafficLight {
  readonly zone: Zone;
  readonly observations: number;
  readonly exceedances: number;
  /** Least numbers of exceedances of the amber and of the red zone. */
  readonly amberFrom: number;
  readonly redFrom: number;
  /** P(X ≤ exceedances) where the model is right. */
  readonly cumulativeProbability: number;
}

/** Basel Committee 1996, table 2, and MAR32.9: amber from a cumulative probability of 95%, red from 99.99%. */
const AMBER = 0.95;
const RED = 0.9999;

/**
 * Zone of a count (Basel Committee, "Supervisory framework for the use of backtesting", January 1996): from the cumulative binomial
 * probability; 250 days at 99% give 0–4, 5–9, 10 and more. Where windows of h rows overlap, exceedances come in clumps, as a compound Poisson
 * number with geometric clumps does (Pólya–Aeppli; D. Aldous, "Probability approximations via the Poisson clumping heuristic", 1989), here with
 * the mean Tp and the variance that overlap gives: the amber bound agrees with simulation, the red one is up to 3 too high.
 * @param tail p = 1 − α
 */
export function trafficLight(
  observations: number,
  exceedances: number,
  tail: number,
  overlap = 1,
): TrafficLight {
  const cumulative = countDistribution(observations, tail, overlap);
  const amberFrom = firstAt(cumulative, AMBER);
  const redFrom = firstAt(cumulative, RED);
  const zone = exceedances >= redFrom ? 'red' : exceedances >= amberFrom ? 'amber' : 'green';
  const cumulativeProbability = cumulative[Math.min(exceedances, cumulative.length - 1)]!;
  return { zone, observations, exceedances, amberFrom, redFrom, cumulativeProbability };
}

function firstAt(cumulative: Float64Array, level: number): number {
  const found = cumulative.findIndex((value) => value >= level);
  return found === -1 ? cumulative.length : found;
}

/** P(X ≤ k) for k = 0 … T. */
function countDistribution(trials: number, tail: number, overlap: number): Float64Array {
  if (!(trials >= 1)) {
    throw new PlimsollError('INSUFFICIENT_HISTORY', 'there is no day to count exceedances on');
  }
  if (overlap <= 1) return binomial(trials, tail);
  const mean = trials * tail;
  const variance = mean * (1 - tail) * overlapDesignEffect(trials, overlap, tail);
  // A clump has (1+θ)/(1−θ) times the variance of its mean: below a little clumping, or of many clumps, the count is near normal.
  const clumping = (variance / mean - 1) / (variance / mean + 1);
  const clumps = mean * (1 - clumping);
  if (clumping > 0.01 && clumps < 600) return polyaAeppli(trials, clumps, clumping);
  const deviation = Math.sqrt(variance);
  return Float64Array.from({ length: trials + 1 }, (_, k) =>
    normalCdf((k + 0.5 - mean) / deviation),
  );
}

/** From the mode outwards by the ratio of neighbours, then normalised: nothing underflows where it matters. */
function binomial(trials: number, p: number): Float64Array {
  const weights = new Float64Array(trials + 1);
  const mode = Math.min(trials, Math.floor((trials + 1) * p));
  const odds = p / (1 - p);
  weights[mode] = 1;
  for (let x = mode; x < trials; x++) {
    weights[x + 1] = (weights[x]! * (trials - x) * odds) / (x + 1);
  }
  for (let x = mode; x > 0; x--) weights[x - 1] = (weights[x]! * x) / ((trials - x + 1) * odds);
  return cumulated(weights);
}

/** f(n) = [(λ(1−θ) + 2θ(n−1)) f(n−1) − θ²(n−2) f(n−2)]/n, f(0) = e^−λ (N. Johnson, A. Kemp, S. Kotz, "Univariate discrete distributions", 9.7). */
function polyaAeppli(trials: number, clumps: number, theta: number): Float64Array {
  const weights = new Float64Array(trials + 1);
  weights[0] = exp(-clumps);
  for (let n = 1; n <= trials; n++) {
    const before = n > 1 ? theta * theta * (n - 2) * weights[n - 2]! : 0;
    const value = ((clumps * (1 - theta) + 2 * theta * (n - 1)) * weights[n - 1]! - before) / n;
    weights[n] = Math.max(0, value);
  }
  return cumulated(weights);
}

function cumulated(weights: Float64Array): Float64Array {
  let total = 0;
  for (const weight of weights) total += weight;
  let sum = 0;
  return weights.map((weight) => {
    sum += weight;
    return Math.min(1, sum / total);
  });
}
