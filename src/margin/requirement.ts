/** From charges to requirements: IM and MM of an account under a mode, its ratio and its state. */
import { type Charge, chargedComponents } from './charge.ts';
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

/** Before credit, in currency. */
export interface Margins {
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
}

export interface Requirement extends Margins {
  /** After credit: what equity is compared with. */
  readonly initialRequirement: number;
  readonly maintenanceRequirement: number;
}

/**
 * METHODOLOGY section 5: IM = max(Σ components, floor), MM = mmFactor · max(Σ components that are not initial-only, floor), of all charges
 * together (portfolio: one; cross: one an underlying).
 */
export function pooledMargins(
  charges: readonly Charge[],
  { floor, mmFactor }: Methodology,
): Margins {
  let initial = 0;
  let base = 0;
  for (const charge of charges) {
    initial += charge.initial;
    base += charge.base;
  }
  return {
    initialMargin: Math.max(initial, floor),
    maintenanceMargin: mmFactor * Math.max(base, floor),
  };
}

/** Isolated margin: each charge is a requirement of its own, floor and all; the account's is their sum. */
export function addIsolated(
  sum: { -readonly [field in keyof Margins]: number },
  { initial, base }: Charge,
  { floor, mmFactor }: Methodology,
): void {
  sum.initialMargin += Math.max(initial, floor);
  sum.maintenanceMargin += mmFactor * Math.max(base, floor);
}

export function isolatedMargins(charges: readonly Charge[], methodology: Methodology): Margins {
  const sum = { initialMargin: 0, maintenanceMargin: 0 };
  for (const charge of charges) addIsolated(sum, charge, methodology);
  return sum;
}

/** Each less the credit line, and at least 0. */
export function afterCredit(margins: Margins, creditLine: number): Requirement {
  return {
    ...margins,
    initialRequirement: Math.max(0, margins.initialMargin - creditLine),
    maintenanceRequirement: Math.max(0, margins.maintenanceMargin - creditLine),
  };
}

/** One line a component, summed over the charges. */
export function componentLines(
  charges: readonly Charge[],
  methodology: Methodology,
): ComponentLine[] {
  return chargedComponents(methodology).map(({ name, initialOnly }, i) => {
    let initial = 0;
    for (const { amounts } of charges) initial += amounts[i]!;
    return { name, initial, maintenance: initialOnly ? 0 : methodology.mmFactor * initial };
  });
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
