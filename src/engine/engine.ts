/** The one call that runs it all: `createEngine`. Every other way in (command line, HTTP) is an adapter of this. */
import type { AccountInput } from '../../workers/protocol.ts';
import { ensure, PlimsollError } from '../errors.ts';
import { type Account, accountId, readAccount } from '../margin/account.ts';
import type { Methodology } from '../margin/methodology.ts';
import type { MarginResult } from '../margin/result.ts';
import type { FactorModel } from '../market/factorModel.ts';
import { compileMarket } from '../market/market.ts';
import type { MarketSnapshot } from '../market/snapshot.ts';
import type { Tick } from '../market/ticks.ts';
import { AccountStudies, type StudyOptions, type StudySources } from './accountStudies.ts';
import { AccountWork } from './accountWork.ts';
import {
  type BatchOptions,
  type BatchSummary,
  checkOptions,
  type EngineInfo,
  type EngineOptions,
  type StreamOptions,
} from './contract.ts';
import { readDocuments } from './documents.ts';
import { type AccountDocument, type AccountOutcome, rejected } from './evaluator.ts';
import { Executor } from './executor.ts';
import { fillSession, type Progress } from './fill.ts';
import { Gatherer } from './gather.ts';
import { Leases } from './leases.ts';
import { MarketSessions } from './marketSessions.ts';
import { type RiskReport, type RiskRequest, riskReport } from './riskReport.ts';
import { openSession } from './session.ts';
import type { Session } from './sessionData.ts';
import { heldInstruments } from './streamed.ts';
import type { StudyAnswer, StudyName, StudyRequest } from './studies/index.ts';
import { study } from './studyWork.ts';
import { type BatchForm, checkShardSize, joinDocuments } from './transport.ts';

export type { BatchForm, BatchOptions, BatchSummary, EngineInfo, EngineOptions };

export class Engine extends AccountStudies {
  readonly workers: number;
  private readonly executor: Executor;
  private readonly leases: Leases;
  private readonly work: AccountWork;
  private readonly singles: Gatherer<unknown>;
  private readonly documents: Gatherer<Uint8Array>;
  private readonly onProgress: ((progress: Progress) => void) | undefined;
  private readonly markets: MarketSessions;

  /** Use `createEngine`. */
  constructor(options: EngineOptions) {
    super();
    this.executor = new Executor(options.workers);
    this.leases = new Leases(this.executor);
    this.work = new AccountWork(this.executor);
    this.workers = this.executor.workers;
    this.onProgress = options.onProgress;
    this.singles = new Gatherer(this.executor, (values) =>
      this.gathered({ form: 'values', values }),
    );
    this.documents = new Gatherer(this.executor, (bytes) => this.gathered(joinDocuments(bytes)));
    this.markets = new MarketSessions(options, this.executor, this.leases);
  }

  /** Resolves when the scenarios are drawn and the instruments revalued. */
  async ready(): Promise<void> {
    await this.markets.current;
  }

  /** What the engine runs on. */
  async info(): Promise<EngineInfo> {
    const { session, methodology, clamped, market } = await this.markets.current;
    return {
      workers: this.workers,
      parameters: methodology,
      market: {
        asOf: market.asOf,
        currency: market.currency,
        underlyings: market.underlyings.length,
        instruments: market.instruments.length,
      },
      scenarios: session.set.scenarios,
      clampedShocks: clamped,
      kept: session.layout.cube !== 0,
      memoryBytes: session.layout.bytes,
      queued: this.executor.queued,
      workerDeaths: this.executor.deaths,
      ...session.provenance,
    };
  }

  /** The market that figures are computed on now. */
  async market(): Promise<MarketSnapshot> {
    return (await this.markets.current).snapshot;
  }

  /** The factor model in force; null where scenarios come from a history alone. */
  async factorModel(): Promise<FactorModel | null> {
    return (await this.markets.current).factors?.model ?? null;
  }

  /** Worker threads, for tests of what happens when one dies. */
  get threads(): Executor['threads'] {
    return this.executor.threads;
  }

  /**
   * Margin of one account. Concurrent calls are gathered into one task.
   * @throws PlimsollError where the account is rejected
   */
  async margin(account: unknown): Promise<MarginResult> {
    const { session } = await this.markets.current;
    if (session.layout.cube === 0) return accepted(await this.alone(account));
    return accepted(await this.singles.add(account));
  }

