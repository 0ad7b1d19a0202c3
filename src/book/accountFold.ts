/** Folds events of one account into it. Deciders try their events on a copy with the same functions. */
import { type ErrorCode, PlimsollError } from '../errors.ts';
import type { BookAccount, Contract, MarginCall, PlannedLiquidation } from './book.ts';
import type { AccountEvent, EventBody, EventOf } from './events.ts';
import {
  applyAllocations,
  applyCorrection,
  applyFill,
  applyOrderAmended,
  applyOrderFilled,
  post,
} from './positions.ts';

/** Place and time of the record that is folded. */
export interface RecordPlace {
  readonly seq: number;
  readonly at: string;
}

export type Contracts = Pick<ReadonlyMap<string, Contract>, 'get'>;

/** A record that cannot follow from the book as it stands: the log was not written by this book. */
export function misfit(
  place: RecordPlace,
  message: string,
  code: ErrorCode = 'INVALID_RECORD',
): PlimsollError {
  return new PlimsollError(code, `record ${place.seq} ${message}`);
}

export function openAccount(
  body: EventBody<'account-opened'>,
  { seq, at }: RecordPlace,
): BookAccount {
  const account: BookAccount = {
    id: body.account,
    currency: body.currency,
    mode: body.mode,
    creditLine: body.creditLine,
    collateral: new Map(),
    positions: new Map(),
    orders: new Map(body.orders.map((order) => [order.id, order])),
    postings: new Map(),
    heldState: 'healthy',
    heldSince: at,
    calls: 0,
    liquidations: 0,
    call: null,
    liquidation: null,
    published: null,
    changedSeq: seq,
  };
  for (const { asset, amount } of body.collateral) post(account, asset, amount, 'transfer');
  for (const { instrument, size, entryPrice, allocated } of body.positions) {
    account.positions.set(instrument, {
      size,
      entryPrice: entryPrice ?? Number.NaN,
      allocated: allocated ?? Number.NaN,
    });
  }
  return account;
}

/**
 * Changes the account by one event; openings and closings are the book's own.
 * @throws INVALID_RECORD where the event does not fit the account, which then stays as it was
 */
export function foldAccountEvent(
  account: BookAccount,
  event: Exclude<AccountEvent, EventOf<'account-opened' | 'account-closed'>>,
  contracts: Contracts,
  place: RecordPlace,
): void {
  if (foldMarginEvent(account, event, place)) return;
  foldHoldings(account, event as HoldingEvent, contracts, place);
  account.changedSeq = place.seq;
}

type HoldingEvent = EventOf<
  | 'account-changed'
  | 'collateral-moved'
  | 'fill'
  | 'order-placed'
  | 'order-amended'
  | 'order-cancelled'
  | 'order-filled'
  | 'correction'
>;

function foldHoldings(
  account: BookAccount,
  { kind, body }: HoldingEvent,
  contracts: Contracts,
  place: RecordPlace,
): void {
  switch (kind) {
    case 'fill': {
      const contract = contracts.get(body.instrument);
      if (contract === undefined) throw misfit(place, `trades ${body.instrument}, never listed`);
      applyFill(account, body, contract);
      return;
    }
    case 'order-placed':
      if (account.orders.has(body.order.id)) throw misfit(place, `places ${body.order.id} again`);
      account.orders.set(body.order.id, body.order);
      return;
    case 'order-amended':
    case 'order-filled':
    case 'order-cancelled':
      if (!account.orders.has(body.order))
        throw misfit(place, `names no open order: ${body.order}`);
      if (kind === 'order-amended') applyOrderAmended(account, body);
      else if (kind === 'order-filled') applyOrderFilled(account, body);
      else account.orders.delete(body.order);
      return;
    case 'collateral-moved':
      post(account, body.asset, body.amount, 'transfer');
      return;
    case 'correction':
      for (const { instrument } of body.positions ?? []) {
        if (contracts.get(instrument) === undefined) {
          throw misfit(place, `corrects ${instrument}, never listed`);
        }
      }
      applyCorrection(account, body);
      return;
    case 'account-changed':
      for (const { instrument } of body.allocated ?? []) {
        if (!account.positions.has(instrument))
          throw misfit(place, `allocates to no ${instrument}`);
      }
      account.mode = body.mode ?? account.mode;
      account.creditLine = body.creditLine ?? account.creditLine;
      applyAllocations(account, body.allocated ?? []);
  }
}

