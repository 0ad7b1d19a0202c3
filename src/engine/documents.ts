/** The accounts of a shard, as the documents that the evaluator reads: parsed where they came as bytes, each with its own error. */
import type { AccountInput } from '../../workers/protocol.ts';
import { PlimsollError } from '../errors.ts';
import { decodeText, parseJson } from '../json.ts';
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
      const { bytes, ends } = input;
      const text = (i: number): string => decodeText(bytes.subarray(ends[i - 1] ?? 0, ends[i]));
      return { count: ends.length, read: (i) => readText(() => text(i), '') };
    }
  }
}

/** Nothing but the white space that JSON knows. */
const BLANK = /^[ \t\r]*$/;

/** Lines of NDJSON; blank ones are no accounts. A line that is not JSON is named by its number in the whole input, from 1. */
function readLines(bytes: Uint8Array, firstLine: number): Documents {
  const texts: (() => string)[] = [];
  const numbers: number[] = [];
  linesOf(bytes).forEach((text, i) => {
    if (text === null) return;
    texts.push(text);
    numbers.push(firstLine + i);
  });
  return { count: texts.length, read: (i) => readText(texts[i]!, `line ${numbers[i]}: `) };
}

/** Each line's text, null where it is blank. Where one of them is not UTF-8 each is decoded by itself, so that only that one fails. */
function linesOf(bytes: Uint8Array): ((() => string) | null)[] {
  try {
    return decodeText(bytes)
      .split('\n')
      .map((text) => (BLANK.test(text) ? null : () => text));
  } catch {
    const lines: ((() => string) | null)[] = [];
    for (let start = 0; start < bytes.length; ) {
      const found = bytes.indexOf(10, start);
      const end = found === -1 ? bytes.length : found;
      const piece = bytes.subarray(start, end);
      const blank = piece.every((byte) => byte === 32 || byte === 9 || byte === 13);
      lines.push(blank ? null : () => decodeText(piece));
      start = end + 1;
    }
    return lines;
  }
}

function readText(text: () => string, where: string): AccountDocument {
  try {
    return { value: parseJson(text()) };
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    return { error: new PlimsollError(error.code, `${where}${error.message}`) };
  }
}
