/** What is held, as it is summed and charged: positions in the canonical order, and the coins of each underlying. */
import type { Market } from '../market/market.ts';

/** Positions of one underlying, and its coins. */
export interface UnderlyingPart {
  readonly underlying: number;
  /** First position of this part and the one behind its last, in the holding's columns. */
  readonly start: number;
  readonly end: number;
  /** Coins that move with the spot, beside the positions: collateral · (1 − haircut), and unrealised coins of inverse contracts. */
  readonly coins: number;
  /** The unrealised coins alone. */
  readonly unrealised: number;
}

export interface Holding {
  /** Instrument index and signed size, by instrument id within underlying id: the canonical order of the sum. */
  readonly instruments: Int32Array;
  readonly sizes: Float64Array;
  /** Of each inverse position; 0 for others. */
  readonly unrealisedCoins: Float64Array;
  /** By underlying id. */
  readonly parts: readonly UnderlyingPart[];
}

/** Cuts positions in the canonical order into parts, and adds parts for coins that stand alone. */
export function splitParts(
  instruments: Int32Array,
  unrealisedCoins: Float64Array,
  collateralCoins: ReadonlyMap<number, number>,
  market: Market,
): readonly UnderlyingPart[] {
  const parts: UnderlyingPart[] = [];
  let start = 0;
  while (start < instruments.length) {
    const { underlying } = market.instruments[instruments[start]!]!;
    let end = start;
    let unrealised = 0;
    let coins = collateralCoins.get(underlying) ?? 0;
    while (
      end < instruments.length &&
      market.instruments[instruments[end]!]!.underlying === underlying
    ) {
      coins += unrealisedCoins[end]!;
      unrealised += unrealisedCoins[end]!;
      end++;
    }
    parts.push({ underlying, start, end, coins, unrealised });
    start = end;
  }
  const held = parts.length;
  for (const [underlying, coins] of collateralCoins) {
    if (parts.some((part) => part.underlying === underlying)) continue;
    parts.push({ underlying, start: 0, end: 0, coins, unrealised: 0 });
  }
  return parts.length === held ? parts : parts.sort((a, b) => a.underlying - b.underlying);
}

/** The holding's part in one underlying, by itself. */
export function partHolding(holding: Holding, part: UnderlyingPart): Holding {
  const { start, end } = part;
  return {
    instruments: holding.instruments.subarray(start, end),
    sizes: holding.sizes.subarray(start, end),
    unrealisedCoins: holding.unrealisedCoins.subarray(start, end),
    parts: [{ ...part, start: 0, end: end - start }],
  };
}

/** One position by itself, with its unrealised coins. */
export function positionHolding(holding: Holding, i: number, market: Market): Holding {
  const coins = holding.unrealisedCoins[i]!;
  const { underlying } = market.instruments[holding.instruments[i]!]!;
  return {
    instruments: holding.instruments.subarray(i, i + 1),
    sizes: holding.sizes.subarray(i, i + 1),
    unrealisedCoins: holding.unrealisedCoins.subarray(i, i + 1),
    parts: [{ underlying, start: 0, end: 1, coins, unrealised: coins }],
  };
}

export interface Fill {
  readonly instrument: number;
  /** Signed. */
  readonly size: number;
}

/** The holding after some fills at today's marks: they add to positions, open new ones, or close them. */
export function filled(holding: Holding, fills: readonly Fill[], market: Market): Holding {
  const sizes = holding.sizes.slice();
  const opened = new Map<number, number>();
  for (const { instrument, size } of fills) {
    const i = holding.instruments.indexOf(instrument);
    if (i === -1) opened.set(instrument, (opened.get(instrument) ?? 0) + size);
    else sizes[i]! += size;
  }
  const coins = holding.unrealisedCoins;
  const closed = sizes.some((size, i) => size === 0 && coins[i] === 0);
  // Nothing came or went: the same positions in other sizes.
  if (opened.size === 0 && !closed) return { ...holding, sizes };
  return resized({ ...holding, sizes }, opened, market);
}

/** With the positions that were opened, and without those of which nothing is left. */
function resized(holding: Holding, opened: ReadonlyMap<number, number>, market: Market): Holding {
  const held = Array.from(holding.instruments, (instrument, i) => ({
    instrument,
    size: holding.sizes[i]!,
    coins: holding.unrealisedCoins[i]!,
  }));
  const fresh = [...opened].map(([instrument, size]) => ({ instrument, size, coins: 0 }));
  const underlyingOf = (instrument: number): number => market.instruments[instrument]!.underlying;
  const kept = [...held, ...fresh]
    .filter(({ size, coins }) => size !== 0 || coins !== 0)
    .sort(({ instrument: a }, { instrument: b }) => underlyingOf(a) - underlyingOf(b) || a - b);
  const instruments = Int32Array.from(kept, ({ instrument }) => instrument);
  const unrealisedCoins = Float64Array.from(kept, ({ coins }) => coins);
  const collateral = new Map(
    holding.parts
      .map(({ underlying, coins, unrealised }) => [underlying, coins - unrealised] as const)
      .filter(([, coins]) => coins !== 0),
  );
  return {
    instruments,
    sizes: Float64Array.from(kept, ({ size }) => size),
    unrealisedCoins,
    parts: splitParts(instruments, unrealisedCoins, collateral, market),
  };
}
