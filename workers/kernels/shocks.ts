// From independent normals to joint shocks: correlation, the mixing variable of the multivariate t, scale and clamp.
// Rows of n scenarios, factor after factor, n a multiple of 2; every scenario is computed alike wherever it stands in a row.

/**
 * x_f = Σ_{g = 0..f} L_fg · z_g for every factor f and scenario: a lower-triangular matrix times n columns.
 *
 * L is `factors` × `factors`, row-major (what lies above the diagonal is not read); z and x are rows n apart and do not overlap.
 * The sum begins at +0 and takes g ascending, each product rounded and then added, whatever the tile, so that the bits
 * depend on neither n nor the scenario's place. Error: |x̂ − x| ≤ (f + 1)·2^-53·Σ|L_fg z_g| to first order (Higham 2002, eq. 3.5).
 * Zero entries are multiplied too: a NaN anywhere is not hidden.
 */
export function correlate(lower: usize, z: usize, x: usize, factors: i32, n: i32): void {
  const rowBytes = usize(n) << 3;
  const lowerBytes = usize(factors) << 3;
  const tiled = rowBytes & ~63;
  for (let f = 0; f < factors; ++f) {
    const row = lower + usize(f) * lowerBytes;
    const out = x + usize(f) * rowBytes;
    // Two factors share each z that is loaded; an odd last factor goes alone.
    const paired = f + 1 < factors;
    for (let s: usize = 0; s < tiled; s += 64) {
      if (paired) tilePair(row, row + lowerBytes, z + s, out + s, rowBytes, f);
      else tileOne(row, z + s, out + s, rowBytes, f);
    }
    for (let s = tiled; s < rowBytes; s += 16) {
      twoScenarios(row, z + s, out + s, rowBytes, f);
      if (paired) twoScenarios(row + lowerBytes, z + s, out + rowBytes + s, rowBytes, f + 1);
    }
    if (paired) ++f;
  }
}

/** Factors f and f + 1 in eight scenarios: eight sums in registers. */
// @ts-ignore: decorator
@inline
function tilePair(rowA: usize, rowB: usize, z: usize, out: usize, rowBytes: usize, f: i32): void {
  let a0 = f64x2.splat(0), a1 = a0, a2 = a0, a3 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  const end = rowA + (usize(f) << 3);
  for (; rowA <= end; rowA += 8, rowB += 8, z += rowBytes) {
    const weightA = v128.load64_splat(rowA);
    const weightB = v128.load64_splat(rowB);
    const z0 = v128.load(z);
    const z1 = v128.load(z, 16);
    const z2 = v128.load(z, 32);
    const z3 = v128.load(z, 48);
    a0 = f64x2.add(a0, f64x2.mul(weightA, z0));
    a1 = f64x2.add(a1, f64x2.mul(weightA, z1));
    a2 = f64x2.add(a2, f64x2.mul(weightA, z2));
    a3 = f64x2.add(a3, f64x2.mul(weightA, z3));
    b0 = f64x2.add(b0, f64x2.mul(weightB, z0));
    b1 = f64x2.add(b1, f64x2.mul(weightB, z1));
    b2 = f64x2.add(b2, f64x2.mul(weightB, z2));
    b3 = f64x2.add(b3, f64x2.mul(weightB, z3));
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
  // Factor f + 1 has one term more: its own.
  const diagonal = v128.load64_splat(rowB);
  const outB = out + rowBytes;
  v128.store(outB, f64x2.add(b0, f64x2.mul(diagonal, v128.load(z))));
  v128.store(outB, f64x2.add(b1, f64x2.mul(diagonal, v128.load(z, 16))), 16);
  v128.store(outB, f64x2.add(b2, f64x2.mul(diagonal, v128.load(z, 32))), 32);
  v128.store(outB, f64x2.add(b3, f64x2.mul(diagonal, v128.load(z, 48))), 48);
}

/** Factor f in eight scenarios. */
// @ts-ignore: decorator
@inline
function tileOne(row: usize, z: usize, out: usize, rowBytes: usize, f: i32): void {
  let a0 = f64x2.splat(0), a1 = a0, a2 = a0, a3 = a0;
  const end = row + (usize(f) << 3);
  for (; row <= end; row += 8, z += rowBytes) {
    const weight = v128.load64_splat(row);
    a0 = f64x2.add(a0, f64x2.mul(weight, v128.load(z)));
    a1 = f64x2.add(a1, f64x2.mul(weight, v128.load(z, 16)));
    a2 = f64x2.add(a2, f64x2.mul(weight, v128.load(z, 32)));
    a3 = f64x2.add(a3, f64x2.mul(weight, v128.load(z, 48)));
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

/** Factor f in two scenarios, for what no tile of eight covers. */
function twoScenarios(row: usize, z: usize, out: usize, rowBytes: usize, f: i32): void {
  let sum = f64x2.splat(0);
  const end = row + (usize(f) << 3);
  for (; row <= end; row += 8, z += rowBytes) {
    sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(row), v128.load(z)));
  }
  v128.store(out, sum);
}

/**
 * out = √((ν − 2)/χ²), ν > 2: times a standard normal it is Student's t with ν degrees of freedom and variance 1.
 *
 * Division and root are each rounded once: relative error ≤ 2^-53·1.5. χ² = 0 gives ∞. May be done in place.
 */
export function mixing(chiSquares: usize, out: usize, n: i32, degreesOfFreedom: f64): void {
  const numerator = f64x2.splat(degreesOfFreedom - 2);
  const end = chiSquares + (usize(n) << 3);
  for (; chiSquares < end; chiSquares += 16, out += 16) {
    v128.store(out, f64x2.sqrt(f64x2.div(numerator, v128.load(chiSquares))));
  }
}

/**
 * x ← clamp(mean + (volatility · mix) · x, −limit, limit) in place; `mix` 0 stands for no mixing: mean + volatility · x.
 *
 * Returns how many values lay outside ±limit (n at most). `limit` ≥ 0, ∞ is no clamp. A NaN stays one and is not counted.
 */
export function scaleShocks(x: usize, mix: usize, n: i32, volatility: f64, mean: f64, limit: f64): i32 {
  const scale = f64x2.splat(volatility);
  const shift = f64x2.splat(mean);
  const high = f64x2.splat(limit);
  const low = f64x2.splat(-limit);
  const end = x + (usize(n) << 3);
  let clamped = i64x2.splat(0);
  if (mix == 0) {
    for (; x < end; x += 16) {
      const y = f64x2.add(shift, f64x2.mul(scale, v128.load(x)));
      // A comparison that holds is −1.
      clamped = i64x2.sub(clamped, v128.or(f64x2.gt(y, high), f64x2.lt(y, low)));
      v128.store(x, f64x2.pmax(f64x2.pmin(y, high), low));
    }
  } else {
    for (; x < end; x += 16, mix += 16) {
      const y = f64x2.add(shift, f64x2.mul(f64x2.mul(scale, v128.load(mix)), v128.load(x)));
      clamped = i64x2.sub(clamped, v128.or(f64x2.gt(y, high), f64x2.lt(y, low)));
      v128.store(x, f64x2.pmax(f64x2.pmin(y, high), low));
    }
  }
  return i32(i64x2.extract_lane(clamped, 0) + i64x2.extract_lane(clamped, 1));
}
