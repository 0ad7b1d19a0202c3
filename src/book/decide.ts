/** Commands become events, or are refused. Pure: nothing is changed, whatever is decided is decided from the book, the market and the hour given. */
import { PlimsollError } from '../errors.ts';
import { type Reader, reader, show } from '../schema.ts';
import type { Book } from './book.ts';
import { COMMAND_SCHEMAS, type Command, type CommandName } from './commands.ts';
import { decideAcknowledge, decideDelete, decidePut } from './decideAccounts.ts';
import {
  decideCollateral,
  decideCorrection,
  decideFunding,
  decideSettlement,
} from './decideFunds.ts';
import {
  decideAmendment,
  decideCancellations,
  decideFills,
  decidePlacements,
} from './decideTrades.ts';
import type { BookEvent } from './events.ts';
import type { DecisionContext } from './listings.ts';

const readers = new Map<CommandName, Reader<unknown>>();

function isCommandName(name: unknown): name is CommandName {
  return typeof name === 'string' && Object.hasOwn(COMMAND_SCHEMAS, name);
}

/** @throws INVALID_FIELD, UNKNOWN_FIELD, MISSING_FIELD with the field's path */
export function readCommand(value: unknown): Command {
  const name = (value as { do?: unknown } | null)?.do;
  if (!isCommandName(name)) {
    throw new PlimsollError('INVALID_FIELD', `there is no command ${show(name)}`, { path: 'do' });
  }
  let read = readers.get(name);
  if (read === undefined) {
    read = reader(COMMAND_SCHEMAS[name]);
    readers.set(name, read);
  }
  return read(value) as Command;
}

/**
 * The events that a command gives rise to, in their order; none where it changes nothing. They belong together: append all of them or none, and
 * fold them before the next command of the same account is decided.
 * @param command checked here: it may come from anywhere
 * @throws PlimsollError, as the single deciders say; the book is as before then, too
 */
export function decide(
  book: Book,
  command: unknown,
  context: DecisionContext,
): readonly BookEvent[] {
  const read = readCommand(command);
  switch (read.do) {
    case 'put-account':
      return decidePut(book, read, context);
    case 'delete-account':
      return decideDelete(book, read);
    case 'fill':
      return decideFills(book, read, context);
    case 'place-orders':
      return decidePlacements(book, read, context);
    case 'amend-order':
      return decideAmendment(book, read, context);
    case 'cancel-orders':
      return decideCancellations(book, read, context);
    case 'move-collateral':
      return decideCollateral(book, read, context);
    case 'fund':
      return decideFunding(book, read, context);
    case 'settle':
      return decideSettlement(book, read, context);
    case 'correct':
      return decideCorrection(book, read, context);
    case 'acknowledge-call':
      return decideAcknowledge(book, read);
  }
}
