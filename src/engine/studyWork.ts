/** Studies of single accounts on a session. */
import { ensure } from '../errors.ts';
import type { Account } from '../margin/account.ts';
import type { Executor } from './executor.ts';
import type { Session } from './sessionData.ts';
import type { StudyAnswer, StudyName, StudyRequest } from './studies/index.ts';

export async function study<N extends StudyName>(
  executor: Executor,
  session: Session,
  name: N,
  asked: { readonly account: Account; readonly request: StudyRequest<N> },
  options: { readonly signal?: AbortSignal | undefined },
): Promise<StudyAnswer<N>> {
  const body = { kind: 'study', study: name, ...asked } as const;
  const value = await executor.run(body, session, { ...options, urgent: true });
  ensure(value.kind === 'study', 'a study shard answers with a study');
  return value.answer as StudyAnswer<N>;
}
