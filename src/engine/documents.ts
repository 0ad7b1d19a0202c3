/** The accounts of a shard, as the documents that the evaluator reads: parsed where they came as bytes, each with its own error. */
import { isAscii, isUtf8 } from 'node:buffer';
import type { AccountInput } from '../../workers/protocol.ts';
import { PlimsollError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { readArrowAccounts } from './arrowAccounts.ts';
import type { AccountDocument } from './evaluator.ts';

/** Accounts of a shard, each read when its turn comes: those that are done with leave no weight behind. */
export interface Documents {
  readonly count: number;
  readonly read: (index: number) => AccountDocument;
}

export function readDocuments(input: AccountInput): Documents {
  switch (input.form) {
    case 'values':
      return { count: input.values.length, read: (i) => ({ value: input.values[i] }) };
    case 'arrow': {
      const accounts = readArrowAccounts(input.bytes, input.start, input.end);
      return { count: accounts.length, read: (i) => accounts[i]! };
    }
    case 'ndjson':
      return readLines(input.bytes, input.firstLine);
    case 'documents': {
      const { ends } = input;
      const textOf = textFinder(input.bytes);
      return {
        count: ends.length,
        read: (i) => readText(() => textOf(ends[i - 1] ?? 0, ends[i]!), ''),
      };
    }
  }
}

const NEWLINE = 10;

/** Lines of NDJSON; blank ones are no accounts. A line that is not JSON is named by its number in the whole input, from 1. */
function readLines(bytes: Uint8Array, firstLine: number): Documents {
  const textOf = textFinder(bytes);
  const buffer = bufferOf(bytes);
  const starts: number[] = [];
  const ends: number[] = [];
  const numbers: number[] = [];
  for (let start = 0, line = firstLine; start < bytes.length; line++) {
    const found = buffer.indexOf(NEWLINE, start);
    const end = found === -1 ? bytes.length : found;
    if (!isBlank(bytes, start, end)) {
      starts.push(start);
      ends.push(end);
      numbers.push(line);
    }
    start = end + 1;
  }
  return {
    count: starts.length,
    read: (i) => readText(() => textOf(starts[i]!, ends[i]!), `line ${numbers[i]}: `),
  };
}

/** Whether a line is nothing but the white space that JSON knows. */
function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte !== 32 && byte !== 9 && byte !== 13) return false;
  }
  return true;
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/**
 * Texts by where they stand. One at a time: the text of a whole shard would outlive most of its accounts, and be moved among the old objects.
 */
function textFinder(bytes: Uint8Array): (start: number, end: number) => string {
  const buffer = bufferOf(bytes);
  // One look at all of them: ASCII may be cut anywhere and needs no decoding.
  if (isAscii(buffer)) return (start, end) => buffer.toString('latin1', start, end);
  return (start, end) => {
    if (isUtf8(buffer.subarray(start, end))) return buffer.toString('utf8', start, end);
    throw new PlimsollError('MALFORMED_JSON', 'the bytes are not UTF-8');
  };
}

function readText(text: () => string, where: string): AccountDocument {
  try {
    return { value: parseJson(text()) };
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    return { error: new PlimsollError(error.code, `${where}${error.message}`) };
  }
}
