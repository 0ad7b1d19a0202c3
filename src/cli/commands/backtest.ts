/** `plimsoll backtest`: how forecasts of VaR, ES and margin would have done, day by day, on a history of prices. */
import { backtest } from '../../engine/backtest.ts';
import { PlimsollError } from '../../errors.ts';
import type { Holding } from '../../risk/backtest/book.ts';
import { BACKTEST_METHODS, type BacktestMethod } from '../../risk/backtest/methods.ts';
import type { BacktestReport } from '../../risk/backtest/report.ts';
import type { BacktestParameters } from '../../risk/backtest/request.ts';
import { EXIT } from '../exitCodes.ts';
import {
  inputsOf,
  readHistories,
  readMarket,
  refuseOverwriting,
  refuseSharedInput,
} from '../inputs.ts';
import { accountBook, bookOf } from '../linearBook.ts';
import type { MarketOptions } from '../options.ts';
import { backtestPage } from '../output/backtestPage.ts';
import { backtestTable } from '../output/backtestTable.ts';
import { openSink, type Sink } from '../output/sink.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface BacktestOptions extends MarketOptions, CommonOptions {
  readonly history?: string[];
  readonly book?: string;
  readonly units?: boolean;
  readonly account?: string;
  readonly id?: string;
  readonly method: BacktestMethod | 'all';
  readonly from?: string;
  readonly to?: string;
  readonly window?: number;
  readonly minimumRows?: number;
  readonly lambda?: number;
  readonly confidence?: number;
  readonly horizon?: number;
  readonly degreesOfFreedom?: number;
  readonly scenarios?: number;
  readonly seed?: string;
  readonly periodsPerYear?: number;
  readonly procyclicality?: boolean;
  readonly series?: boolean;
  readonly report?: string;
}

export async function runBacktest(options: BacktestOptions, terminal: Terminal): Promise<number> {
  const { report: page, account } = options;
  const inputs = [...(account === undefined ? [] : [account]), ...inputsOf(options)];
  refuseSharedInput(inputs);
  if (page === '-') throw new PlimsollError('USAGE', '--report needs a file', { path: 'report' });
  refuseOverwriting(page, inputs, 'report');
  const sink = page === undefined ? null : await openSink(page, terminal, 'report');
  try {
    return await reported(options, sink, terminal);
  } finally {
    terminal.progress.stop();
    await sink?.discard();
  }
}

async function reported(
  options: BacktestOptions,
  sink: Sink | null,
  terminal: Terminal,
): Promise<number> {
  const history = await readHistories(options);
  if (history === null) {
    throw new PlimsollError('USAGE', 'no history: give --history FILE', { path: 'history' });
  }
  const book = await readBook(options);
  const wanted = options.series ?? false;
  const full = await backtest({
    history,
    ...parametersOf(options, book),
    series: wanted || sink !== null,
    onProgress: (step) => terminal.progress.update(step),
  });
  terminal.progress.stop();
  await sink?.deliver(backtestPage(full));
  if (terminal.json) await terminal.document(wanted ? full : withoutSeries(full));
  else await terminal.write(backtestTable(full));
  if (options.report !== undefined) terminal.note(`report written to ${options.report}`);
  return EXIT.ok;
}

async function readBook(options: BacktestOptions): Promise<Holding[]> {
  const { book, account, units = false, market } = options;
  if ((book === undefined) === (account === undefined)) {
    const message = 'give the book: either --book BTC=1,ETH=-1 or --account FILE';
    throw new PlimsollError('USAGE', message, { path: 'book' });
  }
  if (book !== undefined) {
    const stray = market === undefined ? (options.id === undefined ? null : 'id') : 'market';
    if (stray === null) return bookOf(book, units);
    throw new PlimsollError('USAGE', `--${stray} goes with --account, not with --book`, {
      path: stray,
    });
  }
  if (units) {
    const message = '--units goes with --book: an account says itself what it holds';
    throw new PlimsollError('USAGE', message, { path: 'units' });
  }
  return accountBook(account!, options.id, await readMarket(options));
}

/** Only what was stated: the defaults are the backtest's own. */
function parametersOf(options: BacktestOptions, book: Holding[]): BacktestParameters {
  const { from, to, window, minimumRows, lambda, confidence, degreesOfFreedom } = options;
  const { horizon: horizonDays, scenarios, seed, periodsPerYear } = options;
  const stated = {
    from,
    to,
    window,
    minimumRows,
    lambda,
    confidence,
    horizonDays,
    degreesOfFreedom,
    scenarios,
    seed,
    periodsPerYear,
  };
  const present = Object.entries(stated).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(present) as Partial<BacktestParameters>),
    book,
    methods: options.method === 'all' ? [...BACKTEST_METHODS] : [options.method],
    antiProcyclicality: options.procyclicality ?? false,
  };
}

function withoutSeries({ series: _series, methods, ...report }: BacktestReport): BacktestReport {
  return { ...report, methods: methods.map(({ forecasts: _forecasts, ...method }) => method) };
}
