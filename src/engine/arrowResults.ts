/**
 * Results as an Arrow IPC stream in pieces: a header, any number of batches, a footer; put end to end they are one valid stream. All
 * columns may be null: a rejected account has only its id and its error, the footer's one row only the summary.
 */
import {
  type Data,
  Field,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow';
import { ensure } from '../errors.ts';
import { COMPONENT_NAMES } from '../margin/methodologySchema.ts';
import type { MarginResult, RejectedAccount } from '../margin/result.ts';
import { END_OF_STREAM } from './arrowMessages.ts';

type Outcome = MarginResult | RejectedAccount;

interface Row {
  readonly result: MarginResult | null;
  readonly rejected: RejectedAccount | null;
  readonly summary: string | null;
}

type ResultColumn =
  | { readonly name: string; readonly type: 'text'; of(row: Row): string | null | undefined }
  | {
      readonly name: string;
      readonly type: 'number' | 'count';
      of(row: Row): number | null | undefined;
    };

const text = (name: string, of: (result: MarginResult) => string): ResultColumn => ({
  name,
  type: 'text',
  of: ({ result }) => result && of(result),
});

const number = (name: string, of: (result: MarginResult) => number | null): ResultColumn => ({
  name,
  type: 'number',
  of: ({ result }) => result && of(result),
});

/** Initial amount of a component; null where the methodology does not charge it. */
function amountOf(components: MarginResult['components'], name: string): number | null {
  return components.find((line) => line.name === name)?.initial ?? null;
}

const COLUMNS: readonly ResultColumn[] = [
  { name: 'account', type: 'text', of: ({ result, rejected }) => (result ?? rejected)?.account },
  text('mode', (result) => result.mode),
  text('currency', (result) => result.currency),
  text('asOf', (result) => result.asOf),
  number('initialMargin', (result) => result.initialMargin),
  number('maintenanceMargin', (result) => result.maintenanceMargin),
  number('equity', (result) => result.equity),
  number('marginRatio', (result) => result.marginRatio),
  text('state', (result) => result.state),
  number('valueAtRisk', ({ risk }) => risk.valueAtRisk),
  number('expectedShortfall', ({ risk }) => risk.expectedShortfall),
  number('seValueAtRisk', ({ risk }) => risk.standardError.valueAtRisk),
  number('seExpectedShortfall', ({ risk }) => risk.standardError.expectedShortfall),
  { name: 'scenarios', type: 'count', of: ({ result }) => result?.risk.scenarios },
  number('portfolioInitialMargin', ({ modes }) => modes.portfolio.initialMargin),
  number('isolatedInitialMargin', ({ modes }) => modes.isolated.initialMargin),
  ...COMPONENT_NAMES.map((component) =>
    number(component, ({ components }) => amountOf(components, component)),
  ),
  text('scenarioSet', (result) => result.scenarioSet),
  { name: 'sideSets', type: 'text', of: ({ result }) => result?.sideSets },
  text('methodology', (result) => result.methodology),
  text('market', (result) => result.market),
  text('engine', (result) => result.engine),
  { name: 'errorCode', type: 'text', of: ({ rejected }) => rejected?.error.code },
  { name: 'errorMessage', type: 'text', of: ({ rejected }) => rejected?.error.message },
  { name: 'errorPath', type: 'text', of: ({ rejected }) => rejected?.error.path },
  { name: 'summary', type: 'text', of: ({ summary }) => summary },
];

const TYPES = { text: new Utf8(), number: new Float64(), count: new Int32() } as const;

const SCHEMA = new Schema(COLUMNS.map(({ name, type }) => new Field(name, TYPES[type], true)));

/** A whole stream of the batches. */
function streamOf(batches: readonly RecordBatch[]): Uint8Array {
  const writer = new RecordBatchStreamWriter();
  // The schema goes out even where no batch follows.
  writer.reset(undefined, SCHEMA);
  for (const batch of batches) writer.write(batch);
  return writer.finish().toUint8Array(true);
}

let header: Uint8Array | null = null;

/** The schema message, with which the stream begins. */
export function arrowResultHeader(): Uint8Array {
  header ??= streamOf([]).slice(0, -END_OF_STREAM.length);
  return header;
}

/** The message of one batch, without the schema before it and the end of the stream behind it. */
function batchMessage(rows: readonly Row[]): Uint8Array {
  const children = COLUMNS.map((column) => columnData(column, rows));
  const data = makeData({
    type: new Struct(SCHEMA.fields),
    length: rows.length,
    nullCount: 0,
    children,
  });
  const stream = streamOf([new RecordBatch(SCHEMA, data)]);
  const start = arrowResultHeader().length;
  ensure(stream.length > start + END_OF_STREAM.length, 'the writer left the batch out');
  return stream.slice(start, stream.length - END_OF_STREAM.length);
}

/** Results as the message of one record batch, in order; no bytes for none. */
export function arrowResults(outcomes: readonly Outcome[]): Uint8Array {
  if (outcomes.length === 0) return new Uint8Array(0);
  return batchMessage(
    outcomes.map((outcome) =>
      'error' in outcome
        ? { result: null, rejected: outcome, summary: null }
        : { result: outcome, rejected: null, summary: null },
    ),
  );
}

/** A last row that holds only the summary, and the end of the stream. */
export function arrowResultFooter(summaryJson: string): Uint8Array {
  const message = batchMessage([{ result: null, rejected: null, summary: summaryJson }]);
  return Buffer.concat([message, END_OF_STREAM]);
}

function columnData(column: ResultColumn, rows: readonly Row[]): Data {
  const length = rows.length;
  const nullBitmap = new Uint8Array(Math.ceil(length / 8));
  let nullCount = 0;
  const note = (i: number, present: boolean): void => {
    if (present) nullBitmap[i >> 3]! |= 1 << (i & 7);
    else nullCount += 1;
  };
  if (column.type === 'text') {
    const values = rows.map((row) => column.of(row) ?? null);
    values.forEach((value, i) => {
      note(i, value !== null);
    });
    return makeData({ type: TYPES.text, length, nullCount, nullBitmap, ...encoded(values) });
  }
  const data = column.type === 'number' ? new Float64Array(length) : new Int32Array(length);
  rows.forEach((row, i) => {
    const value = column.of(row) ?? null;
    note(i, value !== null);
    data[i] = value ?? 0;
  });
  return makeData({ type: TYPES[column.type], length, nullCount, nullBitmap, data } as never);
}

const encoder = new TextEncoder();

/** Texts end to end in UTF-8, and where each ends. */
function encoded(values: readonly (string | null)[]): {
  valueOffsets: Int32Array;
  data: Uint8Array;
} {
  const joined = values.join('');
  const data = encoder.encode(joined);
  // As many bytes as code units: all is ASCII, and lengths need no counting.
  const ascii = data.length === joined.length;
  const valueOffsets = new Int32Array(values.length + 1);
  let total = 0;
  values.forEach((value, i) => {
    if (value !== null) total += ascii ? value.length : Buffer.byteLength(value);
    valueOffsets[i + 1] = total;
  });
  if (total === data.length) return { valueOffsets, data };
  // Lone surrogates of two neighbours joined to a character: each becomes U+FFFD, which is what UTF-8 has for them.
  return encoded(values.map((value) => value && Buffer.from(value).toString()));
}
