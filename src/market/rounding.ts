/** Decimal rounding as exchanges do it: whole multiples of a tick, few significant digits. */

/** The nearest decimal of so many significant digits. */
export function significant(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}

/** The greatest of 1, 2, 2.5, 5 × 10ⁿ that is ≤ value; value > 0. */
export function niceBelow(value: number): number {
  // The exponent from the decimal text: no logarithm, so no rounding at a power of ten.
  const exponent = Number(value.toExponential().split('e')[1]);
  const steps = [5, 2.5, 2, 1].map((digit) => Number(`${digit}e${exponent}`));
  return steps.find((step) => step <= value)!;
}

/** The multiple of tick nearest to value, as a short decimal. */
export function toTick(value: number, tick: number): number {
  return significant(Math.round(value / tick) * tick, 12);
}
