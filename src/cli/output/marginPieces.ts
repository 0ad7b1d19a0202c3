/** Reads the engine's answer again on its way out, piece by piece, for the table. */
import { tableFromIPC } from 'apache-arrow';
import type { BatchForm } from '../../engine/engine.ts';
import type { ErrorCode } from '../../errors.ts';
import type { MarginResult, RejectedAccount } from '../../margin/result.ts';
import type { MarginFigures, MarginTally } from './marginTally.ts';

/** What takes in one piece after another, in order. */
export function tallyPieces(tally: MarginTally, form: BatchForm): (piece: Uint8Array) => void {
  if (form !== 'arrow') return (piece) => tallyLines(tally, piece);
  let header: Uint8Array | null = null;
  return (piece) => {
    if (header === null) header = piece;
    else if (piece.length > 0) tallyBatch(tally, Buffer.concat([header, piece]));
  };
}

/** NDJSON lines, or the elements of an array one a line: a piece holds whole ones. */
function tallyLines(tally: MarginTally, piece: Uint8Array): void {
  const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('utf8');
  let start = 0;
  for (;;) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    tallyLine(tally, text.slice(start, text[end - 1] === ',' ? end - 1 : end));
    if (found === -1) return;
    start = end + 1;
  }
}

/** Where the figures that every account is asked for end. Inside a string its quotes would be escaped. */
const AFTER_FIGURES = ',"risk":{';

/** Parses of a result no more than it must: with many workers this thread would be what holds them up. */
function tallyLine(tally: MarginTally, line: string): void {
  if (line.length <= 1) return;
  const cut = line.indexOf(AFTER_FIGURES);
  if (cut === -1) {
    const value = JSON.parse(line) as RejectedAccount | Ended;
    if (!('summary' in value)) tally.reject(value);
    return;
  }
  const whole = (): MarginResult => JSON.parse(line) as MarginResult;
  const figures = JSON.parse(`${line.slice(0, cut)}}`) as MarginFigures;
  tally.accept(figures, () => whole().risk.standardError.expectedShortfall);
}

interface Ended {
  readonly summary: object;
}

function tallyBatch(tally: MarginTally, stream: Uint8Array): void {
  for (const row of tableFromIPC(stream)) {
    const value = row!.toJSON() as Record<string, string | number | null>;
    if (value.summary !== null) continue;
    if (value.errorCode !== null) {
      tally.reject({
        account: value.account as string | null,
        error: {
          code: value.errorCode as ErrorCode,
          message: String(value.errorMessage),
          ...(value.errorPath === null ? {} : { path: String(value.errorPath) }),
        },
      });
      continue;
    }
    const figures = {
      account: String(value.account),
      mode: String(value.mode),
      currency: String(value.currency),
      initialMargin: Number(value.initialMargin),
      maintenanceMargin: Number(value.maintenanceMargin),
      equity: Number(value.equity),
      marginRatio: value.marginRatio as number | null,
      state: String(value.state),
    };
    tally.accept(figures, () => value.seExpectedShortfall as number | null);
  }
}
