/**
 * Triggers: of each underlying the nearest price, below and above, at which an account's state changes, for the worse or for the better, so that
 * a matching engine can act without asking. It is the search for liquidation prices with other levels: found on a model of equity and
 * requirements, held to full revaluations on the session's scenarios (METHODOLOGY section 5).
 */
import { PlimsollError } from '../../errors.ts';
import type { Account } from '../../margin/account.ts';
import { type Portfolio, resolvePortfolio } from '../../margin/portfolio.ts';
import { type AccountState, afterCredit } from '../../margin/requirement.ts';
import { checkFigures } from '../../margin/result.ts';
import { log } from '../../numerics.ts';
import { BookPasses } from '../bookPasses.ts';
import { type Ground, groundOf } from './liquidationPrice.ts';
import { LiquidationModel } from './liquidationPriceModel.ts';
import { scannedSets } from './liquidationPriceScenarios.ts';
import { type HeadroomModel, type Root, RootSearch } from './liquidationPriceSearch.ts';
import { type PriceTarget, type SideOfPrice, tasksOf } from './liquidationPriceTargets.ts';
import {
  againstThreshold,
  ownTrial,
  type Revalued,
  type StateFigures,
  type Threshold,
  trialOf,
} from './liquidationPriceTrial.ts';
import type { StudyContext } from './study.ts';
import { type Neighbours, neighboursOf, stateBeyond, stateFrom } from './triggersLevels.ts';
import type {
  FoundTrigger,
  FoundTriggers,
  Trigger,
  TriggerCrossing,
  TriggersPart,
} from './triggersSchema.ts';
import { triggerTargets } from './triggersTargets.ts';

/** Log distances that are revalued first where orders are open: the model has their charge as it is today. */
const ORDER_ANCHORS = [0.02, 0.06, 0.15, 0.35, 0.8, 1.4];

/**
 * @throws INVALID_FIELD for a held state in isolated mode, where each position has a band of its own; and the account's own errors
 */
export function triggers(
  account: Account,
  request: TriggersPart,
  context: StudyContext,
): FoundTriggers {
  const { bench, slot } = context;
  const { session } = bench;
  const { heldState, approximate = false } = request;
  if (heldState !== undefined && account.mode === 'isolated') {
    const message = 'isolated positions have no held state: leave heldState out';
    throw new PlimsollError('INVALID_FIELD', message, { path: 'heldState' });
  }
  const margin = request.part === 0 ? context.margin([account])[0]! : null;
  const portfolio = resolvePortfolio(account, session.valuation);
  const targets = triggerTargets(portfolio, session.valuation.market);
  const state =
    margin === null || account.mode === 'isolated'
      ? (margin?.state ?? null)
      : stateFrom(
          heldState,
          { ...afterCredit(margin, account.creditLine), equity: margin.equity },
          session.valuation.methodology,
        );
  const passes = new BookPasses(bench, slot);
  let shared: Ground | null = null;
  const found = tasksOf(targets, request).map(({ target, sides }): FoundTrigger => {
    context.checkCancelled();
    const asked = targets[target]!;
    if (asked.instrument === null) {
      shared ??= groundOf(session, instrumentsOf(portfolio));
    }
    const ground = shared ?? groundOf(session, new Set([asked.instrument!]));
    const search = new TriggerSearch(asked, ground, passes, context, { heldState, approximate });
    const trigger = search.trigger(sides);
    checkFigures(trigger, account.id);
    return { target, trigger, sides };
  });
  return { margin, state, found };
}

function instrumentsOf({ instruments, orders }: Portfolio): ReadonlySet<number> {
  return new Set([...instruments, ...orders.map(({ instrument }) => instrument)]);
}

interface Asked {
  readonly heldState: AccountState | undefined;
  readonly approximate: boolean;
}

/** The triggers of one target. */
class TriggerSearch {
  private readonly target: PriceTarget;
  private readonly context: StudyContext;
  private readonly ground: Ground;
  private readonly today: Revalued;
  private readonly state: AccountState;
  private readonly release: number;
  private readonly neighbours: Neighbours;
  /** Null where nothing of the underlying is held: only the charge of open orders moves with it. */
  private readonly model: LiquidationModel | null;
  private readonly approximate: boolean;

  constructor(
    target: PriceTarget,
    ground: Ground,
    passes: BookPasses,
    context: StudyContext,
    { heldState, approximate }: Asked,
  ) {
    const { valuation } = context.bench.session;
    const { methodology } = valuation;
    this.target = target;
    this.context = context;
    this.ground = ground;
    this.today = ownTrial(target.account, valuation, passes, 1);
    this.state = stateFrom(heldState, this.today.figures, methodology);
    this.release = heldState === undefined ? 1 : methodology.releaseLevel;
    this.neighbours = neighboursOf(this.state, this.release, methodology);
    this.model = this.modelOf();
    this.approximate = approximate && this.model !== null;
  }

