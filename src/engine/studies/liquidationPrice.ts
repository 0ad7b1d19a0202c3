/**
 * The liquidation price of each underlying, below and above: the price at which equity meets the maintenance requirement, both computed
 * anew at each price that is tried, on the session's scenarios (METHODOLOGY section 5). In isolated mode: of each position.
 */
import type { Account } from '../../margin/account.ts';
import { resolvePortfolio } from '../../margin/portfolio.ts';
import { checkFigures } from '../../margin/result.ts';
import { narrowMarket } from '../../market/movedMarket.ts';
import { instrumentExposures } from '../../valuation/exposures.ts';
import { planValuation } from '../../valuation/plan.ts';
import { BookPasses } from '../bookPasses.ts';
import { plannedFactors } from '../plannedFactors.ts';
import type { Session } from '../sessionData.ts';
import { LiquidationModel } from './liquidationPriceModel.ts';
import { scannedSets } from './liquidationPriceScenarios.ts';
import type {
  FoundPrice,
  FoundPrices,
  LiquidationCrossing,
  LiquidationPrice,
  LiquidationPriceRequest,
} from './liquidationPriceSchema.ts';
import { type Root, RootSearch } from './liquidationPriceSearch.ts';
import { ValuationDesk } from './liquidationPriceTable.ts';
import {
  type PriceTarget,
  priceTargets,
  type SideOfPrice,
  tasksOf,
} from './liquidationPriceTargets.ts';
import { MAINTENANCE, ownTrial, type Trial, TrialLab, trialOf } from './liquidationPriceTrial.ts';
import type { StudyContext } from './study.ts';

export function liquidationPrice(
  account: Account,
  request: LiquidationPriceRequest,
  context: StudyContext,
): FoundPrices {
  const { bench, slot } = context;
  const { session } = bench;
  // One of the parts has the account's margin, on the session that all of them work on.
  const margin = request.part === 0 ? context.margin([account])[0]! : null;
  const portfolio = resolvePortfolio(account, session.valuation);
  const targets = priceTargets(portfolio, session.valuation.market);
  const passes = new BookPasses(bench, slot);
  let shared: Ground | null = null;
  const found = tasksOf(targets, request).map(({ target, sides }): FoundPrice => {
    const asked = targets[target]!;
    // Positions by themselves need no lab of all of them.
    shared =
      asked.instrument === null
        ? (shared ?? groundOf(session, new Set(portfolio.instruments)))
        : groundOf(session, new Set([asked.instrument]));
    const price = priceOf(asked, sides, shared, passes, context);
    checkFigures(price, account.id);
    return { target, price, sides };
  });
  return { margin, found };
}

/** A market of what is held alone, its plans, and where they are valued. */
export interface Ground {
  readonly session: Session;
  readonly planNow: ReturnType<typeof planValuation>;
  readonly desk: ValuationDesk;
  readonly lab: TrialLab;
}

export function groundOf(session: Session, held: ReadonlySet<number>): Ground {
  const { set, gaps, sides, absent, valuation } = session;
  const { methodology, exposures } = valuation;
  const market = narrowMarket(valuation.market, held);
  const lists = [gaps, ...Object.values(sides).map((side) => side?.gaps ?? [])];
  const planned = plannedFactors(set, lists, absent);
  const horizon = methodology.instantaneous ? 0 : methodology.horizonDays;
  const plan = planValuation(market, planned, horizon, undefined, methodology.smileRule);
  const planNow = planValuation(market, planned, 0, undefined, methodology.smileRule);
  const { dailyVolatility } = exposures;
  const own = instrumentExposures(market, plan, new Float64Array(0));
  const narrow = { ...valuation, market, plan, exposures: { ...own, dailyVolatility } };
  const ground = { ...session, valuation: narrow };
  const desk = new ValuationDesk(session, [plan, planNow]);
  return { session: ground, planNow, desk, lab: new TrialLab(ground) };
}

function priceOf(
  { account, underlying, instrument }: PriceTarget,
  sides: readonly SideOfPrice[],
  { session, planNow, desk, lab }: Ground,
  passes: BookPasses,
  { bench, slot, checkCancelled }: StudyContext,
): LiquidationPrice {
  const { valuation } = bench.session;
  const { market } = valuation;
  const { id, spot } = market.underlyings[underlying]!;
  const now = ownTrial(account, valuation, passes, 1);
  const today = trialOf(now, MAINTENANCE);
  const rows = valuation.plan.underlyings[underlying]!;
  const portfolio = resolvePortfolio(account, valuation);
  const model = new LiquidationModel({
    account,
    underlying,
    valuation: session.valuation,
    planNow,
    desk,
    sets: scannedSets(bench, slot, portfolio, underlying, rows),
    today: now.figures,
  });
  const revalue = (factor: number): Trial => {
    checkCancelled();
    return trialOf(lab.revalued(account, underlying, factor), MAINTENANCE);
  };
  const found = (side: SideOfPrice): LiquidationCrossing | null => {
    if (!sides.includes(side)) return null;
    const root = new RootSearch(model, revalue, today, side === 'below' ? -1 : 1).find();
    return root === null ? null : crossingAt(root, spot, valuation.methodology.mmFactor);
  };
  return {
    underlying: id,
    ...(instrument === null ? {} : { instrument: market.instruments[instrument]!.id }),
    spot,
    inLiquidation: today.headroom < 0,
    below: found('below'),
    above: found('above'),
  };
}

function crossingAt(
  { trial, slope, jump }: Root,
  spot: number,
  mmFactor: number,
): LiquidationCrossing {
  const { factor, equity, requirement, standardError } = trial;
  const price = spot * factor;
  // dP = P dx: an error of the requirement moves the root by itself over the slope of the headroom.
  const error =
    standardError === null ? Number.NaN : (mmFactor * standardError * price) / Math.abs(slope);
  return {
    price,
    move: factor - 1,
    equity,
    maintenanceRequirement: requirement,
    standardError: Number.isFinite(error) ? error : null,
    ...(jump ? { jump } : {}),
  };
}
