/** The one call that runs it all: `createEngine`. Every other way in (command line, HTTP) is an adapter of this. */
import type { AccountInput } from '../../workers/protocol.ts';
import { ensure, PlimsollError } from '../errors.ts';
import { accountId, readAccount } from '../margin/account.ts';
import {
  type Methodology,
  type MethodologyInput,
  readMethodology,
  resolveMethodology,
} from '../margin/methodology.ts';
import type { MarginResult } from '../margin/result.ts';
import { type CompiledFactors, compileFactorModel } from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import { compileMarket } from '../market/market.ts';
import { type MarketSnapshot, readSnapshot } from '../market/snapshot.ts';
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
import { type RiskReport, type RiskRequest, riskReport } from './riskReport.ts';
import { openSession, type SessionRequest } from './session.ts';
import type { Session } from './sessionData.ts';
import { openStreamed, streamedMargin } from './streamed.ts';
import { type BatchForm, checkShardSize, joinDocuments } from './transport.ts';

export type { BatchForm, BatchOptions, BatchSummary, EngineInfo, EngineOptions };

export class Engine {
  readonly workers: number;
  private readonly executor: Executor;
  private readonly leases: Leases;
  private readonly work: AccountWork;
  private readonly singles: Gatherer<unknown>;
  private readonly documents: Gatherer<Uint8Array>;
  private readonly onProgress: ((progress: Progress) => void) | undefined;
  private state: Promise<State>;
  private updates: Promise<void> = Promise.resolve();

  /** Use `createEngine`. */
  constructor(options: EngineOptions) {
    this.executor = new Executor(options.workers);
    this.leases = new Leases(this.executor);
    this.work = new AccountWork(this.executor);
    this.workers = this.executor.workers;
    this.onProgress = options.onProgress;
    this.singles = new Gatherer(this.executor, (values) =>
      this.gathered({ form: 'values', values }),
    );
    this.documents = new Gatherer(this.executor, (bytes) => this.gathered(joinDocuments(bytes)));
    this.state = this.prepare(options);
    this.state.catch(() => {});
  }

  /** Resolves when the scenarios are drawn and the instruments revalued. */
  async ready(): Promise<void> {
    await this.state;
  }

  /** What the engine runs on. */
  async info(): Promise<EngineInfo> {
    const { session, methodology, clamped, market } = await this.state;
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
    return (await this.state).snapshot;
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
    const { session } = await this.state;
    if (session.layout.cube === 0) return this.streamed(account);
    return accepted(await this.singles.add(account));
  }

  /** The same for an account as JSON bytes, parsed in the worker. */
  async marginDocument(bytes: Uint8Array): Promise<AccountOutcome> {
    const { session } = await this.state;
    if (session.layout.cube !== 0) return this.documents.add(bytes);
    return this.streamedOutcome(readDocuments(joinDocuments([bytes])).read(0));
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

  /** VaR and ES of one portfolio on demand, on a scenario set of the caller's choice. */
  async valueAtRisk(account: unknown, request: RiskRequest = {}): Promise<RiskReport> {
    const state = await this.state;
    return riskReport(account, request, {
      executor: this.executor,
      leases: this.leases,
      market: state.market,
      factors: state.factors,
      history: state.history,
      base: state.input,
    });
  }

  /** Replaces the market. Figures come from the old one until the new one is ready; none ever mixes both. */
  async updateMarket(snapshot: MarketSnapshot): Promise<void> {
    // A copy: what the caller does to its own object afterwards is not our market.
    const checked = structuredClone(readSnapshot(snapshot));
    // One after the other: the last call decides, whichever would have been ready first.
    const update = this.updates.then(async () => {
      const { input, factors, history } = await this.state;
      const old = await this.state;
      this.state = Promise.resolve(await this.build(checked, input, factors, history, old));
      this.leases.release(old.session);
    });
    this.updates = update.catch(() => {});
    return update;
  }

  /** Ends after all accepted work is done. */
  async close(): Promise<void> {
    // Calls made before this one have reached their gatherer when the state has been waited for.
    await this.state.catch(() => {});
    await Promise.all([this.singles.drained(), this.documents.drained()]);
    await this.executor.close();
  }

  private async prepare(options: EngineOptions): Promise<State> {
    const { methodology = {} } = options;
    const input = readMethodology(methodology, { prefix: 'methodology' });
    const factors = options.factors === undefined ? null : compileFactorModel(options.factors);
    const market = structuredClone(readSnapshot(options.market));
    return this.build(market, input, factors, options.history ?? null);
  }

  private async build(
    snapshot: MarketSnapshot,
    input: MethodologyInput,
    factors: CompiledFactors | null,
    history: History | null,
    previous?: State,
  ): Promise<State> {
    const methodology = resolveMethodology(input, factors?.degreesOfFreedom != null);
    const market = compileMarket(snapshot);
    const memory = (bytes: number) => this.leases.memory(bytes);
    const request = { market, methodology, factors, history, slots: this.executor.slots, memory };
    const session = openKept(request);
    this.leases.hold(session);
    const { onProgress } = this;
    const clamped =
      session.layout.cube === 0
        ? 0
        : await fillSession(session, this.executor, { onProgress, previous });
    return { session, snapshot, market, methodology, input, factors, history, clamped };
  }

  private async gathered(input: AccountInput): Promise<readonly AccountOutcome[]> {
    const { session } = await this.state;
    if (session.layout.cube === 0) {
      // The market was replaced on the way by one whose cube does not fit.
      const { count, read } = readDocuments(input);
      return Promise.all(Array.from({ length: count }, (_, i) => this.streamedOutcome(read(i))));
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
    const { session } = await this.state;
    this.leases.hold(session);
    try {
      yield* work(session);
    } finally {
      this.leases.release(session);
    }
  }

  private async streamedOutcome(document: AccountDocument): Promise<AccountOutcome> {
    if ('error' in document) return rejected(document.error, null);
    if ('account' in document) return rejected(new PlimsollError('INTERNAL', 'no document'), null);
    try {
      return await this.streamed(document.value);
    } catch (error) {
      return rejected(error, accountId(document.value));
    }
  }

  private async streamed(value: unknown): Promise<MarginResult> {
    const { market, methodology, factors, history } = await this.state;
    const account = readAccount(value);
    const session = openStreamed(account, {
      market,
      methodology,
      factors,
      history,
      slots: this.executor.slots,
      memory: (bytes) => this.leases.memory(bytes),
    });
    this.leases.hold(session);
    try {
      return await streamedMargin(session, this.executor, account, { onProgress: this.onProgress });
    } finally {
      this.leases.release(session);
    }
  }
}

interface State {
  readonly session: Session;
  readonly snapshot: MarketSnapshot;
  readonly market: Session['valuation']['market'];
  readonly methodology: Methodology;
  readonly input: MethodologyInput;
  readonly factors: CompiledFactors | null;
  readonly history: History | null;
  readonly clamped: number;
}

/** A kept session; where its cube would not fit, one that streams. */
function openKept(request: Omit<SessionRequest, 'kept' | 'resultRows' | 'held'>): Session {
  try {
    return openSession({ ...request, kept: true, resultRows: 0 });
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code !== 'OUT_OF_MEMORY') throw error;
    return openSession({ ...request, kept: false, resultRows: 1, held: new Set() });
  }
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