  /** The same for an account as JSON bytes, parsed in the worker. */
  async marginDocument(bytes: Uint8Array): Promise<AccountOutcome> {
    const { session } = await this.markets.current;
    if (session.layout.cube !== 0) return this.documents.add(bytes);
    return this.outcomeAlone(readDocuments(joinDocuments([bytes])).read(0));
  }

  /** Margin of many accounts, in their order; a rejected account's record stands in its place. */
  marginBatch(
    accounts: Iterable<unknown> | AsyncIterable<unknown>,
    options: BatchOptions = {},
  ): AsyncGenerator<AccountOutcome> {
    return this.onSession(options, (session) => this.work.batch(session, accounts, options));
  }

  /**
   * Margin of a stream of accounts in one of the transport forms, as a stream in the same form; the last element is the summary.
   * Bytes come as they are consumed: a slow reader slows the work.
   */
  marginStream(
    source: AsyncIterable<Uint8Array>,
    form: BatchForm,
    options: StreamOptions = {},
  ): AsyncGenerator<Uint8Array> {
    return this.onSession(options, (session) => this.work.stream(session, source, form, options));
  }

  /**
   * A question about one account: see `studies/`. Where the whole cube does not fit, on a session for this account alone.
   */
  override async study<N extends StudyName>(
    name: N,
    account: unknown,
    request: StudyRequest<N> | ((sources: StudySources) => StudyRequest<N>),
    options: StudyOptions = {},
  ): Promise<StudyAnswer<N>> {
    return (await this.asked(name, account, request, options)) as StudyAnswer<N>;
  }

  /** The same answer as JSON, written in the worker: nothing of it is copied from thread to thread but the text. */
  override async studyText<N extends StudyName>(
    name: N,
    account: unknown,
    request: StudyRequest<N>,
    options: StudyOptions = {},
  ): Promise<string> {
    return (await this.asked(name, account, request, { ...options, text: true })) as string;
  }

  private async asked<N extends StudyName>(
    name: N,
    account: unknown,
    request: StudyRequest<N> | ((sources: StudySources) => StudyRequest<N>),
    options: StudyOptions & { readonly text?: boolean },
  ): Promise<unknown> {
    // One task is on one market, whichever that is by then. What is made of the market beforehand, or put together of several, must find the same.
    const bound = options.joint === true || typeof request === 'function';
    if (!bound) return this.answer(await this.markets.current, name, account, request, options);
    const sources = await this.markets.steady();
    try {
      const made = typeof request === 'function' ? request(sources) : request;
      return await this.answer(sources, name, account, made, options);
    } finally {
      this.leases.release(sources.session);
    }
  }

  private answer<N extends StudyName>(
    { session }: StudySources,
    name: N,
    account: unknown,
    request: StudyRequest<N>,
    { also = [], methodology, joint: _, ...run }: StudyOptions & { readonly text?: boolean },
  ): Promise<unknown> {
    const asked = { account: readAccount(account), request };
    const work = (own: Session) =>
      study(this.executor, own, name, asked, run).catch((error: unknown) => {
        throw named(error, asked.account.id);
      });
    if (session.layout.cube !== 0 && methodology === undefined) return work(session);
    return this.onOwnSession(asked.account, also, work, methodology);
  }

  protected override async sources(): Promise<StudySources> {
    return this.markets.current;
  }

  /** VaR and ES of one portfolio on demand, on a scenario set of the caller's choice. */
  async valueAtRisk(account: unknown, request: RiskRequest = {}): Promise<RiskReport> {
    const state = await this.markets.current;
    return riskReport(account, request, {
      executor: this.executor,
      leases: this.leases,
      market: state.market,
      factors: state.factors,
      history: state.history,
      base: state.input,
    });
  }

  /**
   * Replaces the market, on request together with the factor model. Figures come from the old one until the new one is ready; none ever
   * mixes both.
   */
  updateMarket(snapshot: MarketSnapshot, factors?: FactorModel): Promise<void> {
    return this.markets.replace({
      market: snapshot,
      ...(factors === undefined ? {} : { factors }),
    });
  }

  /**
   * Replaces the factor model: a new scenario set. Figures come from the old one until the new one is ready, each from one set alone, whose
   * id it cites; they then equal those of an engine that was opened with the new model, bit for bit.
   * @throws what is wrong with the model; then nothing has changed
   */
  updateFactors(factors: FactorModel): Promise<void> {
    return this.markets.replace({ factors });
  }

