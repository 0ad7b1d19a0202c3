/** The client of Deribit against a server that speaks the documented protocol: what it asks, and what it makes of the answers. */
import { afterEach, describe, expect, it } from 'vitest';
import { deribitFeed } from '../../src/feeds/deribit/feed.ts';
import {
  CALL,
  closeAll,
  EXPIRY,
  INSTRUMENTS,
  PUT,
  QUICK,
  Reading,
  serve,
  started,
} from './deribitReading.ts';
import { optionTicker, START, summaryOf, tickerOf } from './deribitServer.ts';

const AT = '2025-12-01T08:00:00Z';

afterEach(closeAll);

describe('conversation', () => {
  it('sets a heartbeat, subscribes, reads the chain, and answers test requests', async () => {
    const { server } = await started({ markPrices: true, books: ['BTC-PERPETUAL'] });
    expect(server.requests).toMatchObject([
      { jsonrpc: '2.0', id: 1, method: 'public/set_heartbeat', params: { interval: 10 } },
      {
        jsonrpc: '2.0',
        id: 2,
        method: 'public/subscribe',
        params: {
          channels: [
            'deribit_price_index.btc_usd',
            'markprice.options.btc_usd',
            'ticker.BTC-PERPETUAL.100ms',
            'ticker.BTC-27MAR26.100ms',
            `ticker.${CALL}.100ms`,
            `ticker.${PUT}.100ms`,
            'book.BTC-PERPETUAL.100ms',
          ],
        },
      },
      { id: 3, method: 'public/get_book_summary_by_currency', params: { currency: 'BTC' } },
    ]);
    server.send({ method: 'heartbeat', params: { type: 'heartbeat' } });
    server.send({ method: 'heartbeat', params: { type: 'test_request' } });
    await server.until(() => server.count('public/test') === 1);
    expect(server.requests.at(-1)).toMatchObject({ method: 'public/test', params: {} });
  });

  it('subscribes to many channels in pieces that the exchange takes', async () => {
    const many = Array.from({ length: 700 }, (_, i) => `BTC-27MAR26-${1000 + i}-C`);
    const { server } = await started({ instruments: many });
    const sizes = server.requests.flatMap(({ method, params }) =>
      method === 'public/subscribe' ? [(params.channels as string[]).length] : [],
    );
    expect(sizes).toEqual([500, 201]);
  });

  it.each([
    [{ instruments: ['BTC-PERP'] }, 'INVALID_FIELD'],
    [{ instruments: ['BTC_USDC'] }, 'INVALID_FIELD'],
    [{ instruments: [] }, 'MISSING_FIELD'],
    [{ instruments: ['ETH-PERPETUAL'], indices: ['btc_usd'] }, 'INVALID_FIELD'],
    [{ instruments: [], indices: ['btc_usd', 'btc_usdc'] }, 'INVALID_FIELD'],
    [{ instruments: [], indices: ['BTC'] }, 'INVALID_FIELD'],
  ])('refuses %j at once', (wrong, code) => {
    const call = (): unknown => deribitFeed({ url: 'ws://127.0.0.1:1', ...wrong });
    expect(call).toThrow(expect.objectContaining({ code }));
  });
});

