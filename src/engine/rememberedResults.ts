/** Margin results of the accounts that a worker was asked about last: who asks what an order would do asks again about the same account. */
import { isDeepStrictEqual } from 'node:util';
import { LIMITS } from '../limits.ts';
import type { Account } from '../margin/account.ts';
import type { MarginResult } from '../margin/result.ts';
import type { Session } from './sessionData.ts';

interface Known {
  readonly account: Account;
  readonly result: MarginResult;
}

/** By the account's id; what was asked for last stands last. */
const known = new WeakMap<Session, Map<string, Known>>();

/** The result of the account on the session: as it was made before, where the account is the same in every field. */
export function rememberedResult(
  session: Session,
  account: Account,
  make: () => MarginResult,
): MarginResult {
  if (account.instruments.length > LIMITS.rememberedPositionsMax) return make();
  const results = known.get(session) ?? new Map<string, Known>();
  known.set(session, results);
  const found = results.get(account.id);
  const same = found !== undefined && isDeepStrictEqual(found.account, account);
  const result = same ? found.result : make();
  results.delete(account.id);
  results.set(account.id, { account, result });
  for (const id of results.keys()) {
    if (results.size <= LIMITS.rememberedResultsMax) break;
    results.delete(id);
  }
  return result;
}
