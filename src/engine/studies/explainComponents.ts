/** Each component of a requirement: what was charged to whom, the inputs that made it, and how. */
import {
  chargedComponents,
  chargeOf,
  chargePool,
  contextOf,
  type HoldingFigures,
  type PoolFigures,
} from '../../margin/charge.ts';
import type { ChargedHolding, Pool } from '../../margin/pools.ts';
import type { Valuation } from '../../margin/valuation.ts';
import { poolFigures } from '../accountBooks.ts';
import { formulaOf } from './explainFormulas.ts';
import type { MeasuredAccount } from './explainMeasure.ts';
import type { ExplainedComponent } from './explainSchema.ts';

export function componentsOf(
  { pools, result }: MeasuredAccount,
  valuation: Valuation,
): readonly ExplainedComponent[] {
  const { methodology } = valuation;
  const charged = pools.map((own) => {
    const figures = poolFigures(own);
    const charge = chargePool(own.pool, figures, valuation);
    return { pool: own.pool, figures, charge, of: poolName(own.pool, result.mode, valuation) };
  });
  return chargedComponents(methodology).map(({ name, component }, i) => ({
    name,
    initial: result.components[i]!.initial,
    maintenance: result.components[i]!.maintenance,
    formula: formulaOf(name, methodology),
    charges: charged.map(({ pool, figures, charge, of }) => ({
      of,
      amount: charge.amounts[i]!,
      inputs:
        component === null
          ? orderInputs(pool, figures, valuation)
          : { ...component.inputs(contextOf(pool.held, figures.held, pool.collateral, valuation)) },
    })),
  }));
}

/** The account, the pool's underlying, or its instrument. */
function poolName({ held, orders }: Pool, mode: string, { market }: Valuation): string {
  if (mode === 'portfolio') return 'account';
  const instrument = held.holding.instruments[0] ?? orders[0]?.instrument ?? -1;
  if (mode === 'isolated') return market.instruments[instrument]!.id;
  const underlying =
    held.holding.parts[0]?.underlying ?? market.instruments[instrument]!.underlying;
  return market.underlyings[underlying]!.id;
}

/** What the pool would be charged before its orders as it stands, and with all its buys or all its sells filled. */
function orderInputs(
  pool: Pool,
  figures: PoolFigures,
  valuation: Valuation,
): Record<string, number> {
  const initial = (holding: ChargedHolding, its: HoldingFigures): number =>
    chargeOf(contextOf(holding, its, pool.collateral, valuation)).initial;
  const { buys, sells, orders } = pool;
  let throughMark = 0;
  let notional = 0;
  for (const order of orders) {
    throughMark += order.throughMark;
    notional += order.notional;
  }
  return {
    asItStands: initial(pool.held, figures.held),
    ...(buys === null ? {} : { buysFilled: initial(buys, figures.buys!) }),
    ...(sells === null ? {} : { sellsFilled: initial(sells, figures.sells!) }),
    lossThroughMark: throughMark,
    notional,
    feeRate: valuation.methodology.openOrders.feeRate,
  };
}
