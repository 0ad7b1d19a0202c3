/** A session filled in this thread: the same shard functions that workers run, without a pool. */

import { viewsOf } from '../../src/engine/bookMemory.ts';
import { AccountEvaluator, type AccountOutcome } from '../../src/engine/evaluator.ts';
import { drawLocally, revalueLocally } from '../../src/engine/localFill.ts';
import { openSession } from '../../src/engine/session.ts';
import type { Session } from '../../src/engine/sessionData.ts';
import type { Bench } from '../../src/engine/shards.ts';
import { type MethodologyInput, resolveMethodology } from '../../src/margin/methodology.ts';
import type { MarginResult } from '../../src/margin/result.ts';
import { compileFactorModel, type FactorModel } from '../../src/market/factorModel.ts';
import type { History } from '../../src/market/history.ts';
import { compileMarket } from '../../src/market/market.ts';
import { type MarketSnapshot, readSnapshot } from '../../src/market/snapshot.ts';
import type { Kernels } from '../../workers/kernels.ts';
import { createMemory, instantiateKernels } from '../../workers/kernels.ts';

export interface InProcess {
  readonly session: Session;
  readonly bench: Bench;
  readonly kernels: Kernels;
  readonly evaluate: (accounts: readonly unknown[]) => readonly AccountOutcome[];
  readonly margin: (account: unknown) => MarginResult;
}

export function fillInProcess(request: {
  readonly market: MarketSnapshot;
  readonly factors?: FactorModel;
  readonly history?: History;
  readonly methodology?: MethodologyInput;
}): InProcess {
  const factors = request.factors === undefined ? null : compileFactorModel(request.factors);
  const methodology = resolveMethodology(
    request.methodology ?? {},
    factors?.degreesOfFreedom != null,
  );
  const market = compileMarket(readSnapshot(request.market), methodology.surfaceModel);
  const history = request.history ?? null;
  const session = openSession({
    market,
    methodology,
    factors,
    history,
    slots: 1,
    kept: 'blocks',
    resultRows: 0,
    memory: createMemory,
  });
  const kernels = instantiateKernels(session.module, session.memory);
  const bench = { session, kernels, views: viewsOf(session.memory) };
  drawLocally(bench);
  revalueLocally(bench);
  const evaluator = new AccountEvaluator(bench, 0);
  const evaluate = (accounts: readonly unknown[]) =>
    evaluator.evaluate(
      { count: accounts.length, read: (i) => ({ value: accounts[i] }) },
      () => false,
    );
  const margin = (account: unknown): MarginResult => {
    const [outcome] = evaluate([account]);
    if (outcome === undefined || 'error' in outcome) throw new Error(JSON.stringify(outcome));
    return outcome;
  };
  return { session, bench, kernels, evaluate, margin };
}
