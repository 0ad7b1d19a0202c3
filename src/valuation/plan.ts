/**
 * Which kernel revalues each instrument, from which factors, with which parameters. The plan is plain data: it is made once for a market
 * and a factor model and sent to every worker.
 */
import type { ErrorRecord } from '../errors.ts';
import { type Instrument, type Market, optionScale, type Underlying } from '../market/market.ts';
import { black76, exp, log, pow } from '../numerics.ts';

/** A row that moves with a price: scale · (level − mark), or the inverse contract's form of it. */
export interface LevelRow {
  readonly row: number;
  readonly mark: number;
  readonly scale: number;
  readonly inverse: boolean;
}

export interface OptionSide {
  readonly row: number;
  /** Value of one contract now, in currency. */
  readonly base: number;
}

/** One strike of an expiry: the call and the put cost one evaluation together. */
export interface StrikeRows {
  readonly strike: number;
  readonly logMoneyness: number;
  /** σ√T₁. */
  readonly totalVolatility: number;
  readonly scale: number;
  /** A coin-settled option's value converts at S₁/F₁, which moves with the basis. */
  readonly coin: boolean;
  readonly call: OptionSide | null;
  readonly put: OptionSide | null;
}

export interface ExpiryRows {
  readonly forward: number;
  /** T before the horizon is taken off: what the basis shock is multiplied by. */
  readonly maturity: number;
  /** (30/max(d, 1))^p: how strongly this expiry's volatility follows the 30-day one. */
  readonly volScale: number;
  readonly strikes: readonly StrikeRows[];
  /** Futures of this expiry, when the basis moves them apart from the spot. */
  readonly futures: readonly LevelRow[];
}

/** Options that expire inside the horizon are worth their payoff. */
export interface PayoffRow extends OptionSide {
  readonly strike: number;
  readonly right: 1 | -1;
  readonly scale: number;
}

export interface MaskRow {
  readonly row: number;
  readonly factor: number;
}

export interface UnderlyingRows {
  readonly spot: number;
  readonly absolute: boolean;
  /** Indices of factors; −1 is held still. */
  readonly spotFactor: number;
  readonly volFactor: number;
  readonly basisFactor: number;
  /** S₁ − S₀: collateral coins and unrealised coins. */
  readonly spotRow: number;
  /** Rows of +∞ where a historical scenario lacks a factor, else 0: one for each factor that has gaps. */
  readonly masks: readonly MaskRow[];
  /** Those of the spot factor: what coins need. */
  readonly spotMasks: readonly number[];
  readonly levels: readonly LevelRow[];
  readonly expiries: readonly ExpiryRows[];
  readonly payoffs: readonly PayoffRow[];
}

export interface ValuationPlan {
  readonly rows: number;
  /** By the market's underlying index; null where the factor model does not move it. */
  readonly underlyings: readonly (UnderlyingRows | null)[];
  /** Row of each instrument; −1 where a position in it must be rejected (see `problems`) or it was not asked for. */
  readonly rowOf: Int32Array;
  /** Value of one contract now, in currency; 0 for perpetuals and futures. */
  readonly baseValues: Float64Array;
  /** Spot delta of one contract where its P&L is delta · (S₁ − S₀) in every scenario; NaN where it is not. */
  readonly linearDeltas: Float64Array;
  /** Mask rows of the factors that move each instrument; a book with it sums them too. */
  readonly masksOf: readonly (readonly number[])[];
  readonly problems: ReadonlyMap<number, ErrorRecord>;
  /** Factors that the market could use and the model lacks, by underlying: they are held still. */
  readonly heldFactors: readonly (readonly string[])[];
}

/** What the plan needs to know of the factors. */
export interface PlannedFactors {
  readonly index: ReadonlyMap<string, number>;
  readonly absolute: Uint8Array;
  /** Whether rows of a history may lack this factor (an index). */
  readonly gaps: (factor: number) => boolean;
  /** The code for an absent factor: of the model, or of the history. */
  readonly absent: 'MISSING_FACTOR' | 'MISSING_HISTORY';
}

