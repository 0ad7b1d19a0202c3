/** Tests of a 0/1 sequence of VaR exceedances: how many there are, and whether they come in clusters. */
import { log } from '../../numerics.ts';
import { chiSquareTail1, chiSquareTail2 } from './chiSquare.ts';

/** A likelihood-ratio statistic and the probability of a greater one where the model is right. */
export interface LikelihoodRatio {
  readonly statistic: number;
  readonly pValue: number;
}

/**
 * Proportion of failures: −2 ln[(1−p)^(T−x) p^x / ((1−x/T)^(T−x) (x/T)^x)] ~ χ²₁ (P. Kupiec, "Techniques for verifying the accuracy of risk
 * measurement models", J. Derivatives 3(2), 1995).
 * @param tail p = 1 − α, 0 < p < 1
 * @param designEffect variance of the count over that of independent days: the statistic is divided by it (J. Rao, A. Scott, "The analysis
 * of categorical data from complex sample surveys", JASA 76, 1981, first-order correction)
 */
export function kupiec(
  observations: number,
  exceedances: number,
  tail: number,
  designEffect = 1,
): LikelihoodRatio {
  const kept = observations - exceedances;
  const restricted = term(exceedances, tail) + term(kept, 1 - tail);
  const ratio = 2 * (entropy(exceedances, kept) - restricted);
  const statistic = Math.max(0, ratio) / designEffect;
  return { statistic, pValue: chiSquareTail1(statistic) };
}

export interface Christoffersen {
  /** Days after which there is a next one: n00 + n01 + n10 + n11. */
  readonly observations: number;
  /** [n00, n01, n10, n11]: n01 counts a quiet day followed by an exceedance. */
  readonly transitions: readonly [number, number, number, number];
  readonly independence: LikelihoodRatio;
  readonly conditionalCoverage: LikelihoodRatio;
}

/**
 * Independence against a first-order Markov chain, ~ χ²₁, and conditional coverage LR_cc = LR_pof + LR_ind ~ χ²₂ (P. Christoffersen,
 * "Evaluating interval forecasts", International Economic Review 39, 1998, eq. 4.4 and 4.6). Where windows of h rows overlap, neighbours
 * depend on each other however good the model is: then every h-th window is taken, counted back from the last.
 * @param hits 1 where the loss was beyond VaR
 */
export function christoffersen(hits: Uint8Array, tail: number, overlap = 1): Christoffersen {
  const apart = everyNth(hits, overlap);
  const counts = [0, 0, 0, 0];
  for (let t = 1; t < apart.length; t++) counts[2 * apart[t - 1]! + apart[t]!]! += 1;
  const [n00, n01, n10, n11] = counts as [number, number, number, number];
  const chain = entropy(n00, n01) + entropy(n10, n11);
  const ratio = Math.max(0, 2 * (chain - entropy(n00 + n10, n01 + n11)));
  const exceedances = apart.reduce((sum, hit) => sum + hit, 0);
  const coverage = kupiec(apart.length, exceedances, tail).statistic + ratio;
  return {
    observations: Math.max(0, apart.length - 1),
    transitions: [n00, n01, n10, n11],
    independence: { statistic: ratio, pValue: chiSquareTail1(ratio) },
    conditionalCoverage: { statistic: coverage, pValue: chiSquareTail2(coverage) },
  };
}

function everyNth(hits: Uint8Array, n: number): Uint8Array {
  const first = (hits.length - 1) % n;
  return n === 1 ? hits : hits.filter((_, t) => t % n === first);
}

/** count · ln(probability), 0 where nothing was counted. */
function term(count: number, probability: number): number {
  return count === 0 ? 0 : count * log(probability);
}

/** The log-likelihood of counts at their own shares. */
function entropy(a: number, b: number): number {
  return term(a, a / (a + b)) + term(b, b / (a + b));
}
