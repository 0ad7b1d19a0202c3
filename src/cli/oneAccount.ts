/** One account out of a file: the one of that id, or the only one. */
import { PlimsollError } from '../errors.ts';
import { decodeText, parseJson } from '../json.ts';
import { accountId } from '../margin/account.ts';
import { show } from '../schema.ts';
import { accountDocuments, openAccounts } from './accountSource.ts';

/**
 * The document as it stands in the file, unchecked but for its id.
 * @throws NOT_FOUND, USAGE where several accounts are there and none is named, DUPLICATE_ID
 */
export async function readOneAccount(path: string, id: string | undefined): Promise<unknown> {
  const source = await openAccounts(path);
  let found: { readonly value: unknown } | null = null;
  let others = 0;
  for await (const { bytes, where } of accountDocuments(source)) {
    const text = decodeText(bytes);
    // Most accounts need not be parsed to see that they are others.
    if (id !== undefined && !text.includes(JSON.stringify(id))) continue;
    const value = parsed(text, where);
    if (id !== undefined && accountId(value) !== id) continue;
    if (found !== null) {
      if (id !== undefined) throw duplicate(id, where);
      others += 1;
      break;
    }
    found = { value };
  }
  if (found !== null && others === 0) return found.value;
  if (found !== null) {
    const message = `${path} holds several accounts: name one with --id, for example ${show(accountId(found.value))}`;
    throw new PlimsollError('USAGE', message, { path: 'id' });
  }
  const message =
    id === undefined ? `${path} holds no account` : `${path} has no account ${show(id)}`;
  throw new PlimsollError('NOT_FOUND', message, { path: 'id' });
}

function duplicate(id: string, where: string): PlimsollError {
  const message = `the account ${show(id)} stands twice: again at ${where}`;
  return new PlimsollError('DUPLICATE_ID', message, { path: 'id' });
}

function parsed(text: string, where: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    throw new PlimsollError(error.code, `${where}: ${error.message}`, { path: error.path });
  }
}
