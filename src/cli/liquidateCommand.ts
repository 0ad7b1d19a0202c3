/** The options of `plimsoll liquidate`. */
import { type Command, Option } from 'commander';
import { commonOptions, modelOptions, number, scenarioOptions, wholeNumber } from './options.ts';

export function addLiquidate(program: Command, models: readonly string[]): Command {
  const command = program
    .command('liquidate')
    .summary('liquidation prices, how a liquidation would go, and hedges')
    .description(
      'The price of each underlying, below and above, at which equity meets the maintenance requirement. With --plan what is done with an account below its requirement; with --hedges the trades that free most margin for their cost.',
    )
    .requiredOption(
      '-a, --account <FILE>',
      'the account, or a file of accounts with --id; - is stdin',
    )
    .option('--id <ID>', 'which account of the file')
    .option('--plan', 'orders cancelled, positions closed and hedged, until the release level')
    .option('--hedges <N>', 'propose so many trades', wholeNumber)
    .option('--fund <AMOUNT>', 'with --plan: what the insurance fund can pay (default: 0)', number)
    .option('--counterparties <FILE>', 'with --plan: accounts that may be deleveraged; - is stdin')
    .option('--lot <SIZE>', 'trade multiples of so many contracts (default: fractions)', number)
    .addOption(
      new Option('--level <LEVEL>', 'with --plan: the requirement to restore').choices([
        'maintenance',
        'initial',
      ]),
    );
  modelOptions(command).addOption(
    new Option(
      '--model <MODEL>',
      'how scenarios are made (default: as the factor model is)',
    ).choices([...models]),
  );
  return commonOptions(scenarioOptions(command));
}
