/**
 * Plain twins of workers/kernels/pricing.ts, one scenario at a time, the same operations in the same order; and the textbook form.
 */
import { exp, horner, log, normalCdf, powerOfTwo } from './maths.ts';

// prettier-ignore
const N = [
  1, 20.62158501424721, 202.50112733308922, 1212.789291169951, 4765.961019241404,
  12326.792723754766, 19664.162363156604, 15453.059624847023,
];
// prettier-ignore
const R = [
  1, 20.62134950264343, 200.5119570350177, 1171.3084886314366, 4374.278492055365, 10074.39522658683,
  12329.75769183157,
];
// prettier-ignore
const P = [
  0.3989422804014327, 0.27652571686641, 0.09583651049912906, 0.022142935682247834,
  0.003837078359555187, 0.0005319320125614236, 6.145119368541855e-5, 6.084930183449199e-6,
  5.272286788371421e-7, 4.072622858292806e-8, 2.8074569505040136e-9,
] as const;
const ROUNDER = 6755399441055744;

/** φ(u), 0 ≤ u ≤ 35. */
function density(u: number): number {
  const power = u * u * -0.7213475204444817;
  const n = power + ROUNDER - ROUNDER;
  const f = power - n;
  const f2 = f * f;
  const f4 = f2 * f2;
  const low = P[0] + f * P[1] + f2 * (P[2] + f * P[3]);
  const middle = P[4] + f * P[5] + f2 * (P[6] + f * P[7]);
  const high = P[8] + f * P[9] + f2 * P[10];
  return (low + f4 * (middle + f4 * high)) * powerOfTwo(n);
}

/** The out-of-the-money price over min(F, K), from h = |ln(F/K)|/v and v. */
export function timeValueRatio(h: number, spread: number): number {
  const v = Math.min(spread, 70);
  const u1 = h - v * 0.5;
  const a = Math.min(Math.abs(u1), 35);
  const b = Math.min(h + v * 0.5, 35);
  const [n1, r1, n2, r2] = [horner(N, a), horner(R, a), horner(N, b), horner(R, b)];
  const cross = u1 < 0 ? n1 * r2 + n2 * r1 : n1 * r2 - n2 * r1;
  const y = (density(a) * (v * (n1 * n2) + cross)) / ((n1 * a + r1) * (n2 * b + r2));
  return Math.min(Math.max(u1 < 0 ? 1 - y : y, 0), v);
}

export function black76(forward: number, strike: number, v: number, right: 1 | -1): number {
  const h = Math.abs(log(forward / strike)) / Math.max(Math.min(v, 70), 1e-300);
  const least = Math.min(forward, strike);
  return least * timeValueRatio(h, v) + ((right > 0 ? forward : strike) - least);
}

/** F Φ(d₁) − K Φ(d₂), or K Φ(−d₂) − F Φ(−d₁): Black (1976), as printed. */
export function textbookBlack76(forward: number, strike: number, v: number, right: 1 | -1): number {
  const d1 = log(forward / strike) / v + v / 2;
  return right * (forward * normalCdf(right * d1) - strike * normalCdf(right * (d1 - v)));
}

/** The state of one expiry in one scenario. */
export interface ExpiryScenario {
  readonly logMove: number;
  readonly forward: number;
  readonly up: number;
  readonly down: number;
  readonly conversion: number;
}

export function expiryScenario(
  shock: number,
  basis: number | undefined,
  vol: number | undefined,
  forward0: number,
  maturity: number,
  volScale: number,
): ExpiryScenario {
  const carry = basis === undefined ? undefined : maturity * basis;
  const logMove = carry === undefined ? shock : shock + carry;
  return {
    logMove,
    forward: forward0 * exp(logMove),
    up: vol === undefined ? 1 : exp(volScale * vol),
    down: vol === undefined ? 1 : exp(-(volScale * vol)),
    conversion: carry === undefined ? 1 : exp(-carry),
  };
}

/** What optionRows writes for one scenario. */
export function optionPnl(
  scenario: ExpiryScenario,
  option: { logMoneyness: number; strike: number; v0: number; scale: number; base: number },
  right: 1 | -1,
): number {
  const { forward, up, down, conversion } = scenario;
  const { strike, v0, scale, base } = option;
  const inverse = v0 > 1e-300 ? 1 / v0 : 1e300;
  const h = Math.abs(scenario.logMove + option.logMoneyness) * (inverse * down);
  const least = Math.min(forward, strike);
  const price = least * timeValueRatio(h, v0 * up) + ((right > 0 ? forward : strike) - least);
  return scale * conversion * price - base;
}
