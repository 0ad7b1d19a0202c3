/** Carries out one study on a session, in a worker. */
import { PlimsollError } from '../../errors.ts';
import type { Account } from '../../margin/account.ts';
import type { MarginResult } from '../../margin/result.ts';
import { AccountLab } from '../accountLab.ts';
import { AccountEvaluator } from '../evaluator.ts';
import type { Session } from '../sessionData.ts';
import type { Bench } from '../shards.ts';
import { STUDIES, type StudyName } from './index.ts';
import type { Study, StudyContext } from './study.ts';

export function studyShard(
  bench: Bench,
  slot: number,
  asked: { readonly study: StudyName; readonly account: Account; readonly request: unknown },
  cancelled: () => boolean,
): unknown {
  const study = STUDIES[asked.study] as Study<unknown, unknown>;
  return study(asked.account, asked.request, studyContext(bench, slot, cancelled));
}

export function studyContext(
  bench: Bench,
  slot: number,
  cancelled: () => boolean = () => false,
): StudyContext {
  const { session } = bench;
  let evaluator: AccountEvaluator | null = null;
  return {
    bench,
    slot,
    margin: (accounts) => {
      evaluator ??= new AccountEvaluator(bench, slot);
      return margined(evaluator, accounts, cancelled);
    },
    lab: (accounts) => new AccountLab(session, instrumentsOf(accounts, session)),
    checkCancelled: () => {
      if (cancelled()) throw new PlimsollError('CANCELLED', 'the caller has gone');
    },
  };
}

function margined(
  evaluator: AccountEvaluator,
  accounts: readonly Account[],
  cancelled: () => boolean,
): readonly MarginResult[] {
  const read = (i: number) => ({ account: accounts[i]! });
  return evaluator.evaluate({ count: accounts.length, read }, cancelled).map((outcome) => {
    if (!('error' in outcome)) return outcome;
    const { code, message, path } = outcome.error;
    throw new PlimsollError(code, message, { path, account: outcome.account ?? undefined });
  });
}

/** Instruments that the market knows among those of some accounts. */
export function instrumentsOf(
  accounts: readonly Account[],
  { valuation }: Session,
): ReadonlySet<number> {
  const { instrumentIndex } = valuation.market;
  const ids = accounts.flatMap(({ instruments, orders }) => [
    ...instruments,
    ...orders.map(({ instrument }) => instrument),
  ]);
  return new Set(ids.flatMap((id) => instrumentIndex.get(id) ?? []));
}
