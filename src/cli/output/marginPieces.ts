/** Reads the engine's answer again on its way out, piece by piece, for the table. */
import { tableFromIPC } from 'apache-arrow';
import type { BatchForm } from '../../engine/engine.ts';
import type { ErrorCode } from '../../errors.ts';
import type { MarginResult, RejectedAccount } from '../../margin/result.ts';
import type { MarginTally } from './marginTally.ts';

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
  for (const line of text.split('\n')) {
    const end = line.endsWith(',') ? line.length - 1 : line.length;
    if (end <= 1) continue;
    const value = JSON.parse(line.slice(0, end)) as MarginResult | RejectedAccount | Ended;
    if ('summary' in value) continue;
    tallyOutcome(tally, value);
  }
}

interface Ended {
  readonly summary: object;
}

function tallyOutcome(tally: MarginTally, outcome: MarginResult | RejectedAccount): void {
  if ('error' in outcome) {
    tally.reject(outcome);
    return;
  }
  const { account, mode, currency, initialMargin, maintenanceMargin, equity } = outcome;
  const { marginRatio, state, scenarioSet, risk } = outcome;
  const standardError = risk.standardError.expectedShortfall;
  const figures = { initialMargin, standardError, maintenanceMargin, equity, marginRatio };
  tally.accept({ account, mode, currency, ...figures, state, scenarioSet });
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
    tally.accept({
      account: String(value.account),
      mode: String(value.mode),
      currency: String(value.currency),
      initialMargin: Number(value.initialMargin),
      standardError: Number(value.seExpectedShortfall),
      maintenanceMargin: Number(value.maintenanceMargin),
      equity: Number(value.equity),
      marginRatio: value.marginRatio as number | null,
      state: String(value.state),
      scenarioSet: String(value.scenarioSet),
    });
  }
}
