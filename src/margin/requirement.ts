import type { Component, ComponentContext } from './components.ts';
import type { Methodology } from './methodology.ts';

export const ACCOUNT_STATES = [
  'healthy',
  'warning',
  'margin-call',
  'liquidation',
  'default',
] as const;
export type AccountState = (typeof ACCOUNT_STATES)[number];

export interface ComponentLine {
  readonly name: string;
  readonly initial: number;
  readonly maintenance: number;
}

export interface Requirement {
  /** Before credit. */
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
  /** After credit: what equity is compared with. */
  readonly initialRequirement: number;
  readonly maintenanceRequirement: number;
  readonly components: readonly ComponentLine[];
}

/**
 * METHODOLOGY section 5: IM = max(Σ components, floor), MM = mmFactor · max(Σ components that are not initial-only, floor), each less
 * the credit line and at least 0 as a requirement.
 */
export function requirement(
  components: readonly Component[],
  context: ComponentContext,
  creditLine: number,
): Requirement {
  const { floor, mmFactor } = context.methodology;
  let initial = 0;
  let base = 0;
  const lines = components.map((component) => {
    const amount = component.amount(context);
    initial += amount;
    if (!component.initialOnly) base += amount;
    const maintenance = component.initialOnly ? 0 : mmFactor * amount;
    return { name: component.name, initial: amount, maintenance };
  });
  const initialMargin = Math.max(initial, floor);
  const maintenanceMargin = mmFactor * Math.max(base, floor);
  return {
    initialMargin,
    maintenanceMargin,
    initialRequirement: Math.max(0, initialMargin - creditLine),
    maintenanceRequirement: Math.max(0, maintenanceMargin - creditLine),
    components: lines,
  };
}

/** IM and MM alone, before credit, for each ES in turn: what `requirement` gives, without its lines. */
export function requirementTotals(
  components: readonly Component[],
  context: Omit<ComponentContext, 'expectedShortfall'>,
  shortfalls: ArrayLike<number>,
): { readonly initial: Float64Array; readonly maintenance: Float64Array } {
  const { floor, mmFactor } = context.methodology;
  const n = shortfalls.length;
  const initial = new Float64Array(n);
  const maintenance = new Float64Array(n);
  const one = { ...context, expectedShortfall: 0 };
  for (let i = 0; i < n; i++) {
    one.expectedShortfall = shortfalls[i]!;
    let base = 0;
    for (const component of components) {
      const amount = component.amount(one);
      initial[i]! += amount;
      if (!component.initialOnly) base += amount;
    }
    initial[i] = Math.max(initial[i]!, floor);
    maintenance[i] = mmFactor * Math.max(base, floor);
  }
  return { initial, maintenance };
}

/** Maintenance requirement over equity: 0 when nothing is required, null when equity ≤ 0 and something is. */
export function marginRatio(maintenanceRequirement: number, equity: number): number | null {
  if (maintenanceRequirement === 0) return 0;
  return equity > 0 ? maintenanceRequirement / equity : null;
}

/** The memoryless band of equity. */
export function accountState(
  equity: number,
  required: Pick<Requirement, 'initialRequirement' | 'maintenanceRequirement'>,
  methodology: Methodology,
): AccountState {
  if (equity < 0) return 'default';
  if (equity < required.maintenanceRequirement) return 'liquidation';
  if (equity < required.initialRequirement) return 'margin-call';
  if (equity < methodology.warningLevel * required.initialRequirement) return 'warning';
  return 'healthy';
}

/** The worse of two states. */
export function worseState(a: AccountState, b: AccountState): AccountState {
  return ACCOUNT_STATES.indexOf(a) >= ACCOUNT_STATES.indexOf(b) ? a : b;
}
