/** Single answers: the figures are the library's, byte for byte. */
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../src/json.ts';
import { ACCOUNT, ACCOUNTS, DEMO, outcomesOf, post, service } from './support.ts';

const running = service();

const columns = {
  id: ACCOUNT.id,
  mode: ACCOUNT.mode,
  currency: ACCOUNT.currency,
  collateral: ACCOUNT.collateral,
  instruments: ACCOUNT.positions.map((position) => position.instrument),
  sizes: ACCOUNT.positions.map((position) => position.size),
  entryPrices: ACCOUNT.positions.map((position) => position.entryPrice ?? null),
};

describe('POST /v1/margin', () => {
  it('answers with the bytes of the library’s result', async () => {
    const expected = JSON.stringify(await running.engine.margin(ACCOUNT));
    const rows = await post(running, '/v1/margin', JSON.stringify(ACCOUNT));
    expect(rows.statusCode).toBe(200);
    expect(rows.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(rows.body).toBe(expected);
    expect((await post(running, '/v1/margin', JSON.stringify(columns))).body).toBe(expected);
  });

  it('gives 200 concurrent calls the figures that they have one by one', async () => {
    const some = ACCOUNTS.slice(0, 200);
    const outcomes = await outcomesOf(running.engine, some);
    const answers = await Promise.all(
      some.map((account) => post(running, '/v1/margin', JSON.stringify(account))),
    );
    expect(answers.map((answer) => answer.body)).toEqual(outcomes.map((o) => JSON.stringify(o)));
  });

  it('rejects an account with the status of its code, its id and the path', async () => {
    const wrong = { id: 'x', positions: [{ instrument: 'BTC-NOTHING', size: 1 }] };
    const answer = await post(running, '/v1/margin', JSON.stringify(wrong));
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toEqual({
      type: 'urn:plimsoll:problem:unknown-instrument',
      title: 'The position names an instrument that the market does not hold.',
      status: 422,
      detail: expect.stringContaining('BTC-NOTHING'),
      code: 'UNKNOWN_INSTRUMENT',
      path: 'positions[0].instrument',
      account: 'x',
    });
  });

  it('rejects one of many gathered calls alone', async () => {
    const bodies = ACCOUNTS.slice(0, 20).map((account, i) =>
      i === 7 ? '{"id":"seven","sizes":' : JSON.stringify(account),
    );
    const answers = await Promise.all(bodies.map((body) => post(running, '/v1/margin', body)));
    expect(answers.map((answer) => answer.statusCode)).toEqual(
      bodies.map((_, i) => (i === 7 ? 400 : 200)),
    );
  });
});

describe('POST /v1/var', () => {
  it('answers with the library’s report', async () => {
    const asked = { method: 'gaussian', confidence: 0.975, horizonDays: 10, scenarios: 3_000 };
    const answer = await post(
      running,
      '/v1/var',
      JSON.stringify({ account: ACCOUNT, ...asked, seed: 7 }),
    );
    const expected = await running.engine.valueAtRisk(ACCOUNT, {
      ...asked,
      method: 'gaussian',
      seed: 7,
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe(JSON.stringify(expected));
    expect(expected.risk.scenarios).toBe(3_000);
  });

  it.each([
    ['the account is missing', {}, 'MISSING_FIELD', 'account'],
    ['the account is an array', { account: [] }, 'INVALID_FIELD', 'account'],
    ['a field of the account', { account: { id: 'a', mood: 1 } }, 'UNKNOWN_FIELD', 'account.mood'],
    [
      'a position of the account',
      { account: { id: 'a', positions: [{ instrument: 'NO', size: 1 }] } },
      'UNKNOWN_INSTRUMENT',
      'account.positions[0].instrument',
    ],
    ['an unknown parameter', { account: { id: 'a' }, horizon: 1 }, 'UNKNOWN_FIELD', 'horizon'],
    ['a text', { account: { id: 'a' }, confidence: '0.9' }, 'INVALID_FIELD', 'confidence'],
    ['a null', { account: { id: 'a' }, scenarios: null }, 'INVALID_FIELD', 'scenarios'],
    ['too many', { account: { id: 'a' }, scenarios: 1e8 }, 'INVALID_SCENARIO_COUNT', 'scenarios'],
    ['no history', { account: { id: 'a' }, method: 'historical' }, 'MISSING_HISTORY', 'history'],
  ])('refuses %s', async (_, body, code, path) => {
    const answer = await post(running, '/v1/var', JSON.stringify(body));
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({ code, path });
  });
});

describe('the market', () => {
  const get = (url: string) => running.app.inject({ method: 'GET', url });
  const put = (payload: string) =>
    running.app.inject({
      method: 'PUT',
      url: '/v1/market',
      headers: { 'content-type': 'application/json' },
      payload,
    });

  it('is described, with its hash and those of what figures come from', async () => {
    const info = (await get('/v1/market')).json();
    const result = await running.engine.margin(ACCOUNT);
    expect(info).toMatchObject({
      asOf: DEMO.market.asOf,
      currency: 'USD',
      underlyings: 2,
      instruments: DEMO.market.instruments.length,
      snapshot: hashOf(DEMO.market),
      scenarios: 2_048,
      scenarioSet: result.scenarioSet,
      methodology: result.methodology,
    });
  });

  it('is replaced as a whole; the figures are those of an engine made on it', async () => {
    const before = (await post(running, '/v1/margin', JSON.stringify(ACCOUNT))).json();
    const underlyings = DEMO.market.underlyings.map((u) => ({ ...u, spot: u.spot * 1.01 }));
    const moved = { ...DEMO.market, underlyings };
    const answer = await put(JSON.stringify(moved));
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ snapshot: hashOf(moved), asOf: moved.asOf });
    const after = (await post(running, '/v1/margin', JSON.stringify(ACCOUNT))).json();
    expect(after.market).not.toBe(before.market);
    expect(after.scenarioSet).toBe(before.scenarioSet);
    expect(after.equity).not.toBe(before.equity);
    expect((await put(JSON.stringify(DEMO.market))).statusCode).toBe(200);
    const back = (await post(running, '/v1/margin', JSON.stringify(ACCOUNT))).json();
    expect(back).toEqual(before);
  });

  it('stays as it is when the new one is wrong', async () => {
    const before = (await get('/v1/market')).body;
    const wrong = { ...DEMO.market, underlyings: [{ ...DEMO.market.underlyings[0], spot: -1 }] };
    const answer = await put(JSON.stringify(wrong));
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({ code: 'INVALID_FIELD', path: 'underlyings[0].spot' });
    expect((await put('{"asOf":1,"asOf":2}')).json()).toMatchObject({ code: 'MALFORMED_JSON' });
    expect((await get('/v1/market')).body).toBe(before);
  });

  it('takes one update at a time', async () => {
    const body = JSON.stringify(DEMO.market);
    const answers = await Promise.all([put(body), put(body), put(body)]);
    const statuses = answers.map((answer) => answer.statusCode);
    expect(statuses.toSorted()).toEqual([200, 503, 503]);
    expect(answers[statuses.indexOf(503)]!.headers['retry-after']).toBe('1');
    expect((await put(body)).statusCode).toBe(200);
  });

  it('has its methodology, whose hash can be checked', async () => {
    const { hash, parameters } = (await get('/v1/methodology')).json();
    expect(hash).toBe(hashOf(parameters));
    expect(parameters).toMatchObject({ confidence: 0.99, horizonDays: 1, scenarios: 2_048 });
  });

  it('has example accounts, each of which can be margined', async () => {
    for (const number of [1, 9, 20]) {
      const example = await get(`/v1/example?number=${number}`);
      expect(example.statusCode).toBe(200);
      expect((await post(running, '/v1/margin', example.body)).statusCode).toBe(200);
    }
    expect((await get('/v1/example')).body).toBe((await get('/v1/example?number=1')).body);
  });

  it.each([
    ['/v1/example?number=0', 'INVALID_FIELD', 'query.number'],
    ['/v1/example?number=1&number=2', 'INVALID_FIELD', 'query.number'],
    ['/v1/example?number=1e0', 'INVALID_FIELD', 'query.number'],
    ['/v1/example?numbr=1', 'UNKNOWN_FIELD', 'query.numbr'],
    ['/v1/market?full=1', 'UNKNOWN_FIELD', 'query.full'],
  ])('refuses the query of %s', async (url, code, path) => {
    const answer = await get(url);
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({ code, path });
  });
});
