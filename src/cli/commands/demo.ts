/** `plimsoll demo`: a made-up exchange of a stated size, or made-up accounts on a market of the caller's; the same call, the same bytes. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { demoAccounts } from '../../book/demoAccounts.ts';
import { PlimsollError } from '../../errors.ts';
import { demoMarket } from '../../market/demoMarket.ts';
import type { FactorModel } from '../../market/factorModel.ts';
import { writeSnapshot } from '../../market/readers/snapshotText.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import { EXIT } from '../exitCodes.ts';
import {
  inputsOf,
  readFactors,
  readMarket,
  refuseOverwriting,
  refuseSharedInput,
} from '../inputs.ts';
import type { MarketOptions } from '../options.ts';
import { count } from '../output/figures.ts';
import { writeOut } from '../output/sink.ts';
import { pairs } from '../output/table.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface DemoOptions extends MarketOptions, CommonOptions {
  readonly out: string;
  readonly accounts: number;
  readonly positions?: number;
  readonly underlyings?: number;
  readonly seed: string;
  readonly factors?: string;
}

const LINES_PER_PIECE = 256;

export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<number> {
  const { out, accounts } = options;
  const names = ['market.json', 'factors.json', 'accounts.ndjson'].map((name) => join(out, name));
  refuseSharedInput(inputsOf(options));
  for (const name of names) refuseOverwriting(name, inputsOf(options));
  const { market, factors } = await exchangeOf(options, terminal);
  try {
    await mkdir(out, { recursive: true });
  } catch (error) {
    throw new PlimsollError('USAGE', `cannot make ${out}: ${(error as Error).message}`, {
      path: 'out',
    });
  }
  const [marketFile, factorsFile, accountsFile] = names as [string, string, string];
  await writeOut(marketFile, writeSnapshot(market), terminal);
  await writeOut(factorsFile, `${JSON.stringify(factors)}\n`, terminal);
  await writeOut(accountsFile, accountLines(options, market, terminal), terminal);
  terminal.progress.stop();
  const sizes = {
    underlyings: market.underlyings.length,
    instruments: market.instruments.length,
    factors: factors.factors.length,
    accounts,
  };
  const made = { market: marketFile, factors: factorsFile, accounts: accountsFile };
  if (terminal.json) await terminal.document({ files: made, ...sizes });
  else await terminal.write(told(made, sizes));
  return EXIT.ok;
}

async function exchangeOf(
  options: DemoOptions,
  terminal: Terminal,
): Promise<{ market: MarketSnapshot; factors: FactorModel }> {
  const { underlyings, seed, market: files = [], factors } = options;
  if (files.length === 0) {
    if (factors !== undefined) {
      throw new PlimsollError(
        'USAGE',
        '--factors goes with --market: a made-up market has its own',
        {
          path: 'factors',
        },
      );
    }
    return demoMarket({ seed, ...(underlyings === undefined ? {} : { underlyings }) });
  }
  if (underlyings !== undefined) {
    throw new PlimsollError('USAGE', '--underlyings sizes a made-up market; --market gives one', {
      path: 'underlyings',
    });
  }
  const market = await readMarket(options);
  return { market, factors: await readFactors(factors ?? 'implied', market, terminal) };
}

async function* accountLines(
  { accounts: total, seed, positions }: DemoOptions,
  market: MarketSnapshot,
  terminal: Terminal,
): AsyncGenerator<string> {
  const size = positions === undefined ? {} : { positions };
  let lines = '';
  let done = 0;
  for (const account of demoAccounts({ market, count: total, seed, ...size })) {
    lines += `${JSON.stringify(account)}\n`;
    done += 1;
    if (done % LINES_PER_PIECE !== 0) continue;
    yield lines;
    lines = '';
    terminal.progress.update({ stage: 'accounts', done, total });
  }
  yield lines;
}

function told(
  made: { readonly market: string; readonly factors: string; readonly accounts: string },
  sizes: { readonly [name: string]: number },
): string {
  const of = (name: string): string => `${count(sizes[name]!)} ${name}`;
  const list = pairs([
    [made.market, `${of('underlyings')}, ${of('instruments')}`],
    [made.factors, of('factors')],
    [made.accounts, of('accounts')],
  ]);
  const call = `plimsoll margin --market ${made.market} --factors ${made.factors} --accounts ${made.accounts}`;
  return `${list}\nTry:\n  ${call}\n`;
}
