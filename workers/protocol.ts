/**
 * Everything that crosses a thread: the tasks, their answers and the error envelope. A thrown Error loses its fields on the way (its
 * `code` too), so a worker never throws: it answers `{ ok: false, error }`.
 */
import type { PackedSession } from '../src/engine/packedSession.ts';
import type { CubeName, SessionStep } from '../src/engine/sessionData.ts';
import type { StudyName } from '../src/engine/studies/index.ts';
import type { ErrorRecord } from '../src/errors.ts';
import type { Account } from '../src/margin/account.ts';
import type { Book } from '../src/margin/books.ts';
import type { MarginResult, RejectedAccount } from '../src/margin/result.ts';
import type { TailMeasures, TailRanks } from '../src/risk/tail.ts';

/** Accounts as they are handed to a shard. Bytes stand in shared memory: a shard that must be tried again still has them. */
export type AccountInput =
  | { readonly form: 'ndjson'; readonly bytes: Uint8Array; readonly firstLine: number }
  /** JSON documents end to end; `ends` has the end of each. */
  | { readonly form: 'documents'; readonly bytes: Uint8Array; readonly ends: Uint32Array }
  | { readonly form: 'values'; readonly values: readonly unknown[] }
  /** Rows [start, end) of one record batch of an Arrow IPC stream: `bytes` is schema, dictionaries and that batch. */
  | {
      readonly form: 'arrow';
      readonly bytes: Uint8Array;
      readonly start: number;
      readonly end: number;
    };

export type AccountOutput = 'ndjson' | 'values' | 'arrow';

export type TaskBody =
  /** Draw shocks of one drawing block. */
  | { readonly kind: 'draw'; readonly cube: CubeName; readonly block: number }
  /** The two orders of one underlying's scenarios. */
  | { readonly kind: 'order'; readonly underlying: number }
  /** Cube rows, packed into blocks. */
  | { readonly kind: 'pack'; readonly cube: CubeName; readonly rows: readonly number[] }
  /**
   * Revalue and measure one part of the rows of some underlyings over all scenarios. `whole`: of a new session, with the rows that say which
   * scenarios count, and packed; after a tick those stay, and blocks are packed when they are needed.
   */
  | {
      readonly kind: 'fill';
      readonly underlyings: readonly number[];
      readonly part: number;
      readonly parts: number;
      readonly whole: boolean;
    }
  /** Margin of accounts. */
  | { readonly kind: 'accounts'; readonly input: AccountInput; readonly output: AccountOutput }
  /** A question about one account. */
  | {
      readonly kind: 'study';
      readonly study: StudyName;
      readonly account: Account;
      readonly request: unknown;
      /** As JSON: to be passed on as it is. */
      readonly text?: boolean;
    }
  /** P&L rows of some books over drawing blocks [start, end), shocks drawn and instruments revalued on the way. */
  | {
      readonly kind: 'rows';
      readonly books: readonly Book[];
      readonly start: number;
      readonly end: number;
    }
  /** Tails of the rows of results from `first` on. */
  | { readonly kind: 'tails'; readonly first: number; readonly ranks: readonly TailRanks[] };

/** A task and where it may write. `step`, and if that does not help `session`, are sent only to a worker that has asked for them. */
export interface Task {
  readonly body: TaskBody;
  readonly sessionId: number;
  readonly slot: number;
  readonly step?: SessionStep;
  readonly session?: PackedSession;
  /** One i32 in shared memory: not 0 when the caller has gone. */
  readonly cancel: Int32Array;
}

export interface AccountsAnswer {
  readonly accounts: number;
  readonly rejected: number;
  /** NDJSON lines, for `ndjson` and (for the digest) `arrow`. */
  readonly lines: Uint8Array | null;
  readonly values: readonly (MarginResult | RejectedAccount)[] | null;
  readonly arrow: Uint8Array | null;
}

export type TaskValue =
  | { readonly kind: 'done' }
  | { readonly kind: 'draw'; readonly clamped: number }
  | { readonly kind: 'tails'; readonly measures: readonly TailMeasures[] }
  | { readonly kind: 'study'; readonly answer: unknown }
  | { readonly kind: 'accounts'; readonly answer: AccountsAnswer };

export type Answer =
  | { readonly ok: true; readonly value: TaskValue }
  | { readonly ok: false; readonly needsSession: true }
  | { readonly ok: false; readonly needsSession: false; readonly error: ErrorRecord };
