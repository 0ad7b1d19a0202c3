/** The options of `plimsoll feed`. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Speed } from '../feeds/clock.ts';
import { collect, commonOptions, marketOptions, number, wholeNumber } from './options.ts';

function speed(text: string): Speed {
  if (text === 'max') return text;
  const value = number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError(`a number > 0 or max is expected, got ${JSON.stringify(text)}`);
}

/** `a,b`, and the option again. */
function names(text: string, before: readonly string[] = []): string[] {
  const some = text.split(',').map((name) => name.trim());
  return some.reduce((all, name) => (name === '' ? all : collect(name, all)), [...before]);
}

export function addFeed(program: Command): Command {
  const command = program
    .command('feed')
    .summary('ticks of a file or an exchange, checked and written as NDJSON')
    .description(
      'Reads ticks, names what is wrong with them (gaps, duplicates, disorder, stale, crossed or zero prices) on stderr, and writes the others to stdout, a batch a line. Exits 3 where some were refused.',
    )
    .requiredOption(
      '--from <SOURCE>',
      'recorded lines (a file, .gz, too; - is stdin), snapshots:FILE,FILE,… (market files in the order of time), or deribit:wss://www.deribit.com/ws/api/v2',
    )
    .option(
      '--speed <N|max>',
      'of what was recorded: 10 is ten times as fast as it came (default: max)',
      speed,
    )
    .option('--source <NAME>', 'who numbers ticks that do not say so (default: ndjson, deribit)')
    .option('--instruments <LIST>', 'contracts to follow: BTC-PERPETUAL,BTC-27MAR26', names)
    .option('--indices <LIST>', 'indices to follow: btc_usd (default: of the instruments)', names)
    .option('--mark-prices', 'volatilities of all options of the indices')
    .option('--books <LIST>', 'contracts whose book changes are followed for gaps', names)
    .option('--refresh <SECONDS>', 'read the whole chain so often (default: after gaps)', number)
    .option('--attempts <N>', 'connections that fail in a row before it gives up', wholeNumber)
    .option('--stale-after <SECONDS>', 'name ticks that arrive so long after their time', number)
    .option(
      '--record <FILE>',
      'also write what came in, faults included, for a replay; .gz: gzipped',
    )
    .option('--patch', 'write bodies of PATCH /v1/market');
  marketOptions(command);
  return commonOptions(command);
}
