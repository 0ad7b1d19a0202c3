/** Studies of one account on a filled session, in the thread that carries them out: the time of one answer, without its way through the pool. */
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { explain } from '../../src/engine/studies/explain.ts';
import { readExplainRequest } from '../../src/engine/studies/explainSchema.ts';
import type { StudyContext } from '../../src/engine/studies/study.ts';
import { studyContext } from '../../src/engine/studies/studyShard.ts';
import { type Account, readAccount } from '../../src/margin/account.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { contest, QUICK_EFFORT } from '../contest.ts';
import type { Context, Suite } from '../context.ts';
import { digestOf } from '../digest.ts';
import { openBench } from '../exchange.ts';
import { atMost, type Line, spreadOf } from '../line.ts';
import { hedgesOf, liquidationPlans, liquidationPrices } from './liquidation.ts';
import { whatIfAfter, whatIfAnswer, whatIfOfStranger } from './whatIf.ts';

const POSITIONS = 50;
const EFFORT = { rounds: 4, milliseconds: 500 } as const;

/** What every measure of this suite is given: accounts of 50 positions, all components charged. */
interface Desk {
  readonly quick: boolean;
  readonly context: StudyContext;
  readonly accounts: readonly Account[];
}

const MEASURES: readonly ((desk: Desk) => Promise<Line>)[] = [
  explanation,
  whatIfAnswer,
  whatIfOfStranger,
  whatIfAfter,
  liquidationPrices,
  liquidationPlans,
  hedgesOf,
];

export const studies: Suite = {
  name: 'studies',
  about: 'questions about one account of 50 positions at 10,240 scenarios, one core',
  async run({ quick }: Context) {
    const demo = demoMarket({ basis: true });
    const methodology = { scenarios: quick ? 1024 : 10_240 };
    const bench = openBench({ market: demo.market, factors: demo.factors, methodology });
    const accounts = [
      ...demoAccounts({ market: demo.market, count: quick ? 40 : 200, positions: POSITIONS }),
    ]
      .filter(({ positions }) => positions.length >= POSITIONS)
      .slice(0, 8)
      .map((account) => ({ ...account, positions: account.positions.slice(0, POSITIONS) }))
      .map(readAccount);
    const desk = { quick, context: studyContext(bench, 0), accounts };
    const lines: Line[] = [];
    for (const measure of MEASURES) lines.push(await measure(desk));
    return lines;
  },
};

async function explanation({ quick, context, accounts }: Desk): Promise<Line> {
  const request = readExplainRequest({});
  const run = () => accounts.map((account) => explain(account, request, context));
  const hash = digestOf(Buffer.from(JSON.stringify(run())));
  const [timed] = await contest(
    [{ name: 'explain', items: accounts.length, run }],
    quick ? QUICK_EFFORT : EFFORT,
  );
  const seconds = timed!.best / accounts.length;
  return {
    suite: 'studies',
    name: 'explain',
    rate: timed!.rate,
    unit: 'accounts/s',
    seconds,
    per: 'account',
    spread: spreadOf(timed!),
    ratios: {},
    hash,
    targets: [atMost('seconds', seconds, 0.005)],
    notes: ['margin, parts of ES, incremental ES of all positions, factor types, worst scenarios'],
  };
}