const DAYS = 365;

/** METHODOLOGY section 2: the term scaling of volatility moves, d in calendar days before the horizon is taken off. */
export function volatilityTermScale(maturity: number): number {
  const days = Math.max(maturity * DAYS, 1);
  return pow(30 / days, days < 30 ? 0.3 : 0.13);
}

/**
 * @param held instruments to plan for; all when left out
 * @param horizonDays taken off the time to expiry; 0 for instantaneous shocks
 */
export function planValuation(
  market: Market,
  factors: PlannedFactors,
  horizonDays: number,
  held?: ReadonlySet<number>,
): ValuationPlan {
  const builder = new PlanBuilder(market, factors, horizonDays / DAYS);
  market.instruments.forEach((instrument, index) => {
    if (held === undefined || held.has(index)) builder.add(instrument, index);
  });
  return builder.build();
}

interface Draft {
  readonly source: Underlying;
  readonly spotFactor: number;
  readonly volFactor: number;
  readonly basisFactor: number;
  readonly absolute: boolean;
  readonly spotRow: number;
  readonly masks: readonly MaskRow[];
  readonly spotMasks: readonly number[];
  readonly futureMasks: readonly number[];
  readonly optionMasks: readonly number[];
  readonly levels: LevelRow[];
  readonly payoffs: PayoffRow[];
  /** By expiry and forward: a future that has only a mark is a forward of its own. */
  readonly expiries: Map<string, DraftExpiry>;
}

interface DraftExpiry {
  readonly forward: number;
  readonly maturity: number;
  readonly strikes: Map<string, StrikeRows>;
  readonly futures: LevelRow[];
}

class PlanBuilder {
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
  private readonly horizon: number;

  constructor(market: Market, factors: PlannedFactors, horizon: number) {
    this.market = market;
    this.factors = factors;
    this.horizon = horizon;
    this.rowOf = new Int32Array(market.instruments.length).fill(-1);
    this.baseValues = new Float64Array(market.instruments.length);
    this.linearDeltas = new Float64Array(market.instruments.length).fill(Number.NaN);
    this.masksOf = market.instruments.map(() => []);
    this.heldFactors = market.underlyings.map(() => []);
    this.drafts = market.underlyings.map((source, u) => this.draft(source, u));
  }

  private draft(source: Underlying, u: number): Draft | null {
    const factor = (type: string): number => this.factors.index.get(`${source.id}:${type}`) ?? -1;
    const spotFactor = factor('spot');
    if (spotFactor === -1) return null;
    const volFactor = factor('vol');
    const basisFactor = factor('basis');
    if (volFactor === -1) this.heldFactors[u]!.push(`${source.id}:vol`);
    if (basisFactor === -1) this.heldFactors[u]!.push(`${source.id}:basis`);
    const spotRow = this.rows++;
    const masks = [spotFactor, volFactor, basisFactor]
      .filter((index) => index !== -1 && this.factors.gaps(index))
      .map((index) => ({ row: this.rows++, factor: index }));
    const rowsOf = (...indices: number[]) =>
      masks.filter(({ factor: index }) => indices.includes(index)).map(({ row }) => row);
    const spotMasks = rowsOf(spotFactor);
    const futureMasks = rowsOf(spotFactor, basisFactor);
    const optionMasks = rowsOf(spotFactor, volFactor, basisFactor);
    const absolute = this.factors.absolute[spotFactor] === 1;
    const empty = { levels: [], payoffs: [], expiries: new Map<string, DraftExpiry>() };
    const rows = { spotRow, masks, spotMasks, futureMasks, optionMasks };
    return { source, spotFactor, volFactor, basisFactor, absolute, ...rows, ...empty };
  }

