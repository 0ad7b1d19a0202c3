/**
 * The nearest price at which equity meets a requirement. A model of the headroom is followed outwards in small steps, held to
 * the full revaluations made so far; where it meets 0, or comes so near that it may be wrong, the price is revalued in full.
 */
import { exp, log } from '../../numerics.ts';
import { GREATEST_FACTOR, LEAST_FACTOR } from './liquidationPriceModel.ts';
import type { Trial } from './liquidationPriceTrial.ts';

export interface HeadroomModel {
  readonly at: (x: number) => { readonly headroom: number; readonly requirement: number };
}

export interface Root {
  readonly trial: Trial;
  /** d(headroom)/dx, x the log of the price: of the model. NaN at a jump. */
  readonly slope: number;
  /** Headroom leaps over 0 here: the trial is just beyond. */
  readonly jump: boolean;
}

/** In log price, longer far out. A crossing and its way back within one step show as a minimum of the model close to 0. */
const STEP = 0.03;
const STEP_GROWTH = 0.05;
/** How far off the model may be, as a share of the requirement: beside a full revaluation, and 0.5 of log price away from any. */
const DOUBT_NEAR = 0.01;
const DOUBT_FAR = 0.12;
/** |headroom| at a root, as a share of equity or requirement, whichever is more. */
const PRECISION = 1e-9;
/** What is asked for. Where two neighbouring prices are on either side of 0 and neither is as near, headroom jumps. */
const TOLERANCE = 1e-6;
const TRIALS_MAX = 60;
/** Revaluations at one minimum of the model. */
const SOUNDINGS = 4;
/** Distances, in log price, that are revalued where today's headroom is next to nothing. */
const PROBES = [0.001, 0.004, 0.012];
/** Guesses that the model makes within a bracket: its ends may be far apart, where a secant says little. */
const MODEL_GUESSES = 2;

interface Known {
  readonly x: number;
  readonly correction: number;
}

/** A price on the way: on the account's own side of 0 (1: not in liquidation), or not. */
interface Place {
  readonly x: number;
  readonly trial: Trial;
}

export interface SearchBounds {
  /** No further than this, in log price. */
  readonly within?: number;
  /** Distances that are revalued before the search, in log price, ascending: where the model is known to leave something out. */
  readonly anchors?: readonly number[];
}

export class RootSearch {
  private readonly model: HeadroomModel;
  private readonly revalue: (factor: number) => Trial;
  private readonly side: 1 | -1;
  private readonly sign: 1 | -1;
  private readonly limit: number;
  /** By distance from today's price. */
  private readonly known: Known[] = [];
  /** Revalued on the account's own side of 0. */
  private readonly safe: Place[];
  private trials = 0;

  /** @param side −1 looks below today's price, 1 above */
  constructor(
    model: HeadroomModel,
    revalue: (factor: number) => Trial,
    today: Trial,
    side: 1 | -1,
    { within = Number.POSITIVE_INFINITY, anchors = [] }: SearchBounds = {},
  ) {
    this.model = model;
    this.revalue = revalue;
    this.side = side;
    this.sign = today.headroom >= 0 ? 1 : -1;
    this.limit = Math.min(within, side * log(side === 1 ? GREATEST_FACTOR : LEAST_FACTOR));
    this.safe = [{ x: 0, trial: today }];
    this.learn(0, today);
    for (const distance of anchors) {
      if (!(distance < this.limit)) break;
      const place = this.tryAt(distance);
      if (this.sign * place.trial.headroom > 0) this.safe.push(place);
    }
  }

  /** Null where headroom keeps its sign over the whole range. */
  find(): Root | null {
    const beside = this.probe();
    if (beside !== null) return beside;
    let before = Number.POSITIVE_INFINITY;
    let last = this.headroomAt(0);
    for (let at = 0; at < this.limit; ) {
      const step = STEP + STEP_GROWTH * at;
      const next = Math.min(at + step, this.limit);
      const value = this.headroomAt(next);
      if (value <= 0) {
        const root = this.pursue(at, next);
        if (root !== null) return root;
        // The revaluations on the way have mended the model: once more, from where they stand.
        before = Number.POSITIVE_INFINITY;
        last = this.headroomAt(at);
        if (this.headroomAt(next) <= 0) return null;
        continue;
      }
      // At today's price, too, where it is a hair's breadth from 0: a crossing and its way back may lie within the first step.
      const near = at > 0 || last <= this.doubtAt(0);
      if (near && last < before && last <= value) {
        const root = this.sound(at, step);
        if (root !== null) return root;
      }
      before = last;
      last = value;
      at = next;
    }
    return this.atLimit();
  }

