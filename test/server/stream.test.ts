/** Server-sent events: every record once and in order, however often the reader is cut off. */
import { expect, it } from 'vitest';
import { buildApp } from '../../src/server/app.ts';
import { bookService, PERPETUAL, SPOT } from './bookSupport.ts';
import { type EventReader, readEvents, type StreamEvent } from './eventStream.ts';

const service = bookService(200);

const read: EventReader = (path, enough, last) =>
  readEvents(`${service.server.address}${path}`, enough, last);

const deposit = (account: string, amount: number) =>
  service.site.desk.command({ do: 'move-collateral', account, asset: 'USD', amount, reason: 'x' });

it('gives a reader that is cut off 100 times every event once, in order', async () => {
  const { desk } = service.site;
  for (const id of ['s-1', 's-2', 's-3']) {
    await desk.command({
      do: 'put-account',
      account: { id, collateral: [{ asset: 'USD', amount: 1e5 }] },
    });
    const fills = [{ id: 'f', instrument: PERPETUAL.id, size: 1, price: SPOT }];
    await desk.command({ do: 'fill', account: id, fills });
  }
  let cutting = true;
  const writer = (async () => {
    for (let i = 0; cutting; i++) await deposit(`s-${1 + (i % 3)}`, 1 + i);
    await desk.quiet();
  })();
  const path = '/v1/stream?kind=collateral-moved&kind=margin&kind=state-changed';
  const got: StreamEvent[] = [];
  for (let cut = 0; cut < 100; cut++) {
    const most = 1 + (cut % 9);
    got.push(...(await read(path, ({ length }) => length >= most, got.at(-1)?.id ?? 0)));
  }
  cutting = false;
  await writer;
  const wanted = new Set(['collateral-moved', 'margin', 'state-changed']);
  const last = got.at(-1)!.id;
  const log = (await desk.journal.store.read(1, 10_000)).filter(({ kind }) => wanted.has(kind));
  const end = log.at(-1)!.seq;
  if (last < end) {
    got.push(...(await read(path, (events) => events.at(-1)?.id === end, last)));
  }
  expect(got.map(({ id }) => id)).toEqual(log.map(({ seq }) => seq));
  got.forEach(({ data, event }, i) => {
    expect(data.seq).toBe(log[i]!.seq);
    expect(event).toBe(log[i]!.kind);
    expect(data.body).toEqual(log[i]!.body);
  });
  expect(got.length).toBeGreaterThan(400);
}, 60_000);

it('filters by account, kind and state; of one account at its own address', async () => {
  const { desk } = service.site;
  const log = await desk.journal.store.read(1, 10_000);
  const own = log.filter(({ body }) => (body as { account?: string }).account === 's-2');
  const all = await read(
    '/v1/accounts/s-2/events?after=0',
    (events) => events.at(-1)?.id === own.at(-1)!.seq,
  );
  expect(all.map(({ id }) => id)).toEqual(own.map(({ seq }) => seq));
  const two = await read(
    '/v1/stream?account=s-1&account=s-2&kind=fill&after=0',
    (events) => events.length === 2,
  );
  expect(two.map(({ data }) => data.body.account)).toEqual(['s-1', 's-2']);
  const states = log.filter(({ kind }) => kind === 'state-changed');
  for (const { seq, body } of states.slice(0, 1)) {
    const { to } = body as { to: string };
    const [first] = await read(`/v1/stream?state=${to}&after=0`, ({ length }) => length > 0);
    expect(first!.id).toBe(seq);
  }
});

it('begins now without a place, and refuses a place that is none', async () => {
  const { desk } = service.site;
  const seq = desk.book.seq;
  const reading = read('/v1/stream?kind=collateral-moved', (events) => events.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const taken = await deposit('s-1', 1);
  expect((await reading)[0]!.id).toBe(taken.seq);
  expect(taken.seq).toBeGreaterThan(seq);
  for (const last of [desk.book.seq + 1_000, -1, 'x']) {
    const headers = { 'last-event-id': String(last) };
    const answer = await fetch(`${service.server.address}/v1/stream`, { headers });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
      422,
      'INVALID_FIELD',
    ]);
  }
  const query = await fetch(`${service.server.address}/v1/stream?kind=nothing`);
  expect(query.status).toBe(422);
});

it('drops a reader that does not keep up, and tells it why', async () => {
  const { desk, engine } = service.site;
  // The buffers of a real connection take tens of megabytes; injected, the reader's own is all there is.
  const app = await buildApp({ engine, desk, limits: { loopDelayMs: 60_000 } });
  const answer = await app.inject({
    url: '/v1/stream?kind=collateral-moved',
    payloadAsStream: true,
  });
  const stream = answer.stream();
  const reading = stream[Symbol.asyncIterator]();
  expect(String((await reading.next()).value)).toBe(': open\n\n');
  const reason = 'x'.repeat(1_000);
  for (let round = 0; round < 20; round++) {
    const commands = ['s-1', 's-2', 's-3'].flatMap((account) =>
      Array.from({ length: 20 }, () => ({ account, amount: 1, asset: 'USD', reason })),
    );
    await Promise.all(
      commands.map((command) => desk.command({ do: 'move-collateral', ...command })),
    );
  }
  let text = '';
  for (;;) {
    const { value, done } = await reading.next();
    if (done === true) break;
    text += String(value);
  }
  expect(text).toMatch(
    /event: dropped\ndata: \{"reason":"the reader is \d+ records behind, 200 at most","after":(\d+)\}/,
  );
  // What it was sent before is whole: it can go on from there.
  const sent = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  expect(Number(/"after":(\d+)/.exec(text)![1])).toBeGreaterThanOrEqual(sent.at(-1)!);
  expect(sent.length).toBeLessThan(1_200);
  await app.close();
}, 60_000);
