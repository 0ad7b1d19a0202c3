/** `POST /v1/explain`: what the library says, byte for byte; errors named by their place in the body. */
import { describe, expect, it } from 'vitest';
import { ACCOUNT, ACCOUNTS, post, service } from './support.ts';

const running = service();
const send = (body: unknown) => post(running, '/v1/explain', JSON.stringify(body));

describe('POST /v1/explain', () => {
  it('answers with the bytes of the library’s explanation', async () => {
    const other = ACCOUNTS[1]!;
    const answer = await send({ account: ACCOUNT, other, worst: 3 });
    expect(answer.statusCode, answer.body).toBe(200);
    const expected = await running.engine.explain(ACCOUNT, { other, worst: 3 });
    expect(answer.body).toBe(JSON.stringify(expected));
    expect(JSON.stringify(expected.margin)).toBe(
      JSON.stringify(await running.engine.margin(ACCOUNT)),
    );
  });

  it('compares with the account after a change', async () => {
    const [{ instrument, size }] = ACCOUNT.positions as [{ instrument: string; size: number }];
    const change = { fills: [{ instrument, size: -size }] };
    const { difference } = (await send({ account: ACCOUNT, change })).json();
    const closed = difference.positions.find(
      (position: { instrument: string }) => position.instrument === instrument,
    );
    expect(closed.size).toEqual({ before: size, after: 0, difference: -size });
  });

  it('names what is wrong by its place in the body', async () => {
    const wrong = { id: 'x', positions: [{ instrument: 'NOTHING', size: 1 }] };
    const place = async (body: unknown): Promise<unknown[]> => {
      const answer = await send(body);
      const { code, path } = answer.json();
      return [answer.statusCode, code, path];
    };
    expect(await place({ account: wrong })).toEqual([
      422,
      'UNKNOWN_INSTRUMENT',
      'account.positions[0].instrument',
    ]);
    expect(await place({ account: ACCOUNT, other: wrong })).toEqual([
      422,
      'UNKNOWN_INSTRUMENT',
      'other.positions[0].instrument',
    ]);
    const cancel = { account: ACCOUNT, change: { cancel: ['none'] } };
    expect(await place(cancel)).toEqual([404, 'NOT_FOUND', 'change.cancel[0]']);
    expect(await place({ account: ACCOUNT, worst: 1e9 })).toEqual([422, 'INVALID_FIELD', 'worst']);
    expect(await place({})).toEqual([422, 'MISSING_FIELD', 'account']);
  });
});
