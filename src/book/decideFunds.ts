/** Money that moves without a trade: deposits and withdrawals, funding, settlement at expiry, corrections. */
import { type ErrorCode, ensure, PlimsollError } from '../errors.ts';
import { isMarked, sum } from '../margin/positionArithmetic.ts';
import { readInstant } from '../market/instruments.ts';
import { accountOf, type Book, type BookAccount, type Contract, holdersOf } from './book.ts';
import type { CommandOf } from './commands.ts';
import { checkFinite, Draft } from './draft.ts';
import { type BookEvent, event } from './events.ts';
import { type DecisionContext, Listings } from './listings.ts';
import { fundingOf, settlementOf } from './positions.ts';

/**
 * A withdrawal must leave the asset at 0 or above and equity at or above the initial requirement, which the caller has computed with the
 * withdrawal made (`context.freeAfter`): taking a coin out lowers the risk as well as the equity.
 * @throws NOT_FOUND, UNKNOWN_ASSET, INVALID_FIELD, INSUFFICIENT_COLLATERAL, INSUFFICIENT_MARGIN, NUMERIC_OVERFLOW
 */
export function decideCollateral(
  book: Book,
  { account, asset, amount, reason }: CommandOf<'move-collateral'>,
  context: DecisionContext,
): readonly BookEvent[] {
  const draft = new Draft(book, account, context);
  draft.checkAsset(asset, 'asset');
  if (amount === 0) throw draft.fault('INVALID_FIELD', 'a movement of 0', 'amount');
  if (amount < 0) checkWithdrawal(draft, asset, -amount);
  draft.emit(event('collateral-moved', { account, asset, amount, reason }));
  return draft.finish();
}

function checkWithdrawal(draft: Draft, asset: string, amount: number): void {
  const held = draft.account.collateral.get(asset) ?? 0;
  if (!(sum(held, -amount) >= 0)) {
    const message = `${amount} ${asset} are withdrawn, the account holds ${held}`;
    throw draft.fault('INSUFFICIENT_COLLATERAL', message, 'amount');
  }
  const { freeAfter } = draft.context;
  ensure(freeAfter !== undefined, 'a withdrawal is decided on the margin after it');
  if (freeAfter >= 0) return;
  const message = `without ${amount} ${asset} equity would be ${-freeAfter} ${draft.account.currency} below the initial requirement`;
  throw draft.fault('INSUFFICIENT_MARGIN', message, 'amount');
}

function fault(code: ErrorCode, message: string, path: string): PlimsollError {
  return new PlimsollError(code, message, { path });
}

/** The contract as it was listed when it was first held; null where nobody ever held it. @throws UNKNOWN_INSTRUMENT */
function heldContract(book: Book, instrument: string, context: DecisionContext): Contract | null {
  const contract = book.contracts.get(instrument);
  if (contract !== undefined) return contract;
  if (context.market?.instrumentIndex.has(instrument) === true) return null;
  const message = `neither the book nor the market knows ${instrument}`;
  throw fault('UNKNOWN_INSTRUMENT', message, 'instrument');
}

/**
 * Funding of a perpetual, by a rate for all who hold it or by stated payments. None where nobody ever held it.
 * @throws UNKNOWN_INSTRUMENT, NOT_FOUND, INVALID_FIELD, MISSING_FIELD, NUMERIC_OVERFLOW
 */
export function decideFunding(
  book: Book,
  command: CommandOf<'fund'>,
  context: DecisionContext,
): readonly BookEvent[] {
  const { instrument, rate, payments } = command;
  if ((rate === undefined) === (payments === undefined)) {
    const code = rate === undefined ? 'MISSING_FIELD' : 'INVALID_FIELD';
    throw fault(code, 'funding states a rate or payments, one of them', 'rate');
  }
  const contract = heldContract(book, instrument, context);
  if (contract === null) return [];
  if (contract.type !== 'perpetual') {
    const message = `${instrument} is of type ${contract.type}: only perpetuals are funded`;
    throw fault('INVALID_FIELD', message, 'instrument');
  }
  if (payments !== undefined) return statedFunding(book, instrument, payments, contract);
  const mark = command.mark ?? quotedMark(book, instrument, context);
  if (mark === null) {
    throw fault('MISSING_FIELD', `the market has no mark of ${instrument}`, 'mark');
  }
  const funding = event('funding', { instrument, rate: rate!, mark });
  for (const account of holdingAccounts(book, instrument)) {
    checkBalance(account, contract, fundingOf(account, funding.body, contract));
  }
  return [funding];
}

function statedFunding(
  book: Book,
  instrument: string,
  payments: NonNullable<CommandOf<'fund'>['payments']>,
  contract: Contract,
): readonly BookEvent[] {
  const totals = new Map<string, number>();
  payments.forEach(({ account, amount }, i) => {
    if (!book.accounts.has(account)) {
      throw fault('NOT_FOUND', `there is no account ${account}`, `payments[${i}].account`);
    }
    totals.set(account, (totals.get(account) ?? 0) + amount);
  });
  for (const [id, amount] of totals) checkBalance(accountOf(book, id), contract, amount);
  return [event('funding', { instrument, payments })];
}

