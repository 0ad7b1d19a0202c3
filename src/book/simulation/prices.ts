/** Where simulated prices come from: joint shocks step by step, drawn from the factor model or read off a history; and how they become ticks. */
import { compileKernels, createMemory, instantiateKernels } from '../../../workers/kernels.ts';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { formatInstant, MILLISECONDS_PER_DAY } from '../../market/dates.ts';
import { defaultKind, parseFactorId } from '../../market/factorIds.ts';
import { compileFactorModel, type FactorModel } from '../../market/factorModel.ts';
import { type History, logChanges } from '../../market/history.ts';
import { readInstant } from '../../market/instruments.ts';
import type { MarketSnapshot, UnderlyingRecord } from '../../market/snapshot.ts';
import type { Tick } from '../../market/ticks.ts';
import { exp, pow } from '../../numerics.ts';
import { drawBlock, drawScratchBytes } from '../../scenarios/draw.ts';
import { drawnSet } from '../../scenarios/drawnSet.ts';
import { DRAW_BLOCK, DRAW_STRIDE } from '../../scenarios/scenarioSet.ts';

/** How far prices go in one step. */
export interface PriceStep {
  /** > 0. */
  readonly milliseconds: number;
  /** Shocks by factor id; NaN: nothing is known of it. */
  readonly shock: (factor: string) => number;
}

export interface PricePath {
  readonly steps: number;
  readonly step: (i: number) => PriceStep;
  readonly factorIds: readonly string[];
  /** Whether a factor's shock adds (in price units for a spot) instead of multiplying. */
  readonly absolute: (factor: string) => boolean;
}

export interface DrawnPathOptions {
  readonly seed: string;
  readonly steps: number;
  /** > 0. */
  readonly stepMinutes: number;
}

/**
 * Steps drawn one after the other from the law of METHODOLOGY section 3 at the step's length: Student-t where the model has degrees of freedom,
 * else gaussian. Each step is a draw of its own, so that a day of many steps has thinner tails than a day that is one step.
 */
export function drawnPath(model: FactorModel, options: DrawnPathOptions): PricePath {
  const { seed, steps, stepMinutes } = options;
  const factors = compileFactorModel(model);
  const { ids } = factors;
  const set = drawnSet(
    {
      scenarioModel: factors.degreesOfFreedom === null ? 'gaussian' : 'student-t',
      horizonDays: stepMinutes / 1440,
      scenarios: steps,
      seed: `${seed}/prices`,
      maxLogShock: LIMITS.maxLogShock,
    },
    factors,
    'today',
  );
  const shocks = drawAll(set, ids.length, steps);
  const index = new Map(ids.map((id, f) => [id, f]));
  const milliseconds = Math.round(stepMinutes * 60_000);
  return {
    steps,
    factorIds: ids,
    absolute: (factor) => set.absolute[index.get(factor) ?? -1] === 1,
    step: (i) => ({
      milliseconds,
      shock: (factor) => shocks[i * ids.length + (index.get(factor) ?? Number.NaN)] ?? Number.NaN,
    }),
  };
}

/** Row-major: a step's shocks stand side by side. */
function drawAll(
  set: Parameters<typeof drawBlock>[1],
  factors: number,
  steps: number,
): Float64Array {
  const module = compileKernels();
  const probe = instantiateKernels(module, createMemory(1 << 17));
  const cholesky = Math.ceil(probe.heapBase() / 64) * 64;
  const scratch = Math.ceil((cholesky + factors * factors * 8) / 64) * 64;
  const out = Math.ceil((scratch + drawScratchBytes(factors)) / 64) * 64;
  const memory = createMemory(out + factors * DRAW_STRIDE * 8);
  const kernels = instantiateKernels(module, memory);
  const f64 = new Float64Array(memory.buffer);
  f64.set(set.cholesky, cholesky / 8);
  const shocks = new Float64Array(steps * factors);
  for (let first = 0; first < steps; first += DRAW_BLOCK) {
    drawBlock(kernels, set, first / DRAW_BLOCK, { cholesky, scratch, out });
    const count = Math.min(DRAW_BLOCK, steps - first);
    for (let f = 0; f < factors; f++) {
      const row = out / 8 + f * DRAW_STRIDE;
      for (let s = 0; s < count; s++) shocks[(first + s) * factors + f] = f64[row + s]!;
    }
  }
  return shocks;
}

/**
 * The last rows of a history, one step a row, in their order and as far apart as their dates. Where a factor has a gap it stands still.
 * @throws INSUFFICIENT_HISTORY where there are fewer rows than steps
 */