  /**
   * Price moves of some underlyings, all at once. What did not move is not computed again; figures come from the old market until the new
   * one is ready, and equal those of `updateMarket` with the snapshot that results, bit for bit.
   * @returns the underlyings that moved
   * @throws UNKNOWN_UNDERLYING, INVALID_FIELD and others, with the path in `ticks`; then nothing has changed
   */
  tick(ticks: readonly Tick[]): Promise<ReadonlySet<string>> {
    return this.markets.tick(ticks);
  }

  /** Ends after all accepted work is done. */
  async close(): Promise<void> {
    // Calls made before this one have reached their gatherer when the state has been waited for.
    await this.markets.current.catch(() => {});
    await Promise.all([this.singles.drained(), this.documents.drained()]);
    await this.executor.close();
  }

  private async gathered(input: AccountInput): Promise<readonly AccountOutcome[]> {
    const { session } = await this.markets.current;
    if (session.layout.cube === 0) {
      // The market was replaced on the way by one whose cube does not fit.
      const { count, read } = readDocuments(input);
      return Promise.all(Array.from({ length: count }, (_, i) => this.outcomeAlone(read(i))));
    }
    const { values } = await this.work.valuesTask(session, input, { urgent: true });
    ensure(values !== null, 'values were asked for');
    return values;
  }

  /** The current session, held for as long as the work on it is consumed. */
  private async *onSession<T>(
    { shardSize }: BatchOptions,
    work: (session: Session) => AsyncGenerator<T>,
  ): AsyncGenerator<T> {
    checkShardSize(shardSize);
    const { session } = await this.markets.current;
    this.leases.hold(session);
    try {
      yield* work(session);
    } finally {
      this.leases.release(session);
    }
  }

  private async outcomeAlone(document: AccountDocument): Promise<AccountOutcome> {
    if ('error' in document) return rejected(document.error, null);
    if ('account' in document) return rejected(new PlimsollError('INTERNAL', 'no document'), null);
    try {
      return await this.alone(document.value);
    } catch (error) {
      return rejected(error, accountId(document.value));
    }
  }

  private async alone(value: unknown): Promise<AccountOutcome> {
    return this.onOwnSession(readAccount(value), [], async (session) => {
      const input = { form: 'values', values: [value] } as const;
      const { values } = await this.work.valuesTask(session, input, {});
      ensure(values !== null, 'values were asked for');
      return values[0]!;
    });
  }

  /** A session for one account: its own instruments' rows may fit where the whole cube does not. */
  private async onOwnSession<T>(
    account: Account,
    also: readonly string[],
    work: (session: Session) => Promise<T>,
    other?: Methodology,
  ): Promise<T> {
    const {
      snapshot,
      methodology: own,
      factors,
      history,
      market: compiled,
    } = await this.markets.current;
    const methodology = other ?? own;
    const { surfaceModel } = methodology;
    const market =
      surfaceModel === own.surfaceModel ? compiled : compileMarket(snapshot, surfaceModel);
    const more = also.flatMap((id) => market.instrumentIndex.get(id) ?? []);
    const session = openSession({
      market,
      methodology,
      factors,
      history,
      slots: this.executor.slots,
      memory: (bytes) => this.leases.memory(bytes),
      held: new Set([...heldInstruments(account, market), ...more]),
      kept: 'rows',
      resultRows: 0,
    });
    return this.held(session, async () => {
      await fillSession(session, this.executor, { onProgress: this.onProgress });
      return work(session);
    });
  }

  private async held<T>(session: Session, work: () => Promise<T>): Promise<T> {
    this.leases.hold(session);
    try {
      return await work();
    } finally {
      this.leases.release(session);
    }
  }
}

/** An error that crossed a thread says no longer whose it is. */
function named(error: unknown, account: string): unknown {
  if (!(error instanceof PlimsollError) || error.account !== undefined) return error;
  return new PlimsollError(error.code, error.message, { path: error.path, account });
}

function accepted(outcome: AccountOutcome): MarginResult {
  if (!('error' in outcome)) return outcome;
  const { code, message, path } = outcome.error;
  throw new PlimsollError(code, message, { path, account: outcome.account ?? undefined });
}

/**
 * Makes an engine and starts its workers. It answers as soon as its scenarios are drawn and all instruments revalued.
 * @throws PlimsollError for input that is wrong
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  checkOptions(options);
  const engine = new Engine(options);
  try {
    await engine.ready();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}
