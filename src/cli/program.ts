/**
 * The commands, their options and their help. What a command does is loaded only when it is called, so that `--help` and a mistyped
 * option answer at once.
 */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { SCENARIO_MODELS } from '../scenarios/scenarioSet.ts';
import { addFeed } from './feedCommand.ts';
import type { Lifetime } from './lifetime.ts';
import { addLiquidate } from './liquidateCommand.ts';
import {
  collect,
  commonOptions,
  historyOptions,
  marketOptions,
  modelOptions,
  number,
  scenarioOptions,
  wholeNumber,
} from './options.ts';
import { addReplay, addSimulate } from './simulationCommands.ts';
import {
  addStore,
  addStoreBackup,
  addStoreCompact,
  addStoreHead,
  addStoreInfo,
  addVerify,
} from './storeOptions.ts';
import {
  addCompare,
  addMethodology,
  addStress,
  addTimeline,
  addTriggers,
  addWhatIf,
} from './studyCommands.ts';
import { type CommonOptions, Terminal } from './terminal.ts';

const MODELS = [...SCENARIO_MODELS];

const EXAMPLES = `
First run:
  $ plimsoll demo --accounts 1000 --out demo
  $ plimsoll margin --market demo/market.json --factors demo/factors.json --accounts demo/accounts.ndjson
  $ plimsoll serve --demo

Your own data:
  $ plimsoll calibrate --history closes.csv --out factors.json
  $ plimsoll margin -m chain.csv.gz -f factors.json -a accounts.ndjson --out results.ndjson
  $ plimsoll margin -m btc.json -m eth.json -f implied -a - --out - < accounts.ndjson > results.ndjson
  $ plimsoll var -m market.json -f factors.json -a account.json --report risk.html

Files are plain or .gz; - is standard input or output. Results go to stdout, progress and messages to stderr.
Exit codes: 0 done, 1 a failure of ours, 2 a wrong call or input, 3 done but some accounts were rejected,
130 stopped by Ctrl-C, 143 by SIGTERM (serve: 0).
"plimsoll COMMAND --help" lists the options of a command.`;

/** How a command ends: with what exit code, and on which terminal it spoke. */
export interface Run {
  code: number;
  terminal: Terminal | null;
}

