/** What a liquidation or a hedge may trade beside what an account holds: a session that keeps no cube must be planned for it. */
import { type Account, readAccount } from '../../margin/account.ts';
import type { Market } from '../../market/market.ts';
import type { LiquidationPlanRequest } from './liquidationPlanSchema.ts';

/** Everything listed on the underlyings of an account's positions. */
export function listedOnUnderlyings(document: unknown, market: Market): readonly string[] {
  return listedBeside(readAccount(document), market, () => true);
}

/** The outright contracts of its underlyings, and what counterparties hold. */
export function planInstruments(
  document: unknown,
  { counterparties = [] }: LiquidationPlanRequest,
  market: Market,
): readonly string[] {
  const outright = (type: string): boolean => type === 'perpetual' || type === 'future';
  const own = listedBeside(readAccount(document), market, outright);
  // One that cannot be read is refused by the study, which says where it stands.
  const held = counterparties.flatMap((one) => readOrNothing(one)?.instruments ?? []);
  return [...new Set([...own, ...held])];
}

function listedBeside(
  { instruments }: Account,
  market: Market,
  wanted: (type: string) => boolean,
): readonly string[] {
  const indices = instruments.flatMap((id) => market.instrumentIndex.get(id) ?? []);
  const touched = new Set(indices.map((i) => market.instruments[i]!.underlying));
  return market.instruments
    .filter(({ underlying, type }) => touched.has(underlying) && wanted(type))
    .map(({ id }) => id);
}

function readOrNothing(document: unknown): Account | null {
  try {
    return readAccount(document);
  } catch {
    return null;
  }
}
