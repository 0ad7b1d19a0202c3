/**
 * Volatility from a price: the inverse of undiscounted Black-76, after P. Jäckel, "Let's be rational" (Wilmott, 2015; revised 2017):
 * the time value of the out-of-the-money side, normalised, is inverted in s = σ√T by a rational step of fourth order on a function of
 * the price that is nearly straight in its region. Here every step is also held inside a bracket, so it cannot fail to end.
 */
import { PlimsollError } from '../errors.ts';
import { exp, inverseNormalCdf, log, normalCdf } from '../numerics.ts';

/**
 * Annual implied volatility, a decimal, ≥ 0; 0 where the price is the intrinsic value. With time value t at full double precision
 * (an out-of-the-money price) of 1e-10 of the forward or more it is good to 1e-12; from an in-the-money price to 4 ulp(price)/vega.
 * @param price undiscounted, in the currency: of a call from (F − K)⁺ to below F, of a put from (K − F)⁺ to below K
 * @param forward F > 0
 * @param strike K > 0
 * @param maturity T > 0, years
 * @param right 1 a call, −1 a put
 * @throws INVALID_FIELD an argument out of range; MISSING_VOLATILITY a price that no volatility gives. The path is the argument.
 */
export function impliedVolatility(
  price: number,
  forward: number,
  strike: number,
  maturity: number,
  right: 1 | -1,
): number {
  for (const [name, value] of Object.entries({ forward, strike, maturity })) {
    if (value > 0 && value < Number.POSITIVE_INFINITY) continue;
    throw new PlimsollError('INVALID_FIELD', `${name} ${value} must be finite and above 0`, {
      path: name,
    });
  }
  if (!(right === 1 || right === -1)) {
    throw new PlimsollError('INVALID_FIELD', `right ${right} must be 1 or -1`, { path: 'right' });
  }
  const intrinsic = Math.max(right * (forward - strike), 0);
  const upper = right === 1 ? forward : strike;
  if (!(price >= intrinsic)) {
    refuse(`price ${price} is below the intrinsic value ${intrinsic}`);
  }
  const least = Math.min(forward, strike);
  // A subnormal time value must not underflow to none.
  const share = price > intrinsic ? Math.max((price - intrinsic) / least, Number.MIN_VALUE) : 0;
  if (!(price < upper && share < 1)) {
    refuse(`price ${price} is not below ${upper}, which no volatility reaches`);
  }
  if (share === 0) return 0;
  return totalVolatility(share, least, Math.max(forward, strike)) / Math.sqrt(maturity);
}

function refuse(message: string): never {
  throw new PlimsollError('MISSING_VOLATILITY', message, { path: 'price' });
}

/** An option out of the money: x = ln(min/max) ≤ 0 of forward and strike, and ratio = max/min. */
interface Moneyness {
  readonly x: number;
  readonly ratio: number;
}

const INVERSE_ROOT_2PI = 0.3989422804014327;

function density(u: number): number {
  return INVERSE_ROOT_2PI * exp(-0.5 * u * u);
}

/** Below this s/2 the difference of two Mills' ratios is taken by its series: eleven terms leave 1e-17. */
const SERIES_HALF_MAX = 0.05;

/**
 * W(s), the time value over min(F, K): Φ(d₁) − (max/min) Φ(d₂), d = x/s ± s/2. For small s both terms are nearly one number; there
 * W = φ(d₁) (M(h − s/2) − M(h + s/2)), M Mills' ratio, h = −x/s, whose difference is a series in s/2 by M⁽ⁿ⁺¹⁾ = hM⁽ⁿ⁾ + nM⁽ⁿ⁻¹⁾.
 */
function timeValue({ x, ratio }: Moneyness, s: number): number {
  const half = s / 2;
  const h = -x / s;
  const d1 = half - h;
  if (!(half <= SERIES_HALF_MAX) || !(h < 30)) {
    return Math.max(0, normalCdf(d1) - ratio * normalCdf(-half - h));
  }
  let before = normalCdf(-h) / density(h);
  let derivative = h * before - 1;
  let power = half;
  let sum = derivative * power;
  for (let n = 1; n < 11; n += 2) {
    before = h * derivative + n * before;
    derivative = h * before + (n + 1) * derivative;
    power *= (half * half) / ((n + 1) * (n + 2));
    sum += derivative * power;
  }
  return -2 * density(d1) * sum;
}

