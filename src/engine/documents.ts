/** The accounts of a shard, as the documents that the evaluator reads: parsed where they came as bytes, each with its own error. */
import type { AccountInput } from '../../workers/protocol.ts';
import { PlimsollError } from '../errors.ts';
import { decodeText, parseJson } from '../json.ts';
import { readArrowAccounts } from './arrowAccounts.ts';
import type { AccountDocument } from './evaluator.ts';

export function readDocuments(input: AccountInput): readonly AccountDocument[] {
  switch (input.form) {
    case 'values':
      return input.values.map((value) => ({ value }));
    case 'arrow':
      return readArrowAccounts(input.bytes, input.start, input.end);
    case 'ndjson':
      return readLines(input.bytes, input.firstLine);
    case 'documents': {
      const documents: AccountDocument[] = [];
      let start = 0;
      for (const end of input.ends) {
        documents.push(readText(() => decodeText(input.bytes.subarray(start, end)), ''));
        start = end;
      }
      return documents;
    }
  }
}

/** Nothing but the white space that JSON knows. */
const BLANK = /^[ \t\r]*$/;

/** Lines of NDJSON; blank ones are no accounts. A line that is not JSON is named by its number in the whole input, from 1. */
function readLines(bytes: Uint8Array, firstLine: number): readonly AccountDocument[] {
  const documents: AccountDocument[] = [];
  const add = (text: () => string, line: number): void => {
    documents.push(readText(text, `line ${line}: `));
  };
  let whole: string | null = null;
  try {
    whole = decodeText(bytes);
  } catch {
    // One line is not UTF-8: only that one must fail.
  }
  let line = firstLine;
  if (whole !== null) {
    for (const text of whole.split('\n')) {
      if (!BLANK.test(text)) add(() => text, line);
      line++;
    }
    return documents;
  }
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(10, start);
    const end = found === -1 ? bytes.length : found;
    const piece = bytes.subarray(start, end);
    if (piece.some((byte) => byte !== 32 && byte !== 9 && byte !== 13)) {
      add(() => decodeText(piece), line);
    }
    start = end + 1;
    line++;
  }
  return documents;
}

function readText(text: () => string, where: string): AccountDocument {
  try {
    return { value: parseJson(text()) };
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    return { error: new PlimsollError(error.code, `${where}${error.message}`) };
  }
}
