import { PlimsollError } from '../errors.ts';
import { binomialRanks } from './binomial.ts';

/**
 * The order statistics that a tail measure needs, of n losses sorted from the worst: L₍₁₎ ≥ L₍₂₎ ≥ … Ranks count from 1.
 */
export interface TailRanks {
  /** Scenarios. */
  readonly n: number;
  /** Scenarios that are independent of each other: n, or n/h where h-day windows overlap. */
  readonly effective: number;
  readonly confidence: number;
  /** a = n(1−α) rounded to 10⁻⁶, so that 10,000 × 0.01 is 100. */
  readonly mass: number;
  /** k = ⌈a⌉: VaR is the k-th worst loss. */
  readonly valueAtRisk: number;
  /** m of the VaR's standard error; 0 where the sample knows none. */
  readonly spacing: number;
  /** Whether two or more independent scenarios lie in the tail: with one, nobody knows how far off the figures may be. */
  readonly errorsKnown: boolean;
  /** Ranks of the 95% interval for VaR: the upper loss and the lower one, 0 where the sample is too small for that side. */
  readonly upper: number;
  readonly lower: number;
  /** How many of the worst losses all of these need. */
  readonly keep: number;
}

/** Two-sided level of the interval that is reported for VaR. */
export const INTERVAL_LEVEL = 0.95;

/** n(1−α) rounded to 10⁻⁶: how many of n scenarios the tail has. */
export function tailMass(n: number, confidence: number): number {
  return Math.round(n * (1 - confidence) * 1e6) / 1e6;
}

/** The least n of which one lies in the tail: ⌈1/(1−α)⌉. Of fewer, the worst loss seen says nothing of the tail at α. */
export function leastScenarios(confidence: number): number {
  return Math.ceil(Math.round(1e6 / (1 - confidence)) / 1e6);
}

/**
 * Ranks for n scenarios at confidence α. The interval's are those of the binomial count of losses beyond the true quantile; where windows
 * overlap, those of the independent number, spread over all.
 */
export function tailRanks(n: number, confidence: number, overlap = 1): TailRanks {
  if (!(n >= 1)) throw new PlimsollError('INSUFFICIENT_HISTORY', 'there is no usable scenario');
  const mass = tailMass(n, confidence);
  const k = Math.max(1, Math.ceil(mass));
  const effective = n / overlap;
  const errorsKnown = tailMass(effective, confidence) > 1;
  const spacing = errorsKnown ? Math.min(Math.ceil(k / 4), k - 1) : 0;
  const sides = binomialRanks(
    Math.max(1, Math.floor(effective)),
    1 - confidence,
    (1 - INTERVAL_LEVEL) / 2,
  );
  const upper = Math.floor(sides[0] * overlap);
  const lower = Math.ceil(sides[1] * overlap);
  const keep = Math.min(n, Math.max(k + spacing, lower <= n ? lower : k));
  return {
    n,
    effective,
    confidence,
    mass,
    valueAtRisk: k,
    spacing: Math.min(spacing, n - k),
    errorsKnown,
    upper,
    lower: lower <= n ? lower : 0,
    keep,
  };
}

export interface TailMeasures {
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
  /** One standard error of each; null where the sample cannot tell: fewer than two independent scenarios in the tail. */
  readonly standardError: {
    readonly valueAtRisk: number | null;
    readonly expectedShortfall: number | null;
  };
  /** Order-statistic interval of VaR; an end that lies beyond the sample is null. */
  readonly interval: {
    readonly level: number;
    readonly valueAtRisk: readonly [number | null, number | null];
  };
}

/**
 * VaR, ES and their errors from the worst P&L values, lowest first (losses are their negatives), by METHODOLOGY section 4:
 * ES = (Σ_{j<k} L₍ⱼ₎ + (a − (k−1)) L₍ₖ₎)/a summed in that order (Acerbi and Tasche 2002); where a < 1 it is L₍₁₎.
 * se(VaR) from the spacing of order statistics; se(ES)² = Var((L−VaR)⁺)/(n(1−α)²).
 */
export function tailMeasures(worst: ArrayLike<number>, ranks: TailRanks): TailMeasures {
  const { n, effective, confidence, mass, valueAtRisk: k, spacing } = ranks;
  const loss = (rank: number): number => -(worst[rank - 1] as number) || 0;
  const valueAtRisk = loss(k);
  let sum = 0;
  for (let j = 1; j < k; j++) sum += loss(j);
  const expectedShortfall = mass < 1 ? valueAtRisk : (sum + (mass - (k - 1)) * valueAtRisk) / mass;
  let excess = 0;
  let squares = 0;
  for (let j = 1; j < k; j++) {
    const over = loss(j) - valueAtRisk;
    excess += over;
    squares += over * over;
  }
  const tail = 1 - confidence;
  const variance = Math.max(0, squares / n - (excess / n) * (excess / n));
  const density = spacing === 0 ? null : (loss(k - spacing) - loss(k + spacing)) / (2 * spacing);
  const errorOfValueAtRisk =
    // The spacing is that of n ranks; the error that of `effective` independent draws: n·√(α(1−α)/effective) ranks.
    density === null ? null : density * n * Math.sqrt((tail * confidence) / effective);
  return {
    valueAtRisk,
    expectedShortfall,
    standardError: {
      valueAtRisk: errorOfValueAtRisk,
      expectedShortfall: ranks.errorsKnown ? Math.sqrt(variance / (effective * tail * tail)) : null,
    },
    interval: {
      level: INTERVAL_LEVEL,
      valueAtRisk: [
        ranks.lower === 0 ? null : loss(ranks.lower),
        ranks.upper === 0 ? null : loss(ranks.upper),
      ],
    },
  };
}
