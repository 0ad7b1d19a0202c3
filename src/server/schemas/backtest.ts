/** Examples of what a backtest is asked for. */
import type { SeriesRequest } from '../../risk/backtest/series.ts';

export const EXAMPLE_SERIES: SeriesRequest = {
  pnl: [1200, -3100, 450, -5200, 800],
  valueAtRisk: [4000, 4100, 4300, 4200, 4900],
  expectedShortfall: [4700, 4800, 5000, 4900, 5700],
  confidence: 0.99,
};

const DAY_MS = 86_400_000;

/** A made-up price, enough of it for a walk: 100 days of no meaning. */
const prices = Array.from({ length: 100 }, (_, i) => 100 + ((i * 7919) % 17));

export const EXAMPLE_WALK = {
  history: {
    dates: prices.map((_, i) =>
      new Date(Date.UTC(2025, 0, 1) + i * DAY_MS).toISOString().slice(0, 10),
    ),
    levels: { BTC: prices },
  },
  book: [{ underlying: 'BTC', exposure: 1000 }],
  methods: ['historical'],
  confidence: 0.95,
  window: 60,
  minimumRows: 50,
};
