/** The beginning of a desk: its engine takes up the market and the factor model where the log left them. */
import type { Engine } from '../../engine/engine.ts';
import { hashOf } from '../../json.ts';
import type { VolatilityRule } from '../../market/dynamicVolatility.ts';
import type { Draft } from '../store/store.ts';
import { AT_START } from './factorState.ts';
import type { Journal } from './journal.ts';
import { replacement } from './marketDoor.ts';
import { factorsReplaced } from './volatilities.ts';

/**
 * Puts the engine on the market and the factor model of the log's end. An empty log begins with the engine's own; a model that the engine was
 * not opened with the last time takes the place of the log's. Where volatilities are fixed and the log has no model, none is recorded.
 */
export async function takeUp(
  journal: Journal,
  engine: Engine,
  rule: VolatilityRule | null,
): Promise<void> {
  const { market } = journal;
  const [ownMarket, ownModel] = [await engine.market(), await engine.factorModel()];
  const ownHash = ownModel === null ? null : hashOf(ownModel);
  const drafts: Draft[] = [];
  if (market.snapshot === null) drafts.push(replacement(AT_START, ownMarket));
  const recorded = rule !== null || market.factors.model !== null;
  if (ownModel !== null && recorded && market.factors.startHash !== ownHash) {
    drafts.push(factorsReplaced(AT_START, ownModel));
  }
  if (drafts.length > 0) await journal.append(drafts);
  const { snapshot, factors } = market;
  const other = factors.volatility !== null && factors.volatility.hash !== ownHash;
  if (other || hashOf(ownMarket) !== hashOf(snapshot)) {
    await engine.updateMarket(snapshot!, factors.model ?? undefined);
  }
}