  /** Where today's headroom is less than the model may be wrong by, its way out from here is not to be trusted: it is revalued. */
  private probe(): Root | null {
    if (this.headroomAt(0) > this.doubtAt(0)) return null;
    for (const distance of PROBES) {
      if (!(distance < this.limit)) return null;
      const place = this.tryAt(distance);
      if (this.sign * place.trial.headroom <= 0) return this.between(place);
      this.safe.push(place);
    }
    return null;
  }

  private atLimit(): Root | null {
    if (this.headroomAt(this.limit) > this.doubtAt(this.limit)) return null;
    const place = this.tryAt(this.limit);
    return this.sign * place.trial.headroom > 0 ? null : this.between(place);
  }

  /** By how much the model may be wrong, in currency. */
  private doubtAt(distance: number): number {
    const apart = Math.min(...this.known.map(({ x }) => Math.abs(x - distance)));
    const share = DOUBT_NEAR + (DOUBT_FAR - DOUBT_NEAR) * Math.min(1, apart / 0.5);
    return share * this.model.at(this.side * distance).requirement;
  }

  /** Signed so that the account's own side is positive, at a distance from today's price. */
  private headroomAt(distance: number): number {
    const x = this.side * distance;
    return this.sign * (this.model.at(x).headroom + this.correction(distance));
  }

  /** Linear between two revaluations; beyond the last on the same line, but no further than they are apart. */
  private correction(distance: number): number {
    const { known } = this;
    const after = known.findIndex(({ x }) => x >= distance);
    const at = after === -1 ? known.length - 1 : after;
    const far = known[at]!;
    const near = known[at - 1];
    if (near === undefined || far.x === distance) return far.correction;
    const gap = far.x - near.x;
    const share = Math.min(distance - near.x, 2 * gap) / gap;
    return near.correction + share * (far.correction - near.correction);
  }

  private learn(distance: number, trial: Trial): void {
    const correction = trial.headroom - this.model.at(this.side * distance).headroom;
    this.known.push({ x: distance, correction });
    this.known.sort((a, b) => a.x - b.x);
  }

  private tryAt(distance: number): Place {
    this.trials += 1;
    const trial = this.revalue(exp(this.side * distance));
    this.learn(distance, trial);
    return { x: distance, trial };
  }

  /** The model comes near 0 at a minimum: how it stands there; and again where a revaluation has moved the minimum. */
  private sound(bottom: number, reach: number): Root | null {
    for (let i = 0; i < SOUNDINGS; i++) {
      const low = Math.max(bottom - reach, 0);
      const high = Math.min(bottom + reach, this.limit);
      const at = leastOf((distance) => this.headroomAt(distance), low, high);
      const tried = this.known.some(({ x }) => Math.abs(x - at) < 1e-6);
      if (tried || this.headroomAt(at) > this.doubtAt(at)) return null;
      const place = this.tryAt(at);
      if (this.sign * place.trial.headroom <= 0) return this.between(place);
      this.safe.push(place);
    }
    return null;
  }

  /** The model crosses 0 between two distances: is it so, and where? Null when revaluations say that it does not. */
  private pursue(from: number, to: number): Root | null {
    let [low, high] = [from, to];
    while (this.trials < TRIALS_MAX) {
      const guess = zeroOf((distance) => this.headroomAt(distance), low, high);
      const place = this.tryAt(guess);
      if (isRoot(place.trial)) return this.rootAt(place);
      if (this.sign * place.trial.headroom < 0) return this.between(place);
      this.safe.push(place);
      low = guess;
      // The root may lie just behind the step.
      if (!(high - low > 1e-12)) high = Math.min(high + STEP, this.limit);
      if (this.headroomAt(high) > 0 || !(high > low)) return null;
    }
    return null;
  }

