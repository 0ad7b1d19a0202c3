/**
 * Volatility estimates that follow the market. At stated instants each factor that was heard of since the instant before gives one return, and
 * its variance moves by σ² ← λσ² + (1 − λ)r² (J.P. Morgan/Reuters, "RiskMetrics — Technical Document", 4th ed. 1996, eq. 5.3), in the annual
 * unit of the factor model as `calibrate` writes it. Correlation, tails, drift and stated long-run volatilities stay as they are.
 */
import { hashOf } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { log, pow } from '../numerics.ts';
import { formatInstant } from './dates.ts';
import {
  FactorHearing,
  type HearingState,
  type MarketChange,
  NOTHING_HEARD,
  type Reached,
} from './factorHearing.ts';
import { type FactorModel, type FactorRecord, factorKind } from './factorModel.ts';
import type { MarketSnapshot } from './snapshot.ts';
import type { DailyInstants } from './volatilityInstants.ts';

export interface VolatilityRule {
  readonly instants: DailyInstants;
  /** Decay of a day, 0 … 1; between instants that are a share s of a day apart λˢ. */
  readonly lambda: number;
}

/** What one factor showed at an instant. */
export interface FactorObservation {
  readonly factor: string;
  /** Price of the underlying, or its at-the-money volatility at 30 days. */
  readonly level: number;
  /** When the level was quoted, ISO-8601. */
  readonly at: string;
  /** Since the level of the instant at which it was last heard of: of the logarithm, or of the level if absolute. None at the first. */
  readonly change?: number;
  /** Annual, after it. */
  readonly volatility?: number;
}

/** What changes at an instant: enough to make the new model of the old one, and to see why. */
export interface VolatilityUpdate {
  /** ISO-8601 UTC: the new model's `asOf`. */
  readonly instant: string;
  /** Hashes of the model before and after; the same where no factor has a return yet. */
  readonly before: string;
  readonly after: string;
  /** In the model's order. */
  readonly factors: readonly FactorObservation[];
  /** Spot and vol factors that nothing was heard of: their volatilities stay. */
  readonly silent: readonly string[];
}

/**
 * Annual volatility after one more return.
 * @param change of the logarithm, or of the level if absolute
 */
export function nextVolatility(
  volatility: number,
  change: number,
  {
    lambda,
    share,
    periodsPerYear,
  }: {
    readonly lambda: number;
    /** Of a day that the change is of, 0 < s ≤ 1. A move after a silence counts as one of the period in which it is seen. */
    readonly share: number;
    readonly periodsPerYear: number;
  },
): number {
  // λ itself for a whole day: λ¹ by logarithms may differ from it in the last bit.
  const decay = share === 1 ? lambda : pow(lambda, share);
  const annual = change * change * (periodsPerYear / share);
  const next = Math.sqrt(decay * volatility * volatility + (1 - decay) * annual);
  return Math.min(next, LIMITS.factorVolatilityMax);
}

/** A factor model and what was heard of its factors since the last instant. */
export class DynamicVolatility {
  private current: FactorModel;
  private currentHash: string;
  private readonly hearing: FactorHearing;

  private constructor(model: FactorModel, hash: string, hearing: FactorHearing) {
    this.current = model;
    this.currentHash = hash;
    this.hearing = hearing;
  }

  /** @param heard nothing when left out */
  static of(model: FactorModel, heard: HearingState = NOTHING_HEARD): DynamicVolatility {
    return new DynamicVolatility(model, hashOf(model), FactorHearing.of(model, heard));
  }

  /** In force. Never changed in place. */
  get model(): FactorModel {
    return this.current;
  }

  get hash(): string {
    return this.currentHash;
  }

  /** With `model` all that counts for the next update. */
  get heard(): HearingState {
    return this.hearing.state;
  }

  /** Another calibration: what was heard of the market still counts. */
  replaced(model: FactorModel): DynamicVolatility {
    return DynamicVolatility.of(model, this.heard);
  }

  copy(): DynamicVolatility {
    return new DynamicVolatility(this.current, this.currentHash, this.hearing.copy());
  }

  /** A change of the market that is known to reach no instant, or whose updates are applied after it. */
  hear(change: MarketChange): void {
    this.hearing.hear(change);
  }

  /**
   * Hears a change of the market, and applies the updates of the instants that it reaches.
   * @param market before it
   * @returns the updates in their order; most changes reach no instant
   */
  advance(market: MarketSnapshot, change: MarketChange, rule: VolatilityRule): VolatilityUpdate[] {
    const reached = this.hearing.advance(market, change, rule.instants);
    return reached.map((one) => this.update(one, rule));
  }

  /** Makes an update's model the one in force, and its levels those that the next changes count from. */
  apply({ instant, factors, before, after }: Omit<VolatilityUpdate, 'silent'>): void {
    this.hearing.close(instant, factors);
    if (before !== after) this.take(updatedModel(this.current, factors, instant));
  }

  private take(model: FactorModel): void {
    this.current = model;
    this.currentHash = hashOf(model);
  }

  private update({ instant: time, observed }: Reached, rule: VolatilityRule): VolatilityUpdate {
    const { current: model, currentHash: before } = this;
    const share = rule.instants.shareBefore(time);
    const factors = model.factors.flatMap((factor): FactorObservation[] => {
      const { id, volatility, periodsPerYear = model.periodsPerYear } = factor;
      const found = observed.get(id);
      if (found === undefined) return [];
      const { level, at, reference } = found;
      if (reference === null) return [{ factor: id, level, at }];
      const change = changeOf(factor, reference, level);
      const next = nextVolatility(volatility, change, {
        lambda: rule.lambda,
        share,
        periodsPerYear,
      });
      return [{ factor: id, level, at, change, volatility: next }];
    });
    const instant = formatInstant(time);
    this.hearing.close(instant, factors);
    const moved = factors.some(({ volatility }) => volatility !== undefined);
    if (moved) this.take(updatedModel(model, factors, instant));
    const silent = this.hearing.factors.filter((id) => !observed.has(id));
    return { instant, before, after: this.currentHash, factors, silent };
  }
}

function changeOf(factor: FactorRecord, from: number, to: number): number {
  return factorKind(factor) === 'log' ? log(to / from) : to - from;
}

function updatedModel(
  model: FactorModel,
  observations: readonly FactorObservation[],
  asOf: string,
): FactorModel {
  const found = new Map(observations.map(({ factor, volatility }) => [factor, volatility]));
  const factors = model.factors.map((factor) => {
    const volatility = found.get(factor.id);
    return volatility === undefined ? factor : { ...factor, volatility };
  });
  return { ...model, asOf, factors };
}
