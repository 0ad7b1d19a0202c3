/** The kinds of work that a worker does on a session, one function each. */
import type { Kernels } from '../../workers/kernels.ts';
import type { AccountInput, AccountOutput, AccountsAnswer } from '../../workers/protocol.ts';
import { PlimsollError } from '../errors.ts';
import { type Book, unitBook } from '../margin/books.ts';
import type { TailMeasures, TailRanks } from '../risk/tail.ts';
import { drawBlock } from '../scenarios/draw.ts';
import { DRAW_BLOCK, DRAW_STRIDE, drawBlockBytes, drawBlocks } from '../scenarios/scenarioSet.ts';
import type { UnderlyingRows } from '../valuation/plan.ts';
import { type BlockTarget, revalue } from '../valuation/revaluation.ts';
import { partOf } from '../valuation/rowParts.ts';
import { arrangementsOf, enoughRows, orderAddress, orderOf } from './arrangements.ts';
import { BookMemory, type Views } from './bookMemory.ts';
import { readDocuments } from './documents.ts';
import type { AccountEvaluator, AccountOutcome } from './evaluator.ts';
import { permute, presentRows, rankSpots, spread } from './orders.ts';
import { type CubeName, cubeOf, cubesOf, type Session, usableScenarios } from './sessionData.ts';
import { SingleBook } from './singleBook.ts';

/** A session as a worker holds it. */
export interface Bench {
  readonly session: Session;
  readonly kernels: Kernels;
  readonly views: Views;
}

const scratchOf = ({ session }: Bench, slot: number): number =>
  session.layout.scratch + slot * session.layout.scratchBytes;

/** Draws one block of shocks into its place; returns how many were clamped. */
export function drawShard(bench: Bench, slot: number, name: CubeName, block: number): number {
  const { layout, set } = cubeOf(bench.session, name);
  const out = layout.shocks + block * layout.shockBytes;
  const { cholesky } = bench.session.layout;
  return drawBlock(bench.kernels, set, block, { cholesky, scratch: scratchOf(bench, slot), out });
}

/** Revalues some underlyings' instruments over one drawing block, into their rows. */
export function revalueShard(
  bench: Bench,
  slot: number,
  name: CubeName,
  work: { readonly block: number; readonly underlyings: readonly number[] },
): void {
  const { layout, gaps } = cubeOf(bench.session, name);
  const { block, underlyings } = work;
  const target = { out: layout.rows + block * DRAW_BLOCK * 8, rowBytes: layout.rowBytes };
  const shocks = layout.shocks + block * layout.shockBytes;
  const scratch = scratchOf(bench, slot);
  revalueBlock(bench, { block, underlyings, shocks, scratch, target, gaps });
}

interface BlockWork {
  readonly block: number;
  readonly shocks: number;
  readonly scratch: number;
  readonly target: BlockTarget;
  readonly gaps: readonly (Uint8Array | null)[];
}

function revalueBlock(
  bench: Bench,
  work: BlockWork & { readonly underlyings: readonly number[] },
): void {
  const { plan } = bench.session.valuation;
  for (const u of work.underlyings) {
    const rows = plan.underlyings[u];
    if (rows) revaluePlan(bench, rows, work, true);
  }
}

/** @param masked with the rows that say which scenarios count */
function revaluePlan(
  { kernels, views }: Bench,
  rows: UnderlyingRows,
  { block, shocks, scratch, target, gaps }: BlockWork,
  masked: boolean,
): void {
  revalue(kernels, rows, DRAW_BLOCK, { shocks, scratch, f64: views.f64 }, target);
  if (!masked) return;
  for (const { row, factor } of rows.masks) {
    writeMask(views.f64, gaps[factor] ?? null, block, row, target);
  }
}

/** P&L of +∞ in a scenario that does not count for the underlying: it is never among the worst. */
function writeMask(
  f64: Float64Array,
  mask: Uint8Array | null,
  block: number,
  row: number,
  target: BlockTarget,
): void {
  const at = (target.out + row * target.rowBytes) / 8;
  if (mask === null) {
    f64.fill(0, at, at + DRAW_BLOCK);
    return;
  }
  for (let s = 0; s < DRAW_BLOCK; s++) {
    f64[at + s] = mask[block * DRAW_BLOCK + s] === 1 ? Number.POSITIVE_INFINITY : 0;
  }
}

