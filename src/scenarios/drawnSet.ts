/** The sets that workers draw from a factor model: gaussian, Student's t, t-copula, jump-diffusion. */
import { PlimsollError } from '../errors.ts';
import { hashOf } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { CompiledFactors } from '../market/factorModel.ts';
import {
  type DrawnJumps,
  type OwnTails,
  type ScenarioModel,
  type ScenarioSet,
  scenarioSetId,
  streamKey,
  type VolatilityBasis,
} from './scenarioSet.ts';
import { marginTable } from './studentMargin.ts';

interface DrawnParameters {
  readonly scenarioModel: ScenarioModel;
  readonly horizonDays: number;
  readonly scenarios: number;
  readonly seed: string;
  readonly maxLogShock: number;
}

/**
 * METHODOLOGY section 3: σ_h = σ√(h/periodsPerYear), mean = drift · h/periodsPerYear.
 *
 * - `t-copula`: dependence of a multivariate t with the model's ν (Demarta and McNeil 2005, the meta-t law); a factor with degrees of
 *   freedom of its own gets a t margin with those, variance kept; one without keeps the copula's own, so that a model that gives none is
 *   `student-t` to the bit. `correlation` is the copula's; that of the shocks is a little nearer to 0.
 * - `jump-diffusion`: on top of `student-t` where the model has degrees of freedom, else of `gaussian`; `volatility` and `drift` are
 *   those of the diffusion alone. Jumps are not compensated: they move the mean by λh times their own.
 *
 * @param basis which volatility: the set is else the same, random numbers included
 * @throws MISSING_FIELD where the factor model lacks degrees of freedom or jumps, INVALID_FIELD for more jumps than LIMITS allows
 */
export function drawnSet(
  parameters: DrawnParameters,
  factors: CompiledFactors,
  basis: VolatilityBasis,
): ScenarioSet {
  const { scenarioModel: model, horizonDays, scenarios, seed, maxLogShock } = parameters;
  const scale = (i: number): number => horizonDays / factors.periodsPerYear[i]!;
  const volatility = volatilities(factors, basis);
  return {
    model,
    drawn: true,
    scenarios,
    overlap: 1,
    horizonDays,
    key: streamKey(seed),
    maxLogShock,
    degreesOfFreedom: model === 'gaussian' ? 0 : degreesOf(model, factors),
    ownTails: model === 't-copula' ? ownTails(factors) : null,
    jumps: model === 'jump-diffusion' ? jumpsWithin(horizonDays, factors) : [],
    volatility: volatility.map((v, i) => v * Math.sqrt(scale(i))),
    mean: factors.drift.map((d, i) => d * scale(i)),
    absolute: factors.kind,
    cholesky: factors.cholesky,
    factorIds: factors.ids,
    periods: [],
    id: scenarioSetId({
      source: factors.hash,
      model,
      seed,
      scenarios,
      horizonDays,
      maxLogShock,
      volatility: basis === 'today' ? undefined : basis,
    }),
  };
}

function volatilities(
  { volatility, longRunVolatility }: CompiledFactors,
  basis: VolatilityBasis,
): Float64Array {
  if (basis === 'today') return volatility;
  if (basis === 'long-run') return longRunVolatility;
  return volatility.map((v, i) => Math.max(v, longRunVolatility[i]!));
}

function degreesOf(model: ScenarioModel, { degreesOfFreedom }: CompiledFactors): number {
  if (degreesOfFreedom !== null) return degreesOfFreedom;
  if (model === 'jump-diffusion') return 0;
  throw new PlimsollError('MISSING_FIELD', `${model} needs degreesOfFreedom in the factor model`, {
    path: 'degreesOfFreedom',
  });
}

function ownTails({ degreesOfFreedom, tailDegrees }: CompiledFactors): OwnTails | null {
  const own = [...new Set(tailDegrees)].filter((nu) => nu > 0 && nu !== degreesOfFreedom);
  if (own.length === 0) return null;
  return {
    tables: own.map((nu) => marginTable(degreesOfFreedom!, nu)),
    tableOf: Int32Array.from(tailDegrees, (nu) => own.indexOf(nu)),
  };
}

function jumpsWithin(horizonDays: number, { jumps }: CompiledFactors): readonly DrawnJumps[] {
  if (jumps.length === 0) {
    const message = 'jump-diffusion needs jumps in the factor model';
    throw new PlimsollError('MISSING_FIELD', message, { path: 'jumps' });
  }
  return jumps.map(({ intensity, periodsPerYear, mean, volatility, factor, loads }) => {
    const expected = (intensity * horizonDays) / periodsPerYear;
    if (!(expected <= LIMITS.jumpsPerHorizonMax)) {
      const message = `${expected} jumps are to be expected in ${horizonDays} days; the most is ${LIMITS.jumpsPerHorizonMax}`;
      throw new PlimsollError('INVALID_FIELD', message, { path: 'jumps' });
    }
    return { expected, mean, volatility, factor, loads };
  });
}

/**
 * The model with each volatility the greater of today's and the long-run one (EMIR RTS 153/2013 art. 28(1)(c)); the model itself where
 * none is raised, else one with a hash of its own.
 */
export function flooredFactors(factors: CompiledFactors): CompiledFactors {
  const volatility = volatilities(factors, 'greater');
  if (volatility.every((v, i) => v === factors.volatility[i])) return factors;
  return { ...factors, volatility, hash: hashOf({ floored: factors.hash }) };
}
