/**
 * Fits one SVI slice to one expiry's quotes: the best of a grid on which three of the five parameters are solved exactly (`sviStart.ts`) are
 * polished in all five. Where the result breaks a no-arbitrage condition it is fitted again with that condition at the places where it is
 * broken, until it is kept.
 *
 * The variables are (W, R, L, m, σ): least total variance W = a + bσ√(1−ρ²), right and left wing slopes R = b(1+ρ) and L = b(1−ρ). In them
 * the conditions on sign and wings are plain bounds, and for given (m, σ): w = a + R u + L v, u, v = (√(x²+σ²) ± x)/2, x = k − m.
 */
import { exp } from '../numerics.ts';
import { leastSquares } from './leastSquares.ts';
import type { VolatilitySlice } from './slice.ts';
import {
  type SviParameters,
  sviDensityFactor,
  sviTotalVariance,
  sviWingSlopes,
  type WingSlopes,
} from './svi.ts';
import { arbitrageOf, butterflyMinima, calendarMinima, type Minimum } from './sviChecks.ts';
import { type FitTarget, quasiExplicit } from './sviStart.ts';

export type FitBound = 'butterfly' | 'calendar' | 'wings';

export interface SliceFit {
  readonly parameters: SviParameters;
  /** Conditions that the fit broke at first and was then held to. */
  readonly bound: readonly FitBound[];
}

/** R. Lee's bound on wing slopes is 2; a little below it, so that g stays above 0 in the end. */
const WING_MAX = 1.98;
/**
 * A squared difference of volatility counts with the quote's vega over that at the money: between equal weights, under which the many far quotes
 * of an expiry, worth next to nothing, decide, and differences of price (vega squared), under which they do not count at all. At least so
 * much each, as margin must know what far out-of-the-money shorts cost. A snapshot has no spreads to weigh by.
 */
const WEIGHT_MIN = 0.005;
/**
 * Wings are drawn towards flat, by this much of the misfit for a slope of √w: where the quotes are close to a parabola the slices that meet
 * them alike differ by ten times in their wings, and the flattest leaves later expiries the most room. Measured in how far the best slice stays
 * off the quotes, so that quotes which an SVI slice meets exactly draw nothing back.
 */
const SHRINKAGE = 2;
const SHRINKAGE_MAX = 1e-3;
/** Slopes survive the way to (b, ρ) and back with a few roundings. */
const SLOPE_MARGIN = 1e-9;

/**
 * @param slice with a forward
 * @param floor the fitted slice of the expiry before: total variance stays at or above it; null for none
 * @param steepest bounds of its wing slopes, which those of the floor override
 */
export function fitSlice(
  slice: VolatilitySlice,
  floor: SviParameters | null = null,
  steepest: WingSlopes = { left: WING_MAX, right: WING_MAX },
): SliceFit {
  const target = targetOf(slice, floor, steepest);
  const free = quasiExplicit(target)
    .map((start) => polish(target, start, NO_CONDITIONS))
    .reduce((best, other) => (other.cost < best.cost ? other : best));
  const shrinkage = Math.min(SHRINKAGE_MAX, SHRINKAGE * Math.sqrt(free.cost));
  return constrained(target, free.variables, shrinkage);
}

function targetOf(
  slice: VolatilitySlice,
  floor: SviParameters | null,
  steepest: WingSlopes,
): FitTarget {
  const { logMoneyness: k, totalVariances: w, volatilities, maturity } = slice;
  const n = k.length;
  const weights = new Float64Array(n);
  let nearest = 0;
  for (let i = 0; i < n; i++) {
    if (Math.abs(k[i]!) < Math.abs(k[nearest]!)) nearest = i;
    const spread = Math.sqrt(w[i]!);
    const d1 = spread / 2 - k[i]! / spread;
    const vega = exp(-0.5 * d1 * d1);
    weights[i] = Math.sqrt(Math.max(vega, WEIGHT_MIN) / n) / (2 * volatilities[i]! * maturity);
  }
  const range = [k[0]!, k[n - 1]!] as const;
  const width = Math.sqrt(w[nearest]!);
  const reach = Math.max(range[1] - range[0], width);
  const least = w.reduce((value, other) => Math.min(value, other));
  const most = w.reduce((value, other) => Math.max(value, other));
  const wings = floor === null ? { left: 0, right: 0 } : sviWingSlopes(floor);
  const [right, left] = [wings.right * (1 + SLOPE_MARGIN), wings.left * (1 + SLOPE_MARGIN)];
  const lower = [0.05 * least, right, left, range[0] - reach, 0.02 * width];
  const upper = [
    Math.max(most, floor === null ? 0 : minimumOf(floor)) * 2,
    Math.max(Math.min(WING_MAX, steepest.right), right),
    Math.max(Math.min(WING_MAX, steepest.left), left),
    range[1] + reach,
    10 * reach,
  ];
  return {
    k,
    w,
    weights,
    range,
    width,
    lower: Float64Array.from(lower),
    upper: Float64Array.from(upper),
    floor,
  };
}

function minimumOf({ a, b, rho, sigma }: SviParameters): number {
  return a + b * sigma * Math.sqrt(Math.max(0, 1 - rho * rho));
}

