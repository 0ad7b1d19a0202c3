/** The way in for market files: says what each one is, reads it, and merges what belongs together into one snapshot. */
import { readFile, stat } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { PlimsollError } from '../../errors.ts';
import { decodeText, parseJson } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import { show } from '../../schema.ts';
import { formatInstant } from '../dates.ts';
import { readInstant } from '../instruments.ts';
import { type MarketSnapshot, readSnapshot } from '../snapshot.ts';
import { assembleSnapshot, type ChainRow, type Listing } from './chain.ts';
import { readCsvChain } from './csvChain.ts';
import { isRpcAnswer, readRpcAnswer } from './jsonRpc.ts';

export interface MarketFile {
  /** For messages. */
  readonly name: string;
  /** Plain or gzip: the first bytes tell, not the name. */
  readonly bytes: Uint8Array;
}

export interface MarketReaderOptions {
  /** Which snapshot of CSV files that hold several, ISO-8601 UTC; left out, each underlying's last. */
  readonly at?: string;
}

/**
 * Reads one market from files: either one snapshot in our JSON, or any number of Deribit's answers and chain CSVs, merged.
 * @throws NOT_FOUND, TOO_LARGE, and what `readMarketTexts` throws
 */
export async function readMarketFiles(
  paths: readonly string[],
  options: MarketReaderOptions = {},
): Promise<MarketSnapshot> {
  const files: MarketFile[] = [];
  for (const path of paths) files.push({ name: path, bytes: await bytesOf(path) });
  return readMarketTexts(files, options);
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > LIMITS.marketBodyBytesMax) refuseSize(path);
    return await readFile(path);
  } catch (error) {
    if (error instanceof PlimsollError) throw error;
    throw new PlimsollError(
      'NOT_FOUND',
      `cannot read the market file: ${(error as Error).message}`,
      {
        path,
      },
    );
  }
}

function refuseSize(name: string): never {
  throw new PlimsollError(
    'TOO_LARGE',
    `${name} is larger than ${LIMITS.marketBodyBytesMax} bytes`,
    {
      path: name,
    },
  );
}

/** The rows of one underlying that belong together. */
interface Capture {
  readonly source: 'json' | 'csv';
  readonly underlying: string;
  readonly rows: ChainRow[];
}

/**
 * The same from bytes in memory; pure. Several captures of one underlying (a file of daily chains, or several files): the one at
 * `options.at`, else the last. JSON answers about one underlying are one capture, whatever files they come in.
 * @throws MALFORMED_JSON, MALFORMED_CSV, INVALID_FIELD, MISSING_FIELD, DUPLICATE_ID, naming file, line or record, and field
 */
export function readMarketTexts(
  files: readonly MarketFile[],
  options: MarketReaderOptions = {},
): MarketSnapshot {
  const captures = new Map<string, Capture>();
  const listings = new Map<string, Listing>();
  const keep = (key: string, source: Capture['source'], row: ChainRow): void => {
    const { underlying } = row.contract;
    const capture = captures.get(`${underlying} ${key}`);
    if (capture !== undefined) capture.rows.push(row);
    else captures.set(`${underlying} ${key}`, { source, underlying, rows: [row] });
  };
  for (const [i, file] of files.entries()) {
    const content = inFile(file.name, () => readContent(file));
    if ('snapshot' in content) {
      if (files.length === 1 && options.at === undefined) return content.snapshot;
      return refuseMixture(file.name, files.length);
    }
    for (const listing of content.listings) keepListing(listings, listing, file.name);
    for (const row of content.rows) {
      if (content.source === 'json') keep('json', 'json', row);
      else keep(content.manySnapshots ? `at ${row.timeMs}` : `file ${i}`, 'csv', row);
    }
  }
  if (captures.size === 0) {
    throw new PlimsollError('MISSING_FIELD', 'the market files hold no prices', { path: 'market' });
  }
  const rows = chooseRows([...captures.values()], options.at);
  return assembleSnapshot(withListings(rows, listings), listings);
}

