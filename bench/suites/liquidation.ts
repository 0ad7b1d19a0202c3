/** Liquidation prices, plans and hedges of single accounts: lines of the suite `studies`. */
import { hedges } from '../../src/engine/studies/hedges.ts';
import { liquidationPlan } from '../../src/engine/studies/liquidationPlan.ts';
import { liquidationPrice } from '../../src/engine/studies/liquidationPrice.ts';
import type { StudyContext } from '../../src/engine/studies/study.ts';
import type { Account } from '../../src/margin/account.ts';
import { contest, QUICK_EFFORT } from '../contest.ts';
import { digestOf } from '../digest.ts';
import { forgotten } from '../exchange.ts';
import { atMost, type Line, spreadOf } from '../line.ts';

interface Desk {
  readonly quick: boolean;
  readonly context: StudyContext;
  readonly accounts: readonly Account[];
}

const EFFORT = { rounds: 3, milliseconds: 800 } as const;
const PARTS = 2;

/** The slower of two parts: what two workers side by side take. */
export async function liquidationPrices({ quick, context, accounts }: Desk): Promise<Line> {
  const run = (part: number) => () =>
    accounts.map((account) => liquidationPrice(account, { part, parts: PARTS }, context));
  const parts = Array.from({ length: PARTS }, (_, part) => run(part));
  const hash = digestOf(Buffer.from(JSON.stringify(parts.map((one) => one()))));
  const timed = await contest(
    parts.map((one, part) => ({ name: `part ${part}`, items: accounts.length, run: one })),
    quick ? QUICK_EFFORT : EFFORT,
  );
  const slower = timed.reduce((worst, one) => (one.best > worst.best ? one : worst));
  const seconds = slower.best / accounts.length;
  return {
    suite: 'studies',
    name: 'liquidation prices, all underlyings',
    rate: slower.rate,
    unit: 'accounts/s',
    seconds,
    per: 'account',
    spread: spreadOf(slower),
    ratios: {},
    hash,
    targets: [atMost('seconds', seconds, 0.05)],
    notes: ['on two workers: the slower half; both sides, from −95% to +400%'],
  };
}

/** Accounts whose cash leaves 0.8 of their maintenance margin. */
export async function liquidationPlans({ quick, context, accounts }: Desk): Promise<Line> {
  const currency = context.bench.session.valuation.market.currency;
  const poor = accounts.map((account, i) => {
    const { equity, maintenanceMargin } = context.margin([accounts[i]!])[0]!;
    const amount = 0.8 * maintenanceMargin - equity;
    return { ...account, collateral: [...account.collateral, { asset: currency, amount }] };
  });
  const run = () => poor.map((account) => liquidationPlan(account, {}, forgotten(context)));
  return lineOf({ name: 'liquidation plan', run, bound: 0.1, quick, accounts: poor.length });
}

export async function hedgesOf({ quick, context, accounts }: Desk): Promise<Line> {
  const run = () => accounts.map((account) => hedges(account, { count: 3 }, forgotten(context)));
  return lineOf({ name: 'three hedges', run, bound: null, quick, accounts: accounts.length });
}

async function lineOf(measure: {
  readonly name: string;
  readonly run: () => unknown;
  readonly bound: number | null;
  readonly quick: boolean;
  readonly accounts: number;
}): Promise<Line> {
  const { name, run, bound, quick, accounts } = measure;
  const hash = digestOf(Buffer.from(JSON.stringify(run())));
  const [timed] = await contest([{ name, items: accounts, run }], quick ? QUICK_EFFORT : EFFORT);
  const seconds = timed!.best / accounts;
  return {
    suite: 'studies',
    name,
    rate: timed!.rate,
    unit: 'accounts/s',
    seconds,
    per: 'account',
    spread: spreadOf(timed!),
    ratios: {},
    hash,
    targets: bound === null ? [] : [atMost('seconds', seconds, bound)],
    notes: [],
  };
}
