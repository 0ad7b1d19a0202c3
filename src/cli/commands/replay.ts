/** `plimsoll replay`: a past margin of a booked account, computed again from the log. */
import { accountOf, toAccount } from '../../book/book.ts';
import { type Published, type Rebuilt, rebuild } from '../../book/simulation/rebuild.ts';
import { openStore, type Store } from '../../book/store/store.ts';
import { PlimsollError } from '../../errors.ts';
import { hashOf } from '../../json.ts';
import type { MethodologyInput } from '../../margin/methodology.ts';
import type { MarginResult } from '../../margin/result.ts';
import type { FactorModel } from '../../market/factorModel.ts';
import type { History } from '../../market/history.ts';
import { readInstant } from '../../market/instruments.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import { needsHistory } from '../../scenarios/source.ts';
import { EXIT } from '../exitCodes.ts';
import {
  inputsOf,
  readFactors,
  readHistories,
  readMarket,
  readMethod,
  refuseSharedInput,
} from '../inputs.ts';
import { startEngine } from '../openEngine.ts';
import type { ModelOptions, ScenarioOptions } from '../options.ts';
import { replayTable } from '../output/simulationTables.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface ReplayOptions extends ModelOptions, ScenarioOptions, CommonOptions {
  readonly store: string;
  readonly account: string;
  readonly model?: string;
}

/** A published margin against the same computed anew. */
export interface PublishedCheck {
  readonly seq: number;
  readonly at: string;
  readonly figures: string;
  readonly recomputed: string;
  readonly matches: boolean;
  /** What the record cites and the computation does not: another methodology, factor model or version explains other figures. */
  readonly differs: readonly ('market' | 'scenarioSet' | 'methodology' | 'engine' | 'asOf')[];
}

export interface Replayed {
  readonly account: string;
  /** The last record that was folded, and its instant. */
  readonly seq: number;
  readonly at: string;
  readonly heldState: string;
  readonly margin: MarginResult;
  /** SHA-256 of the RFC 8785 JSON of the margin. */
  readonly figures: string;
  /** Null where none had been published. */
  readonly published: PublishedCheck | null;
}

interface Model {
  /** The caller's: it counts where the log names none. */
  readonly given: FactorModel | null;
  readonly factors: FactorModel | null;
  readonly history: History | null;
  readonly methodology: MethodologyInput;
}

export async function runReplay(options: ReplayOptions, terminal: Terminal): Promise<number> {
  refuseSharedInput(inputsOf(options));
  if (options.at !== undefined) readInstant(options.at, 'at');
  const methodology = await readMethod(options);
  const markets: MarketSnapshot[] = [];
  // One file is one snapshot here: several are not merged.
  for (const file of options.market ?? []) markets.push(await readMarket({ market: [file] }));
  const store = await openStore(options.store, { readOnly: true });
  try {
    const replayed = await replay(store, options, markets, methodology, terminal);
    terminal.progress.stop();
    if (terminal.json) await terminal.document(replayed);
    else await terminal.write(replayTable(replayed));
    return replayed.published?.matches === false ? EXIT.failure : EXIT.ok;
  } finally {
    await store.close();
  }
}

async function replay(
  store: Store,
  options: ReplayOptions,
  markets: readonly MarketSnapshot[],
  methodology: MethodologyInput,
  terminal: Terminal,
): Promise<Replayed> {
  const { account } = options;
  const onProgress = (done: number): void =>
    terminal.progress.update({ stage: 'records', done, total: 0 });
  const at = options.at ?? '9999-12-31T23:59:59.999Z';
  const there = await rebuild(store, { until: { at }, account, markets, onProgress });
  const market = marketOf(there);
  const document = toAccount(there.book, account);
  const model = await modelOf(options, there, methodology, terminal);
  const engine = await startEngine({ market, ...model }, methodology, options.workers, terminal);
  const marginAt = async (seq: number): Promise<MarginResult> => {
    const before = await rebuild(store, { until: { seq }, account, markets });
    await engine.updateMarket(marketOf(before), before.factors ?? model.given ?? undefined);
    return engine.margin(toAccount(before.book, account));
  };
  try {
    const margin = await engine.margin(document);
    return {
      account,
      seq: there.seq,
      at: there.book.at,
      heldState: accountOf(there.book, account).heldState,
      margin,
      figures: hashOf(margin),
      published: await checkPublished(there, margin, marginAt),
    };
  } finally {
    await engine.close();
  }
}

function marketOf({ market, seq }: Rebuilt): MarketSnapshot {
  if (market !== null) return market;
  throw new PlimsollError('NO_MARKET', `no market had been loaded by record ${seq}`);
}

async function modelOf(
  options: ReplayOptions,
  there: Rebuilt,
  methodology: MethodologyInput,
  terminal: Terminal,
): Promise<Model> {
  const { factors: source } = options;
  const history = await readHistories(options);
  const given = source === undefined ? null : await readFactors(source, marketOf(there), terminal);
  const factors = there.factors ?? given;
  const { scenarioModel } = methodology;
  if (factors === null && (scenarioModel === undefined || !needsHistory(scenarioModel))) {
    const message = 'no factor model: give --factors FILE, the one that the margin was made with';
    throw new PlimsollError('MISSING_FACTOR', message, { path: 'factors' });
  }
  return { given, factors, history, methodology };
}

/**
 * Figures are published of what the log held before their record: where the account, the market or the factor model has changed since, that
 * is computed, too.
 * @param marginAt the margin as of a record
 */
async function checkPublished(
  { published, marketSeq, book }: Rebuilt,
  margin: MarginResult,
  marginAt: (seq: number) => Promise<MarginResult>,
): Promise<PublishedCheck | null> {
  if (published === null) return null;
  const { seq, account } = published;
  const same = marketSeq < seq && accountOf(book, account).changedSeq < seq;
  return compared(published, same ? margin : await marginAt(seq - 1));
}

const CITED = ['market', 'scenarioSet', 'methodology', 'engine', 'asOf'] as const;

function compared(published: Published, margin: MarginResult): PublishedCheck {
  const { seq, at, figures } = published;
  const recomputed = hashOf(margin);
  const differs = CITED.filter((name) => published[name] !== margin[name]);
  return { seq, at, figures, recomputed, matches: recomputed === figures, differs };
}
