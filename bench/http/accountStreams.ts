/**
 * A batch of any length in each transport form, made while it is sent and never held: some accounts in turn, each time under other ids.
 * All forms say the same accounts, so all answers have one digest.
 */
import {
  Dictionary,
  Field,
  Float64,
  Int32,
  List,
  Message,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { type DemoAccount, demoAccounts } from '../../src/book/demoAccounts.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';

export const FORMS = ['rows', 'columns', 'array', 'arrow'] as const;
/** NDJSON of rows, NDJSON of columns, a JSON array of rows, Arrow. */
export type Form = (typeof FORMS)[number];

export const TRANSPORT = {
  rows: 'ndjson',
  columns: 'ndjson',
  array: 'json',
  arrow: 'arrow',
} as const;

/** Accounts that differ in more than their ids, unless more are asked for; and those of one Arrow batch. */
const CYCLE = 1000;
/** Accounts that are made and sent together: some 100 kB. */
const PIECE = 100;

export interface AccountSource {
  values(count: number): DemoAccount[];
  stream(form: Form, count: number): AsyncGenerator<Uint8Array>;
}

export function accountSource(
  market: MarketSnapshot,
  positions: number,
  cycle: number = CYCLE,
): AccountSource {
  const accounts = [...demoAccounts({ market, count: cycle, positions, equal: true })];
  const rows = accounts.map(({ id: _, ...rest }) => JSON.stringify(rest).slice(1));
  const columns = accounts.map((account) => JSON.stringify(columnsOf(account)).slice(1));
  return {
    values: (count) =>
      Array.from({ length: count }, (_, i) => ({ ...accounts[i % cycle]!, id: idOf(i) })),
    stream(form, count) {
      switch (form) {
        case 'rows':
          return lines(rows, count, ['', '\n', '\n']);
        case 'columns':
          return lines(columns, count, ['', '\n', '\n']);
        case 'array':
          return lines(rows, count, ['[', ',', ']']);
        case 'arrow':
          return arrow(accounts, count);
      }
    },
  };
}

function columnsOf({ mode, currency, collateral, positions }: DemoAccount) {
  const instruments = positions.map(({ instrument }) => instrument);
  const sizes = positions.map(({ size }) => size);
  const entryPrices = positions.map(({ entryPrice }) => entryPrice ?? null);
  return { mode, currency, collateral, instruments, sizes, entryPrices };
}

const idOf = (i: number): string => `a-${String(i + 1).padStart(7, '0')}`;

/** @param rests the accounts' JSON from behind the opening brace, without an id */
async function* lines(
  rests: readonly string[],
  count: number,
  [open, between, close]: readonly [string, string, string],
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < count; start += PIECE) {
    const end = Math.min(count, start + PIECE);
    let text = start === 0 ? open : between;
    for (let i = start; i < end; i++) {
      text += `{"id":"${idOf(i)}",${rests[i % rests.length]}${i + 1 < end ? between : ''}`;
    }
    yield Buffer.from(end === count ? text + close : text);
  }
}

async function* arrow(accounts: readonly DemoAccount[], count: number): AsyncGenerator<Uint8Array> {
  const held = Object.entries(arrowColumns(accounts));
  let size = 0;
  for (let start = 0; start < count; start += size) {
    const from = start % accounts.length;
    size = Math.min(CYCLE, accounts.length - from, count - start);
    const ids = Array.from({ length: size }, (_, i) => idOf(start + i));
    const table = new Table({
      id: vectorFromArray(ids, new Utf8()),
      ...Object.fromEntries(held.map(([name, column]) => [name, column.slice(from, from + size)])),
    });
    const messages = splitMessages(tableToIPC(table, 'stream'));
    // Schema and dictionaries only once; the batch is the last message.
    yield* start === 0 ? messages : messages.slice(-1);
  }
  // End of stream: a continuation mark and no metadata.
  yield new Uint8Array([255, 255, 255, 255, 0, 0, 0, 0]);
}

const listOf = (type: Utf8 | Float64 | Struct | Dictionary) =>
  new List(new Field('item', type, true));

function arrowColumns(accounts: readonly DemoAccount[]) {
  const parts = accounts.map(columnsOf);
  const collateral = new Struct([
    new Field('asset', new Utf8(), true),
    new Field('amount', new Float64(), true),
  ]);
  const column = (name: keyof (typeof parts)[number], type: Utf8 | List) =>
    vectorFromArray(
      parts.map((part) => part[name]),
      type,
    );
  return {
    mode: column('mode', new Utf8()),
    currency: column('currency', new Utf8()),
    instruments: column('instruments', listOf(new Dictionary(new Utf8(), new Int32()))),
    sizes: column('sizes', listOf(new Float64())),
    entryPrices: column('entryPrices', listOf(new Float64())),
    collateral: column('collateral', listOf(collateral)),
  };
}

/** The messages of an Arrow IPC stream, without its end mark. */
function splitMessages(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Uint8Array[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    const length = view.getInt32(at + 4, true);
    if (length === 0) break;
    const body = Message.decode(bytes.subarray(at + 8, at + 8 + length)).bodyLength;
    const end = at + 8 + length + body;
    messages.push(bytes.subarray(at, end));
    at = end;
  }
  return messages;
}
