/** What an engine is made from, what it may be asked and what it says of itself. */
import { PlimsollError } from '../errors.ts';
import type { Methodology, MethodologyInput } from '../margin/methodology.ts';
import type { FactorModel } from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import type { MarketSnapshot } from '../market/snapshot.ts';
import type { Progress } from './fill.ts';

export interface EngineOptions {
  readonly market: MarketSnapshot;
  /** Needed by every scenario model but `historical`. */
  readonly factors?: FactorModel | undefined;
  readonly history?: History | undefined;
  readonly methodology?: MethodologyInput | undefined;
  /** Worker threads; default one a core. */
  readonly workers?: number | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface BatchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Accounts of one shard at the most. It decides no bit of any result. */
  readonly shardSize?: number | undefined;
  /** Before work that is queued for others. */
  readonly urgent?: boolean | undefined;
}

export type StreamOptions = BatchOptions & {
  readonly onSummary?: (summary: BatchSummary) => void;
};

/** What stands at the end of a batch. */
export interface BatchSummary {
  readonly accounts: number;
  readonly rejected: number;
  /** SHA-256 of the NDJSON lines before the summary, whatever the transport. */
  readonly digest: string;
}

export interface EngineInfo {
  readonly workers: number;
  /** Every parameter of the methodology. */
  readonly parameters: Methodology;
  readonly market: {
    readonly asOf: string;
    readonly currency: string;
    readonly underlyings: number;
    readonly instruments: number;
  };
  readonly scenarios: number;
  /** Log shocks that met the clamp, over all factors and scenarios. */
  readonly clampedShocks: number;
  /** Whether the P&L cube is kept; if not, accounts are margined one by one with scenarios streamed. */
  readonly kept: boolean;
  readonly memoryBytes: number;
  readonly queued: number;
  readonly workerDeaths: number;
  readonly scenarioSet: string;
  readonly methodology: string;
  /** Version of the code. */
  readonly engine: string;
}

const OPTIONS = ['market', 'factors', 'history', 'methodology', 'workers', 'onProgress'];

/** What a program without types may get wrong. The parts are read by their own schemas later. */
export function checkOptions(options: EngineOptions): void {
  if (options === null || typeof options !== 'object') {
    throw new PlimsollError('INVALID_FIELD', 'createEngine needs an object of options');
  }
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) {
    throw new PlimsollError('UNKNOWN_FIELD', `${unknown} is not an option`, { path: unknown });
  }
  if (options.market === undefined) {
    throw new PlimsollError('MISSING_FIELD', 'market is required', { path: 'market' });
  }
  const { history } = options;
  if (
    history !== undefined &&
    !(Array.isArray(history?.dates) && Array.isArray(history?.columns))
  ) {
    const message = 'history must be what readHistory returns: dates and columns';
    throw new PlimsollError('INVALID_FIELD', message, { path: 'history' });
  }
}