  trigger(sides: readonly SideOfPrice[]): Trigger {
    const { underlying, instrument } = this.target;
    const { market } = this.context.bench.session.valuation;
    const { id, spot } = market.underlyings[underlying]!;
    const found = (side: SideOfPrice): TriggerCrossing | null =>
      sides.includes(side) ? this.nearest(side === 'below' ? -1 : 1, spot) : null;
    return {
      underlying: id,
      ...(instrument === null ? {} : { instrument: market.instruments[instrument]!.id }),
      spot,
      state: this.state,
      below: found('below'),
      above: found('above'),
    };
  }

  private modelOf(): LiquidationModel | null {
    const { target, context, today } = this;
    const { bench, slot } = context;
    const { valuation } = bench.session;
    const { account, underlying } = target;
    const portfolio = resolvePortfolio(account, valuation);
    if (!portfolio.parts.some((part) => part.underlying === underlying)) return null;
    const rows = valuation.plan.underlyings[underlying]!;
    return new LiquidationModel({
      account,
      underlying,
      valuation: this.ground.session.valuation,
      planNow: this.ground.planNow,
      desk: this.ground.desk,
      sets: scannedSets(bench, slot, portfolio, underlying, rows),
      today: today.figures,
    });
  }

  /** The nearer of the change for the worse and the change for the better. */
  private nearest(side: 1 | -1, spot: number): TriggerCrossing | null {
    let best: TriggerCrossing | null = null;
    let within = Number.POSITIVE_INFINITY;
    for (const way of ['worse', 'better'] as const) {
      const threshold = this.neighbours[way];
      if (threshold === null) continue;
      const found = this.search(threshold, side, within);
      if (found === null) continue;
      best = this.crossing(found, way, threshold, spot);
      within = Math.abs(log(found.root.trial.factor));
    }
    return best;
  }

  private search(
    threshold: Threshold,
    side: 1 | -1,
    within: number,
  ): { readonly root: Root; readonly at: StateFigures } | null {
    this.context.checkCancelled();
    const seen = new Map<number, StateFigures>();
    const revalue = (factor: number) => {
      this.context.checkCancelled();
      const { figures, standardError } = this.figuresAt(factor);
      seen.set(factor, figures);
      return trialOf({ factor, figures, standardError }, threshold);
    };
    const today = trialOf(this.today, threshold);
    const ordered = this.target.account.orders.length > 0 && !this.approximate;
    const anchors = ordered || this.model === null ? ORDER_ANCHORS : [];
    const model = this.headroomModel(threshold);
    const root = new RootSearch(model, revalue, today, side, { within, anchors }).find();
    if (root === null) return null;
    return { root, at: seen.get(root.trial.factor) ?? this.today.figures };
  }

  private headroomModel(threshold: Threshold): HeadroomModel {
    const { model, today } = this;
    if (model !== null) return { at: (x) => model.at(x, threshold) };
    const flat = againstThreshold(today.figures, threshold);
    return { at: () => flat };
  }

  private figuresAt(factor: number): Pick<Revalued, 'standardError'> & { figures: StateFigures } {
    const { target, model, today } = this;
    if (!this.approximate || model === null) {
      return this.ground.lab.revalued(target.account, target.underlying, factor);
    }
    // As far off as the model is today, so that it begins with the figures that are known.
    const [there, here, now] = [model.figures(log(factor)), model.figures(0), today.figures];
    const moved = (name: keyof StateFigures): number => there[name] - here[name] + now[name];
    const figures = {
      equity: moved('equity'),
      initialRequirement: Math.max(0, moved('initialRequirement')),
      maintenanceRequirement: Math.max(0, moved('maintenanceRequirement')),
    };
    return { figures, standardError: today.standardError };
  }

  private crossing(
    { root, at }: { readonly root: Root; readonly at: StateFigures },
    way: 'worse' | 'better',
    { requirement, level }: Threshold,
    spot: number,
  ): TriggerCrossing {
    const { methodology } = this.context.bench.session.valuation;
    const { factor, standardError } = root.trial;
    const price = spot * factor;
    const size = Math.max(
      Math.abs(this.today.figures.equity),
      Math.abs(at.equity),
      at.initialRequirement,
    );
    const share = requirement === 'initial' ? level : level * methodology.mmFactor;
    const error =
      standardError === null ? Number.NaN : (share * standardError * price) / Math.abs(root.slope);
    return {
      price,
      move: factor - 1,
      to: stateBeyond(this.state, way, at, this.release, methodology, size),
      equity: at.equity,
      initialRequirement: at.initialRequirement,
      maintenanceRequirement: at.maintenanceRequirement,
      standardError: Number.isFinite(error) ? error : null,
      ...(root.jump ? { jump: true } : {}),
    };
  }
}
