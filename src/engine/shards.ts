/** The kinds of work that a worker does on a session, one function each. */
import type { Kernels } from '../../workers/kernels.ts';
import type { AccountInput, AccountOutput, AccountsAnswer } from '../../workers/protocol.ts';
import { PlimsollError } from '../errors.ts';
import { type Book, unitBook } from '../margin/books.ts';
import type { TailMeasures, TailRanks } from '../risk/tail.ts';
import { drawBlock } from '../scenarios/draw.ts';
import { DRAW_BLOCK, drawBlockBytes } from '../scenarios/scenarioSet.ts';
import { type BlockTarget, revalue } from '../valuation/revaluation.ts';
import { BookMemory, type Views } from './bookMemory.ts';
import { readDocuments } from './documents.ts';
import { type AccountEvaluator, type AccountOutcome, rankFinder, SingleBook } from './evaluator.ts';
import { type Session, usableScenarios } from './sessionData.ts';

/** A session as a worker holds it. */
export interface Bench {
  readonly session: Session;
  readonly kernels: Kernels;
  readonly views: Views;
}

const scratchOf = ({ session }: Bench, slot: number): number =>
  session.layout.scratch + slot * session.layout.scratchBytes;

/** Draws one block of shocks into its place; returns how many were clamped. */
export function drawShard(bench: Bench, slot: number, block: number): number {
  const { layout, set } = bench.session;
  const out = layout.shocks + block * layout.shockBytes;
  const memory = { cholesky: layout.cholesky, scratch: scratchOf(bench, slot), out };
  return drawBlock(bench.kernels, set, block, memory);
}

/** Revalues some underlyings' instruments over one drawing block, into their rows. */
export function revalueShard(
  bench: Bench,
  slot: number,
  block: number,
  underlyings: readonly number[],
): void {
  const { layout } = bench.session;
  const target = { out: layout.rows + block * DRAW_BLOCK * 8, rowBytes: layout.rowBytes };
  const shocks = layout.shocks + block * layout.shockBytes;
  revalueBlock(bench, { block, underlyings, shocks, scratch: scratchOf(bench, slot), target });
}

function revalueBlock(
  { session, kernels, views }: Bench,
  work: {
    readonly block: number;
    readonly underlyings: readonly number[];
    readonly shocks: number;
    readonly scratch: number;
    readonly target: BlockTarget;
  },
): void {
  const { plan } = session.valuation;
  const { shocks, scratch, target } = work;
  for (const u of work.underlyings) {
    const rows = plan.underlyings[u];
    if (!rows) continue;
    revalue(kernels, rows, DRAW_BLOCK, { shocks, scratch, f64: views.f64 }, target);
    for (const { row, factor } of rows.masks) {
      writeMask(views.f64, session.gaps[factor]!, work.block, row, target);
    }
  }
}

/** P&L of +∞ in a scenario that does not count for the underlying: it is never among the worst. */
function writeMask(
  f64: Float64Array,
  mask: Uint8Array,
  block: number,
  row: number,
  target: BlockTarget,
): void {
  const at = (target.out + row * target.rowBytes) / 8;
  for (let s = 0; s < DRAW_BLOCK; s++) {
    f64[at + s] = mask[block * DRAW_BLOCK + s] === 1 ? Number.POSITIVE_INFINITY : 0;
  }
}

/** Cube rows [start, end): packed into blocks, bounded, and the ES of one unit of each, long and short. */
export function unitShard(bench: Bench, slot: number, start: number, end: number): void {
  const { session, kernels, views } = bench;
  const { layout, set } = session;
  const owners = rowOwners(session);
  const ranksOf = rankFinder(session);
  const single = new SingleBook(bench, slot);
  for (let row = start; row < end; row++) {
    const from = layout.rows + row * layout.rowBytes;
    const { blocks, blockSize, blockBytes } = layout;
    kernels.packRow(from, blocks, blockSize, layout.cube + row * blockSize * 8, blockBytes);
    const owner = owners[row]!;
    views.f64[layout.bounds / 8 + row] = owner === null ? 0 : kernels.rowBound(from, set.scenarios);
    // Where no historical row has all factors of an instrument, an account that holds it is refused for that.
    if (owner === null || usableScenarios(session, owner.masks) === 0) continue;
    for (const side of [1, -1]) {
      const book = unitBook(row, side, owner.underlying, owner.masks);
      const { expectedShortfall } = single.measures(book, ranksOf(book.masks));
      views.f64[layout.units / 8 + 2 * row + (side === 1 ? 0 : 1)] = expectedShortfall;
    }
  }
}

