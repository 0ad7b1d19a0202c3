/** Hypothetical moves that come with the engine, and the cells of a grid. */
import type { StressLibrary, StressScenario } from './schema.ts';

/**
 * Coins that are meant to be worth one unit of money: a fall of the market does not move them, a loss of their peg does. The list says
 * only which scenarios are made; nothing is assumed to be worth 1.
 */
const STABLE_COINS: ReadonlySet<string> = new Set([
  ...['BUSD', 'DAI', 'EURC', 'FDUSD', 'FRAX', 'GUSD', 'LUSD', 'PYUSD', 'RLUSD'],
  ...['TUSD', 'USD1', 'USDC', 'USDD', 'USDE', 'USDP', 'USDS', 'USDT'],
]);

/** Up to the worst days that the large coins have had (BTC −39%, ETH −43% on 2020-03-12): extreme, and plausible over a day. */
const SPOT_MOVES = [-0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.4];
/** Beyond this a move comes with twice the rise of volatility. */
const LARGE_MOVE = 0.3;
const VOL_MOVES = [-0.5, -0.25, 0.25, 0.5, 1];
const BASIS_MOVES = [-0.1, 0.1];
/** One underlying against the others. */
const DECORRELATION = { own: 0.3, others: 0.1, vol: 0.25 };
const DEPEGS = [-0.1, -0.02, 0.02];
/** Stable coins and the market at once: what pays for losses falls with what makes them. */
const DEPEG_CRASH = { coins: -0.1, spot: -0.3, vol: 0.5 };

export function percent(move: number): string {
  const rounded = Number((move * 100).toFixed(6));
  return `${rounded > 0 ? '+' : ''}${rounded}%`;
}

function named(moves: { readonly spot?: number; readonly vol?: number; readonly basis?: number }) {
  const parts = Object.entries(moves).map(([what, move]) => `${what} ${percent(move)}`);
  return { name: parts.join(' '), ...moves };
}

/** Market-wide moves, and those of stable coins; `basis` where the model has a basis at all. */
export function marketScenarios(ids: readonly string[], basis: boolean): StressScenario[] {
  const calm = Object.fromEntries(
    ids.filter((id) => STABLE_COINS.has(id)).map((id) => [id, { spot: 0, vol: 0, basis: 0 }]),
  );
  const coins = Object.keys(calm);
  const market: StressScenario[] = SPOT_MOVES.flatMap((spot) => {
    const rise = Math.abs(spot) < LARGE_MOVE ? 0.5 : 1;
    return [named({ spot }), named({ spot, vol: rise }), named({ spot, vol: -0.25 })];
  });
  market.push(...VOL_MOVES.map((vol) => named({ vol })));
  if (basis) market.push(...BASIS_MOVES.map((move) => named({ basis: move })));
  const without =
    coins.length === ids.length ? [] : market.map((s) => ({ ...s, underlyings: calm }));
  return [...without, ...coins.flatMap(depegs), ...depegCrash(coins)];
}

function depegs(coin: string): StressScenario[] {
  return DEPEGS.map((spot) => ({
    name: `${coin} ${percent(spot)}`,
    underlyings: { [coin]: { spot } },
  }));
}

function depegCrash(coins: readonly string[]): StressScenario[] {
  if (coins.length === 0) return [];
  const { coins: fall, spot, vol } = DEPEG_CRASH;
  const name = `spot ${percent(spot)} vol ${percent(vol)}, stable coins ${percent(fall)}`;
  const underlyings = Object.fromEntries(coins.map((id) => [id, { spot: fall, vol: 0 }]));
  return [{ name, spot, vol, underlyings }];
}

/** Two scenarios for one of several underlyings: it falls while the others rise, and the reverse. None for a stable coin. */
export function decorrelationScenarios(id: string, ids: readonly string[]): StressScenario[] {
  const others = ids.filter((other) => other !== id && !STABLE_COINS.has(other));
  if (STABLE_COINS.has(id) || others.length === 0) return [];
  const { own, others: against, vol } = DECORRELATION;
  return [-1, 1].map((sign) => ({
    name: `${id} ${percent(sign * own)}, others ${percent(-sign * against)}, vol ${percent(vol)}`,
    underlyings: Object.fromEntries([
      [id, { spot: sign * own, vol }],
      ...others.map((other) => [other, { spot: -sign * against, vol }]),
    ]),
  }));
}

/** Every pair of a spot and a vol level, spot first. */
export function gridScenarios(grid: NonNullable<StressLibrary['grid']>): StressScenario[] {
  return grid.spot.flatMap((spot) =>
    grid.vol.map((vol) => ({ ...named({ spot, vol }), name: `grid ${named({ spot, vol }).name}` })),
  );
}
