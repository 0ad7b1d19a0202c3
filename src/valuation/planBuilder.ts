/** How a plan is put together: rows in the order of the instruments, by underlying and expiry. */
import type { ErrorRecord } from '../errors.ts';
import type { Instrument, Market, Underlying } from '../market/market.ts';
import { type SliceTable, sliceParameters } from '../market/sliceTable.ts';
import {
  type Draft,
  type DraftExpiry,
  expiryOf,
  planOption,
  volatilityTermScale,
} from './optionPlan.ts';
import type { PlannedFactors, SmileRule, UnderlyingRows, ValuationPlan } from './plan.ts';
import { contractValue } from './value.ts';

/** Raised where a plan cannot keep the rows of the one before: the market must be planned anew. */
export class RowsChanged extends Error {}

export interface PlanTerms {
  /** Years. */
  readonly horizon: number;
  readonly smileRule: SmileRule;
  /** A plan of the same instruments and factors whose rows are kept, and the underlyings (indices) that have moved since. */
  readonly previous?:
    | { readonly plan: ValuationPlan; readonly moved: ReadonlySet<number> }
    | undefined;
}

/** Gives each instrument its row and, by its type, its kernel. */
export class PlanBuilder {
  private rows = 0;
  private readonly drafts: (Draft | null)[];
  private readonly rowOf: Int32Array;
  private readonly baseValues: Float64Array;
  private readonly linearDeltas: Float64Array;
  private readonly masksOf: (readonly number[])[];
  private readonly problems = new Map<number, ErrorRecord>();
  private readonly heldFactors: string[][];
  private readonly market: Market;
  private readonly factors: PlannedFactors;
  private readonly previous: NonNullable<PlanTerms['previous']> | null;
  private readonly horizon: number;
  private readonly smileRule: SmileRule;
  /** By underlying and expiry: null where the surface cannot say what the smile is. */
  private readonly smiles = new Map<string, SliceTable | null>();

  constructor(
    market: Market,
    factors: PlannedFactors,
    { horizon, smileRule, previous }: PlanTerms,
  ) {
    this.market = market;
    this.factors = factors;
    this.horizon = horizon;
    this.smileRule = smileRule;
    this.previous = previous ?? null;
    const before = previous?.plan;
    this.rows = before?.rows ?? 0;
    this.rowOf = before?.rowOf.slice() ?? new Int32Array(market.instruments.length).fill(-1);
    this.baseValues = before?.baseValues.slice() ?? new Float64Array(market.instruments.length);
    this.linearDeltas =
      before?.linearDeltas.slice() ?? new Float64Array(market.instruments.length).fill(Number.NaN);
    this.masksOf = before === undefined ? market.instruments.map(() => []) : [...before.masksOf];
    this.heldFactors =
      before === undefined
        ? market.underlyings.map(() => [])
        : before.heldFactors.map((ids) => [...ids]);
    for (const [index, problem] of before?.problems ?? []) this.problems.set(index, problem);
    this.drafts = market.underlyings.map((source, u) => this.draft(source, u));
  }

  /** The row that something had before, or the next one. @throws RowsChanged where it had none */
  private take(before: number | undefined): number {
    if (this.previous === null) return this.rows++;
    if (before === undefined || before === -1) throw new RowsChanged();
    return before;
  }

  private draft(source: Underlying, u: number): Draft | null {
    if (this.previous !== null && !this.previous.moved.has(u)) return null;
    const before = this.previous?.plan.underlyings[u] ?? undefined;
    const factor = (type: string): number => this.factors.index.get(`${source.id}:${type}`) ?? -1;
    const spotFactor = factor('spot');
    if (spotFactor === -1) return null;
    const volFactor = factor('vol');
    const basisFactor = factor('basis');
    this.heldFactors[u] = [];
    if (volFactor === -1) this.heldFactors[u]!.push(`${source.id}:vol`);
    if (basisFactor === -1) this.heldFactors[u]!.push(`${source.id}:basis`);
    const spotRow = this.take(before?.spotRow);
    const masks = [spotFactor, volFactor, basisFactor]
      .filter((index) => index !== -1 && this.factors.gaps(index))
      .map((index, i) => ({ row: this.take(before?.masks[i]?.row), factor: index }));
    const rowsOf = (...indices: number[]) =>
      masks.filter(({ factor: index }) => indices.includes(index)).map(({ row }) => row);
    const spotMasks = rowsOf(spotFactor);
    const futureMasks = rowsOf(spotFactor, basisFactor);
    const optionMasks = rowsOf(spotFactor, volFactor, basisFactor);
    const absolute = this.factors.absolute[spotFactor] === 1;
    const empty = { levels: [], pools: [], payoffs: [], expiries: new Map<string, DraftExpiry>() };
    const rows = { spotRow, masks, spotMasks, futureMasks, optionMasks };
    return { source, spotFactor, volFactor, basisFactor, absolute, ...rows, ...empty };
  }

  add(instrument: Instrument, index: number): void {
    const problem = instrument.problem ?? this.problemOf(instrument);
    const before = this.previous === null ? undefined : this.rowOf[index]!;
    if (problem !== null) {
      // What has just expired would leave a hole in the rows.
      if (before !== undefined && before !== -1) throw new RowsChanged();
      this.problems.set(index, problem);
      return;
    }
    const draft = this.drafts[instrument.underlying]!;
    const row = this.take(before);
    this.rowOf[index] = row;
    const { type } = instrument;
    if (type === 'option' || type === 'binary') this.addOption(draft, instrument, index, row);
    else if (type === 'pool') this.addPool(draft, instrument, index, row);
    else this.addLevel(draft, instrument, index, row);
  }

