/** Arrow streams for tests: those of another implementation (pyarrow) and those that apache-arrow's builders make. */
import { readFileSync } from 'node:fs';
import {
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int32,
  List,
  Struct,
  Table,
  tableToIPC,
  Uint16,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { readArrowAccounts } from '../../src/engine/arrowAccounts.ts';
import { cutArrow } from '../../src/engine/arrowStream.ts';
import type { AccountDocument } from '../../src/engine/evaluator.ts';
import { type Account, type ColumnarAccountInput, readAccount } from '../../src/margin/account.ts';
import { all } from './pieces.ts';

interface Fixture {
  readonly accounts: readonly ColumnarAccountInput[];
  readonly streams: Readonly<Record<string, string>>;
  readonly compressed: string;
  readonly legacy: string;
  readonly file: string;
}

const url = new URL('../fixtures/arrowAccounts.json', import.meta.url);
const fixture = JSON.parse(readFileSync(url, 'utf8')) as Fixture;

const decode = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

export const ACCOUNTS = fixture.accounts;
export const STREAMS = Object.entries(fixture.streams).map(
  ([name, text]) => [name, decode(text)] as const,
);
export const COMPRESSED = decode(fixture.compressed);
export const LEGACY = decode(fixture.legacy);
export const FILE = decode(fixture.file);

export const streamNamed = (name: string): Uint8Array => decode(fixture.streams[name]!);

export const listOf = (type: DataType): List => new List(new Field('item', type, true));
const structOf = (fields: Readonly<Record<string, DataType>>) =>
  new Struct(Object.entries(fields).map(([name, type]) => new Field(name, type, true)));

/** The types that the columns of accounts should have. */
export const TYPES: Readonly<Record<string, DataType>> = {
  id: new Utf8(),
  mode: new Utf8(),
  currency: new Utf8(),
  creditLine: new Float64(),
  instruments: listOf(new Utf8()),
  sizes: listOf(new Float64()),
  entryPrices: listOf(new Float64()),
  allocated: listOf(new Float64()),
  collateral: listOf(structOf({ asset: new Utf8(), amount: new Float64() })),
  orders: listOf(
    structOf({
      id: new Utf8(),
      instrument: new Utf8(),
      side: new Utf8(),
      size: new Float64(),
      price: new Float64(),
    }),
  ),
};

export const CODED: Readonly<Record<string, DataType>> = {
  ...TYPES,
  id: new Dictionary(new Utf8(), new Int32()),
  currency: new Dictionary(new Utf8(), new Uint16()),
};

type Row = Readonly<Record<string, unknown>>;

/** The value with null for what is absent, in its structs too: the builders want it said. */
function filled(value: unknown, type: DataType | undefined): unknown {
  const [item] = type?.children ?? [];
  if (!Array.isArray(value) || !(item?.type instanceof Struct)) return value ?? null;
  const names = item.type.children.map((field) => field.name);
  return value.map(
    (struct: Row | null) =>
      struct && Object.fromEntries(names.map((name) => [name, struct[name] ?? null])),
  );
}

/** One batch of rows; a column for each key that a row has, unless `columns` says which. */
export function streamOf(
  rows: readonly Row[],
  types = TYPES,
  columns: readonly string[] = [...new Set(rows.flatMap((row) => Object.keys(row)))],
): Uint8Array {
  const vectors = columns.map((name) => {
    const values = rows.map((row) => filled(row[name], types[name]));
    return [name, vectorFromArray(values, types[name] ?? new Utf8())] as const;
  });
  return tableToIPC(new Table(Object.fromEntries(vectors)), 'stream');
}

/** All accounts of a stream, through the cutter and the reader. */
export async function documentsOf(
  source: AsyncIterable<Uint8Array>,
  rowsMax = 7,
): Promise<AccountDocument[]> {
  const chunks = await all(cutArrow(source, { rowsMax }));
  return chunks.flatMap(({ bytes, start, end }) => [...readArrowAccounts(bytes, start, end)]);
}

/** An account with plain arrays, so that two can be compared whatever holds their numbers. */
export function plain(account: Account) {
  const numbers = (values: ArrayLike<number> | null) => values && Array.from(values);
  return {
    ...account,
    sizes: numbers(account.sizes),
    entryPrices: numbers(account.entryPrices),
    allocated: numbers(account.allocated),
  };
}

/** The account of a document; throws the error that stands in its place. */
export function accountOf(document: AccountDocument): Account {
  if ('error' in document) throw document.error;
  return 'account' in document ? document.account : readAccount(document.value);
}
