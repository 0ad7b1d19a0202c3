/** Studies of single accounts on a session. */
import { ensure } from '../errors.ts';
import type { Account } from '../margin/account.ts';
import type { Executor } from './executor.ts';
import type { Session } from './sessionData.ts';
import type { StudyName, StudyRequest } from './studies/index.ts';

interface StudyRunOptions {
  readonly signal?: AbortSignal | undefined;
  /** See `StudyOptions`. */
  readonly background?: boolean;
  readonly givesWay?: boolean;
  /** The answer as JSON, written by the worker. */
  readonly text?: boolean;
}

/** @returns a `StudyAnswer<N>`, or its JSON where that was asked for */
export async function study<N extends StudyName>(
  executor: Executor,
  session: Session,
  name: N,
  asked: { readonly account: Account; readonly request: StudyRequest<N> },
  options: StudyRunOptions,
): Promise<unknown> {
  const { signal, background = false, givesWay = false, text = false } = options;
  const body = { kind: 'study', study: name, ...asked, text } as const;
  const urgent = !background && !givesWay;
  const value = await executor.run(body, session, { signal, urgent, givesWay });
  ensure(value.kind === 'study', 'a study shard answers with a study');
  return value.answer;
}
