/** The sensitivities of an account to its factors, their covariance over the horizon, and the tails that follow without simulation. */
import { LIMITS } from '../../limits.ts';
import type { Market } from '../../market/market.ts';
import {
  cornishFisher,
  deltaNormal,
  quadraticMoments,
  type Sensitivities,
  type ShockMoments,
} from '../../risk/parametric.ts';
import type { ScenarioSet } from '../../scenarios/scenarioSet.ts';
import { greeksOf } from '../../valuation/greeks.ts';
import { volatilityTermScale } from '../../valuation/optionPlan.ts';
import type { Bench } from '../shards.ts';
import { touchedFactors } from './explainLosses.ts';
import type { MeasuredAccount } from './explainMeasure.ts';
import type { Parametric } from './explainSchema.ts';

const DAYS = 365;

/** @param time P&L of the horizon without shocks, in currency: the constant of the quadratic form */
export function parametricOf(measured: MeasuredAccount, time: number, bench: Bench): Parametric {
  const { set, valuation } = bench.session;
  const none = (refusal: string): Parametric => ({
    deltaNormal: null,
    deltaGamma: null,
    cornishFisher: null,
    refusal,
  });
  if (!set.drawn) return none('the scenarios are replayed: there is no covariance of factors');
  const factors = touchedFactors(measured, bench);
  if (factors.length > LIMITS.parametricFactorsMax) {
    return none(`${factors.length} factors, at most ${LIMITS.parametricFactorsMax}`);
  }
  const { confidence } = valuation.methodology;
  const shocks = shockMoments(set, factors);
  const sensitivities = { ...sensitivitiesOf(measured, factors, bench), time };
  const moments = quadraticMoments(sensitivities, shocks);
  const { tail, refusal } = cornishFisher(moments, confidence);
  return {
    deltaNormal: deltaNormal(sensitivities, shocks, confidence),
    deltaGamma: moments,
    cornishFisher: tail,
    refusal,
  };
}

/** Mean and covariance of some factors' shocks: L Lᵀ scaled, and the jumps' E[N] (m² + s²) of the factors that take part. */
export function shockMoments(set: ScenarioSet, factors: readonly number[]): ShockMoments {
  const { cholesky, volatility, jumps } = set;
  const all = set.factorIds.length;
  const n = factors.length;
  const mean = Float64Array.from(factors, (f) => set.mean[f]!);
  const covariance = new Float64Array(n * n);
  const add = (i: number, j: number, value: number): void => {
    covariance[i * n + j]! += value;
    if (i !== j) covariance[j * n + i]! += value;
  };
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const [f, g] = [factors[i]!, factors[j]!];
      let rho = 0;
      for (let l = 0; l <= Math.min(f, g); l++)
        rho += cholesky[f * all + l]! * cholesky[g * all + l]!;
      add(i, j, rho * volatility[f]! * volatility[g]!);
    }
  }
  const place = new Map(factors.map((f, i) => [f, i]));
  for (const { expected, mean: jump, volatility: deviation, loads } of jumps) {
    const held = loads.flatMap(({ factor, loading }) => {
      const i = place.get(factor);
      return i === undefined ? [] : [{ i, loading }];
    });
    const square = expected * (jump * jump + deviation * deviation);
    for (const a of held) {
      mean[a.i]! += expected * jump * a.loading;
      for (const b of held) if (b.i <= a.i) add(a.i, b.i, square * a.loading * b.loading);
    }
  }
  return { mean, covariance };
}

/**
 * By factor: of a log spot shock ΔS and ΓS² + ΔS, of a volatility shock vega · σ · its term scale, of a basis shock the forward's move times T
 * (a coin-settled option's worth converts back at the spot). Second order in the spots alone.
 */
export function sensitivitiesOf(
  { portfolio }: MeasuredAccount,
  factors: readonly number[],
  { session }: Bench,
): Omit<Sensitivities, 'time'> {
  const { set, valuation } = session;
  const { market, plan, methodology } = valuation;
  const place = new Map(factors.map((f, i) => [set.factorIds[f]!, i]));
  const first = new Float64Array(factors.length);
  const second = new Float64Array(factors.length);
  const horizon = methodology.instantaneous ? 0 : methodology.horizonDays / DAYS;
  for (const { underlying, start, end, coins } of portfolio.parts) {
    const { id, spot } = market.underlyings[underlying]!;
    let delta = coins;
    let gamma = 0;
    let vol = 0;
    let basis = 0;
    for (let i = start; i < end; i++) {
      const index = portfolio.instruments[i]!;
      const size = portfolio.sizes[i]!;
      const instrument = market.instruments[index]!;
      const greeks = greeksOf(instrument, market);
      delta += size * greeks.delta;
      gamma += size * greeks.gamma;
      if (!(instrument.maturity > horizon)) continue;
      if (greeks.vega !== 0) {
        const scale = volatilityTermScale(instrument.maturity);
        vol += size * greeks.vega * instrument.volatility * scale;
      }
      basis += size * forwardMove(index, greeks.delta, plan.baseValues[index]!, market);
    }
    const at = place.get(`${id}:spot`)!;
    const absolute = set.absolute[factors[at]!] === 1;
    first[at] = absolute ? delta : delta * spot;
    second[at] = absolute ? gamma : gamma * spot * spot + delta * spot;
    const ofVol = place.get(`${id}:vol`);
    if (ofVol !== undefined) first[ofVol] = vol;
    const ofBasis = place.get(`${id}:basis`);
    if (ofBasis !== undefined) first[ofBasis] = basis;
  }
  return { first, second };
}

/** Profit per unit of the annualised basis: F moves by F·T while the spot stands. */
function forwardMove(index: number, delta: number, value: number, market: Market): number {
  const { type, settlement, maturity, underlying } = market.instruments[index]!;
  const moved = delta * market.underlyings[underlying]!.spot * maturity;
  return type === 'option' && settlement === 'coin' ? moved - value * maturity : moved;
}
