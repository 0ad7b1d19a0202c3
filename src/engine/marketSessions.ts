/**
 * The market that figures are computed on, and its replacement: by a new snapshot, or by ticks. One update after the other; figures come from
 * the old market until the new one is ready.
 */
import { PlimsollError } from '../errors.ts';
import {
  type Methodology,
  type MethodologyInput,
  readMethodology,
  resolveMethodology,
} from '../margin/methodology.ts';
import {
  type CompiledFactors,
  compileFactorModel,
  type FactorModel,
} from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import { compileMarket, type Market, recompileMarket } from '../market/market.ts';
import { type MarketSnapshot, readSnapshot } from '../market/snapshot.ts';
import { type Tick, tickedSnapshot } from '../market/ticks.ts';
import type { EngineOptions } from './contract.ts';
import type { Executor } from './executor.ts';
import { fillSession, type Progress } from './fill.ts';
import type { Leases } from './leases.ts';
import { refill, repack } from './refill.ts';
import { nextSessionId, openSession, type SessionRequest } from './session.ts';
import type { Session } from './sessionData.ts';
import { tickedSession } from './tickedSession.ts';

/** One market, ready to be computed on. */
export interface MarketState {
  readonly session: Session;
  readonly snapshot: MarketSnapshot;
  readonly market: Market;
  readonly methodology: Methodology;
  readonly input: MethodologyInput;
  readonly factors: CompiledFactors | null;
  readonly history: History | null;
  readonly clamped: number;
  /** Underlyings (indices) whose rows ticks have moved and whose blocks nobody has asked for since. */
  readonly behind: Set<number>;
}

export class MarketSessions {
  /** Rejected where the engine could not start. */
  current: Promise<MarketState>;
  private updates: Promise<void> = Promise.resolve();
  private readonly executor: Executor;
  private readonly leases: Leases;
  private readonly onProgress: ((progress: Progress) => void) | undefined;

  constructor(options: EngineOptions, executor: Executor, leases: Leases) {
    this.executor = executor;
    this.leases = leases;
    this.onProgress = options.onProgress;
    this.current = this.prepare(options);
    this.current.catch(() => {});
  }

  /** Replaces the market, the factor model, or both at once. Figures come from the old ones until the new are ready; none ever mixes them. */
  async replace(next: { market?: MarketSnapshot; factors?: FactorModel }): Promise<void> {
    // Copies: what the caller does to its own objects afterwards is not our market.
    const market =
      next.market === undefined ? undefined : structuredClone(readSnapshot(next.market));
    const model = next.factors === undefined ? undefined : compiled(next.factors);
    // One after the other: the last call decides, whichever would have been ready first.
    const update = this.updates.then(async () => {
      const old = await this.current;
      const { input, history } = old;
      const factors = model ?? old.factors;
      const built = await this.build(market ?? old.snapshot, input, factors, history, old);
      this.current = Promise.resolve(built);
      this.leases.release(old.session);
    });
    this.updates = update.catch(() => {});
    return update;
  }

  /**
   * Price moves of some underlyings, all at once. What did not move is not computed again; figures come from the old market until the new
   * one is ready, and equal those of `updateMarket` with the snapshot that results, bit for bit.
   * @returns the underlyings that moved
   * @throws UNKNOWN_UNDERLYING, INVALID_FIELD and others, with the path in `ticks`; then nothing has changed
   */
  async tick(ticks: readonly Tick[]): Promise<ReadonlySet<string>> {
    const update = this.updates.then(async () => {
      const old = await this.current;
      const { snapshot, moved } = tickedSnapshot(old.snapshot, ticks);
      checkMoved(snapshot, moved);
      await this.moveTo(old, snapshot, moved);
      return moved;
    });
    this.updates = update.then(
      () => {},
      () => {},
    );
    return update;
  }

  /** The state after the updates that are under way. Its session is held for the caller, who releases it: until then no tick changes it in place. */
  async steady(): Promise<MarketState> {
    for (;;) {
      const { updates } = this;
      await updates;
      const state = await this.current;
      if (updates !== this.updates) continue;
      this.leases.hold(state.session);
      return state;
    }
  }

