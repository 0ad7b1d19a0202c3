/**
 * Plain twins of workers/kernels/maths.ts: one number at a time, the same operations in the same order, so the same bits. They
 * serve to find mistakes of lanes, branches and layout; that the values are right is tested against other arithmetic.
 */
const float = new Float64Array(1);
const bits = new BigInt64Array(float.buffer);

function bitsOf(x: number): bigint {
  float[0] = x;
  return bits[0]!;
}

function ofBits(pattern: bigint): number {
  bits[0] = BigInt.asIntN(64, pattern);
  return float[0]!;
}

/** 2^n, exact, −1022 ≤ n ≤ 1023. */
export function powerOfTwo(n: number): number {
  return ofBits(BigInt(n + 1023) << 52n);
}

/** Horner's scheme, highest power first. */
export function horner(coefficients: readonly number[], x: number): number {
  let sum = coefficients[0]!;
  for (let i = 1; i < coefficients.length; i++) sum = sum * x + coefficients[i]!;
  return sum;
}

const ROUNDER = 6755399441055744;
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
// prettier-ignore
const Q = [
  0.5000000000000001, 0.16666666666666644, 0.04166666666662431, 0.008333333333356221,
  0.0013888888917137432, 0.00019841269784603077, 2.4801521397359988e-5, 2.755735557739057e-6,
  2.7620046285901e-7, 2.5068142976520497e-8,
] as const;

/** e^(x − below). */
function expOf(x: number, below: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const bounded = Math.max(Math.min(x, 710), -746);
  const n = bounded * Math.LOG2E + ROUNDER - ROUNDER;
  const high = bounded - n * LN2_HIGH;
  const low = n * LN2_LOW + below;
  const r = high - low;
  const rest = high - r - low;
  const r2 = r * r;
  const r4 = r2 * r2;
  const q03 = Q[0] + r * Q[1] + r2 * (Q[2] + r * Q[3]);
  const q47 = Q[4] + r * Q[5] + r2 * (Q[6] + r * Q[7]);
  const q = q03 + r4 * (q47 + r4 * (Q[8] + r * Q[9]));
  const p = 1 + (r + (rest + r2 * q));
  const half = Math.floor(n / 2);
  return p * powerOfTwo(half) * powerOfTwo(n - half);
}

export function exp(x: number): number {
  return expOf(x, 0);
}

const SQRT_HALF = 0x3fe6a09e667f3bcdn;

export function log(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!(x > 0)) return Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  const small = x < 2 ** -1022;
  const sum = bitsOf(small ? x * 2 ** 54 : x) + (0x3ff0000000000000n - SQRT_HALF);
  const k = Number(sum >> 52n) - 1023 + (small ? -54 : 0);
  const f = ofBits((sum & 0xfffffffffffffn) + SQRT_HALF) - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * horner([0.15313837699209373, 0.22222198432149784, 0.3999999999940942], w);
  // prettier-ignore
  const odd =
    z *
    horner([0.14798198605116586, 0.1818357216161805, 0.2857142874366239, 0.6666666666666735], w);
  const halfSquare = f * f * 0.5;
  const tail = s * (halfSquare + (odd + even)) + k * LN2_LOW;
  return k * LN2_HIGH - (halfSquare - tail - f);
}

// prettier-ignore
const N = [
  1, 29.601833027556463, 433.6371566460569, 4077.1311391978215, 27015.49226489225, 131190.687736356,
  471922.40026247286, 1242590.546179466, 2300720.0513829133, 2727503.8481037715, 1598202.7172082926,
];
// prettier-ignore
const R = [
  0.9999999999735901, 29.6018330335333, 431.637156051584, 4017.9275079741324, 26158.216590218726,
  123332.48190649199, 422152.98598094773, 1018803.0137931545, 1595477.9427505052,
  1275181.2730936846,
];

/** Even and odd powers by themselves. */
function split(coefficients: readonly number[], x: number): number {
  const square = x * x;
  const last = coefficients.length - 1;
  const even = horner(
    coefficients.filter((_, i) => (last - i) % 2 === 0),
    square,
  );
  const odd = horner(
    coefficients.filter((_, i) => (last - i) % 2 === 1),
    square,
  );
  return even + odd * x;
}

export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const a = Math.min(Math.abs(x), 39);
  const upper = ofBits(bitsOf(a) & -0x8000000n);
  const power = expOf(-(upper * upper * 0.5), (a - upper) * (a + upper) * 0.5);
  const numerator = split(N, a);
  const tail = power * 0.3989422804014327 * (numerator / (numerator * a + split(R, a)));
  return x > 0 ? 1 - tail : tail;
}

// Wichura (1988), AS 241, PPND16.
// prettier-ignore
const CENTRE = [
  [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
    1971.5909503065513, 133.14166789178438, 3.3871328727963665,
  ],
  [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
    687.1870074920579, 42.31333070160091, 1,
  ],
] as const;
// prettier-ignore
const TAIL = [
  [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
    3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008,
    0.6897673349851, 1.6763848301838038, 2.053191626637759, 1,
  ],
] as const;
// prettier-ignore
const FAR_TAIL = [
  [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
    0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
    0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
  ],
] as const;

function rational(
  [top, bottom]: readonly [readonly number[], readonly number[]],
  x: number,
): number {
  return split(top, x) / split(bottom, x);
}

export function inverseNormalCdf(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * rational(CENTRE, 0.180625 - q * q);
  const r = Math.sqrt(-log(Math.min(p, 1 - p)));
  if (r === Number.POSITIVE_INFINITY) return q < 0 ? -r : r;
  const value = r > 5 ? rational(FAR_TAIL, r - 5) : rational(TAIL, r - 1.6);
  return q < 0 ? -value : value;
}
