/** An explanation in this thread, on a session that is filled here. */
import { explain } from '../../src/engine/studies/explain.ts';
import {
  type ExplainDocument,
  type Explanation,
  readExplainRequest,
} from '../../src/engine/studies/explainSchema.ts';
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { readAccount } from '../../src/margin/account.ts';
import type { InProcess } from './inProcess.ts';

export function explained(
  account: unknown,
  asked: ExplainDocument,
  { bench }: InProcess,
): Explanation {
  return explain(readAccount(account), readExplainRequest(asked), studyContext(bench, 0));
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