/** The share of min(F, K) that W lacks: 1 − W, without the cancellation. */
function shortfall({ x, ratio }: Moneyness, s: number): number {
  return normalCdf(-x / s - s / 2) + ratio * normalCdf(x / s - s / 2);
}

const STEPS_MAX = 60;

/** Solves W(s) = share, 0 < share < 1. */
function totalVolatility(share: number, least: number, most: number): number {
  const ratio = most / least;
  const option: Moneyness = { x: -log(ratio), ratio };
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  const region = regionOf(option, share);
  let s = region.start;
  for (let step = 0; step < STEPS_MAX; step++) {
    const value = timeValue(option, s);
    if (value < share) low = s;
    else high = s;
    const next = s + region.step(s, value);
    // A step that is not a number, or leaves the bracket, gives way to halving it.
    const inside = next > low && next < high;
    const moved = inside ? next : high < Number.POSITIVE_INFINITY ? (low + high) / 2 : 2 * s;
    if (Math.abs(moved - s) <= 2 * Number.EPSILON * s) return inside ? moved : s;
    s = moved;
  }
  return s;
}

interface Region {
  readonly start: number;
  /** From s and W(s) to the change of s. */
  readonly step: (s: number, value: number) => number;
}

/**
 * W turns from convex to concave at s = √(2|x|). Below, 1/ln W is nearly a parabola in s (W ~ e^(−x²/2s²)); above, ln(1 − W) is smooth and
 * 1 − W ≈ (1 + max/min) Φ(−s/2), at the money exactly.
 */
function regionOf(option: Moneyness, share: number): Region {
  const { x, ratio } = option;
  const turn = Math.sqrt(-2 * x);
  const atTurn = x === 0 ? 0 : timeValue(option, turn);
  if (share < atTurn) {
    const goal = 1 / log(share);
    const scale = -x / Math.SQRT2;
    const guess = scale * Math.sqrt(-goal);
    const guessAtTurn = scale * Math.sqrt(-1 / log(atTurn));
    const start = guess * (1 + (turn / guessAtTurn - 1) * (guess / guessAtTurn));
    return { start, step: (s, value) => stepBelow(option, goal, s, value) };
  }
  const guess = -2 * inverseNormalCdf((1 - share) / (1 + ratio));
  const start = Math.max(guess, turn, 1e-300);
  if (share > 0.5) return { start, step: (s) => stepAbove(option, share, s) };
  return { start, step: (s, value) => stepBetween(option, share, s, value) };
}

/** W' = φ(d₁); W''/W' = x²/s³ − s/4, and that one's derivative. */
function derivatives({ x }: Moneyness, s: number): [number, number, number] {
  const h2 = (x * x) / (s * s);
  return [density(x / s + s / 2), h2 / s - s / 4, (-3 * h2) / (s * s) - 0.25];
}

/**
 * Householder's step of order three for f = 0 (Jäckel 2015, section 6).
 * @param newton −f/f' @param bend f''/f' @param bendSlope its derivative
 */
function rationalStep(newton: number, bend: number, bendSlope: number): number {
  const third = bend * bend + bendSlope;
  return (newton * (1 + 0.5 * bend * newton)) / (1 + newton * (bend + (third * newton) / 6));
}

/** On f = 1/ln W − goal. */
function stepBelow(option: Moneyness, goal: number, s: number, value: number): number {
  const [slope, bend, bendSlope] = derivatives(option, s);
  const l = log(value);
  const r = slope / value;
  const rSlope = r * (bend - r);
  const newton = ((1 / l - goal) * l * l) / r;
  const fBend = bend - r - (2 * r) / l;
  const fBendSlope = bendSlope - rSlope - (2 * rSlope) / l + (2 * r * r) / (l * l);
  return rationalStep(newton, fBend, fBendSlope);
}

/** On f = W − share. */
function stepBetween(option: Moneyness, share: number, s: number, value: number): number {
  const [slope, bend, bendSlope] = derivatives(option, s);
  return rationalStep((share - value) / slope, bend, bendSlope);
}

/** On f = ln((1 − share)/(1 − W)). */
function stepAbove(option: Moneyness, share: number, s: number): number {
  const [slope, bend, bendSlope] = derivatives(option, s);
  const left = shortfall(option, s);
  const r = slope / left;
  const newton = -log((1 - share) / left) / r;
  return rationalStep(newton, bend + r, bendSlope + r * (bend + r));
}