/** One part of the rows of some underlyings, over all scenarios of all sets: revalued, measured and, of a whole session, packed. */
export function fillShard(
  bench: Bench,
  slot: number,
  work: {
    readonly underlyings: readonly number[];
    readonly part: number;
    readonly parts: number;
    readonly whole: boolean;
  },
): void {
  const { valuation } = bench.session;
  const all = work.underlyings.flatMap((u) => valuation.plan.underlyings[u] ?? []);
  const own = partOf(all, work.part, work.parts);
  for (const name of cubesOf(bench.session)) {
    for (const { plan, rows } of own) {
      fillPart(bench, slot, name, plan, work.whole);
      unitShard(bench, slot, name, rows);
      if (!work.whole) continue;
      packShard(bench, name, rows);
      if (plan.masks.length === 0 || !rows.includes(plan.spotRow)) continue;
      const masks = plan.masks.map(({ row }) => row);
      unitShard(bench, slot, name, masks);
      packShard(bench, name, masks);
    }
  }
}

/**
 * Mask rows, like the spot's, are written by every part of the underlying, the same bytes: units are measured with them. Where a scenario counts
 * for nobody is decided by the scenarios, so that a tick leaves them as they are.
 */
function fillPart(
  bench: Bench,
  slot: number,
  name: CubeName,
  plan: UnderlyingRows,
  masked: boolean,
): void {
  const { layout, set, gaps } = cubeOf(bench.session, name);
  const scratch = scratchOf(bench, slot);
  for (let block = 0; block < drawBlocks(set.scenarios); block++) {
    const shocks = layout.shocks + block * layout.shockBytes;
    const target = { out: layout.rows + block * DRAW_BLOCK * 8, rowBytes: layout.rowBytes };
    revaluePlan(bench, plan, { block, shocks, scratch, target, gaps }, masked);
  }
}

/** The two orders of one underlying's scenarios: a permutation of its own, and its spots from the lowest to the highest. */
export function orderShard(bench: Bench, slot: number, underlying: number): void {
  const { session, kernels, views } = bench;
  const { plan, market } = session.valuation;
  const rows = plan.underlyings[underlying];
  if (!rows) return;
  const { id } = market.underlyings[underlying]!;
  const room = { state: scratchOf(bench, slot), views };
  const gap = session.gaps[rows.spotFactor] ?? null;
  const moves = shocksOf(session, views, rows.spotFactor);
  const zero = orderOf(session, views, underlying, 'zero');
  permute(kernels, session.set.key, id, zero, room);
  if (gap !== null) {
    const even = Uint32Array.from(zero);
    spread(presentRows(even.length, gap), even);
    for (let s = 0; s < zero.length; s++) zero[s] = even[zero[s]!]!;
  }
  const inStep = rankSpots(moves, gap);
  // All underlyings shuffled alike: the same joint outcomes, but the worst of them no longer stand first, where the tail's filter would
  // take them for typical.
  const shuffle = new Uint32Array(session.set.scenarios);
  permute(kernels, session.set.key, '', shuffle, room);
  const order = orderOf(session, views, underlying, 'perfect');
  for (let s = 0; s < order.length; s++) order[s] = inStep[shuffle[s]!]!;
}

/** The shocks of one factor over all scenarios. */
export function shocksOf({ layout, set }: Session, { f64 }: Views, factor: number): Float64Array {
  const moves = new Float64Array(set.scenarios);
  for (let first = 0; first < set.scenarios; first += DRAW_BLOCK) {
    const block = layout.shocks + (first / DRAW_BLOCK) * layout.shockBytes;
    const at = (block + factor * DRAW_STRIDE * 8) / 8;
    const count = Math.min(DRAW_BLOCK, set.scenarios - first);
    moves.set(f64.subarray(at, at + count), first);
  }
  return moves;
}