  /** Where the model has it, then secants in price: kept within what is known to hold the root, and halved where they are slow. */
  private between(end: Place): Root {
    const nearer = this.safe.filter(({ x }) => x < end.x);
    const start = nearer.reduce((furthest, place) => (place.x > furthest.x ? place : furthest));
    let [inner, outer, latest, previous] = [start, end, end, start];
    let width = outer.x - inner.x;
    for (let i = 0; this.trials < TRIALS_MAX; i++) {
      if (isRoot(latest.trial)) return this.rootAt(latest);
      const [low, high] = [inner.trial.factor, outer.trial.factor];
      let factor =
        i < MODEL_GUESSES
          ? exp(this.side * zeroOf((distance) => this.headroomAt(distance), inner.x, outer.x))
          : secant(previous.trial, latest.trial);
      const within = (factor - low) * (factor - high) < 0;
      const slow = i % 3 === 2 && outer.x - inner.x > 0.5 * width;
      if (i % 3 === 2) width = outer.x - inner.x;
      if (!within || slow) factor = (low + high) / 2;
      if (factor === low || factor === high) break;
      previous = latest;
      latest = i < MODEL_GUESSES ? this.tryAt(this.side * log(factor)) : this.tryFactor(factor);
      if (this.sign * latest.trial.headroom > 0) inner = latest;
      else outer = latest;
    }
    const best = this.sizeOf(inner) <= this.sizeOf(outer) ? inner : outer;
    if (isRoot(best.trial, TOLERANCE)) return this.rootAt(best);
    return { trial: outer.trial, slope: Number.NaN, jump: true };
  }

  private tryFactor(factor: number): Place {
    this.trials += 1;
    const trial = this.revalue(factor);
    return { x: this.side * log(factor), trial };
  }

  private sizeOf({ trial }: Place): number {
    return Math.abs(trial.headroom);
  }

  private rootAt({ x, trial }: Place): Root {
    const h = 0.005;
    const up = this.model.at(this.side * x + h).headroom;
    const down = this.model.at(this.side * x - h).headroom;
    return { trial, slope: (up - down) / (2 * h), jump: false };
  }
}

function isRoot({ headroom, equity, requirement }: Trial, precision = PRECISION): boolean {
  return Math.abs(headroom) <= precision * Math.max(Math.abs(equity), requirement);
}

function secant(a: Trial, b: Trial): number {
  return b.factor - (b.headroom * (b.factor - a.factor)) / (b.headroom - a.headroom);
}

/** Of a function that is > 0 at `low` and ≤ 0 at `high` (the Illinois form of the regula falsi, then halving): cheap, so to the last digits. */
function zeroOf(f: (x: number) => number, low: number, high: number): number {
  let [a, b, fa, fb] = [low, high, f(low), f(high)];
  if (!(fa > 0)) return low;
  for (let i = 0; i < 60 && b - a > 1e-13; i++) {
    const cut = i % 4 === 3 ? (a + b) / 2 : (a * fb - b * fa) / (fb - fa);
    const value = f(cut);
    if (value === 0) return cut;
    if (value > 0) [a, fa, fb] = [cut, value, i % 4 === 3 ? fb : fb / 2];
    else [b, fb, fa] = [cut, value, i % 4 === 3 ? fa : fa / 2];
  }
  return (a + b) / 2;
}

/** Least value between two ends by golden section (J. Kiefer, Proc. Am. Math. Soc. 4, 1953). */
export function leastOf(f: (x: number) => number, low: number, high: number, steps = 12): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  let [c, d] = [b - golden * (b - a), a + golden * (b - a)];
  let [fc, fd] = [f(c), f(d)];
  for (let i = 0; i < steps; i++) {
    if (fc <= fd) {
      [b, d, fd] = [d, c, fc];
      c = b - golden * (b - a);
      fc = f(c);
    } else {
      [a, c, fc] = [c, d, fd];
      d = a + golden * (b - a);
      fd = f(d);
    }
  }
  const ends = [low, high, fc <= fd ? c : d];
  return ends.reduce((best, x) => (f(x) < f(best) ? x : best));
}
