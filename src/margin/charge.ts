/** What a pool is charged: the amount of each component, and the sums that IM and MM are made of. */

import { horizonGrowth } from './components/concentration.ts';
import type {
  Component,
  ComponentContext,
  Concentrated,
  Shortfalls,
} from './components/context.ts';
import { COMPONENTS } from './components/index.ts';
import { exposureOf } from './exposures.ts';
import type { Holding } from './holding.ts';
import type { Methodology } from './methodology.ts';
import type { ComponentName } from './methodologySchema.ts';
import type { ChargedHolding, Pool } from './pools.ts';
import type { Valuation } from './valuation.ts';

/** The tails of one holding. */
export interface HoldingFigures {
  readonly shortfalls: Shortfalls;
  readonly concentrated: readonly Concentrated[];
}

export interface PoolFigures {
  readonly held: HoldingFigures;
  readonly buys: HoldingFigures | null;
  readonly sells: HoldingFigures | null;
}

/** In currency, one entry a component of the methodology, in its order; then the sums for IM and for MM's base. */
export interface Charge {
  readonly amounts: number[];
  readonly initial: number;
  readonly base: number;
}

type OpenCharge = { -readonly [field in keyof Charge]: Charge[field] };

/** Nothing at risk, nothing computed. */
export function noShortfalls(): Shortfalls {
  return { base: 0, zero: Number.NaN, perfect: Number.NaN, longRun: 0, stressed: 0, stress: 0 };
}

export interface ChargedComponent {
  readonly name: ComponentName;
  readonly initialOnly: boolean;
  /** Null for the open orders. */
  readonly component: Component | null;
}

const NOTHING: readonly never[] = [];

const known = new WeakMap<Methodology, readonly ChargedComponent[]>();

/** The components that a methodology charges, in order. */
export function chargedComponents(methodology: Methodology): readonly ChargedComponent[] {
  let charged = known.get(methodology);
  if (charged === undefined) {
    charged = methodology.components.map((name) => {
      const component = COMPONENTS.find((one) => one.name === name) ?? null;
      return { name, initialOnly: component?.initialOnly ?? true, component };
    });
    known.set(methodology, charged);
  }
  return charged;
}

/** Components that are made of tails alone. */
const OF_TAILS: ReadonlySet<ComponentName> = new Set([
  'marketRisk',
  'stress',
  'dependence',
  'depeg',
]);

/** Whether any component looks at sensitivities. */
export function needsExposures({ components }: Methodology): boolean {
  return components.some((name) => !OF_TAILS.has(name));
}

/** The charge of one context, open orders left at 0. */
export function chargeOf(context: ComponentContext): Charge {
  const charge = { amounts: [], initial: 0, base: 0 };
  fillCharge(context, charge);
  return charge;
}

function fillCharge(context: ComponentContext, charge: OpenCharge): void {
  const charged = chargedComponents(context.valuation.methodology);
  charge.initial = 0;
  charge.base = 0;
  for (let i = 0; i < charged.length; i++) {
    const { component, initialOnly } = charged[i]!;
    const amount = component === null ? 0 : component.amount(context);
    charge.amounts[i] = amount;
    if (component === null) continue;
    charge.initial += amount;
    if (!initialOnly) charge.base += amount;
  }
}

export function contextOf(
  { exposures }: ChargedHolding,
  figures: HoldingFigures,
  collateral: Pool['collateral'],
  valuation: Valuation,
): ComponentContext {
  const { shortfalls, concentrated } = figures;
  return { valuation, shortfalls, exposures, concentrated, collateral };
}

/**
 * The charge of a pool: its components as it stands, and for its open orders the worse side filled, fees, and what orders through the mark
 * lose (METHODOLOGY section 5).
 */
export function chargePool(pool: Pool, figures: PoolFigures, valuation: Valuation): Charge {
  const held = chargeOf(contextOf(pool.held, figures.held, pool.collateral, valuation));
  const orders = openOrderCharge(pool, figures, held, valuation);
  const place = valuation.methodology.components.indexOf('openOrders');
  if (orders === 0 || place === -1) return held;
  held.amounts[place] = orders;
  return { ...held, initial: held.initial + orders };
}

export function openOrderCharge(
  pool: Pool,
  figures: PoolFigures,
  held: Charge,
  valuation: Valuation,
): number {
  const side = (holding: ChargedHolding | null, its: HoldingFigures | null): number => {
    if (holding === null || its === null) return 0;
    return chargeOf(contextOf(holding, its, pool.collateral, valuation)).initial - held.initial;
  };
  const worse = Math.max(0, side(pool.buys, figures.buys), side(pool.sells, figures.sells));
  let costs = 0;
  for (const { throughMark, notional } of pool.orders) {
    costs += throughMark + notional * valuation.methodology.openOrders.feeRate;
  }
  return worse + costs;
}

/** Shortfalls of single positions, by position: each array in the canonical order; null where the arrangement is not used. */
export interface PositionShortfalls {
  readonly base: Float64Array;
  readonly longRun: Float64Array | null;
  readonly stressed: Float64Array | null;
  readonly stress: Float64Array | null;
}

/**
 * The charge of each position by itself, in the canonical order, without orders and collateral. An instrument alone has nothing to depend on,
 * so that its ES on reordered scenarios is its ES.
 * @param take is given the charge of position i, one object for all of them: it is another's after the call
 */
export function chargePositions(
  holding: Holding,
  { base, longRun, stressed, stress }: PositionShortfalls,
  valuation: Valuation,
  take: (charge: Charge, i: number) => void,
): void {
  const shortfalls = noShortfalls();
  const growing = valuation.methodology.components.includes('concentration');
  const exposed = needsExposures(valuation.methodology);
  const charge = { amounts: [], initial: 0, base: 0 };
  // One context for all that look at tails alone: its shortfalls are those of the position at hand.
  const tails = {
    valuation,
    shortfalls,
    exposures: NOTHING,
    concentrated: NOTHING,
    collateral: NOTHING,
  };
  for (const { underlying, start, end } of holding.parts) {
    for (let i = start; i < end; i++) {
      shortfalls.base = base[i]!;
      if (longRun !== null) shortfalls.longRun = longRun[i]!;
      if (stressed !== null) shortfalls.stressed = stressed[i]!;
      if (stress !== null) shortfalls.stress = stress[i]!;
      let context: ComponentContext = tails;
      if (exposed) {
        const unrealised = holding.unrealisedCoins[i]!;
        const part = { underlying, start: i, end: i + 1, coins: unrealised, unrealised };
        const exposure = exposureOf(holding.instruments, holding.sizes, part, valuation);
        const growth = growing ? horizonGrowth(exposure, valuation) : 0;
        const expectedShortfall = base[i]!;
        context = {
          ...tails,
          exposures: [exposure],
          concentrated: growth > 0 ? [{ underlying, growth, expectedShortfall }] : NOTHING,
        };
      }
      fillCharge(context, charge);
      take(charge, i);
    }
  }
}
