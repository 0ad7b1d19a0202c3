/** The options of `plimsoll simulate` and `plimsoll replay`. */
import { type Command, Option } from 'commander';
import { SCENARIO_MODELS } from '../scenarios/scenarioSet.ts';
import {
  collect,
  commonOptions,
  historyOptions,
  modelOptions,
  number,
  scenarioOptions,
  wholeNumber,
} from './options.ts';

const modelOption = (): Option =>
  new Option('--model <MODEL>', 'how scenarios are made (default: as the factor model is)').choices(
    [...SCENARIO_MODELS],
  );

export function addSimulate(program: Command): Command {
  const command = program
    .command('simulate')
    .summary('days of an exchange: prices, trades, margin calls, liquidations')
    .description(
      'Moves a made-up market, or yours, through days in which accounts trade, are called and liquidated, and reports calls, liquidations, what the insurance fund paid, and how often a loss stayed within its margin. The same seed gives the same bytes.',
    )
    .option('-a, --accounts <N|FILE>', 'made-up accounts, or a file of yours', '200')
    .option('--positions <N>', 'mean positions of a made-up account (default: 20)', wholeNumber)
    .option('--underlyings <N>', 'underlyings of the made-up market (default: 5)', wholeNumber)
    .option('-d, --days <N>', 'days; with --walk history: rows', wholeNumber, 5)
    .option('--step <MINUTES>', 'between two prices, at most 1440 (default: 60)', number)
    .option(
      '--speed <X>',
      'so many times as fast as the market (default: as fast as can be)',
      number,
    )
    .addOption(
      new Option('--walk <HOW>', 'prices drawn from the factors, or the last rows of the history')
        .choices(['factors', 'history'])
        .default('factors'),
    )
    .option('--trades <N>', 'mean orders of an account a day', number, 2)
    .option('--answers <SHARE>', 'share of margin calls that are answered', number, 0.7)
    .option('--call-minutes <N>', 'until a margin call expires', number, 60)
    .option('--fund <AMOUNT>', 'what the insurance fund has', number, 1_000_000);
  modelOptions(command).addOption(modelOption());
  return commonOptions(scenarioOptions(command));
}

export function addReplay(program: Command): Command {
  const command = program
    .command('replay')
    .summary('a past margin of a booked account, computed again from the log')
    .description(
      'Rebuilds the book and the market of an instant from a store and computes the margin of one account; what had been published of it is computed again and compared, byte for byte. Exits 1 where it differs. Give the methodology that was in use, and the factors where the log has no model (dynamic volatilities and models that were sent are in it); --market is for logs that name their snapshots only.',
    )
    .requiredOption(
      '--store <PATH|URL>',
      'the store: a SQLite file, or postgres://user@host/database',
    )
    .requiredOption('--account <ID>', 'id of the account')
    .option('--at <TIME>', 'the instant, in UTC (default: the end of the log)')
    .option('-m, --market <FILE>', 'a snapshot that the log names; may be repeated', collect)
    .option('-f, --factors <FILE|implied>', 'the factor model that was in use');
  historyOptions(command)
    .option('--methodology <FILE|NAME>', 'the methodology that was in use: JSON, or a preset')
    .option('-w, --workers <N>', 'worker threads (default: one a core)', wholeNumber)
    .addOption(modelOption());
  return commonOptions(scenarioOptions(command));
}