  private async moveTo(
    old: MarketState,
    snapshot: MarketSnapshot,
    ids: ReadonlySet<string>,
  ): Promise<void> {
    const { methodology, input, factors, history } = old;
    const market = recompileMarket(old.market, snapshot, ids, methodology.surfaceModel);
    const moved = new Set([...ids].map((id) => market.underlyingIndex.get(id)!));
    const { session } = old;
    const next =
      session.layout.cube !== 0 && this.leases.exclusive(session)
        ? tickedSession(session, nextSessionId(), market, moved)
        : null;
    if (next === null) {
      // A batch is under way on the old market, or rows have changed: beside the old memory, not in it.
      this.current = Promise.resolve(await this.build(snapshot, input, factors, history, old));
      this.leases.release(session);
      return;
    }
    const rescue = async (): Promise<Session> => {
      const rebuilt = await this.build(snapshot, input, factors, history);
      this.current = Promise.resolve(rebuilt);
      this.leases.release(session);
      return rebuilt.session;
    };
    const { executor } = this;
    const { behind } = old;
    const done = await executor.exclusive(session, next, {
      work: () => {
        for (const u of moved) behind.add(u);
        return refill(next, moved, executor);
      },
      pack: async () => {
        const packed = [...behind];
        await repack(next, packed, executor);
        for (const u of packed) behind.delete(u);
      },
      rescue,
    });
    if (done !== next) return;
    this.current = Promise.resolve({ ...old, session: next, snapshot, market });
  }

  private async prepare(options: EngineOptions): Promise<MarketState> {
    const { methodology = {} } = options;
    const input = readMethodology(methodology, { prefix: 'methodology' });
    const factors = options.factors === undefined ? null : compiled(options.factors);
    const market = structuredClone(readSnapshot(options.market));
    return this.build(market, input, factors, options.history ?? null);
  }

  private async build(
    snapshot: MarketSnapshot,
    input: MethodologyInput,
    factors: CompiledFactors | null,
    history: History | null,
    previous?: MarketState,
  ): Promise<MarketState> {
    const methodology = resolveMethodology(input, factors?.degreesOfFreedom != null);
    const market = compileMarket(snapshot, methodology.surfaceModel);
    const memory = (bytes: number) => this.leases.memory(bytes);
    const request = { market, methodology, factors, history, slots: this.executor.slots, memory };
    const session = openKept(request);
    this.leases.hold(session);
    const { onProgress } = this;
    const filled =
      session.layout.cube === 0
        ? Promise.resolve(0)
        : fillSession(session, this.executor, { onProgress, previous });
    const clamped = await filled.catch((error: unknown) => {
      this.leases.release(session);
      throw error;
    });
    const behind = new Set<number>();
    return { session, snapshot, market, methodology, input, factors, history, clamped, behind };
  }
}

/** With a copy of the model. */
function compiled(model: FactorModel): CompiledFactors {
  const factors = compileFactorModel(model);
  return { ...factors, model: structuredClone(factors.model) };
}

/** What moved must still be a market: the rules of a snapshot, of these underlyings alone. */
function checkMoved(snapshot: MarketSnapshot, moved: ReadonlySet<string>): void {
  const underlyings = snapshot.underlyings.filter(({ id }) => moved.has(id));
  if (underlyings.length > 0) readSnapshot({ ...snapshot, underlyings, instruments: [] });
}

/** A kept session; where its cube would not fit, one that keeps nothing: accounts are then margined one by one. */
function openKept(request: Omit<SessionRequest, 'kept' | 'resultRows' | 'held'>): Session {
  try {
    return openSession({ ...request, kept: 'blocks', resultRows: 0 });
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code !== 'OUT_OF_MEMORY') throw error;
    return openSession({ ...request, kept: 'nothing', resultRows: 1, held: new Set() });
  }
}
