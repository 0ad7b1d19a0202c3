/**
 * The whole margin method against expected shortfall alone: what each arrangement of scenarios costs a batch. One core, accounts as objects,
 * cube filled.
 */
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { type AccountDocument, AccountEvaluator } from '../../src/engine/evaluator.ts';
import { readAccount } from '../../src/margin/account.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { demoRandom } from '../../src/market/demoRandom.ts';
import type { FactorModel } from '../../src/market/factorModel.ts';
import type { History } from '../../src/market/history.ts';
import { exp } from '../../src/numerics.ts';
import type { Context, Suite } from '../context.ts';
import { digestOf } from '../digest.ts';
import { openBench } from '../exchange.ts';
import { atMost, type Line, samplesOf, spreadOf } from '../line.ts';

interface Variant {
  readonly name: string;
  readonly methodology: MethodologyInput;
  /** Scenario arrangements that it takes a tail over. */
  readonly arrangements: number;
}

const VARIANTS: readonly Variant[] = [
  { name: 'ES alone', methodology: { preset: 'market-risk' }, arrangements: 1 },
  { name: 'all components', methodology: {}, arrangements: 3 },
  {
    name: 'all components, anti-procyclicality (b)',
    methodology: { antiProcyclicality: { stressed: true } },
    arrangements: 4,
  },
  {
    name: 'all components, anti-procyclicality (a), (b), (c)',
    methodology: { antiProcyclicality: { buffer: true, stressed: true, longRunFloor: true } },
    arrangements: 5,
  },
];
const PER_ARRANGEMENT = 1.3;

export const method: Suite = {
  name: 'method',
  about: 'all components of the margin method against ES alone, 50 positions, one core',
  run: async (context) => measure(context),
};

function measure({ quick }: Context): Line[] {
  const scenarios = quick ? 1024 : 10_240;
  const count = quick ? 20 : 640;
  const rounds = quick ? 1 : 5;
  const demo = demoMarket();
  const accounts = [...demoAccounts({ market: demo.market, count, positions: 50 })].map((account) =>
    readAccount({ ...account, orders: [] }),
  );
  const documents = {
    count,
    read: (i: number): AccountDocument => ({ account: accounts[i]! }),
  };
  const history = madeUpHistory(demo.factors);
  const evaluators = VARIANTS.map(({ methodology }) => {
    const { market, factors } = demo;
    const bench = openBench({
      market,
      factors,
      history,
      methodology: { ...methodology, scenarios },
    });
    return new AccountEvaluator(bench, 0);
  });
  const seconds = VARIANTS.map((): number[] => []);
  const hashes = VARIANTS.map(() => '');
  // In turn, so that a noisy moment hits all alike.
  for (let round = 0; round <= rounds; round++) {
    evaluators.forEach((evaluator, i) => {
      const start = performance.now();
      const results = evaluator.evaluate(documents, () => false);
      if (round > 0) seconds[i]!.push((performance.now() - start) / 1000);
      hashes[i] = digestOf(Buffer.from(JSON.stringify(results)));
    });
  }
  const base = samplesOf(seconds[0]!).best;
  return VARIANTS.map(({ name, arrangements }, i) => {
    const samples = samplesOf(seconds[i]!);
    const times = samples.best / base;
    const each = times / arrangements;
    return {
      suite: 'method',
      name,
      rate: count / samples.best,
      unit: 'accounts/s',
      seconds: samples.best,
      per: `${count} accounts`,
      spread: spreadOf(samples),
      ratios: {},
      figures: i === 0 ? {} : { 'times ES alone': times, 'per arrangement': each },
      hash: hashes[i]!,
      targets: i === 0 ? [] : [atMost('per arrangement', each, PER_ARRANGEMENT)],
      notes: [],
    };
  });
}

/** 600 daily rows of all factors, each by itself: only its length matters here. */
function madeUpHistory({ factors }: FactorModel): History {
  const random = demoRandom('bench history');
  const rows = 600;
  const first = Date.parse('2024-01-01T00:00:00Z');
  const dates = Array.from({ length: rows }, (_, i) =>
    new Date(first + i * 86_400_000).toISOString().slice(0, 10),
  );
  const columns = factors.map(({ id, volatility }) => {
    let level = 1;
    const values = Float64Array.from(dates, () => {
      level *= exp((volatility / Math.sqrt(365)) * random.normal());
      return level;
    });
    return { id, values };
  });
  return { dates, columns };
}
