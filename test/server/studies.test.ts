/** Questions about one account over HTTP: the library's answers, byte for byte, and refusals that name the field. */

import type { TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import { ComparisonSchema } from '../../src/engine/comparison.ts';
import type { AccountChange } from '../../src/engine/studies/changes.ts';
import { StressReportSchema } from '../../src/engine/studies/stressSchema.ts';
import { TimelineSchema } from '../../src/engine/studies/timelineSchema.ts';
import { WhatIfSchema } from '../../src/engine/studies/whatIfSchema.ts';
import { reader } from '../../src/schema.ts';
import { ACCOUNT, DEMO, post, service } from './support.ts';

/** What the reference says of each answer. */
const SCHEMAS: Record<string, TSchema> = {
  '/v1/what-if': WhatIfSchema,
  '/v1/compare': ComparisonSchema,
  '/v1/timeline': TimelineSchema,
  '/v1/stress': StressReportSchema,
};

const running = service();

const [perpetual] = DEMO.market.instruments.filter(({ type }) => type === 'perpetual');
const change: AccountChange = {
  fills: [{ instrument: perpetual!.id, size: 3 }],
  orders: [{ instrument: perpetual!.id, side: 'sell', size: 2, price: perpetual!.mark ?? 1_000 }],
};
const library = {
  hypothetical: false,
  grid: { spot: [-0.1, 0, 0.1], vol: [0, 0.5] },
  scenarios: [{ name: 'mine', spot: -0.25, vol: 0.5 }],
};

const send = (url: string, body: unknown) => post(running, url, JSON.stringify(body));

describe('answers are those of the library', () => {
  it.each([
    ['/v1/what-if', { change }, () => running.engine.whatIf(ACCOUNT, { change })],
    ['/v1/compare', {}, () => running.engine.compare(ACCOUNT)],
    [
      '/v1/compare',
      { methodologies: ['market-risk'] },
      () => running.engine.compare(ACCOUNT, { methodologies: ['market-risk'] }),
    ],
    ['/v1/timeline', { days: [1, 40] }, () => running.engine.timeline(ACCOUNT, { days: [1, 40] })],
    ['/v1/stress', library, () => running.engine.stress(ACCOUNT, library)],
    ['/v1/stress', {}, () => running.engine.stress(ACCOUNT)],
  ])('%s %j', async (url, asked, ask) => {
    const answer = await send(url, { account: ACCOUNT, ...asked });
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.body).toBe(JSON.stringify(await ask()));
    expect(() => reader(SCHEMAS[url]!)(answer.json())).not.toThrow();
  });

  it('leaves the account as it was', async () => {
    const before = await post(running, '/v1/margin', JSON.stringify(ACCOUNT));
    const answer = await send('/v1/what-if', { account: ACCOUNT, change });
    expect(JSON.stringify(answer.json().before)).toBe(before.body);
  });
});

describe('refusals', () => {
  const unknown = { id: 'x', positions: [{ instrument: 'NO', size: 1 }] };

  it.each([
    ['/v1/what-if', { account: ACCOUNT }, 'MISSING_FIELD', 'change'],
    [
      '/v1/what-if',
      { account: ACCOUNT, change: { fills: [{ instrument: 'NO', size: 1 }] } },
      'UNKNOWN_INSTRUMENT',
      'change.fills[0].instrument',
    ],
    [
      '/v1/what-if',
      { account: ACCOUNT, change: { fills: [{ instrument: 'NO', size: '1' }] } },
      'INVALID_FIELD',
      'change.fills[0].size',
    ],
    [
      '/v1/what-if',
      { account: unknown, change },
      'UNKNOWN_INSTRUMENT',
      'account.positions[0].instrument',
    ],
    ['/v1/compare', { account: unknown }, 'UNKNOWN_INSTRUMENT', 'account.positions[0].instrument'],
    [
      '/v1/compare',
      { account: ACCOUNT, methodologies: ['no'] },
      'INVALID_FIELD',
      'methodologies[0]',
    ],
    [
      '/v1/compare',
      { account: ACCOUNT, methodologies: [{ mmFactor: -1 }] },
      'INVALID_FIELD',
      'methodologies[0].mmFactor',
    ],
    ['/v1/timeline', { account: ACCOUNT, days: [0] }, 'INVALID_FIELD', 'days[0]'],
    [
      '/v1/timeline',
      { account: ACCOUNT, dates: ['2020-01-01T00:00:00Z'] },
      'INVALID_FIELD',
      'dates[0]',
    ],
    ['/v1/timeline', { account: { id: 'y', mood: 1 } }, 'UNKNOWN_FIELD', 'account.mood'],
    [
      '/v1/stress',
      { account: ACCOUNT, scenarios: [{ name: 'a', spot: -1 }] },
      'INVALID_FIELD',
      'scenarios[0].spot',
    ],
    [
      '/v1/stress',
      { account: ACCOUNT, scenarios: [{ name: 'calm' }] },
      'INVALID_FIELD',
      'scenarios[0]',
    ],
    ['/v1/stress', { account: ACCOUNT, shocks: [] }, 'UNKNOWN_FIELD', 'shocks'],
  ])('%s %j', async (url, body, code, path) => {
    const answer = await send(url, body);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ status: 422, code, path });
  });
});