/** The same list given twice is harmless; two that differ are not. */
function keepListing(listings: Map<string, Listing>, listing: Listing, file: string): void {
  const { name, expiryMs } = listing.contract;
  const known = listings.get(name);
  const same = known?.contractSize === listing.contractSize && known.contract.expiryMs === expiryMs;
  if (known !== undefined && !same) {
    throw new PlimsollError('INVALID_FIELD', `${file}: ${name} is listed otherwise before`, {
      path: name,
    });
  }
  listings.set(name, listing);
}

function refuseMixture(name: string, count: number): never {
  const text =
    count > 1 ? 'cannot be merged with other files' : 'is one snapshot: `at` does not apply to it';
  throw new PlimsollError('INVALID_FIELD', `${name} is a market snapshot and ${text}`, {
    path: name,
  });
}

type Content =
  | { readonly snapshot: MarketSnapshot }
  | {
      readonly source: 'json' | 'csv';
      readonly manySnapshots: boolean;
      readonly rows: readonly ChainRow[];
      readonly listings: readonly Listing[];
    };

function readContent(file: MarketFile): Content {
  const bytes = inflated(file);
  const first = bytes.find((byte) => !WHITE_SPACE_AND_MARK.has(byte));
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    return { source: 'csv', listings: [], ...readCsvChain(bytes) };
  }
  const value = parseJson(decodeText(bytes));
  if (!isRpcAnswer(value)) return { snapshot: readSnapshot(value) };
  return { source: 'json', manySnapshots: false, ...readRpcAnswer(value) };
}

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
/** Space, tab, line ends, and the three bytes of a UTF-8 byte-order mark. */
const WHITE_SPACE_AND_MARK = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

/** Gunzips where the magic bytes say so, and stops where a small file would become a huge one. */
function inflated({ name, bytes }: MarketFile): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: LIMITS.marketBodyBytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') refuseSize(name);
    throw new PlimsollError('MALFORMED_CSV', `cannot be gunzipped: ${(error as Error).message}`);
  }
}

/** Puts the file's name in front of an error's message. */
function inFile<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code === 'TOO_LARGE') throw error;
    throw new PlimsollError(error.code, `${name}: ${error.message}`, { path: error.path });
  }
}

function chooseRows(captures: readonly Capture[], at: string | undefined): ChainRow[] {
  const wanted = at === undefined ? undefined : readInstant(at, 'at');
  const chosen = new Map<string, { capture: Capture; timeMs: number }>();
  for (const capture of captures) {
    const timeMs = capture.rows.reduce((latest, row) => Math.max(latest, row.timeMs), 0);
    if (wanted !== undefined && capture.source === 'csv' && timeMs !== wanted) continue;
    const rival = chosen.get(capture.underlying);
    if (rival !== undefined && rival.capture.source !== capture.source) {
      throw new PlimsollError(
        'INVALID_FIELD',
        `${capture.underlying} is priced both by a CSV file and by a JSON answer`,
        { path: capture.underlying },
      );
    }
    if (rival === undefined || timeMs > rival.timeMs) {
      chosen.set(capture.underlying, { capture, timeMs });
    }
  }
  if (at !== undefined && ![...chosen.values()].some((item) => item.capture.source === 'csv')) {
    refuseInstant(captures, at);
  }
  return [...chosen.values()].flatMap((item) => item.capture.rows);
}

function refuseInstant(captures: readonly Capture[], at: string): never {
  const times = captures
    .filter((capture) => capture.source === 'csv')
    .map((capture) => capture.rows.reduce((latest, row) => Math.max(latest, row.timeMs), 0))
    .sort((a, b) => a - b);
  const text =
    times.length === 0
      ? 'there is no CSV file that it could choose from'
      : `the files hold ${new Set(times).size} instants from ${formatInstant(times[0]!)} to ${formatInstant(times.at(-1)!)}`;
  throw new PlimsollError('INVALID_FIELD', `at ${show(at)} is not in the files: ${text}`, {
    path: 'at',
  });
}

/** Where the exchange lists a contract, its listed expiry counts, not the one that its name implies. */
function withListings(
  rows: readonly ChainRow[],
  listings: ReadonlyMap<string, Listing>,
): ChainRow[] {
  return rows.map((row) => {
    const listing = listings.get(row.contract.name);
    return listing === undefined ? row : { ...row, contract: listing.contract };
  });
}
