/** What a study is: a question about one account that a worker answers from the session's scenarios. */
import type { Account } from '../../margin/account.ts';
import type { MarginResult } from '../../margin/result.ts';
import type { AccountLab } from '../accountLab.ts';
import type { Bench } from '../shards.ts';

export interface StudyContext {
  /** The session's own memory and kernels; its rows are the P&L of every instrument in every scenario. */
  readonly bench: Bench;
  readonly slot: number;
  /** Margin of accounts on the session, in their order. @throws the first account's error */
  readonly margin: (accounts: readonly Account[]) => readonly MarginResult[];
  /** A lab for what these accounts hold or order. */
  readonly lab: (accounts: readonly Account[]) => AccountLab;
  /** @throws CANCELLED when the caller has gone: to be called now and then */
  readonly checkCancelled: () => void;
}

/** One study: pure but for the context's memory. */
export type Study<Request, Answer> = (
  account: Account,
  request: Request,
  context: StudyContext,
) => Answer;
