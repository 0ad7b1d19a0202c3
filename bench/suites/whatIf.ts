/** What-if of one order on an account of 100 positions in five underlyings: the whole answer, and the account after the order alone. */
import { AccountDesk } from '../../src/engine/accountDesk.ts';
import { type AccountChange, applyChange } from '../../src/engine/studies/changes.ts';
import type { StudyContext } from '../../src/engine/studies/study.ts';
import { whatIf } from '../../src/engine/studies/whatIf.ts';
import { type Account, readAccount } from '../../src/margin/account.ts';
import { demoRandom } from '../../src/market/demoRandom.ts';
import { contest, QUICK_EFFORT } from '../contest.ts';
import { digestOf } from '../digest.ts';
import { forgotten } from '../exchange.ts';
import { atMost, type Line, spreadOf } from '../line.ts';

const POSITIONS = 100;
const EFFORT = { rounds: 4, milliseconds: 400 } as const;
/** Before, after, and with the order filled. */
const EVALUATIONS = 3;
const EVALUATION_SECONDS = 250e-6;

interface Measured {
  readonly quick: boolean;
  readonly context: StudyContext;
}

/** Of an account that was asked about before: another order each time. */
export async function whatIfAnswer({ quick, context: used }: Measured): Promise<Line> {
  const context = forgotten(used);
  const account = mixedAccount(context);
  let size = 1;
  const run = () => {
    size += 1 / 1024;
    return whatIf(account, { change: oneOrder(account, size) }, context);
  };
  const timed = await timedAnswers(run, quick);
  const evaluationSeconds = timed.seconds / EVALUATIONS;
  return {
    ...timed,
    name: 'what-if of one order',
    figures: { evaluationSeconds },
    targets: [atMost('evaluationSeconds', evaluationSeconds, EVALUATION_SECONDS)],
    notes: [
      '100 positions, the account is known; before, after, and filled, of which the first two are whole results',
    ],
  };
}

export async function whatIfOfStranger({ quick, context }: Measured): Promise<Line> {
  const account = mixedAccount(context);
  const change = oneOrder(account, 1);
  const run = () => whatIf(account, { change }, forgotten(context));
  const timed = await timedAnswers(run, quick);
  const notes = ['the same where nothing is remembered of the account'];
  return { ...timed, name: 'what-if, account not known', targets: [], notes };
}

async function timedAnswers(
  run: () => unknown,
  quick: boolean,
): Promise<Omit<Line, 'name' | 'notes' | 'targets'>> {
  const hash = digestOf(Buffer.from(JSON.stringify(run())));
  const effort = quick ? QUICK_EFFORT : EFFORT;
  const [timed] = await contest([{ name: 'what-if', items: 1, run }], effort);
  return {
    suite: 'studies',
    rate: timed!.rate,
    unit: 'answers/s',
    seconds: timed!.best,
    per: 'answer',
    spread: spreadOf(timed!),
    ratios: {},
    hash,
  };
}

export async function whatIfAfter({ quick, context: used }: Measured): Promise<Line> {
  const context = forgotten(used);
  const account = mixedAccount(context);
  const { valuation } = context.bench.session;
  const desk = new AccountDesk(context.bench, context.slot);
  desk.margin(account);
  let size = 1;
  // Another order each time: nothing but the account before is remembered.
  const run = () => {
    size += 1 / 1024;
    return desk.own(applyChange(account, oneOrder(account, size), valuation));
  };
  const hash = digestOf(Buffer.from(JSON.stringify(run().initialMargin)));
  const [timed] = await contest([{ name: 'after', items: 1, run }], quick ? QUICK_EFFORT : EFFORT);
  return {
    suite: 'studies',
    name: 'account after one more order',
    rate: timed!.rate,
    unit: 'evaluations/s',
    seconds: timed!.best,
    per: 'evaluation',
    spread: spreadOf(timed!),
    ratios: {},
    hash,
    targets: [atMost('seconds', timed!.best, EVALUATION_SECONDS)],
    notes: ['equity and requirement under portfolio margin; the account before is known'],
  };
}

/** As many positions in each underlying. */
function mixedAccount({ bench }: StudyContext): Account {
  const { instruments, underlyings } = bench.session.valuation.market;
  const random = demoRandom('bench/what-if');
  const positions = underlyings.flatMap((_, u) => {
    const listed = instruments.filter(({ underlying }) => underlying === u);
    const step = (listed.length * underlyings.length) / POSITIONS;
    return Array.from({ length: POSITIONS / underlyings.length }, (_, i) => {
      const { id, settlement } = listed[Math.floor(i * step)]!;
      return { instrument: id, size: random.normal() * (settlement === 'inverse' ? 1_000 : 1) };
    });
  });
  return readAccount({
    id: 'what-if',
    collateral: [{ asset: 'USD', amount: 1_000_000 }],
    positions,
  });
}

function oneOrder({ instruments }: Account, size: number): AccountChange {
  const instrument = instruments[POSITIONS >> 1]!;
  return { orders: [{ instrument, side: 'sell', size, price: 1 }] };
}