function quotedMark(book: Book, instrument: string, context: DecisionContext): number | null {
  const mark = new Listings(book, context).quoted(instrument)?.mark ?? Number.NaN;
  return mark > 0 ? mark : null;
}

function holdingAccounts(book: Book, instrument: string): readonly BookAccount[] {
  return holdersOf(book, instrument).map((id) => accountOf(book, id));
}

function checkBalance(account: BookAccount, { listed }: Contract, amount: number): void {
  const balance = (account.collateral.get(listed.asset) ?? 0) + amount;
  checkFinite(balance, `collateral of ${listed.asset}`, account.id);
}

/**
 * Settlement of an expired contract: everybody who holds it is paid, orders for it are gone. None where nobody ever held it.
 * @throws UNKNOWN_INSTRUMENT; INVALID_FIELD for a contract that does not expire; NOT_EXPIRED; MISSING_FIELD where a future is held without an entry
 * price and no mark is known; NUMERIC_OVERFLOW
 */
export function decideSettlement(
  book: Book,
  command: CommandOf<'settle'>,
  context: DecisionContext,
): readonly BookEvent[] {
  const { instrument, price } = command;
  const contract = heldContract(book, instrument, context);
  if (contract === null) return [];
  const { expiry } = contract.listed;
  if (expiry === undefined) {
    throw fault('INVALID_FIELD', `${instrument} does not expire`, 'instrument');
  }
  if (!(readInstant(context.now, 'now') >= readInstant(expiry, 'expiry'))) {
    throw fault(
      'NOT_EXPIRED',
      `${instrument} expires at ${expiry}, it is ${context.now}`,
      'instrument',
    );
  }
  const holders = holdingAccounts(book, instrument);
  const bare = holders.some(({ positions }) => {
    const position = positions.get(instrument);
    return position !== undefined && Number.isNaN(position.entryPrice);
  });
  const needsMark = bare && isMarked(contract.type);
  const mark = needsMark ? (command.mark ?? quotedMark(book, instrument, context)) : null;
  if (needsMark && mark === null) {
    const message = `a position in ${instrument} has no entry price: settlement needs the mark that it was last settled to`;
    throw fault('MISSING_FIELD', message, 'mark');
  }
  const body = { instrument, price, ...(mark === null ? {} : { mark }) };
  const settlement = event('settlement', body);
  for (const account of holders) {
    checkBalance(account, contract, settlementOf(account, settlement.body, contract));
  }
  return [settlement];
}

/**
 * Compensating changes for a record that was wrong. What they are is the caller's to say: the book cannot know what should have been.
 * @throws NOT_FOUND for the account or a record that the log does not have; UNKNOWN_ASSET, UNKNOWN_INSTRUMENT, INVALID_FIELD, MISSING_FIELD,
 * DUPLICATE_POSITION, NUMERIC_OVERFLOW
 */
export function decideCorrection(
  book: Book,
  command: CommandOf<'correct'>,
  context: DecisionContext,
): readonly BookEvent[] {
  const { account, refersTo, reason, collateral, positions } = command;
  const draft = new Draft(book, account, context);
  if (!(refersTo <= book.seq)) {
    const message = `there is no record ${refersTo}: the last is ${book.seq}`;
    throw draft.fault('NOT_FOUND', message, 'refersTo');
  }
  if (collateral === undefined && positions === undefined) {
    throw draft.fault('MISSING_FIELD', 'a correction changes something', 'positions');
  }
  collateral?.forEach(({ asset, amount }, i) => {
    draft.checkAsset(asset, `collateral[${i}].asset`);
    if (amount === 0) {
      throw draft.fault('INVALID_FIELD', 'a movement of 0', `collateral[${i}].amount`);
    }
  });
  checkCorrectedPositions(draft, positions ?? []);
  draft.emit(
    event('correction', {
      account,
      refersTo,
      reason,
      ...(collateral === undefined ? {} : { collateral }),
      ...(positions === undefined ? {} : { positions }),
    }),
  );
  return draft.finish();
}

function checkCorrectedPositions(
  draft: Draft,
  positions: NonNullable<CommandOf<'correct'>['positions']>,
): void {
  const seen = new Set<string>();
  positions.forEach(({ instrument, size, entryPrice }, i) => {
    const path = `positions[${i}]`;
    if (seen.has(instrument)) {
      throw draft.fault('DUPLICATE_POSITION', `${instrument} stands twice`, `${path}.instrument`);
    }
    seen.add(instrument);
    // One that is held may have expired: it is what a correction before its settlement is for.
    if (!draft.account.positions.has(instrument)) {
      draft.listings.use(instrument, `${path}.instrument`);
    }
    const after = sum(draft.account.positions.get(instrument)?.size ?? 0, size);
    if (after === 0 && entryPrice !== null) {
      const message = `nothing is left in ${instrument}: its entry price is null`;
      throw draft.fault('INVALID_FIELD', message, `${path}.entryPrice`);
    }
  });
}
