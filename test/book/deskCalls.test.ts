/** Margin calls on the real desk: the amount that is asked for, paid in full, ends the call. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { DEMO, deskSite, engineOn, outrights, type Site } from './deskSupport.ts';

const linear = outrights(DEMO.market).find(({ settlement }) => settlement === 'linear')!;
const { spot } = DEMO.market.underlyings.find(({ id }) => id === linear.underlying)!;
const OPTIONS = DEMO.market.instruments.filter(({ type }) => type === 'option').slice(0, 6);

let engine: Engine;
let site: Site;
beforeAll(async () => {
  engine = await engineOn(DEMO.market);
  site = await deskSite(engine);
});
afterAll(async () => {
  await site.remove();
  await engine.close();
});

/** Books of all sizes, some with profits and losses that are large against what is lacking. */
const POSITIONS = [0.0137, 0.9, 3, 41.7, 1_234.5].flatMap((size) =>
  [1, 0.317, 1.91].map((entry) => [
    { instrument: linear.id, size, entryPrice: spot * entry },
    ...OPTIONS.map(({ id }, i) => ({ instrument: id, size: (i % 2 === 0 ? -0.11 : 0.07) * size })),
  ]),
);

/** An account whose equity is a share of its initial margin. */
async function openAt(id: string, positions: object[], share: number) {
  const { initialMargin, equity } = await engine.margin({ id, positions });
  const amount = share * initialMargin - equity;
  const account = { id, collateral: [{ asset: 'USD', amount }], positions };
  await site.desk.command({ do: 'put-account', account });
}

const pay = (account: string, amount: number) =>
  site.desk.command({ do: 'move-collateral', account, asset: 'USD', amount, reason: 'call' });

it('a deposit of exactly the amount resolves the call, of a cent and a half less does not', async () => {
  const { desk } = site;
  for (const [i, positions] of POSITIONS.entries()) {
    await openAt(`paid-${i}`, positions, 0.93);
    await openAt(`short-${i}`, positions, 0.93);
  }
  await desk.quiet();
  for (const i of POSITIONS.keys()) {
    for (const id of [`paid-${i}`, `short-${i}`]) {
      const { call, heldState } = desk.book.accounts.get(id)!;
      expect([heldState, call?.call]).toEqual(['margin-call', 1]);
      const { initialMargin, equity } = desk.latest(id)!.result!;
      // The release level is 1.05; an amount has hundredths, and at least a tenth of one more than is lacking.
      const more = call!.amount - (1.05 * initialMargin - equity);
      const unit = initialMargin * 1.05 < 1 ? 0.1 : 0.01;
      expect(more).toBeGreaterThan(0);
      expect(more).toBeLessThan(1.1 * unit + 1e-6);
      expect(call!.amount).toBe(Number(call!.amount.toFixed(4)));
      await pay(id, id.startsWith('paid') ? call!.amount : call!.amount - 1.5 * unit);
    }
  }
  await desk.quiet();
  for (const i of POSITIONS.keys()) {
    const paid = desk.book.accounts.get(`paid-${i}`)!;
    expect([paid.heldState, paid.call]).toEqual(['warning', null]);
    const short = desk.book.accounts.get(`short-${i}`)!;
    expect([short.heldState, short.call?.call]).toEqual(['margin-call', 1]);
  }
});

it('of isolated positions the amount is what they lack, one by one', async () => {
  const { desk } = site;
  const [first, second] = DEMO.market.instruments.filter(({ type }) => type === 'perpetual');
  const alone = async (instrument: string) => {
    const position = { instrument, size: 1, allocated: 0 };
    const document = { id: 'probe', mode: 'isolated', positions: [position] };
    return (await engine.margin(document)).positions![0]!.initialMargin;
  };
  const needs = [await alone(first!.id), await alone(second!.id)];
  const positions = [first!, second!].map(({ id }, i) => ({
    instrument: id,
    size: 1,
    allocated: [0.9, 1.5][i]! * needs[i]!,
  }));
  const amount = positions.reduce((sum, { allocated }) => sum + allocated, 0);
  const account = {
    id: 'alone',
    mode: 'isolated',
    collateral: [{ asset: 'USD', amount }],
    positions,
  };
  await desk.command({ do: 'put-account', account });
  await desk.quiet();
  const { call } = desk.book.accounts.get('alone')!;
  expect(call!.amount).toBeGreaterThan((1.05 - 0.9) * needs[0]!);
  expect(call!.amount).toBeLessThan((1.05 - 0.9) * needs[0]! + 0.011 + 1e-6);
});