  private problemOf(instrument: Instrument): ErrorRecord | null {
    const draft = this.drafts[instrument.underlying] ?? null;
    const { id } = this.market.underlyings[instrument.underlying]!;
    const missing = (type: string): ErrorRecord => ({
      code: this.factors.absent,
      message: `${instrument.id} needs the factor ${id}:${type}, which ${
        this.factors.absent === 'MISSING_FACTOR' ? 'the factor model' : 'the history'
      } lacks`,
    });
    if (draft === null) return missing('spot');
    const { type } = instrument;
    const option = type === 'option' || type === 'binary';
    if (option && draft.volFactor === -1) return missing('vol');
    if (option && this.smileRule === 'sticky-moneyness' && this.smileOf(instrument) === null) {
      const message = `${instrument.id}: sticky-moneyness needs forwards for the slices of ${id} around its expiry`;
      return { code: 'MISSING_FORWARD', message };
    }
    const nonlinear = option || type === 'pool' || instrument.settlement === 'inverse';
    if (draft.absolute && (nonlinear || (draft.basisFactor !== -1 && type === 'future'))) {
      const message = `${instrument.id} needs a log spot factor; that of ${id} is absolute, and its price may fall below 0`;
      return { code: 'UNSUPPORTED_FACTOR', message };
    }
    return null;
  }

  /** Spot, perpetuals and futures. Where only the spot moves them their level is mark · S₁/S₀, so the spot's row serves, rescaled. */
  private addLevel(draft: Draft, instrument: Instrument, index: number, row: number): void {
    const { type, multiplier, mark, maturity } = instrument;
    const { spot } = draft.source;
    const inverse = instrument.settlement === 'inverse';
    this.masksOf[index] = draft.spotMasks;
    if (type === 'spot') {
      this.baseValues[index] = multiplier * spot;
      this.linearDeltas[index] = multiplier;
      draft.levels.push({ row, mark: spot, scale: multiplier, inverse: false });
    } else if (type === 'future' && maturity <= this.horizon) {
      this.masksOf[index] = draft.futureMasks;
      draft.levels.push({ row, mark, scale: multiplier, inverse });
    } else if (type === 'future' && draft.basisFactor !== -1) {
      this.masksOf[index] = draft.futureMasks;
      const forward = Number.isNaN(instrument.forward) ? mark : instrument.forward;
      const scale = inverse ? (multiplier * forward) / mark : (multiplier * mark) / forward;
      expiryOf(draft, instrument, forward).futures.push({ row, mark: forward, scale, inverse });
    } else {
      const scale = inverse ? (multiplier * spot) / mark : (multiplier * mark) / spot;
      // An inverse contract's coins, converted at the spot that moved, are linear in it: (1/S₀ − 1/S₁)·S₁ = (S₁ − S₀)/S₀.
      this.linearDeltas[index] = inverse ? scale / spot : scale;
      draft.levels.push({ row, mark: spot, scale, inverse });
    }
  }

  private addOption(draft: Draft, instrument: Instrument, index: number, row: number): void {
    this.masksOf[index] = draft.optionMasks;
    const value = contractValue(instrument, this.market);
    this.baseValues[index] = value;
    const smile = this.smileRule === 'sticky-moneyness' ? this.smileOf(instrument) : null;
    planOption(draft, { instrument, value, row, horizon: this.horizon, smile }, this.market);
  }

  private smileOf({ underlying, expiryMs, maturity }: Instrument): SliceTable | null {
    const key = `${underlying}|${expiryMs}`;
    let smile = this.smiles.get(key);
    if (smile === undefined) {
      const { surface } = this.market.underlyings[underlying]!;
      smile = surface === null ? null : sliceParameters(surface, expiryMs, maturity);
      this.smiles.set(key, smile);
    }
    return smile;
  }

  private addPool(draft: Draft, instrument: Instrument, index: number, row: number): void {
    this.masksOf[index] = draft.spotMasks;
    this.baseValues[index] = contractValue(instrument, this.market);
    draft.pools.push({ row, scale: 2 * instrument.multiplier });
  }

  build(): ValuationPlan {
    return {
      rows: this.rows,
      smileBytes: [...this.smiles.values()].reduce(
        (most, smile) => Math.max(most, (smile?.words.length ?? 0) * 8),
        this.previous?.plan.smileBytes ?? 0,
      ),
      underlyings: this.drafts.map((draft, u) =>
        draft === null ? (this.previous?.plan.underlyings[u] ?? null) : finish(draft, this.horizon),
      ),
      rowOf: this.rowOf,
      baseValues: this.baseValues,
      linearDeltas: this.linearDeltas,
      masksOf: this.masksOf,
      problems: this.problems,
      heldFactors: this.heldFactors,
    };
  }
}

function finish(draft: Draft, horizon: number): UnderlyingRows {
  const { source, spotFactor, volFactor, basisFactor, absolute } = draft;
  const { spotRow, masks, spotMasks } = draft;
  const expiries = [...draft.expiries.values()].map((expiry) => ({
    forward: expiry.forward,
    maturity: expiry.maturity,
    left: expiry.maturity - horizon,
    volScale: volatilityTermScale(expiry.maturity),
    smile: expiry.smile,
    strikes: [...expiry.strikes.values()],
    binaries: expiry.binaries,
    americans: expiry.americans,
    futures: expiry.futures,
  }));
  const { levels, pools, payoffs } = draft;
  const factors = { spotFactor, volFactor, basisFactor, absolute };
  return {
    spot: source.spot,
    ...factors,
    spotRow,
    masks,
    spotMasks,
    levels,
    pools,
    expiries,
    payoffs,
  };
}
