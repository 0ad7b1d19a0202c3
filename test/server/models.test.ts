/** Fits on demand: the same figures over HTTP as from the library. */
import { describe, expect, it } from 'vitest';
import { calibrate } from '../../src/market/calibration.ts';
import { readHistory } from '../../src/market/history.ts';
import { surfaceReport } from '../../src/market/surfaceReport.ts';
import { service } from './support.ts';

const running = service();

const dates = Array.from({ length: 300 }, (_, i) =>
  new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10),
);
// Two walks of whole steps, neither periodic within the window.
const walk = (step: number) => dates.map((_, i) => 100 + ((i * i * step) % 17) - ((i * step) % 7));

describe('POST /v1/calibrate', () => {
  it("is the library's calibration", async () => {
    const levels = { BTC: walk(3), ETH: walk(5) };
    const answer = await running.app.inject({
      method: 'POST',
      url: '/v1/calibrate',
      payload: { history: { dates, levels }, volatility: 'garch', correlation: 'ledoit-wolf' },
    });
    expect(answer.statusCode, answer.body).toBe(200);
    const csv = `date,BTC,ETH\n${dates.map((date, i) => `${date},${levels.BTC[i]},${levels.ETH[i]}`).join('\n')}\n`;
    const history = await readHistory(Buffer.from(csv), 'history.csv');
    const own = calibrate(history, { volatility: 'garch', correlation: 'ledoit-wolf' });
    expect(answer.json().model).toEqual(JSON.parse(JSON.stringify(own.model)));
  });

  it.each([
    [{ history: { dates, levels: { BTC: [1, 2] } } }, 'INVALID_FIELD', 'history.levels.BTC'],
    [
      { history: { dates, levels: { BTC: walk(3) } }, volatility: 'arch' },
      'INVALID_FIELD',
      'volatility',
    ],
    [{}, 'MISSING_FIELD', 'history'],
  ])('refuses %#', async (payload, code, path) => {
    const answer = await running.app.inject({ method: 'POST', url: '/v1/calibrate', payload });
    expect(answer.json()).toMatchObject({ status: 422, code, path });
  });
});

it('GET /v1/surface is the report of the market that is served', async () => {
  const answer = await running.app.inject({ method: 'GET', url: '/v1/surface' });
  const market = await running.engine.market();
  expect(answer.json()).toEqual(JSON.parse(JSON.stringify(surfaceReport(market))));
});
