/**
 * The reference price of an American option: L. Andersen, M. Lake, D. Offengenden, "High-performance American option pricing", J. of
 * Computational Finance 20 (2016). The exercise boundary is a polynomial in √τ through Chebyshev points, found by their fixed point B; the price
 * is the European one plus the integral of what exercise gains along it (I. J. Kim, 1990). It agrees with QuantLib's high-precision scheme to
 * 2e-6 of the strike for maturities up to three years (test/valuation/american.test.ts).
 */
import { ensure, PlimsollError } from '../errors.ts';
import { black76, exp, log, normalCdf } from '../numerics.ts';
import { CHEBYSHEV_12, chebyshevWeights, gaussLegendre } from './quadrature.ts';

export interface AmericanContract {
  /** What exercise delivers is worth this now: the spot, or the forward itself; > 0. */
  readonly level: number;
  /** Forward of the expiry, > 0. */
  readonly forward: number;
  readonly strike: number;
  /** Annual, > 0. */
  readonly volatility: number;
  /** Years, > 0. */
  readonly maturity: number;
  /** Continuous, per year. */
  readonly rate: number;
  readonly right: 1 | -1;
}

/** A put of strike 1 in scaled time: v = σ√T, z = rT, y = qT, c = z − y = ln(F/level). */
interface ScaledPut {
  readonly v: number;
  readonly z: number;
  readonly y: number;
}

/** The exercise boundary of a scaled put by τ, 0 at expiry and 1 now: H = ln(B/X)² at the Chebyshev points of √τ, and ln X. */
interface Boundary {
  readonly logLimit: number;
  readonly values: Float64Array;
}

/** A node of an integral with weight · z e^(zu) and weight · y e^(yu) of one put. */
interface Grown {
  readonly node: Node;
  readonly rate: number;
  readonly yield: number;
}

interface Node {
  /** Time between the two points of the integral, and what lies below: u = τ − between. */
  readonly between: number;
  readonly below: number;
  readonly weight: number;
  /** Of the boundary's values, at √u. */
  readonly share: Float64Array;
}

/** ∫ over u from 0 to τ, with w = τ − u = τ(1 + x)²/4, which takes the square root out of the integrand (Andersen et al., section 5.3). */
function integral(tau: number, count: number): readonly Node[] {
  const { nodes, weights } = gaussLegendre(count);
  return Array.from(nodes, (x, i) => {
    const between = (tau * (1 + x) * (1 + x)) / 4;
    const below = tau - between;
    const share = chebyshevWeights(CHEBYSHEV_12, 2 * Math.sqrt(below) - 1);
    return { between, below, weight: (weights[i]! * tau * (1 + x)) / 2, share };
  });
}

const TAUS = CHEBYSHEV_12.map((x) => ((1 + x) / 2) * ((1 + x) / 2));
const INNER: readonly (readonly Node[])[] = Array.from(TAUS, (tau) => integral(tau, 24));
const OUTER = integral(1, 32);
const ITERATIONS_MAX = 32;
/** Of ln B between two iterations. A price moves far less: it is nearly stationary in the boundary. */
const TOLERANCE = 1e-8;

type Regime = 'european' | 'american' | 'double';

/** Where exercising a put early can pay: where z − y·s > 0 below some s ≤ 1. For y < z < 0 it pays between two boundaries. */
function regimeOf(z: number, y: number): Regime {
  if (z > 0 || (z === 0 && y < 0)) return 'american';
  return y < z ? 'double' : 'european';
}

/**
 * Value of the put of strike 1 at another strike by symmetry: a call of S on K is S puts on K/S, rate and yield exchanged (R. McDonald,
 * M. Schroder, "A parity result for American options", 1998).
 */
function scaled(
  contract: AmericanContract,
): ScaledPut & { readonly s: number; readonly unit: number } {
  const { level, forward, strike, volatility, maturity, rate, right } = contract;
  const v = volatility * Math.sqrt(maturity);
  const z = rate * maturity;
  const y = forward === level ? z : z - log(forward / level);
  if (right === -1) return { v, z, y, s: level / strike, unit: strike };
  return { v, z: y, y: z, s: strike / level, unit: level };
}

/** A pricer with its boundary solved: many levels are then cheap, as finite differences want them. */
export interface AmericanPricer {
  /** Value where level and forward are both `move` times those of the contract. */
  readonly value: (move: number) => number;
}

/**
 * @throws UNSUPPORTED_INSTRUMENT in the case of two exercise boundaries: q < r < 0 for a put, r < q < 0 for a call
 */
