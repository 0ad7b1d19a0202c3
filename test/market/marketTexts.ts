/** What tests of the market readers share. */
import type { PlimsollError } from '../../src/errors.ts';
import {
  type MarketFile,
  type MarketReaderOptions,
  readMarketTexts,
} from '../../src/market/readers/marketFiles.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';

export const file = (content: string | object, name = 'market.csv'): MarketFile => ({
  name,
  bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
});
export const read = (...contents: (string | object)[]): MarketSnapshot =>
  readMarketTexts(contents.map((content, i) => file(content, `file ${i}`)));

export function failure(
  files: readonly MarketFile[],
  options?: MarketReaderOptions,
): PlimsollError {
  try {
    readMarketTexts(files, options);
  } catch (error) {
    return error as PlimsollError;
  }
  throw new Error('the files were accepted');
}
