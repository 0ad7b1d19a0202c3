/** `POST /v1/liquidation` and `/v1/hedges`: what the library says, byte for byte; errors named by their place in the body. */
import { describe, expect, it } from 'vitest';
import { ACCOUNT, ACCOUNTS, post, service } from './support.ts';

const running = service();
const send = (url: string, body: unknown) => post(running, url, JSON.stringify(body));

describe('POST /v1/liquidation', () => {
  it('answers as the library does, with and without a plan', async () => {
    const plain = await send('/v1/liquidation', { account: ACCOUNT });
    expect(plain.statusCode).toBe(200);
    expect(plain.body).toBe(JSON.stringify(await running.engine.liquidation(ACCOUNT)));
    expect(plain.json()).not.toHaveProperty('plan');
    const plan = { fund: 1_000, counterparties: ACCOUNTS.slice(1, 40) };
    const planned = await send('/v1/liquidation', { account: ACCOUNT, plan });
    expect(planned.body).toBe(JSON.stringify(await running.engine.liquidation(ACCOUNT, { plan })));
    expect(planned.json().margin).toEqual(await running.engine.margin(ACCOUNT));
  });

  it('has prices of every underlying that the account touches, in order', async () => {
    const { prices } = await running.engine.liquidation(ACCOUNT);
    const ids = prices.map(({ underlying }) => underlying);
    expect(ids).toEqual([...ids].sort());
    const found = prices
      .flatMap(({ below, above }) => [below, above])
      .filter((one) => one !== null);
    for (const { equity, maintenanceRequirement } of found) {
      // What is asked for: 1e-6 of either.
      expect(Math.abs(equity - maintenanceRequirement)).toBeLessThanOrEqual(1e-6 * equity);
    }
  });

  it('names the field at fault', async () => {
    const wrong = { ...ACCOUNT, positions: [{ instrument: 'no', size: 1 }] };
    const account = await send('/v1/liquidation', { account: wrong });
    expect(account.statusCode).toBe(422);
    expect(account.json()).toMatchObject({
      code: 'UNKNOWN_INSTRUMENT',
      path: 'account.positions[0].instrument',
    });
    const counterparty = await send('/v1/liquidation', {
      account: ACCOUNT,
      plan: { counterparties: [wrong] },
    });
    expect(counterparty.json()).toMatchObject({
      code: 'UNKNOWN_INSTRUMENT',
      path: 'plan.counterparties[0].positions[0].instrument',
    });
    const fund = await send('/v1/liquidation', { account: ACCOUNT, plan: { fund: -1 } });
    expect(fund.json()).toMatchObject({ code: 'INVALID_FIELD' });
    const stray = await send('/v1/liquidation', { account: ACCOUNT, plans: true });
    expect(stray.json()).toMatchObject({ code: 'UNKNOWN_FIELD', path: 'plans' });
  });
});

describe('POST /v1/hedges', () => {
  it('answers as the library does', async () => {
    const answer = await send('/v1/hedges', { account: ACCOUNT, count: 1 });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe(JSON.stringify(await running.engine.hedges(ACCOUNT, { count: 1 })));
  });

  it('names the field at fault', async () => {
    const unknown = await send('/v1/hedges', { account: ACCOUNT, instruments: ['no'] });
    expect(unknown.json()).toMatchObject({ code: 'UNKNOWN_INSTRUMENT', path: 'instruments[0]' });
    const count = await send('/v1/hedges', { account: ACCOUNT, count: 0 });
    expect(count.json()).toMatchObject({ code: 'INVALID_FIELD', path: 'count' });
  });
});