  add(instrument: Instrument, index: number): void {
    const problem = instrument.problem ?? this.problemOf(instrument);
    if (problem !== null) {
      this.problems.set(index, problem);
      return;
    }
    const draft = this.drafts[instrument.underlying]!;
    const row = this.rows++;
    this.rowOf[index] = row;
    if (instrument.type === 'option') this.addOption(draft, instrument, index, row);
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
    if (instrument.type === 'option' && draft.volFactor === -1) return missing('vol');
    const nonlinear = instrument.type === 'option' || instrument.settlement === 'inverse';
    if (
      draft.absolute &&
      (nonlinear || (draft.basisFactor !== -1 && instrument.type === 'future'))
    ) {
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
      this.expiry(draft, instrument, forward).futures.push({ row, mark: forward, scale, inverse });
    } else {
      const scale = inverse ? (multiplier * spot) / mark : (multiplier * mark) / spot;
      // An inverse contract's coins, converted at the spot that moved, are linear in it: (1/S₀ − 1/S₁)·S₁ = (S₁ − S₀)/S₀.
      this.linearDeltas[index] = inverse ? scale / spot : scale;
      draft.levels.push({ row, mark: spot, scale, inverse });
    }
  }

  private expiry(draft: Draft, instrument: Instrument, forward: number): DraftExpiry {
    const key = `${instrument.expiryMs}|${forward}`;
    let expiry = draft.expiries.get(key);
    if (expiry === undefined) {
      expiry = { forward, maturity: instrument.maturity, strikes: new Map(), futures: [] };
      draft.expiries.set(key, expiry);
    }
    return expiry;
  }

  private addOption(draft: Draft, instrument: Instrument, index: number, row: number): void {
    const { forward, strike, volatility, maturity, multiplier } = instrument;
    this.masksOf[index] = draft.optionMasks;
    const right = instrument.right === 1 ? 1 : -1;
    const scaleNow = optionScale(instrument, this.market);
    const base = scaleNow * black76(forward, strike, volatility * Math.sqrt(maturity), right);
    this.baseValues[index] = base;
    const left = maturity - this.horizon;
    if (!(left > 0)) {
      draft.payoffs.push({ row, base, strike, right, scale: multiplier });
      return;
    }
    const coin = instrument.settlement === 'coin';
    const scale = coin ? scaleNow : multiplier * exp(-draft.source.rate * left);
    const totalVolatility = volatility * Math.sqrt(left);
    const expiry = this.expiry(draft, instrument, forward);
    const key = `${strike}|${scale}|${totalVolatility}|${coin}`;
    const logMoneyness = log(forward / strike);
    const shared = expiry.strikes.get(key) ?? {
      strike,
      logMoneyness,
      totalVolatility,
      scale,
      coin,
      call: null,
      put: null,
    };
    const side = { row, base };
    // Two listings of the same contract: the second one gets an evaluation of its own.
    const taken = right === 1 ? shared.call !== null : shared.put !== null;
    const fresh = { strike, logMoneyness, totalVolatility, scale, coin, call: null, put: null };
    const target = taken ? fresh : shared;
    expiry.strikes.set(
      taken ? `${key}|${row}` : key,
      right === 1 ? { ...target, call: side } : { ...target, put: side },
    );
  }

  build(): ValuationPlan {
    return {
      rows: this.rows,
      underlyings: this.drafts.map((draft) => (draft === null ? null : finish(draft))),
      rowOf: this.rowOf,
      baseValues: this.baseValues,
      linearDeltas: this.linearDeltas,
      masksOf: this.masksOf,
      problems: this.problems,
      heldFactors: this.heldFactors,
    };
  }
}

function finish(draft: Draft): UnderlyingRows {
  const { source, spotFactor, volFactor, basisFactor, absolute } = draft;
  const { spotRow, masks, spotMasks } = draft;
  const expiries = [...draft.expiries.values()].map((expiry) => ({
    forward: expiry.forward,
    maturity: expiry.maturity,
    volScale: volatilityTermScale(expiry.maturity),
    strikes: [...expiry.strikes.values()],
    futures: expiry.futures,
  }));
  const { levels, payoffs } = draft;
  const factors = { spotFactor, volFactor, basisFactor, absolute };
  return { spot: source.spot, ...factors, spotRow, masks, spotMasks, levels, expiries, payoffs };
}
