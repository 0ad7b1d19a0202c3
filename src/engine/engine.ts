/** The one call that runs it all: `createEngine`. Every other way in (command line, HTTP) is an adapter of this. */
import { createHash } from 'node:crypto';
import type { AccountInput, AccountOutput, AccountsAnswer } from '../../workers/protocol.ts';
import { ensure, PlimsollError } from '../errors.ts';
import { decodeText, parseJson } from '../json.ts';
import { LIMITS } from '../limits.ts';
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
import { arrowResultFooter, arrowResultHeader } from './arrowResults.ts';
import { recycle } from './byteQueue.ts';
import { batchValues } from './chunks.ts';
import type {
  BatchOptions,
  BatchSummary,
  EngineInfo,
  EngineOptions,
  StreamOptions,
} from './contract.ts';
import { type AccountOutcome, rejected } from './evaluator.ts';
import { Executor } from './executor.ts';
import { fillSession, type Progress } from './fill.ts';
import { Gatherer } from './gather.ts';
import { Leases } from './leases.ts';
import { mapOrdered } from './ordered.ts';
import { type RiskReport, type RiskRequest, riskReport } from './riskReport.ts';
import { openSession, type SessionRequest } from './session.ts';
import type { Session } from './sessionData.ts';
import { openStreamed, streamedMargin } from './streamed.ts';
import {
  arrayElements,
  type BatchForm,
  cut,
  joinDocuments,
  SHARD_ACCOUNTS,
  shardSizeOf,
} from './transport.ts';

export type { BatchForm, BatchOptions, BatchSummary, EngineInfo, EngineOptions };

const ARROW_DEADLINE_MS = 60_000;

export class Engine {
  readonly workers: number;
  private readonly executor: Executor;
  private readonly leases: Leases;
  private readonly singles: Gatherer<unknown>;
  private readonly documents: Gatherer<Uint8Array>;
  private readonly onProgress: ((progress: Progress) => void) | undefined;
  private state: Promise<State>;
  private updates: Promise<void> = Promise.resolve();

  /** Use `createEngine`. */
  constructor(options: EngineOptions) {
    this.executor = new Executor(options.workers);
    this.leases = new Leases(this.executor);
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
    let value: unknown;
    try {
      value = parseJson(decodeText(bytes));
      return await this.streamed(value);
    } catch (error) {
      return rejected(error, accountId(value));
    }
  }

  /** Margin of many accounts, in their order; a rejected account's record stands in its place. */
  marginBatch(
    accounts: Iterable<unknown> | AsyncIterable<unknown>,
    options: BatchOptions = {},
  ): AsyncGenerator<AccountOutcome> {
    return this.onSession((session) => this.batch(session, accounts, options));
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
    return this.onSession((session) => this.stream(session, source, form, options));
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
    const checked = readSnapshot(snapshot);
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
    await this.executor.close();
  }

  private async prepare(options: EngineOptions): Promise<State> {
    const input = readMethodology(options.methodology ?? {}, { prefix: 'methodology' });
    const factors = options.factors === undefined ? null : compileFactorModel(options.factors);
    return this.build(readSnapshot(options.market), input, factors, options.history ?? null);
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
    const { values } = await this.task(session, input, 'values', { urgent: true });
    ensure(values !== null, 'values were asked for');
    return values;
  }

  private async *batch(
    session: Session,
    accounts: Iterable<unknown> | AsyncIterable<unknown>,
    options: BatchOptions,
  ): AsyncGenerator<AccountOutcome> {
    const size = options.shardSize ?? shardSizeOf(accounts, this.workers);
    const chunks = batchValues(accounts, size);
    const inputs = (async function* () {
      for await (const values of chunks) yield { form: 'values', values } as const;
    })();
    let done = 0;
    for await (const answer of this.answers(session, inputs, 'values', options)) {
      done += answer.accounts;
      options.onProgress?.({ stage: 'accounts', done, total: 0 });
      yield* answer.values ?? [];
    }
  }

  private async *stream(
    session: Session,
    source: AsyncIterable<Uint8Array>,
    form: BatchForm,
    options: StreamOptions,
  ): AsyncGenerator<Uint8Array> {
    const rows = options.shardSize ?? SHARD_ACCOUNTS;
    const digest = createHash('sha256');
    let accounts = 0;
    let refused = 0;
    const output = form === 'arrow' ? 'arrow' : 'ndjson';
    if (form === 'arrow') yield arrowResultHeader();
    if (form === 'json') yield Buffer.from('[\n');
    for await (const answer of this.answers(session, cut(source, form, rows), output, options)) {
      accounts += answer.accounts;
      refused += answer.rejected;
      digest.update(answer.lines!);
      options.onProgress?.({ stage: 'accounts', done: accounts, total: 0 });
      if (form === 'arrow') yield answer.arrow!;
      else yield form === 'json' ? arrayElements(answer.lines!) : answer.lines!;
    }
    const summary = { accounts, rejected: refused, digest: `sha256:${digest.digest('hex')}` };
    options.onSummary?.(summary);
    const text = JSON.stringify({ summary });
    if (form === 'arrow') yield arrowResultFooter(text);
    else yield Buffer.from(form === 'json' ? `${text}\n]\n` : `${text}\n`);
  }

  private answers(
    session: Session,
    inputs: AsyncIterable<AccountInput>,
    output: AccountOutput,
    { signal }: BatchOptions,
  ): AsyncGenerator<AccountsAnswer> {
    if (session.layout.cube === 0) {
      const { scenarios } = session.set;
      const message = `a batch needs a kept cube, which does not fit at ${scenarios} scenarios: margin accounts one by one, or use fewer`;
      throw new PlimsollError('OUT_OF_MEMORY', message);
    }
    return mapOrdered(inputs, this.workers * 2, async (input) => {
      const answer = await this.task(session, input, output, { signal });
      // Row ranges of one Arrow batch share their bytes.
      if (input.form === 'ndjson' || input.form === 'documents') recycle(input.bytes);
      return answer;
    });
  }

  /** The current session, held for as long as the work on it is consumed. */
  private async *onSession<T>(work: (session: Session) => AsyncGenerator<T>): AsyncGenerator<T> {
    const { session } = await this.state;
    this.leases.hold(session);
    try {
      yield* work(session);
    } finally {
      this.leases.release(session);
    }
  }

  private async task(
    session: Session,
    input: AccountInput,
    output: AccountOutput,
    options: { readonly signal?: AbortSignal | undefined; readonly urgent?: boolean },
  ): Promise<AccountsAnswer> {
    const deadline = input.form === 'arrow' ? { deadlineMs: ARROW_DEADLINE_MS } : {};
    const value = await this.executor.run({ kind: 'accounts', input, output }, session, {
      ...options,
      ...deadline,
    });
    ensure(value.kind === 'accounts', 'an account shard answers with accounts');
    return value.answer;
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
  if (options.workers !== undefined && options.workers > LIMITS.workersMax) {
    throw new PlimsollError('INVALID_FIELD', `workers must be at most ${LIMITS.workersMax}`, {
      path: 'workers',
    });
  }
  const engine = new Engine(options);
  try {
    await engine.ready();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}