export interface RowOwner {
  readonly underlying: number;
  readonly masks: readonly number[];
}

/** The underlying of each row, and the mask rows that go with it; null for the masks themselves. */
export function rowOwners({ valuation }: Session): readonly (RowOwner | null)[] {
  const { plan, market } = valuation;
  const owners = new Array<RowOwner | null>(plan.rows).fill(null);
  plan.underlyings.forEach((rows, underlying) => {
    if (rows !== null) owners[rows.spotRow] = { underlying, masks: rows.spotMasks };
  });
  plan.rowOf.forEach((row, i) => {
    const { underlying } = market.instruments[i]!;
    if (row !== -1) owners[row] = { underlying, masks: plan.masksOf[i]! };
  });
  return owners;
}

/**
 * Streams drawing blocks [start, end) through one scratch slot: shocks, revaluation, and the P&L of each book into its row of results.
 * Returns how many shocks were clamped.
 */
export function rowShard(
  bench: Bench,
  slot: number,
  work: { readonly books: readonly Book[]; readonly start: number; readonly end: number },
  cancelled: () => boolean,
): number {
  const { session, kernels, views } = bench;
  const { layout, set, valuation } = session;
  const { rowBytes, scratchBytes } = layout;
  const factors = set.factorIds.length;
  const window = scratchOf(bench, slot);
  const shocks = window + valuation.plan.rows * rowBytes;
  const rest = shocks + drawBlockBytes(factors);
  const region = { start: rest, bytes: window + scratchBytes - rest };
  const touched = [...new Set(work.books.flatMap((book) => book.underlyings))];
  let clamped = 0;
  for (let block = work.start; block < work.end; block++) {
    if (cancelled()) throw new PlimsollError('CANCELLED', 'the caller has gone');
    const memory = { cholesky: layout.cholesky, scratch: rest, out: shocks };
    const replayed = layout.shocks !== 0;
    if (!replayed) clamped += drawBlock(kernels, set, block, memory);
    const source = replayed ? layout.shocks + block * layout.shockBytes : shocks;
    const target = { out: window, rowBytes };
    revalueBlock(bench, { block, underlyings: touched, shocks: source, scratch: rest, target });
    work.books.forEach((book, i) => {
      const books = new BookMemory(views, region, rowBytes);
      const record = books.record(books.add(book, 1));
      const out = layout.results + i * layout.resultBytes + block * DRAW_BLOCK * 8;
      kernels.sumRows(window, DRAW_BLOCK, record, out, books.spare);
    });
  }
  return clamped;
}

/** Tails of rows of results, from the row `first` on. */
export function tailShard(
  { session, kernels, views }: Bench,
  slot: number,
  first: number,
  ranks: readonly TailRanks[],
): readonly TailMeasures[] {
  const { results, resultBytes, scratch, scratchBytes } = session.layout;
  const region = { start: scratch + slot * scratchBytes, bytes: scratchBytes };
  return ranks.map((rank, i) => {
    const books = new BookMemory(views, region, 0);
    const book = books.add({ segments: [] }, rank.keep);
    kernels.tailOf(books.record(book), results + (first + i) * resultBytes, session.set.scenarios);
    return books.measures(book, rank);
  });
}

/**
 * Margins accounts and writes them in the form asked for: as values, or as NDJSON lines, and with these as a record batch where there is
 * an encoder of one.
 */
export function accountShard(
  evaluator: AccountEvaluator,
  input: AccountInput,
  output: AccountOutput,
  cancelled: () => boolean,
  toArrow?: (outcomes: readonly AccountOutcome[]) => Uint8Array,
): AccountsAnswer {
  const outcomes = evaluator.evaluate(readDocuments(input), cancelled);
  const rejectedCount = outcomes.filter((outcome) => 'error' in outcome).length;
  const answer = { accounts: outcomes.length, rejected: rejectedCount };
  if (output === 'values') return { ...answer, lines: null, values: outcomes, arrow: null };
  const text = outcomes.map((outcome) => `${JSON.stringify(outcome)}\n`).join('');
  const lines = new TextEncoder().encode(text);
  return { ...answer, lines, values: null, arrow: toArrow?.(outcomes) ?? null };
}
