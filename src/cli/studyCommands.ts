/** The commands that ask something of one account, and the one that shows a methodology: their options and their help. */
import { type Command, Option } from 'commander';
import { ACCOUNT_STATES } from '../margin/requirement.ts';
import { SCENARIO_MODELS } from '../scenarios/scenarioSet.ts';
import { collect, commonOptions, modelOptions, scenarioOptions, wholeNumber } from './options.ts';

function accountOptions(command: Command): Command {
  return command
    .requiredOption(
      '-a, --account <FILE>',
      'the account, or a file of accounts with --id; - is stdin',
    )
    .option('--id <ID>', 'which account of the file');
}

function questionOptions(command: Command): Command {
  modelOptions(command).addOption(
    new Option(
      '--model <MODEL>',
      'how scenarios are made (default: as the factor model is)',
    ).choices([...SCENARIO_MODELS]),
  );
  return commonOptions(scenarioOptions(command));
}

export function addWhatIf(program: Command): Command {
  const command = program
    .command('what-if')
    .summary('margin before and after a change of one account')
    .description(
      'Margin before and after fills, orders, deposits or another mode, and whether each order may be accepted.',
    );
  accountOptions(command)
    .option('--change <FILE>', 'the change: JSON with fills, orders, cancel, collateral, mode')
    .option(
      '--order <ORDER>',
      'add an order, as "buy 5 BTC-PERPETUAL 88000"; may be repeated',
      collect,
    )
    .option(
      '--fill <FILL>',
      'add a trade, as "sell 5 BTC-PERPETUAL" (at the mark) or with a price',
      collect,
    );
  return questionOptions(command);
}

export function addCompare(program: Command): Command {
  const command = program
    .command('compare')
    .summary('one account in each margin mode, and under other methodologies')
    .description(
      'Portfolio, cross and isolated margin side by side, what switching would mean, and capital efficiency.',
    );
  accountOptions(command).option(
    '--with <FILE|NAME>',
    'another methodology beside the one in use; may be repeated',
    collect,
  );
  return questionOptions(command);
}

export function addTimeline(program: Command): Command {
  const command = program
    .command('timeline')
    .summary('equity and requirement of one account on later dates')
    .description(
      'Equity, requirement and state on later dates with the market unchanged, and the minute of the first margin call.',
    );
  accountOptions(command)
    .option('--days <LIST>', 'days from now: 1,7,30 (default: 1,2,3,7,14,30)')
    .option('--date <TIME>', 'an instant in UTC; may be repeated', collect)
    .option('--no-expiries', "leave out the account's expiries");
  return questionOptions(command);
}

export function addTriggers(program: Command): Command {
  const command = program
    .command('triggers')
    .summary('prices at which the state of one account changes')
    .description(
      'The nearest price of each underlying, below and above, at which the account enters a worse state or leaves its own for a better one.',
    );
  accountOptions(command)
    .addOption(
      new Option(
        '--held <STATE>',
        'the state that it is held in, left past the release level only',
      ).choices([...ACCOUNT_STATES]),
    )
    .option('--approximate', 'by the model of the search alone: a first look, four times cheaper');
  return questionOptions(command);
}

export function addStress(program: Command): Command {
  const command = program
    .command('stress')
    .summary('P&L of one account under stress scenarios')
    .description(
      'P&L under hypothetical moves, the worst days of the history, your own scenarios, and a price × volatility grid.',
    );
  accountOptions(command)
    .option('--library <FILE>', 'a stress library: JSON with scenarios, grid, historicalDays')
    .option('--top <N>', 'scenarios that the table lists, the worst first', wholeNumber, 20);
  return questionOptions(command);
}

export function addMethodology(program: Command): Command {
  const command = program
    .command('methodology')
    .summary('every parameter of a methodology')
    .description('Every parameter with its value, default, range and meaning, and the hash of all.')
    .option('--methodology <FILE|NAME>', 'JSON, or a preset by name (default: exchange-crypto)')
    .option('--diff <FILE|NAME>', 'show what is different in another one')
    .option('-f, --factors <FILE>', 'factor model: it decides how scenarios are made by default')
    .addOption(
      new Option('--model <MODEL>', 'how scenarios are made').choices([...SCENARIO_MODELS]),
    );
  return commonOptions(scenarioOptions(command));
}
