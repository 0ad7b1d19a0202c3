/** From options to an engine: what `margin`, `var` and `serve` have in common. */
import { createEngine, type Engine } from '../engine/engine.ts';
import { PlimsollError } from '../errors.ts';
import type { MethodologyInput } from '../margin/methodology.ts';
import type { FactorModel } from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import type { MarketSnapshot } from '../market/snapshot.ts';
import { needsHistory } from '../scenarios/source.ts';
import { readFactors, readHistories, readMarket } from './inputs.ts';
import type { ModelOptions } from './options.ts';
import type { Terminal } from './terminal.ts';

export interface Sources {
  readonly market: MarketSnapshot;
  readonly factors: FactorModel | null;
  readonly history: History | null;
}

/** Reads market, factors and history. @throws MISSING_FACTOR where scenarios are to be drawn and no factors are given */
export async function readSources(
  options: ModelOptions,
  methodology: MethodologyInput,
  terminal: Terminal,
): Promise<Sources> {
  const market = await readMarket(options);
  const history = await readHistories(options);
  if (options.factors !== undefined) {
    return { market, history, factors: await readFactors(options.factors, market, terminal) };
  }
  const { scenarioModel } = methodology;
  if (scenarioModel !== undefined && needsHistory(scenarioModel))
    return { market, history, factors: null };
  throw new PlimsollError('MISSING_FACTOR', 'no factor model: give --factors FILE', {
    path: 'factors',
  });
}

/** Starts an engine whose progress the terminal shows. */
export function startEngine(
  { market, factors, history }: Sources,
  methodology: MethodologyInput,
  workers: number | undefined,
  terminal: Terminal,
): Promise<Engine> {
  return createEngine({
    market,
    factors: factors ?? undefined,
    history: history ?? undefined,
    methodology,
    workers,
    onProgress: (step) => terminal.progress.update(step),
  });
}
