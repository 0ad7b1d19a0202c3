/**
 * Student's t distribution with ν > 2 degrees of freedom (variance ν/(ν−2), not 1), to about 1e-13 relative in the body and in both tails:
 * what a map from one number of degrees of freedom to another is made of.
 */
import { exp, log, normalCdf } from '../numerics.ts';

/** √π. */
const ROOT_PI = 1.772453850905516;
/** From here on Hill's expansion is exact to 1e-13 and the continued fraction slow. */
const LARGE = 20_000;

/** The distribution for one ν; x ≥ 0 throughout. */
export interface StudentDistribution {
  readonly density: (x: number) => number;
  /** P(0 < X ≤ x). */
  readonly central: (x: number) => number;
  /** P(X > x). */
  readonly tail: (x: number) => number;
}

/**
 * The incomplete beta function as P(X > x) = ½ I_{ν/(ν+x²)}(ν/2, ½) (Abramowitz and Stegun 1964, 26.7.1), by its continued fraction
 * (26.5.8) on the side where that converges; above ν = 20,000 by Hill's normal deviate (1970, Algorithm 395, CACM 13).
 */
export function studentDistribution(nu: number): StudentDistribution {
  const ratio = gammaRatio(nu / 2);
  const scale = ratio / (Math.sqrt(nu) * ROOT_PI);
  const density = (x: number): number => scale * exp(-0.5 * (nu + 1) * log1p((x * x) / nu));
  if (nu >= LARGE) {
    const tail = (x: number): number => normalCdf(-hillDeviate(x, nu));
    return { density, tail, central: (x) => 0.5 - tail(x) };
  }
  const half = nu / 2;
  /** y^½ (1 − y)^(ν/2) / B(½, ν/2), y = x²/(ν + x²). */
  const front = (x: number): number =>
    ((ratio / ROOT_PI) * x * exp(-half * log1p((x * x) / nu))) / Math.sqrt(nu + x * x);
  const central = (x: number): number => {
    const y = (x * x) / (nu + x * x);
    if (y < 1.5 / (half + 2.5)) return front(x) * betaFraction(0.5, half, y);
    return 0.5 - tail(x);
  };
  const tail = (x: number): number => {
    const y = (x * x) / (nu + x * x);
    if (y < 1.5 / (half + 2.5)) return 0.5 - front(x) * betaFraction(0.5, half, y);
    return (front(x) / nu) * betaFraction(half, 0.5, nu / (nu + x * x));
  };
  return { density, central, tail };
}

/** ln(1 + y), y ≥ 0: the rounding of 1 + y cancels in the quotient (Kahan). */
function log1p(y: number): number {
  const w = 1 + y;
  return w === 1 ? y : log(w) * (y / (w - 1));
}

/** Γ(a + ½)/Γ(a), a > 0: the asymptotic series at a + k ≥ 400, and Γ's recurrence down from there. */
function gammaRatio(a: number): number {
  let product = 1;
  let b = a;
  for (; b < 400; b += 1) product *= b / (b + 0.5);
  const r = 1 / b;
  const series = 1 + r * (-1 / 8 + r * (1 / 128 + r * (5 / 1024 - r * (21 / 32768))));
  return product * Math.sqrt(b) * series;
}

/** The standard normal deviate of the same tail. Hill's error is of the order of the next term, u⁹/ν³ here. */
function hillDeviate(x: number, nu: number): number {
  const a = nu - 0.5;
  const b = 48 * a * a;
  const square = a * log1p((x * x) / nu);
  const u = Math.sqrt(square);
  const first = (square + 3) / b;
  const cubic = ((4 * square + 33) * square + 240) * square + 855;
  const second = cubic / (10 * b * (b + 0.8 * square * square + 100));
  return u * (1 + first - second);
}

const TINY = 1e-300;

/** The continued fraction of I_y(a, b) without its front factor y^a (1−y)^b/(a B(a, b)), times 1/a left out, by Lentz's method. */
function betaFraction(a: number, b: number, y: number): number {
  let c = 1;
  let d = 1 / guard(1 - ((a + b) * y) / (a + 1));
  let h = d;
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * y) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * y) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    const step = d * c;
    h *= step;
    if (Math.abs(step - 1) <= 2e-16) break;
  }
  return h;
}

function guard(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
