/** The columns that a stream of accounts may have, and the reading of a stream's schema against them (Arrow's Schema.fbs). */
import { type ErrorCode, PlimsollError } from '../errors.ts';
import { type FlatTable, malformedArrow, withinBounds } from './flatTable.ts';

/** Indices of a dictionary-encoded column. */
export interface DictionaryType {
  readonly id: bigint;
  readonly bits: 8 | 16 | 32;
  readonly signed: boolean;
}

/** `large`: offsets of 64 bits. */
export type ColumnType =
  | { readonly kind: 'number' }
  | { readonly kind: 'text'; readonly large: boolean; readonly dictionary: DictionaryType | null }
  | { readonly kind: 'list'; readonly large: boolean; readonly item: ColumnType }
  | { readonly kind: 'struct'; readonly fields: readonly ColumnField[] };

export interface ColumnField {
  readonly name: string;
  readonly type: ColumnType;
}

/** What is asked of a column. */
type Wanted =
  | 'number'
  | 'text'
  | { readonly list: Wanted }
  | { readonly struct: Readonly<Record<string, Wanted>> };

const ACCOUNT_COLUMNS: Readonly<Record<string, Wanted>> = {
  id: 'text',
  mode: 'text',
  currency: 'text',
  creditLine: 'number',
  instruments: { list: 'text' },
  sizes: { list: 'number' },
  entryPrices: { list: 'number' },
  allocated: { list: 'number' },
  collateral: { list: { struct: { asset: 'text', amount: 'number' } } },
  orders: {
    list: {
      struct: { id: 'text', instrument: 'text', side: 'text', size: 'number', price: 'number' },
    },
  },
};

/** Numbers of Schema.fbs's union `Type`, for messages. */
const TYPE_NAMES = [
  ...[
    'nothing',
    'Null',
    'Int',
    'FloatingPoint',
    'Binary',
    'Utf8',
    'Bool',
    'Decimal',
    'Date',
    'Time',
  ],
  ...[
    'Timestamp',
    'Interval',
    'List',
    'Struct',
    'Union',
    'FixedSizeBinary',
    'FixedSizeList',
    'Map',
  ],
  ...[
    'Duration',
    'LargeBinary',
    'LargeUtf8',
    'LargeList',
    'RunEndEncoded',
    'BinaryView',
    'Utf8View',
  ],
  ...['ListView', 'LargeListView'],
];
const FLOAT = TYPE_NAMES.indexOf('FloatingPoint');
const UTF8 = TYPE_NAMES.indexOf('Utf8');
const LARGE_UTF8 = TYPE_NAMES.indexOf('LargeUtf8');
const LIST = TYPE_NAMES.indexOf('List');
const LARGE_LIST = TYPE_NAMES.indexOf('LargeList');
const STRUCT = TYPE_NAMES.indexOf('Struct');

const FLOAT_NAMES = ['Float16', 'Float32', 'Float64'];

/**
 * The columns of a stream of accounts.
 *
 * @throws MALFORMED_ARROW; UNKNOWN_FIELD, MISSING_FIELD or INVALID_FIELD (a wrong type) with the column's name as path
 */
export function accountColumns(schema: FlatTable): readonly ColumnField[] {
  return withinBounds(() => {
    if (schema.short(0, 0) !== 0) throw malformedArrow('big-endian streams are not read');
    const columns = readFields(schema.tables(1), ACCOUNT_COLUMNS, '');
    if (columns.some((column) => column.name === 'id')) return columns;
    throw fieldError('MISSING_FIELD', 'id', 'is required');
  });
}

function fieldError(code: ErrorCode, path: string, text: string): PlimsollError {
  return new PlimsollError(code, `column ${path} ${text}`, { path });
}

function readFields(
  fields: readonly FlatTable[],
  wanted: Readonly<Record<string, Wanted>>,
  prefix: string,
): readonly ColumnField[] {
  const seen = new Set<string>();
  return fields.map((field) => {
    const name = field.text(0);
    const path = `${prefix}${name}`;
    const want = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
    if (want === undefined)
      throw fieldError('UNKNOWN_FIELD', path, 'is not a field of the contract');
    if (seen.has(name)) throw malformedArrow(`column ${path} stands twice in the schema`);
    seen.add(name);
    return { name, type: readType(field, want, path) };
  });
}

/** The name of a wanted type in Arrow's words. */
function nameOf(want: Wanted): string {
  if (want === 'number') return 'Float64';
  if (want === 'text') return 'Utf8';
  if ('list' in want) return `List<${nameOf(want.list)}>`;
  const fields = Object.entries(want.struct).map(([name, item]) => `${name}: ${nameOf(item)}`);
  return `Struct<${fields.join(', ')}>`;
}

function readType(field: FlatTable, want: Wanted, path: string): ColumnType {
  const type = field.byte(2, 0);
  const encoding = field.table(4);
  const wrong = (got: string): PlimsollError =>
    fieldError('INVALID_FIELD', path, `must be ${nameOf(want)}, got ${got}`);
  const name = type === FLOAT ? floatName(field) : (TYPE_NAMES[type] ?? `type ${type}`);
  if (encoding !== null && want !== 'text') throw wrong(`Dictionary<${name}>`);
  if (want === 'number') {
    if (name !== 'Float64') throw wrong(name);
    return { kind: 'number' };
  }
  if (want === 'text') {
    if (type !== UTF8 && type !== LARGE_UTF8) throw wrong(name);
    const dictionary = encoding === null ? null : dictionaryType(encoding, wrong);
    return { kind: 'text', large: type === LARGE_UTF8, dictionary };
  }
  const children = field.tables(5);
  if ('struct' in want) {
    if (type !== STRUCT) throw wrong(name);
    return { kind: 'struct', fields: readFields(children, want.struct, `${path}.`) };
  }
  if (type !== LIST && type !== LARGE_LIST) throw wrong(name);
  const [item] = children;
  if (item === undefined || children.length > 1) {
    throw malformedArrow(`the list ${path} has ${children.length} kinds of items`);
  }
  return { kind: 'list', large: type === LARGE_LIST, item: readType(item, want.list, path) };
}

function floatName(field: FlatTable): string {
  const precision = field.table(3)?.short(0, 0) ?? 0;
  return FLOAT_NAMES[precision] ?? `a float of kind ${precision}`;
}

function dictionaryType(
  encoding: FlatTable,
  wrong: (got: string) => PlimsollError,
): DictionaryType {
  const index = encoding.table(1);
  const bits = index?.int(0, 0) ?? 32;
  const signed = index === null || index.byte(1, 0) !== 0;
  if (bits === 8 || bits === 16 || bits === 32) return { id: encoding.long(0), bits, signed };
  throw wrong(`a dictionary with indices of ${bits} bits`);
}

/** Ids of the dictionaries that columns refer to. */
export function dictionaryIds(columns: readonly ColumnField[]): ReadonlySet<bigint> {
  const ids = new Set<bigint>();
  const visit = (type: ColumnType): void => {
    if (type.kind === 'text' && type.dictionary !== null) ids.add(type.dictionary.id);
    if (type.kind === 'list') visit(type.item);
    if (type.kind === 'struct') for (const field of type.fields) visit(field.type);
  };
  for (const column of columns) visit(column.type);
  return ids;
}