function parametersOf(variables: Float64Array): SviParameters {
  const [W, R, L, m, sigma] = variables as unknown as [number, number, number, number, number];
  const sum = R + L;
  return {
    a: W - sigma * Math.sqrt(R * L),
    b: sum / 2,
    rho: sum > 0 ? (R - L) / sum : 0,
    m,
    sigma,
  };
}

/** Places where the fit is held: g at or above a margin there, and w at or above the floor with a margin. */
interface Conditions {
  readonly butterfly: readonly number[];
  readonly calendar: readonly number[];
  /** Weight of a breach against the misfit in volatility. */
  readonly stiffness: number;
  /** Weight of wing slopes, in units of √w, against the misfit in volatility. */
  readonly shrinkage: number;
}

const NO_CONDITIONS: Conditions = { butterfly: [], calendar: [], stiffness: 0, shrinkage: 0 };
/** What the held fit aims at, so that it may fall short of it a little and still keep the condition. */
const G_MARGIN = 2e-3;
const GAP_MARGIN = 2e-4;

function polish(
  target: FitTarget,
  start: Float64Array,
  { butterfly, calendar, stiffness, shrinkage }: Conditions,
): { readonly variables: Float64Array; readonly cost: number } {
  const { k, lower, upper, width, floor } = target;
  const own = k.length + 2;
  const floors = calendar.map((at) => sviTotalVariance(floor!, at) * (1 + GAP_MARGIN));
  const residuals = (variables: Float64Array, out: Float64Array): void => {
    const slice = parametersOf(variables);
    writeMisfit(target, slice, shrinkage, out);
    let next = own;
    for (const at of butterfly) {
      out[next++] = stiffness * Math.max(0, G_MARGIN - sviDensityFactor(slice, at));
    }
    for (const [i, at] of calendar.entries()) {
      out[next++] = stiffness * Math.max(0, 1 - sviTotalVariance(slice, at) / floors[i]!);
    }
  };
  const scale = Float64Array.of(width * width, width, width, width, width);
  const size = own + butterfly.length + calendar.length;
  return leastSquares({ size, residuals, lower, upper, scale }, start);
}

/** Differences from the quotes, and the wing slopes: k.length + 2 residuals. */
function writeMisfit(
  { k, w, weights, width }: FitTarget,
  slice: SviParameters,
  shrinkage: number,
  out: Float64Array,
): void {
  let next = 0;
  for (; next < k.length; next++) {
    out[next] = weights[next]! * (sviTotalVariance(slice, k[next]!) - w[next]!);
  }
  const { left, right } = sviWingSlopes(slice);
  out[next++] = (shrinkage / width) * right;
  out[next++] = (shrinkage / width) * left;
}

const ROUNDS_MAX = 16;

/** Adds the places of breach as conditions and fits again (the exchange method of semi-infinite programming), stiffer each time. */
function constrained(target: FitTarget, start: Float64Array, shrinkage: number): SliceFit {
  const butterfly: number[] = [];
  const calendar: number[] = [];
  let { variables } = polish(target, start, { ...NO_CONDITIONS, shrinkage });
  let stiffness = 1;
  for (let round = 0; ; round++) {
    const parameters = parametersOf(variables);
    const breaches = breachesOf(target, parameters);
    const bound = [
      ...(butterfly.length > 0 ? (['butterfly'] as const) : []),
      ...(calendar.length > 0 ? (['calendar'] as const) : []),
    ];
    if (breaches.butterfly.length + breaches.calendar.length === 0) return { parameters, bound };
    if (round === ROUNDS_MAX) return { parameters: drawnBack(target, variables), bound };
    butterfly.push(...breaches.butterfly.map(({ k }) => k));
    calendar.push(...breaches.calendar.map(({ k }) => k));
    variables = polish(target, variables, { butterfly, calendar, stiffness, shrinkage }).variables;
    stiffness *= 3;
  }
}

function breachesOf(
  { floor, range }: FitTarget,
  slice: SviParameters,
): { readonly butterfly: readonly Minimum[]; readonly calendar: readonly Minimum[] } {
  return {
    butterfly: butterflyMinima(slice, range, 0),
    calendar: floor === null ? [] : calendarMinima(slice, floor, range, 0),
  };
}

/**
 * The last resort: from a slice that keeps every condition (the floor itself, or a flat one) as far towards the wanted one as halving finds no
 * breach on the way.
 */
function drawnBack(target: FitTarget, wanted: Float64Array): SviParameters {
  const { floor, w, range } = target;
  const mean = w.reduce((sum, value) => sum + value, 0) / w.length;
  const flat = Float64Array.of(mean, 0, 0, wanted[3]!, wanted[4]!);
  const safe = floor === null ? flat : variablesOf(floor);
  let kept = floor ?? parametersOf(flat);
  let [low, high] = [0, 1];
  for (let step = 0; step < 30; step++) {
    const share = (low + high) / 2;
    const trial = parametersOf(safe.map((value, i) => value + share * (wanted[i]! - value)));
    const { butterfly, calendar } = arbitrageOf(trial, floor, range).violations;
    if (butterfly + calendar === 0) {
      low = share;
      kept = trial;
    } else high = share;
  }
  return kept;
}

function variablesOf(slice: SviParameters): Float64Array {
  const { left, right } = sviWingSlopes(slice);
  return Float64Array.of(minimumOf(slice), right, left, slice.m, slice.sigma);
}
