/** A market of options whose cube is filled in this thread, and random books on it: what the accounts suite measures. */
import { viewsOf } from '../src/engine/bookMemory.ts';
import { drawLocally, revalueLocally } from '../src/engine/localFill.ts';
import { openSession } from '../src/engine/session.ts';
import type { Session } from '../src/engine/sessionData.ts';
import { type Bench, rowOwners } from '../src/engine/shards.ts';
import type { StudyContext } from '../src/engine/studies/study.ts';
import type { Book, BookSegment } from '../src/margin/books.ts';
import { type MethodologyInput, resolveMethodology } from '../src/margin/methodology.ts';
import { demoMarket } from '../src/market/demoMarket.ts';
import { type DemoRandom, demoRandom } from '../src/market/demoRandom.ts';
import { compileFactorModel, type FactorModel } from '../src/market/factorModel.ts';
import type { History } from '../src/market/history.ts';
import { compileMarket } from '../src/market/market.ts';
import type { MarketSnapshot } from '../src/market/snapshot.ts';
import { createMemory, instantiateKernels, type Kernels } from '../workers/kernels.ts';

export interface Exchange {
  readonly session: Session;
  readonly kernels: Kernels;
  readonly views: ReturnType<typeof viewsOf>;
  /** Rows of the cube that are instruments, in id order. */
  readonly instrumentRows: readonly number[];
  /** Underlying by row. */
  readonly owners: ReturnType<typeof rowOwners>;
}

const UNDERLYINGS = 5;

export function openExchange(size: {
  readonly instruments: number;
  readonly scenarios: number;
}): Exchange {
  const demo = demoMarket({
    underlyings: UNDERLYINGS,
    options: size.instruments,
    futureExpiries: 0,
    outright: false,
  });
  const bench = openBench({
    market: demo.market,
    factors: demo.factors,
    methodology: { preset: 'market-risk', scenarios: size.scenarios },
  });
  const { session, kernels, views } = bench;
  const { rowOf } = session.valuation.plan;
  const instrumentRows = Array.from(rowOf).filter((row) => row !== -1);
  return { session, kernels, views, instrumentRows, owners: rowOwners(session) };
}

/** A session filled in this thread. */
export function openBench(request: {
  readonly market: MarketSnapshot;
  readonly factors: FactorModel;
  readonly history?: History;
  readonly methodology: MethodologyInput;
}): Bench {
  const factors = compileFactorModel(request.factors);
  const methodology = resolveMethodology(request.methodology, factors.degreesOfFreedom != null);
  const session = openSession({
    market: compileMarket(request.market, methodology.surfaceModel),
    methodology,
    factors,
    history: request.history ?? null,
    slots: 1,
    kept: 'blocks',
    resultRows: 0,
    memory: createMemory,
  });
  const kernels = instantiateKernels(session.module, session.memory);
  const bench = { session, kernels, views: viewsOf(session.memory) };
  drawLocally(bench);
  revalueLocally(bench);
  return bench;
}

/** A row of the cube, all scenarios in order. */
export function cubeRow({ session, views }: Exchange, row: number): Float64Array {
  const { layout, set } = session;
  const start = (layout.rows + row * layout.rowBytes) / 8;
  return views.f64.slice(start, start + set.scenarios);
}

/** Books of so many different instruments each, drawn evenly; sizes are normal. */
export function randomBooks(exchange: Exchange, count: number, positions: number): readonly Book[] {
  const random = demoRandom(`bench/${positions}`);
  return Array.from({ length: count }, () => randomBook(exchange, positions, random));
}

function randomBook(
  { instrumentRows, owners }: Exchange,
  positions: number,
  random: DemoRandom,
): Book {
  const rows = new Set<number>();
  while (rows.size < positions) rows.add(instrumentRows[random.index(instrumentRows.length)]!);
  const byUnderlying = new Map<number, { rows: number[]; sizes: number[] }>();
  for (const row of [...rows].sort((a, b) => a - b)) {
    const { underlying } = owners[row]!;
    const segment = byUnderlying.get(underlying) ?? { rows: [], sizes: [] };
    byUnderlying.set(underlying, segment);
    segment.rows.push(row);
    segment.sizes.push(random.normal());
  }
  const underlyings = [...byUnderlying.keys()].sort((a, b) => a - b);
  const segments: BookSegment[] = underlyings.map((u) => byUnderlying.get(u)!);
  return { segments, underlyings, masks: [] };
}

/** A session that no worker remembers anything of: the answers of the run before are not ours to use. */
export function forgotten(context: StudyContext): StudyContext {
  const { bench } = context;
  return { ...context, bench: { ...bench, session: { ...bench.session } } };
}
