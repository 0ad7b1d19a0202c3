/**
 * The book: what all accounts hold now, as the log says. One owner folds events into it; nobody else changes it, and what is handed to others
 * (`toAccount`) is a copy.
 */
import type { Static } from 'typebox';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { AccountInput, MarginMode } from '../margin/account.ts';
import type { ContractTerms, PositionState } from '../margin/positionArithmetic.ts';
import type { AccountState } from '../margin/requirement.ts';
import type { BookedOrderSchema } from './eventShapes.ts';
import type { EventBody } from './events.ts';
import type { LiquidationStepSchema } from './marginEvents.ts';
import { RecentIds } from './recentIds.ts';

export type BookedOrder = Static<typeof BookedOrderSchema>;
export type LiquidationStep = Static<typeof LiquidationStepSchema>;

/** The terms of a contract that is or was held. */
export interface Contract extends ContractTerms {
  readonly listed: EventBody<'contract-listed'>;
}

/** Why an amount came into the collateral: the contra accounts of double-entry book-keeping. */
export const POSTINGS = [
  'transfer',
  'premium',
  'realised',
  'fee',
  'funding',
  'settlement',
  'correction',
] as const;
export type Posting = (typeof POSTINGS)[number];
/** Totals in the order of POSTINGS, in units of one asset. */
export type Postings = number[];

export interface MarginCall {
  readonly call: number;
  /** In the account's currency, when it was opened. */
  readonly amount: number;
  readonly openedAt: string;
  readonly deadline: string;
  readonly acknowledged: { readonly at: string; readonly by: string } | null;
}

type PlanBody = EventBody<'liquidation-planned'>;

/** What a plan says beside its steps; what its event leaves out is null. */
export interface PlannedLiquidation {
  readonly seq: number;
  readonly at: string;
  readonly level: NonNullable<PlanBody['level']> | null;
  readonly outcome: string | null;
  /** In the account's currency. */
  readonly cost: number | null;
  readonly shortfall: number | null;
  readonly stepsLeft: number;
  /** Hashes of the whole plan, and of the prices that it was made on. */
  readonly plan: string | null;
  readonly market: string | null;
  readonly asOf: string | null;
  /** Record that last changed the account before it; null where it is not known. */
  readonly changedSeq: number | null;
}

export interface Liquidation {
  readonly liquidation: number;
  readonly cause: 'maintenance' | 'call-expired';
  readonly startedAt: string;
  /** The latest plan; empty before the first. */
  readonly plan: readonly LiquidationStep[];
  /** Where that stands in the log and what it restores; null before the first. */
  readonly planned: PlannedLiquidation | null;
  readonly stepsDone: number;
}

export interface BookAccount {
  readonly id: string;
  readonly currency: string;
  mode: MarginMode;
  creditLine: number;
  /** By asset; never 0. */
  readonly collateral: Map<string, number>;
  readonly positions: Map<string, PositionState>;
  readonly orders: Map<string, BookedOrder>;
  /** By asset: their sum is the collateral. */
  readonly postings: Map<string, Postings>;
  heldState: AccountState;
  heldSince: string;
  /** Calls and liquidations so far: their numbers. */
  calls: number;
  liquidations: number;
  call: MarginCall | null;
  liquidation: Liquidation | null;
  /** The last published figures, by the record's number. */
  published: { readonly seq: number; readonly figures: string } | null;
  /** Record that last changed what the account's margin depends on. */
  changedSeq: number;
}

/** Which market the book is on: the last record that changed it. */
export interface BookMarket {
  readonly seq: number;
  readonly source: string;
  /** Of the last snapshot; ticks since then are not in it. */
  readonly hash: string | null;
}

export interface Book {
  /** Last record that was folded; 0: none. */
  seq: number;
  at: string;
  readonly accounts: Map<string, BookAccount>;
  /** By instrument. */
  readonly contracts: Map<string, Contract>;
  /** Accounts that ever held a position in, or had an order for, an instrument: `holdersOf` asks which still do. Not in a snapshot. */
  readonly holders: Map<string, Set<string>>;
  readonly fills: RecentIds;
  market: BookMarket | null;
  /** Last sequence number of each source of ticks. */
  readonly feeds: Map<string, number>;
  /** Postings of accounts that were closed. */
  readonly closedPostings: Map<string, Postings>;
}

export function emptyBook(): Book {
  return {
    seq: 0,
    at: '',
    accounts: new Map(),
    contracts: new Map(),
    holders: new Map(),
    fills: new RecentIds(LIMITS.bookFillIdsMax),
    market: null,
    feeds: new Map(),
    closedPostings: new Map(),
  };
}

/** @throws NOT_FOUND */
export function accountOf(book: Book, id: string): BookAccount {
  const account = book.accounts.get(id);
  if (account === undefined) {
    throw new PlimsollError('NOT_FOUND', `there is no account ${JSON.stringify(id)}`, {
      account: id,
    });
  }
  return account;
}

/** The account as the engine reads it; a copy. @throws NOT_FOUND */
export function toAccount(book: Book, id: string): AccountInput {
  const account = accountOf(book, id);
  return {
    id,
    mode: account.mode,
    currency: account.currency,
    creditLine: account.creditLine,
    collateral: Array.from(account.collateral, ([asset, amount]) => ({ asset, amount })),
    positions: Array.from(account.positions, ([instrument, position]) => ({
      instrument,
      size: position.size,
      entryPrice: Number.isNaN(position.entryPrice) ? null : position.entryPrice,
      ...(Number.isNaN(position.allocated) ? {} : { allocated: position.allocated }),
    })),
    orders: Array.from(account.orders.values(), (order) => ({ ...order })),
  };
}

/** Ids of the accounts with a position or an order in an instrument, in code-unit order. */
export function holdersOf(book: Book, instrument: string): readonly string[] {
  const candidates = book.holders.get(instrument);
  if (candidates === undefined) return [];
  for (const id of candidates) {
    if (!concerns(book.accounts.get(id), instrument)) candidates.delete(id);
  }
  return [...candidates].sort();
}

function concerns(account: BookAccount | undefined, instrument: string): boolean {
  if (account === undefined) return false;
  if (account.positions.has(instrument)) return true;
  for (const order of account.orders.values()) if (order.instrument === instrument) return true;
  return false;
}

/** Notes that an account now has a position or an order in an instrument. */
export function noteHolder(book: Book, instrument: string, account: string): void {
  const holders = book.holders.get(instrument);
  if (holders === undefined) book.holders.set(instrument, new Set([account]));
  else holders.add(account);
}

/** Postings of the whole book by asset, closed accounts included: what came in, and from where, summed over accounts. */
export function ledger(book: Book): ReadonlyMap<string, Postings> {
  const totals = new Map<string, Postings>();
  const add = (postings: ReadonlyMap<string, Postings>): void => {
    for (const [asset, amounts] of postings) {
      const total = totals.get(asset) ?? emptyPostings();
      amounts.forEach((amount, i) => {
        total[i]! += amount;
      });
      totals.set(asset, total);
    }
  };
  add(book.closedPostings);
  for (const { postings } of book.accounts.values()) add(postings);
  return totals;
}

export function emptyPostings(): Postings {
  return POSTINGS.map(() => 0);
}

/** A copy that an owner of its own may change, to try events on. */
export function copyAccount(account: BookAccount): BookAccount {
  return {
    ...account,
    collateral: new Map(account.collateral),
    positions: new Map(account.positions),
    orders: new Map(account.orders),
    postings: new Map(Array.from(account.postings, ([asset, amounts]) => [asset, [...amounts]])),
  };
}