describe('ticks', () => {
  it('come of the index, options, futures and perpetuals', async () => {
    const { server, reading } = await started();
    // The sample of the documentation, but for its date.
    server.notify('deribit_price_index.btc_usd', {
      index_name: 'btc_usd',
      price: 3937.89,
      timestamp: START,
    });
    server.notify(`ticker.${CALL}.100ms`, optionTicker(CALL, { timestamp: START + 1 }));
    const future = { timestamp: START + 2, index_price: 90_001, mark_price: 91_100 };
    server.notify('ticker.BTC-27MAR26.100ms', tickerOf('BTC-27MAR26', future));
    const perpetual = { timestamp: START + 3, best_bid_price: 0 };
    server.notify('ticker.BTC-PERPETUAL.100ms', tickerOf('BTC-PERPETUAL', perpetual));
    await reading.until(({ ticks }) => ticks.length === 4);
    expect(reading.problems).toEqual([]);
    expect(reading.ticks).toEqual([
      { sequence: 1, underlying: 'BTC', asOf: AT, spot: 3937.89 },
      {
        sequence: 2,
        underlying: 'BTC',
        asOf: '2025-12-01T08:00:00.001Z',
        spot: 90_000,
        forwards: [{ expiry: EXPIRY, price: 91_000 }],
        surface: [{ expiry: EXPIRY, quotes: [{ strike: 100_000, iv: 0.485 }] }],
        quotes: [{ instrument: CALL, bid: 0.03, ask: 0.032 }],
      },
      {
        sequence: 3,
        underlying: 'BTC',
        asOf: '2025-12-01T08:00:00.002Z',
        spot: 90_001,
        // No forward: options of that expiry are followed, and theirs is the one that volatilities are of.
        marks: [{ instrument: 'BTC-27MAR26', mark: 91_100 }],
        quotes: [{ instrument: 'BTC-27MAR26', bid: 89_990, ask: 90_010 }],
      },
      {
        sequence: 4,
        underlying: 'BTC',
        asOf: '2025-12-01T08:00:00.003Z',
        spot: 90_000,
        marks: [{ instrument: 'BTC-PERPETUAL', mark: 90_020 }],
        // A bid of 0 is none.
        quotes: [{ instrument: 'BTC-PERPETUAL', ask: 90_010 }],
      },
    ]);
  });

  it('take the forward of a future where no option of its expiry is followed', async () => {
    const { server, reading } = await started({ instruments: ['BTC-27MAR26'] });
    const future = tickerOf('BTC-27MAR26', { mark_price: 91_100 });
    server.notify('ticker.BTC-27MAR26.100ms', future);
    await reading.until(({ ticks }) => ticks.length === 1);
    expect(reading.ticks[0]).toMatchObject({
      forwards: [{ expiry: EXPIRY, price: 91_100 }],
      marks: [{ instrument: 'BTC-27MAR26', mark: 91_100 }],
    });
  });

  it('take volatilities of all options as decimals, of call and put the out-of-the-money one', async () => {
    const { server, reading } = await started({ markPrices: true });
    server.notify(`ticker.${CALL}.100ms`, optionTicker(CALL));
    const mark = (instrument_name: string, iv: number) => ({
      instrument_name,
      iv,
      mark_price: 0.0333,
      timestamp: START + 5,
    });
    server.notify('markprice.options.btc_usd', [
      mark('BTC-27MAR26-95000-P', 0.52),
      mark('BTC-27MAR26-95000-C', 0.5),
      mark('BTC-27MAR26-70000-C', 0.7),
      mark('BTC-26JUN26-0d5-P', 0.9),
      mark('BTC-26JUN26-60000-P', 0),
      mark('ETH-27MAR26-3000-C', 0.6),
    ]);
    await reading.until(({ ticks }) => ticks.length === 2);
    expect(reading.ticks[1]).toEqual({
      sequence: 2,
      underlying: 'BTC',
      asOf: '2025-12-01T08:00:00.005Z',
      surface: [
        {
          expiry: EXPIRY,
          quotes: [
            { strike: 95_000, iv: 0.5 },
            { strike: 70_000, iv: 0.7 },
          ],
        },
        { expiry: '2026-06-26T08:00:00Z', quotes: [{ strike: 0.5, iv: 0.9 }] },
      ],
    });
    expect(reading.problems).toMatchObject([
      { kind: 'malformed', message: expect.stringContaining('ETH-27MAR26-3000-C') },
    ]);
  });

  it('of a put in the money leave its volatility to the call', async () => {
    const deep = 'BTC-27MAR26-100000-P';
    const { server, reading } = await started({ instruments: [CALL, deep] });
    server.notify(`ticker.${CALL}.100ms`, optionTicker(CALL));
    server.notify(`ticker.${deep}.100ms`, optionTicker(deep, { mark_iv: 60 }));
    await reading.until(({ ticks }) => ticks.length === 2);
    expect(reading.ticks[0]).toHaveProperty('surface');
    expect(reading.ticks[1]).not.toHaveProperty('surface');
  });

  it('of the linear book give marks alone where the inverse one leads', async () => {
    const linear = 'BTC_USDC-PERPETUAL';
    const { server, reading } = await started({ instruments: ['BTC-PERPETUAL', linear] });
    server.notify(`ticker.${linear}.100ms`, tickerOf(linear, { index_price: 89_000 }));
    await reading.until(({ ticks }) => ticks.length === 1);
    expect(reading.ticks[0]).not.toHaveProperty('spot');
    expect(reading.ticks[0]).toMatchObject({ marks: [{ instrument: linear, mark: 90_020 }] });
  });

  it('come of the chain, which is read after connecting', async () => {
    const server = await serve();
    const option = { underlying_price: 91_000, mark_price: 0.03 };
    server.summaries.set('BTC', [
      summaryOf(CALL, { ...option, mark_iv: 50 }),
      summaryOf(PUT, { ...option, mark_iv: 60 }),
      summaryOf('BTC-27MAR26-90000-C', { ...option, mark_iv: 40 }),
      summaryOf('BTC-PERPETUAL', { mark_price: 90_030 }),
      summaryOf('BTC-FS-27MAR26_PERP', { mark_price: -12 }),
    ]);
    const reading = new Reading({ url: server.url, instruments: INSTRUMENTS, ...QUICK });
    await reading.until(({ ticks }) => ticks.length === 1);
    expect(reading.problems).toEqual([]);
    expect(reading.ticks).toEqual([
      {
        sequence: 1,
        underlying: 'BTC',
        asOf: AT,
        spot: 90_000,
        forwards: [{ expiry: EXPIRY, price: 91_000 }],
        // Only what is followed: not the strike of 90,000.
        surface: [
          {
            expiry: EXPIRY,
            quotes: [
              { strike: 80_000, iv: 0.6 },
              { strike: 100_000, iv: 0.5 },
            ],
          },
        ],
        marks: [{ instrument: 'BTC-PERPETUAL', mark: 90_030 }],
      },
    ]);
    // Nothing older than what came with the chain moves anything.
    server.notify('deribit_price_index.btc_usd', {
      index_name: 'btc_usd',
      price: 1,
      timestamp: START - 1,
    });
    server.notify('deribit_price_index.btc_usd', {
      index_name: 'btc_usd',
      price: 90_005,
      timestamp: START + 1,
    });
    await reading.until(({ ticks }) => ticks.length === 2);
    expect(reading.ticks[1]).toMatchObject({ sequence: 2, spot: 90_005 });
  });

  it('do not let a slow answer with the chain undo what came by itself', async () => {
    const server = await serve();
    server.reactions.set('public/get_book_summary_by_currency', () => ({
      result: [
        summaryOf('BTC-PERPETUAL', { mark_price: 80_000, estimated_delivery_price: 80_000 }),
        summaryOf(CALL, {
          underlying_price: 81_000,
          mark_iv: 50,
          estimated_delivery_price: 80_000,
        }),
      ],
      afterMs: 60,
    }));
    const reading = new Reading({ url: server.url, instruments: INSTRUMENTS, ...QUICK });
    await server.until(() => server.count('public/get_book_summary_by_currency') === 1);
    const later = { timestamp: START + 1 };
    server.notify('ticker.BTC-PERPETUAL.100ms', tickerOf('BTC-PERPETUAL', later));
    await reading.until(({ ticks }) => ticks.length === 2);
    expect(reading.ticks[0]).toMatchObject({ spot: 90_000 });
    expect(reading.ticks[1]).toEqual({
      sequence: 2,
      underlying: 'BTC',
      asOf: '2025-12-01T08:00:00.001Z',
      forwards: [{ expiry: EXPIRY, price: 81_000 }],
      surface: [{ expiry: EXPIRY, quotes: [{ strike: 100_000, iv: 0.5 }] }],
    });
  });

  it('nor the volatility and forward of an option that came by itself', async () => {
    const server = await serve();
    const old = { underlying_price: 81_000, mark_iv: 50, estimated_delivery_price: 80_000 };
    server.reactions.set('public/get_book_summary_by_currency', () => ({
      result: [summaryOf(CALL, old), summaryOf('BTC-PERPETUAL', { creation_timestamp: START + 2 })],
      afterMs: 60,
    }));
    const reading = new Reading({ url: server.url, instruments: INSTRUMENTS, ...QUICK });
    await server.until(() => server.count('public/get_book_summary_by_currency') === 1);
    server.notify(`ticker.${CALL}.100ms`, optionTicker(CALL, { timestamp: START + 1 }));
    await reading.until(({ ticks }) => ticks.length === 2);
    expect(reading.ticks[0]).toMatchObject({ forwards: [{ price: 91_000 }] });
    expect(reading.ticks[1]).toEqual({
      sequence: 2,
      underlying: 'BTC',
      asOf: '2025-12-01T08:00:00.002Z',
      spot: 90_000,
      marks: [{ instrument: 'BTC-PERPETUAL', mark: 90_020 }],
    });
  });
});
