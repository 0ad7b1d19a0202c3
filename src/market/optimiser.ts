/**
 * Minimum of a function of a few variables without derivatives: the simplex method of J. A. Nelder and R. Mead (Computer Journal 7, 1965),
 * with their coefficients. Steps depend on comparisons and the four operations only, so the path is the same on every engine.
 */
export interface Minimum {
  readonly point: readonly number[];
  readonly value: number;
  readonly evaluations: number;
  /** Whether the simplex became as small as asked before the evaluations ran out. */
  readonly converged: boolean;
}

interface Vertex {
  readonly point: readonly number[];
  readonly value: number;
}

/**
 * @param objective +∞ outside the allowed region; it must be finite at `start`
 * @param steps first edges of the simplex, one a variable, ≠ 0
 * @param tolerance greatest distance of a vertex from the best one, in any variable, at which it ends
 */
export function nelderMead(
  objective: (point: readonly number[]) => number,
  start: readonly number[],
  steps: readonly number[],
  tolerance: number,
  evaluationsMax = 2000,
): Minimum {
  let evaluations = 0;
  const at = (point: readonly number[]): Vertex => {
    evaluations++;
    return { point, value: objective(point) };
  };
  const simplex = [
    at(start),
    ...steps.map((step, k) => at(start.map((x, i) => (i === k ? x + step : x)))),
  ];
  // ∞ − ∞ is not a number: such vertices stay in their order.
  const sort = (): void => {
    simplex.sort((a, b) => a.value - b.value || 0);
  };
  sort();
  let small = sizeOf(simplex) <= tolerance;
  while (!small && evaluations < evaluationsMax) {
    replaceWorst(simplex, at);
    sort();
    small = sizeOf(simplex) <= tolerance;
  }
  const { point, value } = simplex[0]!;
  return { point, value, evaluations, converged: small };
}

/** One step: reflection, expansion, contraction, or the whole simplex drawn towards its best vertex. */
function replaceWorst(simplex: Vertex[], at: (point: readonly number[]) => Vertex): void {
  const n = simplex.length - 1;
  const [best, worst] = [simplex[0]!, simplex[n]!];
  const centre = best.point.map((_, i) => {
    let sum = 0;
    for (let v = 0; v < n; v++) sum += simplex[v]!.point[i]!;
    return sum / n;
  });
  /** centre + t·(worst − centre). */
  const along = (t: number): Vertex => at(centre.map((c, i) => c + t * (worst.point[i]! - c)));
  const reflected = along(-1);
  if (reflected.value < best.value) {
    const expanded = along(-2);
    simplex[n] = expanded.value < reflected.value ? expanded : reflected;
    return;
  }
  if (reflected.value < simplex[n - 1]!.value) {
    simplex[n] = reflected;
    return;
  }
  const contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
  if (contracted.value < Math.min(reflected.value, worst.value)) {
    simplex[n] = contracted;
    return;
  }
  for (let v = 1; v <= n; v++) {
    simplex[v] = at(best.point.map((x, i) => x + 0.5 * (simplex[v]!.point[i]! - x)));
  }
}

function sizeOf(simplex: readonly Vertex[]): number {
  const best = simplex[0]!.point;
  let size = 0;
  for (const { point } of simplex) {
    point.forEach((x, i) => {
      size = Math.max(size, Math.abs(x - best[i]!));
    });
  }
  return size;
}