export function historyPath(history: History, steps: number): PricePath {
  const rows = history.dates.length - 1;
  if (!(rows >= steps)) {
    const message = `the history has ${rows} changes from row to row, ${steps} steps were asked for`;
    throw new PlimsollError('INSUFFICIENT_HISTORY', message, { path: 'history' });
  }
  const ids = history.columns.map(({ id }) => id);
  const shocks = logChanges(history, ids, 1);
  const instants = history.dates.map((date) => readInstant(instantText(date), 'history'));
  const index = new Map(ids.map((id, f) => [id, f]));
  const first = rows - steps;
  return {
    steps,
    factorIds: ids,
    absolute: (factor) => defaultKind(parseFactorId(factor).type) === 'absolute',
    step: (i) => ({
      milliseconds: instants[first + i + 1]! - instants[first + i]!,
      shock: (factor) =>
        shocks[(first + i) * ids.length + (index.get(factor) ?? Number.NaN)] ?? Number.NaN,
    }),
  };
}

function instantText(date: string): string {
  return date.length === 10 ? `${date}T00:00:00Z` : date;
}

export interface Moved {
  readonly ticks: readonly Tick[];
  /** Volatilities that would have left the range that a market may state, and were kept at its end. */
  readonly clamped: number;
}

/**
 * The ticks of one step: spot, forwards and marks multiply by the spot's move (and forwards by e^{bT}), every quoted volatility by
 * e^{v · (30/max(d, 1))^p}, as in a scenario (METHODOLOGY section 2). What has expired is left as it is.
 */
export function ticksOf(
  snapshot: MarketSnapshot,
  path: PricePath,
  i: number,
  asOfMs: number,
): Moved {
  const step = path.step(i);
  const known = (factor: string): number => {
    const shock = step.shock(factor);
    return Number.isNaN(shock) ? 0 : shock;
  };
  const now = asOfMs + step.milliseconds;
  let clamped = 0;
  const ticks = snapshot.underlyings.map((record): Tick => {
    const { id, spot } = record;
    const shock = known(`${id}:spot`);
    const factor = path.absolute(`${id}:spot`) ? (spot + shock) / spot : exp(shock);
    const vol = known(`${id}:vol`);
    const surface = movedSurface(record, vol, asOfMs, now);
    clamped += surface.clamped;
    const marks = snapshot.instruments.flatMap(({ underlying, id: instrument, mark, expiry }) =>
      underlying === id && mark !== undefined && !isOver(expiry, now)
        ? [{ instrument, mark: mark * factor }]
        : [],
    );
    const forwards = movedForwards(record, factor, known(`${id}:basis`), now);
    return {
      underlying: id,
      asOf: formatInstant(now),
      spot: spot * factor,
      ...(forwards.length === 0 ? {} : { forwards }),
      ...(surface.slices.length === 0 || vol === 0 ? {} : { surface: surface.slices }),
      ...(marks.length === 0 ? {} : { marks }),
    };
  });
  return { ticks, clamped };
}

function isOver(expiry: string | undefined, now: number): boolean {
  return expiry !== undefined && readInstant(expiry, 'expiry') <= now;
}

function movedForwards(
  { forwards = [] }: UnderlyingRecord,
  factor: number,
  b: number,
  now: number,
) {
  return forwards
    .filter(({ expiry }) => !isOver(expiry, now))
    .map(({ expiry, price }) => {
      const years = (readInstant(expiry, 'expiry') - now) / (365 * MILLISECONDS_PER_DAY);
      return { expiry, price: price * factor * exp(b * years) };
    });
}

const REFERENCE_DAYS = 30;

function movedSurface(
  { surface = [] }: UnderlyingRecord,
  vol: number,
  before: number,
  now: number,
) {
  const { impliedVolatilityMin, impliedVolatilityMax } = LIMITS;
  let clamped = 0;
  const slices = surface
    .filter(({ expiry }) => !isOver(expiry, now))
    .map(({ expiry, quotes }) => {
      const days = (readInstant(expiry, 'expiry') - before) / MILLISECONDS_PER_DAY;
      const power = days < REFERENCE_DAYS ? 0.3 : 0.13;
      const factor = exp(vol * pow(REFERENCE_DAYS / Math.max(days, 1), power));
      return {
        expiry,
        quotes: quotes.map(({ strike, iv }) => {
          const moved = iv * factor;
          const kept = Math.min(Math.max(moved, impliedVolatilityMin), impliedVolatilityMax);
          if (kept !== moved) clamped += 1;
          return { strike, iv: kept };
        }),
      };
    });
  return { slices, clamped };
}
