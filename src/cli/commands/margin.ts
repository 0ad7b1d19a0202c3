/** `plimsoll margin`: a file of accounts in, a file of results out, streamed; the table tells what was in it. */
import { createHash } from 'node:crypto';
import type { BatchForm, Engine } from '../../engine/engine.ts';
import { rejected } from '../../engine/evaluator.ts';
import { PlimsollError } from '../../errors.ts';
import { decodeText, parseJson } from '../../json.ts';
import { accountId } from '../../margin/account.ts';
import type { MarginResult, RejectedAccount } from '../../margin/result.ts';
import { type AccountSource, accountDocuments, openAccounts } from '../accountSource.ts';
import { EXIT } from '../exitCodes.ts';
import { inputsOf, readMethod, refuseOverwriting, refuseSharedInput } from '../inputs.ts';
import { readSources, startEngine } from '../openEngine.ts';
import type { ModelOptions, OutOptions, ScenarioOptions } from '../options.ts';
import { duration } from '../output/figures.ts';
import { tallyPieces } from '../output/marginPieces.ts';
import { marginTable } from '../output/marginTable.ts';
import { MarginTally } from '../output/marginTally.ts';
import { openSink, type Sink } from '../output/sink.ts';
import type { Terminal } from '../terminal.ts';

export interface MarginOptions extends ModelOptions, ScenarioOptions, OutOptions {
  readonly accounts: string;
  readonly model?: string;
  readonly format?: BatchForm;
  readonly top: number;
}

export async function runMargin(options: MarginOptions, terminal: Terminal): Promise<number> {
  const inputs = [options.accounts, ...inputsOf(options)];
  refuseSharedInput(inputs);
  refuseOverwriting(options.out, inputs);
  const target = outOf(options);
  const sink = target === undefined ? null : await openSink(target, terminal);
  try {
    return await margined(options, sink, terminal);
  } finally {
    await sink?.discard();
  }
}

async function margined(
  options: MarginOptions,
  sink: Sink | null,
  terminal: Terminal,
): Promise<number> {
  const { accounts, format, workers } = options;
  const methodology = await readMethod(options);
  const sources = await readSources(options, methodology, terminal);
  const source = await openAccounts(accounts, format);
  const started = performance.now();
  const engine = await startEngine(sources, methodology, workers, terminal);
  try {
    const info = await engine.info();
    const ready = performance.now();
    const tally = new MarginTally(options.top);
    const answer = info.kept
      ? batch(engine, source, tally, terminal)
      : oneByOne(engine, source, tally, terminal);
    await deliver(answer, sink);
    const seconds = (performance.now() - ready) / 1000;
    const text = marginTable(tally, {
      seconds,
      scenarioSet: info.scenarioSet,
      currency: info.market.currency,
    });
    const target = outOf(options);
    terminal.progress.stop();
    if (target === undefined) await terminal.write(text);
    else terminal.note(`\n${text.trimEnd()}`);
    if (terminal.json && target !== '-') await terminal.document(told(tally, info.scenarioSet));
    const { workers: threads, scenarios } = info;
    terminal.note(
      `engine: ${scenarios} scenarios on ${threads} threads, ready in ${duration((ready - started) / 1000)}`,
    );
    return tally.rejected > 0 ? EXIT.rejected : EXIT.ok;
  } finally {
    terminal.progress.stop();
    await engine.close();
  }
}

/** With `--json` and a file for the results: what the batch came to. */
function told(tally: MarginTally, scenarioSet: string): object {
  const { accounts, rejected: bad, digest, currency, totals, states } = tally;
  const summary = { accounts, rejected: bad, digest };
  return { summary, currency, totals, states: Object.fromEntries(states), scenarioSet };
}

/** Where the results go; undefined: nowhere, the table is what is wanted. */
function outOf({ out, json }: OutOptions): string | undefined {
  return out ?? (json === true ? '-' : undefined);
}

async function deliver(answer: AsyncGenerator<Uint8Array>, sink: Sink | null): Promise<void> {
  if (sink !== null) return sink.deliver(answer);
  for await (const _ of answer);
}

async function* batch(
  engine: Engine,
  source: AccountSource,
  tally: MarginTally,
  terminal: Terminal,
): AsyncGenerator<Uint8Array> {
  const take = tallyPieces(tally, source.form);
  const pieces = engine.marginStream(source.bytes, source.form, {
    onProgress: (step) => terminal.progress.update({ ...step, share: source.share() }),
    onSummary: ({ digest }) => {
      tally.digest = digest;
    },
  });
  for await (const piece of pieces) {
    take(piece);
    yield piece;
  }
}

/** So many scenarios that no cube is kept: each account streams through all of them. The lines are those of a batch. */
async function* oneByOne(
  engine: Engine,
  source: AccountSource,
  tally: MarginTally,
  terminal: Terminal,
): AsyncGenerator<Uint8Array> {
  const json = source.form === 'json';
  const take = tallyPieces(tally, source.form);
  const digest = createHash('sha256');
  terminal.note('the P&L cube does not fit into memory: accounts are margined one by one');
  if (json) yield Buffer.from('[\n');
  for await (const { bytes, where } of accountDocuments(source)) {
    const line = JSON.stringify(await outcomeOf(engine, bytes, where));
    digest.update(`${line}\n`);
    const piece = Buffer.from(json ? `${line},\n` : `${line}\n`);
    take(piece);
    yield piece;
  }
  tally.digest = `sha256:${digest.digest('hex')}`;
  const { accounts, rejected: bad } = tally;
  const text = JSON.stringify({ summary: { accounts, rejected: bad, digest: tally.digest } });
  yield Buffer.from(json ? `${text}\n]\n` : `${text}\n`);
}

async function outcomeOf(
  engine: Engine,
  bytes: Uint8Array,
  where: string,
): Promise<MarginResult | RejectedAccount> {
  let value: unknown;
  try {
    value = parseJson(decodeText(bytes));
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    return rejected(new PlimsollError(error.code, `${where}: ${error.message}`), null);
  }
  try {
    return await engine.margin(value);
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.status >= 500) throw error;
    return rejected(error, accountId(value));
  }
}