export function americanPricer(contract: AmericanContract): AmericanPricer {
  const put = scaled(contract);
  const regime = regimeOf(put.z, put.y);
  if (regime === 'double') {
    throw new PlimsollError(
      'UNSUPPORTED_INSTRUMENT',
      `an American option with two exercise boundaries (rate ${contract.rate}, carry ${log(contract.forward / contract.level) / contract.maturity})`,
    );
  }
  const { strike, right, rate, maturity, volatility } = contract;
  const discount = exp(-rate * maturity);
  const v = volatility * Math.sqrt(maturity);
  const european = (move: number): number =>
    discount * black76(contract.forward * move, strike, v, right);
  if (regime === 'european') return { value: european };
  const boundary = solveBoundary(put);
  return {
    value: (move) => {
      const level = contract.level * move;
      const intrinsic = Math.max(right * (level - strike), 0);
      const s = right === -1 ? level / strike : strike / level;
      if (log(s) <= boundary.logLimit - Math.sqrt(boundary.values[0]!)) return intrinsic;
      const unit = right === -1 ? strike : level;
      return Math.max(european(move) + unit * premium(put, boundary, s), intrinsic);
    },
  };
}

/** @throws as `americanPricer` */
export function americanPrice(contract: AmericanContract): number {
  return americanPricer(contract).value(1);
}

/** d₊ and d₋ over a time w: ln x + (z − y)w in units of v√w, ± v√w/2. */
function distance(put: ScaledPut, logX: number, w: number): readonly [number, number] {
  const deviation = put.v * Math.sqrt(w);
  const middle = (logX + (put.z - put.y) * w) / deviation;
  return [middle + 0.5 * deviation, middle - 0.5 * deviation];
}

/** ln(B/X) ≤ 0 at a node; the polynomial may dip below 0 beside τ = 0. */
function logBoundary(values: Float64Array, share: Float64Array): number {
  let h = 0;
  for (let i = 0; i < share.length; i++) h += share[i]! * values[i]!;
  return -Math.sqrt(Math.max(h, 0));
}

function premium(put: ScaledPut, boundary: Boundary, s: number): number {
  const { z, y } = put;
  let sum = 0;
  for (const { between, weight, share } of OUTER) {
    const logX = log(s) - boundary.logLimit - logBoundary(boundary.values, share);
    const [high, low] = distance(put, logX, between);
    const gain = z * exp(-z * between) * normalCdf(-low);
    sum += weight * (gain - y * s * exp(-y * between) * normalCdf(-high));
  }
  return Math.max(sum, 0);
}

/** The fixed point B = e^(−cτ) N/D (Andersen et al., eq. 2.9 with their choice B), all points at once until none moves. */
function solveBoundary(put: ScaledPut): Boundary {
  const { z, y } = put;
  const logLimit = y > z && z > 0 ? log(z / y) : 0;
  const grown = INNER.map((nodes) =>
    nodes.map((node) => ({
      node,
      rate: node.weight * z * exp(z * node.below),
      yield: node.weight * y * exp(y * node.below),
    })),
  );
  let values = TAUS.map((tau) => (tau === 0 ? 0 : firstGuess(put, logLimit, tau)));
  for (let turn = 0; turn < ITERATIONS_MAX; turn++) {
    const next = values.map((_, i) =>
      TAUS[i] === 0 ? 0 : refined(put, logLimit, values, grown[i]!, i),
    );
    const moved = next.reduce((most, h, i) => {
      return Math.max(most, Math.abs(Math.sqrt(h) - Math.sqrt(values[i]!)));
    }, 0);
    values = next;
    if (moved < TOLERANCE) break;
  }
  ensure(
    values.every(Number.isFinite),
    'the exercise boundary of an American option is not finite',
  );
  return { logLimit, values };
}

function refined(
  put: ScaledPut,
  logLimit: number,
  values: Float64Array,
  grown: readonly Grown[],
  i: number,
): number {
  const { z, y } = put;
  const tau = TAUS[i]!;
  const own = values[i]!;
  const here = -Math.sqrt(own);
  const [high, low] = distance(put, logLimit + here, tau);
  let n = normalCdf(low);
  let d = normalCdf(high);
  for (const at of grown) {
    const { between, share } = at.node;
    const [up, down] = distance(put, here - logBoundary(values, share), between);
    n += at.rate * normalCdf(down);
    d += at.yield * normalCdf(up);
  }
  // Far from the fixed point D may lose its sign where y < 0: the old value stays, and its neighbours pull it in.
  if (!(n > 0 && d > 0)) return own;
  const next = Math.min(log(n / d) - (z - y) * tau - logLimit, 0);
  return next * next;
}

/** H of the flat boundary of P. Bjerksund and G. Stensland (1993): from X at expiry towards the perpetual put's. */
function firstGuess({ v, z, y }: ScaledPut, logLimit: number, tau: number): number {
  const limit = exp(logLimit);
  const m = (2 * (z - y)) / (v * v) - 1;
  const discount = (4 * z) / (v * v);
  const root = Math.sqrt(m * m + 2 * discount);
  const lambda = m < 0 ? discount / (root - m) : 0.5 * (m + root);
  const perpetual = Math.min(lambda / (1 + lambda), limit);
  const drift = ((z - y) * tau - 2 * v * Math.sqrt(tau)) * (1 + lambda);
  const b = perpetual + (limit - perpetual) * exp(Math.min(drift, 0));
  const h = log(Math.max(b / limit, 1e-8));
  return h * h;
}
