/**
 * Which sums of positions a tail is taken of. A portfolio has one book; cross margin one per underlying; isolated margin one per
 * position, most of which need no sum of their own: a position's ES is |size| times that of one contract.
 */
import type { Portfolio, UnderlyingPart, Valuation } from './portfolio.ts';

/** Rows of one underlying with their sizes, in the order in which they are summed. */
export interface BookSegment {
  readonly rows: readonly number[];
  readonly sizes: readonly number[];
}

export interface Book {
  readonly segments: readonly BookSegment[];
  /** Underlyings that it touches: they decide which historical rows count. */
  readonly underlyings: readonly number[];
}

/** ES of a position as a multiple of that of one unit of a cube row: `size` > 0 long, < 0 short. */
export interface UnitExposure {
  readonly row: number;
  readonly size: number;
}

function segmentOf(
  portfolio: Portfolio,
  part: UnderlyingPart,
  { plan }: Valuation,
): BookSegment | null {
  const { spotRow, maskRow } = plan.underlyings[part.underlying]!;
  const rows: number[] = [];
  const sizes: number[] = [];
  if (part.coins !== 0) {
    rows.push(spotRow);
    sizes.push(part.coins);
  }
  for (let i = part.start; i < part.end; i++) {
    rows.push(plan.rowOf[portfolio.instruments[i]!]!);
    sizes.push(portfolio.sizes[i]!);
  }
  if (rows.length === 0) return null;
  if (maskRow !== -1) {
    rows.push(maskRow);
    sizes.push(1);
  }
  return { rows, sizes };
}

/** The whole account: its coins first, then its positions by id, underlying after underlying. */
export function portfolioBook(portfolio: Portfolio, valuation: Valuation): Book {
  const segments: BookSegment[] = [];
  const underlyings: number[] = [];
  for (const part of portfolio.parts) {
    const segment = segmentOf(portfolio, part, valuation);
    if (segment === null) continue;
    segments.push(segment);
    underlyings.push(part.underlying);
  }
  return { segments, underlyings };
}

/** One book per underlying. */
export function crossBooks(portfolio: Portfolio, valuation: Valuation): readonly Book[] {
  return portfolio.parts.flatMap((part) => {
    const segment = segmentOf(portfolio, part, valuation);
    return segment === null ? [] : [{ segments: [segment], underlyings: [part.underlying] }];
  });
}

/** Each position by itself: an exposure to a row, or a book where unrealised coins do not reduce to one. */
export function isolatedBooks(
  portfolio: Portfolio,
  { market, plan }: Valuation,
): readonly (UnitExposure | Book)[] {
  return Array.from(portfolio.instruments, (instrument, i) => {
    const { underlying } = market.instruments[instrument]!;
    const { spotRow, maskRow } = plan.underlyings[underlying]!;
    const row = plan.rowOf[instrument]!;
    const size = portfolio.sizes[i]!;
    const coins = portfolio.unrealisedCoins[i]!;
    if (coins === 0) return { row, size };
    const delta = plan.linearDeltas[instrument]!;
    if (!Number.isNaN(delta)) return { row: spotRow, size: size * delta + coins };
    const mask = maskRow === -1 ? { rows: [], sizes: [] } : { rows: [maskRow], sizes: [1] };
    const rows = [spotRow, row, ...mask.rows];
    const sizes = [coins, size, ...mask.sizes];
    return { segments: [{ rows, sizes }], underlyings: [underlying] };
  });
}
