/** The client of Deribit when things go wrong: gaps, drops, silence, slow answers, frames without form, slow readers. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { deribitFeed } from '../../src/feeds/deribit/feed.ts';
import type { FeedItem } from '../../src/feeds/feed.ts';
import { TickGate } from '../../src/feeds/gate.ts';
import { CALL, closeAll, INSTRUMENTS, QUICK, Reading, serve, started } from './deribitReading.ts';
import { optionTicker, START, summaryOf, tickerOf } from './deribitServer.ts';

afterEach(closeAll);

describe('faults', () => {
  it('names what is out of order and stale on a channel, and what has no form', async () => {
    const { server, reading } = await started();
    const index = (timestamp: number, price: unknown = 90_000): void =>
      server.notify('deribit_price_index.btc_usd', { index_name: 'btc_usd', price, timestamp });
    index(START + 10_000);
    index(START + 9_999);
    index(START);
    index(START + 10_000, null);
    server.raw('{"jsonrpc": "2.0", "method": "subscri');
    server.raw(Uint8Array.of(1, 2, 3));
    server.raw('[]');
    server.notify('ticker.ETH-PERPETUAL.100ms', tickerOf('ETH-PERPETUAL'));
    server.notify('trades.BTC-PERPETUAL.100ms', []);
    server.send({ id: 99, result: 'ok' });
    index(START + 10_001, 90_001);
    await reading.until(({ ticks }) => ticks.length === 2);
    expect(reading.ticks.map(({ spot }) => spot)).toEqual([90_000, 90_001]);
    expect(reading.kinds()).toEqual(['out-of-order', 'stale', ...Array(7).fill('malformed')]);
    expect(reading.problems[2]!.message).toMatch(
      /deribit_price_index.btc_usd: price must be number/,
    );
    expect(server.connections).toBe(1);
  });

  it('finds a gap in a book, subscribes to it anew, and reads the chain again', async () => {
    const { server, reading } = await started({ books: ['BTC-PERPETUAL'] });
    const book = (type: string, change_id: number, prev_change_id?: number): void =>
      server.notify('book.BTC-PERPETUAL.100ms', {
        type,
        timestamp: START,
        instrument_name: 'BTC-PERPETUAL',
        change_id,
        ...(prev_change_id === undefined ? {} : { prev_change_id }),
        bids: [['new', 5042.34, 30]],
        asks: [['delete', 5042.64, 0]],
      });
    book('snapshot', 297217);
    book('change', 297218, 297217);
    book('change', 297220, 297219);
    book('change', 297221, 297220);
    await server.until(() => server.count('public/subscribe') === 2);
    await server.until(() => server.count('public/get_book_summary_by_currency') === 2);
    expect(
      server.requests.filter(({ method }) => /subscribe$/.test(method)).slice(1),
    ).toMatchObject([
      { method: 'public/unsubscribe', params: { channels: ['book.BTC-PERPETUAL.100ms'] } },
      { method: 'public/subscribe', params: { channels: ['book.BTC-PERPETUAL.100ms'] } },
    ]);
    book('snapshot', 297222);
    book('change', 297223, 297222);
    book('change', 297225, 297224);
    await reading.until(({ problems }) => problems.length === 2);
    expect(reading.kinds()).toEqual(['gap', 'gap']);
    expect(reading.problems[0]).toMatchObject({
      underlying: 'BTC',
      message: 'the book of BTC-PERPETUAL goes from change 297218 to one that follows 297219',
    });
  });

  it('comes back after drops, subscribes again, and numbers on without a gap', async () => {
    // A connection that has worked is no failed attempt: five drops are not three failures in a row.
    const { server, reading } = await started({ attemptsMax: 3 });
    for (let round = 1; round <= 5; round++) {
      server.notify('deribit_price_index.btc_usd', {
        index_name: 'btc_usd',
        price: 90_000 + round,
        timestamp: START + round,
      });
      await reading.until(({ ticks }) => ticks.length === round);
      server.drop();
      await server.until(() => server.count('public/get_book_summary_by_currency') === round + 1);
    }
    expect(reading.ticks.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(reading.kinds()).toEqual(Array(5).fill('disconnected'));
    expect(server.connections).toBe(6);
    expect(server.count('public/subscribe')).toBe(6);
  });

  it('drops a connection that says nothing, or leaves a request without an answer', async () => {
    const server = await serve();
    let silent = 0;
    server.reactions.set('public/subscribe', () => (silent++ === 0 ? 'silence' : null));
    const times = { requestMs: 60, silenceMs: 150 };
    const reading = new Reading({ url: server.url, instruments: INSTRUMENTS, ...QUICK, ...times });
    await reading.until(({ problems }) => problems.length === 2);
    expect(reading.problems).toMatchObject([
      { kind: 'disconnected', message: 'no answer to public/subscribe in 60 ms' },
      { kind: 'disconnected', message: 'nothing was heard for 150 ms' },
    ]);
    await server.until(() => server.connections === 3);
  });

  it('names channels and chains that the exchange refuses', async () => {
    const server = await serve();
    server.reactions.set('public/subscribe', ({ params }) => ({
      result: (params.channels as string[]).filter((channel) => !channel.includes(CALL)),
    }));
    server.reactions.set('public/get_book_summary_by_currency', () => ({
      error: { code: 10028, message: 'too_many_requests' },
    }));
    const reading = new Reading({ url: server.url, instruments: INSTRUMENTS, ...QUICK });
    await reading.until(({ problems }) => problems.length === 2);
    expect(reading.problems).toMatchObject([
      {
        kind: 'refused',
        message: `the exchange did not subscribe to ticker.${CALL}.100ms (1 in all)`,
      },
      { kind: 'refused', message: 'summary of BTC: the exchange says too_many_requests (10028)' },
    ]);
    expect(server.connections).toBe(1);
  });

  it('names a chain that has no form, and goes on', async () => {
    const server = await serve();
    server.summaries.set('BTC', [summaryOf(CALL, { mark_iv: '50' })]);
    const reading = new Reading({ url: server.url, instruments: INSTRUMENTS, ...QUICK });
    await reading.until(({ problems }) => problems.length === 1);
    expect(reading.problems).toMatchObject([
      { kind: 'malformed', message: expect.stringMatching(/summary of BTC: result\[0\].mark_iv/) },
    ]);
    server.notify('ticker.BTC-PERPETUAL.100ms', tickerOf('BTC-PERPETUAL'));
    await reading.until(({ ticks }) => ticks.length === 1);
  });

  it('fails after as many attempts as it is given, having told of each', async () => {
    const server = await serve();
    const { url } = server;
    await server.close();
    const reading = new Reading({ url, instruments: INSTRUMENTS, ...QUICK, attemptsMax: 3 });
    await reading.until(({ failure }) => failure !== null);
    expect(reading.failure).toMatchObject({ code: 'FEED_FAILED' });
    expect(reading.kinds()).toEqual(Array(3).fill('disconnected'));
  });

  it('pauses longer and longer between attempts, by draws that its seed repeats', async () => {
    const server = await serve();
    const { url } = server;
    await server.close();
    const pausesOf = async (seed: string): Promise<number[]> => {
      const pauses: number[] = [];
      const clock = {
        now: () => 0,
        sleep: async (ms: number) => {
          pauses.push(ms);
        },
      };
      const options = { instruments: INSTRUMENTS, pauseMs: 100, pauseMaxMs: 700, attemptsMax: 7 };
      const feed = deribitFeed({ url, clock, seed, ...options });
      const read = async (): Promise<void> => {
        for await (const _ of feed);
      };
      await expect(read()).rejects.toMatchObject({ code: 'FEED_FAILED' });
      return pauses;
    };
    const pauses = await pausesOf('a');
    // Each in the upper half of 100, 200, 400, and then 700 at most.
    const most = [100, 200, 400, 700, 700, 700];
    expect(pauses).toHaveLength(most.length);
    pauses.forEach((pause, i) => {
      expect(pause).toBeGreaterThanOrEqual(most[i]! / 2);
      expect(pause).toBeLessThan(most[i]!);
    });
    expect(await pausesOf('a')).toEqual(pauses);
    expect(await pausesOf('b')).not.toEqual(pauses);
  });

  it('conflates what waits for a slow reader, and leaves no gap in the numbers', async () => {
    const server = await serve();
    const feed = deribitFeed({
      url: server.url,
      instruments: INSTRUMENTS,
      firstSequence: 1,
      queueMax: 10,
    })[Symbol.asyncIterator]();
    const first = feed.next();
    await server.until(() => server.count('public/get_book_summary_by_currency') === 1);
    const index = (price: number): void =>
      server.notify('deribit_price_index.btc_usd', {
        index_name: 'btc_usd',
        price,
        timestamp: START + price,
      });
    index(1);
    expect(await first).toMatchObject({ value: { batch: { ticks: [{ sequence: 1, spot: 1 }] } } });
    for (let price = 2; price <= 500; price++) index(price);
    // The answer comes after all of them: then they wait.
    server.send({ method: 'heartbeat', params: { type: 'test_request' } });
    await server.until(() => server.count('public/test') === 1);
    const read: FeedItem[] = [];
    for (let spot: number | undefined = 0; spot !== 500; ) {
      const { value } = await feed.next();
      read.push(value as FeedItem);
      spot = 'batch' in value ? value.batch.ticks[0].spot : spot;
    }
    await feed.return?.();
    const ticks = read.flatMap((item) => ('batch' in item ? item.batch.ticks : []));
    expect(ticks.map(({ sequence }) => sequence)).toEqual(ticks.map((_, i) => i + 2));
    expect(read.length).toBeLessThanOrEqual(11);
    const conflated = read.flatMap((item) => ('problem' in item ? [item.problem] : []));
    expect(new Set(conflated.map(({ kind }) => kind))).toEqual(new Set(['overrun']));
  });

  it('ends when it is aborted, connected or not, and when its reader leaves', async () => {
    const { reading } = await started();
    await reading.stop();
    expect(reading.failure).toBeNull();
    const server = await serve();
    server.summaries.set('BTC', [summaryOf('BTC-PERPETUAL')]);
    for await (const item of deribitFeed({ url: server.url, instruments: ['BTC-PERPETUAL'] })) {
      expect(item).toHaveProperty('batch');
      break;
    }
    const stop = new AbortController();
    stop.abort();
    for await (const _ of deribitFeed({
      url: server.url,
      instruments: INSTRUMENTS,
      signal: stop.signal,
    }));
  });
});

it('whatever a frame holds is a tick or a problem, and the connection stands', async () => {
  const { server, reading } = await started({ markPrices: true, books: ['BTC-PERPETUAL'] });
  const mark = { instrument_name: CALL, iv: 0.5, mark_price: 0.03, timestamp: START };
  const book = {
    type: 'change',
    instrument_name: 'BTC-PERPETUAL',
    change_id: 2,
    prev_change_id: 1,
  };
  const index = { index_name: 'btc_usd', price: 90_000, timestamp: START };
  const messages = [
    [`ticker.${CALL}.100ms`, optionTicker(CALL)],
    ['ticker.BTC-PERPETUAL.100ms', tickerOf('BTC-PERPETUAL')],
    ['markprice.options.btc_usd', [mark]],
    ['book.BTC-PERPETUAL.100ms', book],
    ['deribit_price_index.btc_usd', index],
  ].map(([channel, data]) =>
    JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } }),
  );
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(0, -1, 1e308, '', null));
  // A member of a message replaced, or its text cut or mixed up.
  const frame = fc
    .record({ message: fc.constantFrom(...messages), at: fc.nat(400), value, way: fc.nat(2) })
    .map(({ message, at, value: other, way }) => {
      if (way === 0) return message.slice(0, at);
      if (way === 1) return message.slice(0, at) + JSON.stringify(other) + message.slice(at + 1);
      const members = [...message.matchAll(/"(\w+)":("[^"]*"|[-\d.]+|null)/g)];
      const { 0: text, 1: name, index: place } = members[at % members.length]!;
      return `${message.slice(0, place)}"${name}":${JSON.stringify(other)}${message.slice(place + text.length)}`;
    });
  const frames = fc.sample(frame, { seed: 4, numRuns: 2000 });
  for (const text of frames) server.raw(text);
  const last = START + 10 * 365 * 86_400_000;
  server.notify('deribit_price_index.btc_usd', { ...index, price: 12_345, timestamp: last });
  await reading.until(({ ticks }) => ticks.at(-1)?.spot === 12_345);
  expect(server.connections).toBe(1);
  expect(reading.problems.length).toBeGreaterThan(500);
  // What passes the gate is priced.
  const gate = new TickGate();
  for (const tick of reading.ticks) {
    const { batch } = gate.admit({ source: 'x', receivedAt: tick.asOf, ticks: [tick] });
    for (const { spot } of batch?.ticks ?? []) expect(spot === undefined || spot > 0).toBe(true);
  }
});