function packageVersion(): string {
  const near = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json';
  const text = readFileSync(new URL(near, import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export function buildProgram(lifetime: Lifetime, run: Run): Command {
  const program = new Command('plimsoll')
    .description(
      'Margin, VaR and expected shortfall of derivatives accounts by parallel Monte Carlo.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(plimsoll COMMAND --help lists the options)')
    .addHelpText('after', EXAMPLES);
  /** Lets a command's action run on a terminal of its own. */
  const action =
    <O extends CommonOptions>(load: () => Promise<(options: O, on: Terminal) => Promise<number>>) =>
    async (options: O): Promise<void> => {
      run.terminal = new Terminal(options, lifetime);
      const work = await load();
      run.code = await work(options, run.terminal);
    };
  addMargin(program).action(action(async () => (await import('./commands/margin.ts')).runMargin));
  addVar(program).action(action(async () => (await import('./commands/var.ts')).runVar));
  addExplain(program).action(
    action(async () => (await import('./commands/explain.ts')).runExplain),
  );
  addLiquidate(program, MODELS).action(
    action(async () => (await import('./commands/liquidate.ts')).runLiquidate),
  );
  addCalibrate(program).action(
    action(async () => (await import('./commands/calibrate.ts')).runCalibrate),
  );
  addBacktest(program).action(
    action(async () => (await import('./commands/backtest.ts')).runBacktest),
  );
  addWhatIf(program).action(action(async () => (await import('./commands/whatIf.ts')).runWhatIf));
  addCompare(program).action(
    action(async () => (await import('./commands/compare.ts')).runCompare),
  );
  addTimeline(program).action(
    action(async () => (await import('./commands/timeline.ts')).runTimeline),
  );
  addTriggers(program).action(
    action(async () => (await import('./commands/triggers.ts')).runTriggers),
  );
  addStress(program).action(action(async () => (await import('./commands/stress.ts')).runStress));
  addMethodology(program).action(
    action(async () => (await import('./commands/methodology.ts')).runMethodology),
  );
  addMarket(program).action(action(async () => (await import('./commands/market.ts')).runMarket));
  addSurface(program).action(
    action(async () => (await import('./commands/surface.ts')).runSurface),
  );
  addDemo(program).action(action(async () => (await import('./commands/demo.ts')).runDemo));
  addServe(program).action(action(async () => (await import('./commands/serve.ts')).runServe));
  addFeed(program).action(action(async () => (await import('./commands/feed.ts')).runFeed));
  addVerify(program).action(action(async () => (await import('./commands/verify.ts')).runVerify));
  const store = addStore(program);
  const storeCommands = () => import('./commands/store.ts');
  addStoreInfo(store).action(action(async () => (await storeCommands()).runStoreInfo));
  addStoreHead(store).action(action(async () => (await storeCommands()).runStoreHead));
  addStoreBackup(store).action(action(async () => (await storeCommands()).runStoreBackup));
  addStoreCompact(store).action(action(async () => (await storeCommands()).runStoreCompact));
  addSimulate(program).action(
    action(async () => (await import('./commands/simulate.ts')).runSimulate),
  );
  addReplay(program).action(action(async () => (await import('./commands/replay.ts')).runReplay));
  addBench(program).action(async (args: string[]) => {
    run.code = await (await import('./commands/bench.ts')).runBench(args, lifetime);
  });
  return program;
}

function addMargin(program: Command): Command {
  const command = program
    .command('margin')
    .summary('margin of a file of accounts')
    .description(
      'Margins every account of a file: initial and maintenance margin, equity, ratio and state. Without --out and --json only the table is shown.',
    )
    .requiredOption(
      '-a, --accounts <FILE>',
      'accounts: NDJSON, a JSON array or an Arrow stream; - is stdin',
    )
    .option('-o, --out <FILE>', 'results in the form of the accounts (.gz: gzipped); - is stdout');
  modelOptions(command).addOption(
    new Option(
      '--model <MODEL>',
      'how scenarios are made (default: as the factor model is)',
    ).choices(MODELS),
  );
  scenarioOptions(command)
    .addOption(
      new Option(
        '--format <FORM>',
        'form of accounts and results (default: the content tells)',
      ).choices(['ndjson', 'json', 'arrow']),
    )
    .option('--top <N>', 'accounts that the table lists, greatest margin first', wholeNumber, 10);
  return commonOptions(command);
}

function addVar(program: Command): Command {
  const command = program
    .command('var')
    .summary('value at risk and expected shortfall of one portfolio')
    .description(
      'Value at risk and expected shortfall of one account, each with its standard error, and of each underlying by itself. Losses are positive.',
    )
    .requiredOption(
      '-a, --account <FILE>',
      'the account, or a file of accounts with --id; - is stdin',
    )
    .option('--id <ID>', 'which account of the file');
  modelOptions(command).addOption(
    new Option(
      '--method <MODEL>',
      'how scenarios are made (default: as the factor model is)',
    ).choices(MODELS),
  );
  scenarioOptions(command)
    .option(
      '--explain',
      'show where the risk comes from: by position, expiry, underlying and factor type; the worst scenarios',
    )
    .option('--top <N>', 'with --explain: positions that the table lists', wholeNumber, 20)
    .option('--report <FILE.html>', 'write the report as a page of its own');
  return commonOptions(command);
}

function addExplain(program: Command): Command {
  const command = program
    .command('explain')
    .summary("why one account's requirement is what it is")
    .description(
      'Every component with its inputs; expected shortfall by position, underlying, expiry and factor type; the worst scenarios; figures without simulation. With --other or --change also what is different then.',
    )
    .requiredOption(
      '-a, --account <FILE>',
      'the account, or a file of accounts with --id; - is stdin',
    )
    .option('--id <ID>', 'which account of the file')
    .option('--other <FILE>', 'an account to compare it with')
    .option('--other-id <ID>', 'which account of that file')
    .option('--change <FILE>', 'fills, orders, deposits: compare with the account after them')
    .option('--worst <N>', 'worst scenarios that are shown (default: 10)', wholeNumber)
    .option('--top <N>', 'positions that the tables list', wholeNumber, 20);
  modelOptions(command).addOption(
    new Option(
      '--model <MODEL>',
      'how scenarios are made (default: as the factor model is)',
    ).choices(MODELS),
  );
  return commonOptions(scenarioOptions(command));
}

function addCalibrate(program: Command): Command {
  const command = program
    .command('calibrate')
    .summary('a factor model from a history of prices')
    .description(
      'Fits volatilities, correlations and tails to a history, and reports every likelihood, standard error, assumption, repair and problem of the data.',
    );
  historyOptions(command)
    .option('-o, --out <FILE>', 'the factor model; - is stdout')
    .option('--report <FILE.html>', 'write what was fitted as a page of its own, with plots')
    .option('-u, --underlying <ID>', 'take only this underlying; may be repeated', collect)
    .addOption(
      new Option('--volatility <MODEL>', 'model of volatilities (default: ewma)').choices([
        'ewma',
        'garch',
      ]),
    )
    .addOption(
      new Option('--correlation <MODEL>', 'estimate of correlations (default: ewma)').choices([
        'ewma',
        'ledoit-wolf',
      ]),
    )
    .addOption(
      new Option(
        '--fit-degrees-of-freedom [WHICH]',
        'fit the Student-t by likelihood: one for all factors (common), one each (factors), or both',
      )
        .choices(['common', 'factors', 'both'])
        .preset('common'),
    )
    .option('--lambda <L>', 'decay per row of volatilities (default: 0.94)', number)
    .option('--correlation-lambda <L>', 'decay per row of correlations (default: --lambda)', number)
    .option('--periods-per-year <N>', 'rows in a year (default: inferred from the dates)', number)
    .option('--minimum-rows <N>', 'fewest usable rows (default: 30)', wholeNumber)
    .option('--degrees-of-freedom <NU>', 'of the Student-t, > 2 (default: gaussian)', number)
    .option('--no-default-vol', 'no vol factor where no implied volatility was measured')
    .option('--default-vol-volatility <X>', 'of those vol factors, a year (default: 0.9)', number)
    .option('--default-vol-correlation <X>', 'with their spot (default: -0.4)', number)
    .option('--default-vol-common-share <X>', 'among each other (default: 0.8)', number);
  return commonOptions(command);
}

function addBacktest(program: Command): Command {
  const command = program
    .command('backtest')
    .summary('forecasts of VaR, ES and margin against what happened')
    .description(
      'Walks through a price history: each day VaR and ES of a linear book from the rows before it, by several methods, against the P&L that came. Losses are positive.',
    )
    .option('--history <FILE>', 'prices by date: CSV, Parquet or Arrow', collect)
    .option('-b, --book <BOOK>', 'currency exposures, the same every day: BTC=1,ETH=-1')
    .option('--units', 'the amounts of --book are units: exposures move with the price')
    .option('-a, --account <FILE>', 'an account of linear positions (with --market) as the book')
    .option('--id <ID>', 'which account of the file')
    .addOption(
      new Option('--method <METHOD>', 'how forecasts are made')
        .choices(['all', 'historical', 'filtered-historical', 'gaussian', 'student-t'])
        .default('all'),
    )
    .option('--from <DATE>', 'first day tested (default: as early as can be)')
    .option('--to <DATE>', 'last day tested')
    .option('--window <N>', 'rows that historical methods replay (default: 500)', wholeNumber)
    .option('--minimum-rows <N>', 'rows behind the first forecast (default: 250)', wholeNumber)
    .option('--lambda <L>', 'decay per row of volatilities (default: 0.97)', number)
    .option('-c, --confidence <P>', 'confidence level of VaR and ES (default: 0.99)', number)
    .option('--horizon <DAYS>', 'days; windows of several rows overlap (default: 1)', number)
    .option('--degrees-of-freedom <NU>', 'of student-t (default: fitted)', number)
    .option('-n, --scenarios <N>', 'draws of gaussian and student-t (default: 10,240)', wholeNumber)
    .option('-s, --seed <TEXT>', 'seed of the draws (default: "plimsoll")')
    .option('--periods-per-year <N>', 'rows in a year (default: inferred from the dates)', number)
    .option('--procyclicality', 'also margins with each anti-procyclicality measure')
    .option('--series', 'with --json: also every day')
    .option('--report <FILE.html>', 'write the report as a page of its own');
  marketOptions(command);
  return commonOptions(command);
}

function addMarket(program: Command): Command {
  const command = program
    .command('market')
    .summary('exchange files as one market snapshot')
    .description('Reads exchange files, says what they hold, and writes one native snapshot.');
  marketOptions(command).option('-o, --out <FILE>', 'the snapshot; - is stdout');
  return commonOptions(command);
}

function addSurface(program: Command): Command {
  const command = program
    .command('surface')
    .summary('SVI slices fitted to the volatilities of a market')
    .description(
      'Fits an SVI slice to each expiry, free of butterfly and calendar arbitrage, and reports parameters, errors, and the arbitrage of the quotes.',
    );
  marketOptions(command);
  return commonOptions(command);
}

function addDemo(program: Command): Command {
  const command = program
    .command('demo')
    .summary('a made-up exchange, or made-up accounts on your market')
    .description(
      'Writes market.json, factors.json and accounts.ndjson. The same call gives the same bytes. With --market the accounts are made for that market.',
    )
    .requiredOption('-o, --out <DIR>', 'folder to write to; it is made where it is absent');
  marketOptions(command)
    .option('--accounts <N>', 'accounts', wholeNumber, 1000)
    .option('--positions <N>', 'mean number of positions of an account (default: 20)', wholeNumber)
    .option('--underlyings <N>', 'underlyings of the made-up market (default: 5)', wholeNumber)
    .option('-s, --seed <TEXT>', 'seed', 'plimsoll')
    .option('-f, --factors <FILE|implied>', 'with --market: factor model (default: implied)');
  return commonOptions(command);
}

function addServe(program: Command): Command {
  const command = program
    .command('serve')
    .summary('the HTTP service')
    .description(
      'Serves margin and risk over HTTP. SIGINT and SIGTERM let it finish what it accepted.',
    )
    .option('--demo', 'serve a made-up market: a first look without any file');
  modelOptions(command).addOption(
    new Option(
      '--model <MODEL>',
      'how scenarios are made (default: as the factor model is)',
    ).choices(MODELS),
  );
  scenarioOptions(command)
    .option('--store <PATH>', 'keep a book of accounts: a file, or postgres://user@host/database')
    .option(
      '-a, --accounts <FILE>',
      'open these accounts in the book; booked ones stay as they are',
    )
    .option('--stale-after <SECONDS>', 'underlyings without a tick for so long are stale', number)
    .option('--call-minutes <N>', 'how long a margin call may be answered (default: 60)', number)
    .option('--host <ADDRESS>', 'address to listen on', '127.0.0.1')
    .option('-p, --port <N>', 'port; 0 takes a free one', wholeNumber, 8080);
  return commonOptions(command);
}

function addBench(program: Command): Command {
  return program
    .command('bench')
    .summary('the benchmark table for this machine')
    .description('Runs the benchmarks; its options are theirs (plimsoll bench --help).')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[args...]');
}
