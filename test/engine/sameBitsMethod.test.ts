/** The whole method, the same to the byte: with every anti-procyclicality measure, under every scenario model, and in the answers to questions. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { sha256 } from '../../src/json.ts';
import type { MethodologyInput } from '../../src/margin/methodology.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { demoRandom } from '../../src/market/demoRandom.ts';
import type { History } from '../../src/market/history.ts';
import { exp } from '../../src/numerics.ts';

const demo = demoMarket({ underlyings: 3, options: 40, seed: 'method' });
const { market } = demo;
const factors = {
  ...demo.factors,
  degreesOfFreedom: 4,
  factors: demo.factors.factors.map((factor, i) => ({
    ...factor,
    degreesOfFreedom: 3 + i,
    longRunVolatility: factor.volatility * 1.2,
  })),
  jumps: { common: { intensity: 20, mean: -0.05, volatility: 0.1 } },
};
const accounts = [...demoAccounts({ market, count: 60, positions: 10, seed: 'method' })];
const history = madeUpHistory();
const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/digests.json', import.meta.url), 'utf8'),
) as { readonly method: Readonly<Record<string, string>>; readonly studies: string };

/** 400 days of all factors, each a walk of its own. */
function madeUpHistory(): History {
  const random = demoRandom('method history');
  const dates = Array.from({ length: 400 }, (_, i) =>
    new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10),
  );
  const columns = demo.factors.factors.map(({ id, volatility }) => {
    let level = 1;
    const values = Float64Array.from(dates, () => {
      level *= exp((volatility / Math.sqrt(365)) * random.normal());
      return level;
    });
    return { id, values };
  });
  return { dates, columns };
}

async function withEngine<T>(
  methodology: MethodologyInput,
  workers: number,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await createEngine({ market, factors, history, methodology, workers });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

async function digestOf(engine: Engine): Promise<string> {
  let text = '';
  for await (const outcome of engine.marginBatch(accounts)) text += `${JSON.stringify(outcome)}\n`;
  return sha256(text);
}

const apc = { buffer: true, stressed: true, longRunFloor: true };
const METHODS: Readonly<Record<string, MethodologyInput>> = {
  'clearing-listed': { preset: 'clearing-listed', scenarios: 1500 },
  't-copula': { scenarioModel: 't-copula', scenarios: 1500, antiProcyclicality: apc },
  'jump-diffusion': { scenarioModel: 'jump-diffusion', scenarios: 1500, antiProcyclicality: apc },
  'filtered-historical': { scenarioModel: 'filtered-historical', antiProcyclicality: apc },
  'filtered paths': { scenarioModel: 'filtered-historical', scenarios: 1200, horizonDays: 3 },
  'sticky-moneyness': { smileRule: 'sticky-moneyness', surfaceModel: 'svi', scenarios: 1200 },
};

describe.each(Object.entries(METHODS))('%s', (name, methodology) => {
  it('is what was recorded, for 1 and 3 workers', async () => {
    const one = await withEngine(methodology, 1, digestOf);
    const three = await withEngine(methodology, 3, digestOf);
    expect(three).toBe(one);
    expect(one).toBe(recorded.method[name]);
  });
});

it('answers to questions are what was recorded, for 1 and 2 workers', async () => {
  const answers = (workers: number) =>
    withEngine({ scenarios: 1500 }, workers, async (engine) => {
      const account = accounts[7]!;
      const change = {
        orders: [
          {
            instrument: account.positions![0]!.instrument,
            side: 'sell' as const,
            size: 1,
            price: 1,
          },
        ],
      };
      const all = [
        await engine.explain(account),
        await engine.whatIf(account, { change }),
        await engine.compare(account),
        await engine.timeline(account),
        await engine.stress(account),
        await engine.liquidation(account, { plan: true }),
        await engine.hedges(account, { count: 2 }),
      ];
      return sha256(JSON.stringify(all));
    });
  const one = await answers(1);
  expect(await answers(2)).toBe(one);
  expect(one).toBe(recorded.studies);
});
