/**
 * Which sums of positions a tail is taken of. A portfolio has one book; cross margin one per underlying; isolated margin one per
 * position, most of which need no sum of their own: a position's ES is |size| times that of one contract.
 */
import { columns } from '../columns.ts';
import type { Holding, UnderlyingPart } from './holding.ts';
import type { Valuation } from './valuation.ts';

/** Rows of one underlying with their sizes, in the order in which they are summed. */
export interface BookSegment {
  readonly rows: readonly number[];
  readonly sizes: readonly number[];
}

export interface Book {
  readonly segments: readonly BookSegment[];
  /** Underlyings that it touches. */
  readonly underlyings: readonly number[];
  /** Mask rows among its rows: they decide which historical rows count. */
  readonly masks: readonly number[];
}

/**
 * Each position by itself: its ES is |sizes[i]| times that of one unit of the cube row rows[i], long where the size is positive. Where
 * unrealised coins do not reduce to one row, `books` has the sum instead.
 */
export interface IsolatedExposures {
  readonly rows: Int32Array;
  readonly sizes: Float64Array;
  /** By position. */
  readonly books: ReadonlyMap<number, Book>;
}

/** A segment with the mask rows that its rows need, at its end. */
function masked(rows: number[], sizes: number[], masks: readonly number[]): BookSegment {
  for (const mask of masks) {
    rows.push(mask);
    sizes.push(1);
  }
  return { rows, sizes };
}

interface Part {
  readonly segment: BookSegment;
  readonly masks: readonly number[];
}

const NO_MASKS: readonly number[] = [];

function partOf(holding: Holding, part: UnderlyingPart, { plan }: Valuation): Part | null {
  const { spotRow, spotMasks, masks } = plan.underlyings[part.underlying]!;
  const rows: number[] = [];
  const sizes: number[] = [];
  if (part.coins !== 0) {
    rows.push(spotRow);
    sizes.push(part.coins);
  }
  for (let i = part.start; i < part.end; i++) {
    rows.push(plan.rowOf[holding.instruments[i]!]!);
    sizes.push(holding.sizes[i]!);
  }
  if (rows.length === 0) return null;
  if (masks.length === 0) return { segment: { rows, sizes }, masks: NO_MASKS };
  const needed = new Set(part.coins === 0 ? NO_MASKS : spotMasks);
  for (let i = part.start; i < part.end; i++) {
    for (const mask of plan.masksOf[holding.instruments[i]!]!) needed.add(mask);
  }
  const own = masks.map(({ row }) => row).filter((row) => needed.has(row));
  return { segment: masked(rows, sizes, own), masks: own };
}

/** The whole account: its coins first, then its positions by id, underlying after underlying. */
export function holdingBook(holding: Holding, valuation: Valuation): Book {
  const segments: BookSegment[] = [];
  const underlyings: number[] = [];
  const masks: number[] = [];
  for (const part of holding.parts) {
    const found = partOf(holding, part, valuation);
    if (found === null) continue;
    segments.push(found.segment);
    underlyings.push(part.underlying);
    masks.push(...found.masks);
  }
  return { segments, underlyings, masks };
}

const NO_BOOKS: ReadonlyMap<number, Book> = new Map();

export function isolatedExposures(holding: Holding, valuation: Valuation): IsolatedExposures {
  const { instruments, unrealisedCoins } = holding;
  const { market, plan } = valuation;
  const n = instruments.length;
  const [sizes, places] = columns(2, n) as [Float64Array, Float64Array];
  const rows = new Int32Array(places.buffer, places.byteOffset, n);
  let books: Map<number, Book> | null = null;
  for (let i = 0; i < n; i++) {
    const instrument = instruments[i]!;
    rows[i] = plan.rowOf[instrument]!;
    sizes[i] = holding.sizes[i]!;
    const coins = unrealisedCoins[i]!;
    if (coins === 0) continue;
    const delta = plan.linearDeltas[instrument]!;
    if (Number.isNaN(delta)) {
      books ??= new Map();
      books.set(i, positionBook(holding, i, valuation));
    } else {
      rows[i] = plan.underlyings[market.instruments[instrument]!.underlying]!.spotRow;
      sizes[i] = holding.sizes[i]! * delta + coins;
    }
  }
  return { rows, sizes, books: books ?? NO_BOOKS };
}

/** One position and its unrealised coins. */
function positionBook(holding: Holding, i: number, { market, plan }: Valuation): Book {
  const instrument = holding.instruments[i]!;
  const { underlying } = market.instruments[instrument]!;
  const { spotRow } = plan.underlyings[underlying]!;
  // Whatever moves the position, its spot factor does too: its masks cover those of the coins.
  const masks = plan.masksOf[instrument]!;
  const rows = [spotRow, plan.rowOf[instrument]!];
  const sizes = [holding.unrealisedCoins[i]!, holding.sizes[i]!];
  return { segments: [masked(rows, sizes, masks)], underlyings: [underlying], masks };
}

/** One contract, long (side 1) or short (−1). */
export function unitBook(
  row: number,
  side: number,
  underlying: number,
  masks: readonly number[],
): Book {
  return { segments: [masked([row], [side], masks)], underlyings: [underlying], masks };
}