/** @returns false where the event is none of margining */
function foldMarginEvent(account: BookAccount, event: AccountEvent, place: RecordPlace): boolean {
  switch (event.kind) {
    case 'margin':
      account.published = { seq: place.seq, figures: event.body.figures };
      return true;
    case 'state-changed':
      if (event.body.from !== account.heldState) {
        throw misfit(place, `leaves ${event.body.from}, the account is in ${account.heldState}`);
      }
      account.heldState = event.body.to;
      account.heldSince = place.at;
      return true;
    case 'call-opened': {
      const { call, amount, deadline } = event.body;
      if (account.call !== null || call !== account.calls + 1) {
        throw misfit(place, `opens call ${call} after ${account.calls}`);
      }
      account.calls = call;
      account.call = { call, amount, deadline, openedAt: place.at, acknowledged: null };
      return true;
    }
    case 'call-acknowledged': {
      const open = openCall(account, event.body.call, place);
      account.call = { ...open, acknowledged: { at: place.at, by: event.body.by } };
      return true;
    }
    case 'call-resolved':
    case 'call-expired':
      openCall(account, event.body.call, place);
      account.call = null;
      // A liquidation that is under way has to cure what the call did not.
      if (event.kind === 'call-expired' && account.liquidation !== null) {
        account.liquidation = { ...account.liquidation, cause: 'call-expired' };
      }
      return true;
    default:
      return foldLiquidation(account, event, place);
  }
}

function openCall({ call }: BookAccount, number: number, place: RecordPlace): MarginCall {
  if (call === null || call.call !== number) throw misfit(place, `names no open call: ${number}`);
  return call;
}

function foldLiquidation(account: BookAccount, event: AccountEvent, place: RecordPlace): boolean {
  const { kind, body } = event;
  if (kind === 'liquidation-started') {
    const { liquidation, cause } = body;
    if (account.liquidation !== null || liquidation !== account.liquidations + 1) {
      throw misfit(place, `starts liquidation ${liquidation} after ${account.liquidations}`);
    }
    account.liquidations = liquidation;
    account.liquidation = { liquidation, cause, startedAt: place.at, ...UNPLANNED };
    return true;
  }
  if (
    kind !== 'liquidation-planned' &&
    kind !== 'liquidation-step' &&
    kind !== 'liquidation-ended'
  ) {
    return false;
  }
  const running = account.liquidation;
  if (running === null || running.liquidation !== body.liquidation) {
    throw misfit(place, `names no running liquidation: ${body.liquidation}`);
  }
  if (kind === 'liquidation-ended') account.liquidation = null;
  else if (kind === 'liquidation-step') {
    account.liquidation = { ...running, stepsDone: running.stepsDone + 1 };
  } else account.liquidation = { ...running, plan: body.steps, planned: planOf(body, place) };
  return true;
}

const UNPLANNED = { plan: [], planned: null, stepsDone: 0 } as const;

/** One order of members, whatever that of the record: a snapshot has their bytes. */
function planOf(
  body: EventBody<'liquidation-planned'>,
  { seq, at }: RecordPlace,
): PlannedLiquidation {
  const { level = null, outcome = null, cost = null, shortfall = null, stepsLeft = 0 } = body;
  const { plan = null, market = null, asOf = null, changedSeq = null } = body;
  return { seq, at, level, outcome, cost, shortfall, stepsLeft, plan, market, asOf, changedSeq };
}
