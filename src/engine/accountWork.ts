/** Batches of accounts as work for the pool: shards of values or bytes, answered in order. */
import { createHash } from 'node:crypto';
import type { AccountInput, AccountOutput, AccountsAnswer } from '../../workers/protocol.ts';
import { ensure, PlimsollError } from '../errors.ts';
import { accountId } from '../margin/account.ts';
import { FEW_ACCOUNTS } from './bookPasses.ts';
import { recycle } from './byteQueue.ts';
import { batchValues } from './chunks.ts';
import type { BatchOptions, StreamOptions } from './contract.ts';
import { type AccountOutcome, rejected } from './evaluator.ts';
import type { Executor } from './executor.ts';
import { mapOrdered } from './ordered.ts';
import type { Session } from './sessionData.ts';
import { arrayElements, type BatchForm, cut, SHARD_ACCOUNTS, shardSizeOf } from './transport.ts';

const ARROW_DEADLINE_MS = 60_000;
/** Shards under way: one at work, one that waits for it, and one for those that wait for an answer before theirs. */
const SHARDS_PER_WORKER = 3;

export class AccountWork {
  private readonly executor: Executor;

  constructor(executor: Executor) {
    this.executor = executor;
  }

  /** Values in, values out. */
  async *batch(
    session: Session,
    accounts: Iterable<unknown> | AsyncIterable<unknown>,
    options: BatchOptions,
  ): AsyncGenerator<AccountOutcome> {
    const size = options.shardSize ?? shardSizeOf(accounts, this.executor.workers);
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

  /** Bytes in, bytes out; the summary at the end. */
  async *stream(
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
    // The Arrow writer is large: it is loaded when it is first asked for.
    const arrow = form === 'arrow' ? await import('./arrowResults.ts') : null;
    if (arrow !== null) yield arrow.arrowResultHeader();
    if (form === 'json') yield Buffer.from('[\n');
    for await (const answer of this.answers(session, cut(source, form, rows), output, options)) {
      accounts += answer.accounts;
      refused += answer.rejected;
      digest.update(answer.lines!);
      options.onProgress?.({ stage: 'accounts', done: accounts, total: 0 });
      if (arrow !== null) yield answer.arrow!;
      else yield form === 'json' ? arrayElements(answer.lines!, answer.accounts) : answer.lines!;
    }
    const summary = { accounts, rejected: refused, digest: `sha256:${digest.digest('hex')}` };
    options.onSummary?.(summary);
    const text = JSON.stringify({ summary });
    if (arrow !== null) yield arrow.arrowResultFooter(text);
    else yield Buffer.from(form === 'json' ? `${text}\n]\n` : `${text}\n`);
  }

  private answers(
    session: Session,
    inputs: AsyncIterable<AccountInput>,
    output: AccountOutput,
    { signal, urgent = false }: BatchOptions,
  ): AsyncGenerator<AccountsAnswer> {
    if (session.layout.cube === 0) {
      const { scenarios } = session.set;
      const message = `a batch needs a kept cube, which does not fit at ${scenarios} scenarios: margin accounts one by one, or use fewer`;
      throw new PlimsollError('OUT_OF_MEMORY', message);
    }
    return mapOrdered(inputs, this.executor.workers * SHARDS_PER_WORKER, async (input) => {
      const answer =
        input.form === 'values'
          ? await this.valuesTask(session, input, { signal, urgent })
          : await this.task(session, input, output, { signal, urgent });
      // Row ranges of one Arrow batch share their bytes.
      if (input.form === 'ndjson' || input.form === 'documents') recycle(input.bytes);
      return answer;
    });
  }

  /** An account that cannot be sent to a worker (a function in it, a proxy) is rejected by itself; the others are answered. */
  async valuesTask(
    session: Session,
    input: AccountInput,
    options: { readonly signal?: AbortSignal | undefined; readonly urgent?: boolean },
  ): Promise<AccountsAnswer> {
    try {
      return await this.task(session, input, 'values', options);
    } catch (error) {
      if (input.form !== 'values' || !(error instanceof PlimsollError)) throw error;
      if (error.code !== 'INVALID_FIELD') throw error;
      const problems = input.values.map(cloneProblem);
      const values = input.values.filter((_, i) => problems[i] === null);
      const answer = await this.task(session, { form: 'values', values }, 'values', options);
      const good = [...(answer.values ?? [])];
      const all = problems.map((problem) => problem ?? good.shift()!);
      const failed = problems.filter((problem) => problem !== null).length;
      return { ...answer, accounts: all.length, rejected: answer.rejected + failed, values: all };
    }
  }

  private async task(
    session: Session,
    input: AccountInput,
    output: AccountOutput,
    options: { readonly signal?: AbortSignal | undefined; readonly urgent?: boolean },
  ): Promise<AccountsAnswer> {
    const deadline = input.form === 'arrow' ? { deadlineMs: ARROW_DEADLINE_MS } : {};
    const blocks = accountsOf(input) > FEW_ACCOUNTS;
    const value = await this.executor.run({ kind: 'accounts', input, output }, session, {
      ...options,
      ...deadline,
      blocks,
    });
    ensure(value.kind === 'accounts', 'an account shard answers with accounts');
    return value.answer;
  }
}

/** How many there are at most. */
function accountsOf(input: AccountInput): number {
  if (input.form === 'values') return input.values.length;
  if (input.form === 'documents') return input.ends.length;
  if (input.form === 'arrow') return input.end - input.start;
  return Number.POSITIVE_INFINITY;
}

/** The record of an account that cannot be copied to another thread; null where it can. */
function cloneProblem(value: unknown): AccountOutcome | null {
  try {
    structuredClone(value);
    return null;
  } catch (error) {
    const message = `the account is no plain data: ${(error as Error).message}`;
    return rejected(new PlimsollError('INVALID_FIELD', message), accountId(value));
  }
}