/** Cube rows, packed into blocks; the base set's also in the two orders. */
export function packShard(bench: Bench, name: CubeName, rows: readonly number[]): void {
  const { session, kernels, views } = bench;
  const { layout, set } = cubeOf(session, name);
  const { blockSize, blockBytes, zero } = session.layout;
  if (layout.cube === 0) return;
  const owners = rowOwners(session);
  for (const row of rows) {
    const from = layout.rows + row * layout.rowBytes;
    const out = layout.cube + row * blockSize * 8;
    kernels.packRow(from, layout.blocks, blockSize, out, blockBytes);
    views.f64[layout.scales / 8 + row] = kernels.rowScale(from, set.scenarios);
    if (name === 'base' && zero !== 0) packReordered(bench, row, owners[row]!.underlying);
  }
}

/** Cube rows: bounded (those of the base set), and the ES of one unit of each, long and short. */
export function unitShard(
  bench: Bench,
  slot: number,
  name: CubeName,
  rows: readonly number[],
): void {
  const { session, kernels, views } = bench;
  const { layout, set, gaps } = cubeOf(session, name);
  const { bounds } = session.layout;
  const owners = rowOwners(session);
  const { confidence } = session.valuation.methodology;
  const arrangement = arrangementsOf(session, views).find((one) => one.name === name)!;
  const single = new SingleBook(bench, slot, { layout, set });
  for (const row of rows) {
    const owner = owners[row]!;
    if (name === 'base') {
      const from = layout.rows + row * layout.rowBytes;
      const bound = owner.mask ? 0 : kernels.rowBound(from, set.scenarios);
      views.f64[bounds / 8 + row] = bound;
    }
    // Where too few historical rows have all factors of an instrument, an account that holds it is refused for that.
    const usable = usableScenarios(session, owner.masks, { gaps, set });
    if (owner.mask || !enoughRows(set, usable, confidence)) continue;
    for (const side of [1, -1]) {
      const book = unitBook(row, side, owner.underlying, owner.masks);
      const { expectedShortfall } = single.measures(book, arrangement.ranksOf(book.masks));
      views.f64[layout.units / 8 + 2 * row + (side === 1 ? 0 : 1)] = expectedShortfall;
    }
  }
}

function packReordered({ session, kernels }: Bench, row: number, underlying: number): void {
  const { layout, set } = session;
  const { blockSize, blockBytes, rows, rowBytes } = layout;
  for (const name of ['zero', 'perfect'] as const) {
    const order = orderAddress(layout, underlying, name);
    const out = layout[name] + row * blockSize * 8;
    kernels.packReordered(rows + row * rowBytes, order, set.scenarios, blockSize, out, blockBytes);
  }
}

export interface RowOwner {
  readonly underlying: number;
  /** Mask rows that go with the row. */
  readonly masks: readonly number[];
  /** Whether it is a mask row itself. */
  readonly mask: boolean;
}

const knownOwners = new WeakMap<Session, readonly RowOwner[]>();

/** The underlying of each row, and the mask rows that go with it. Found once for each session. */
export function rowOwners(session: Session): readonly RowOwner[] {
  const owners = knownOwners.get(session) ?? ownersOf(session);
  knownOwners.set(session, owners);
  return owners;
}

function ownersOf({ valuation }: Session): readonly RowOwner[] {
  const { plan, market } = valuation;
  const owners = new Array<RowOwner>(plan.rows);
  plan.underlyings.forEach((rows, underlying) => {
    if (rows === null) return;
    owners[rows.spotRow] = { underlying, masks: rows.spotMasks, mask: false };
    for (const { row } of rows.masks) owners[row] = { underlying, masks: [], mask: true };
  });
  plan.rowOf.forEach((row, i) => {
    const { underlying } = market.instruments[i]!;
    if (row !== -1) owners[row] = { underlying, masks: plan.masksOf[i]!, mask: false };
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
    const { gaps } = session;
    revalueBlock(bench, {
      block,
      underlyings: touched,
      shocks: source,
      scratch: rest,
      target,
      gaps,
    });
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
