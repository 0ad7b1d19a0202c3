// Placeholder until the Arrow reader lands.
import type { AccountDocument, AccountOutcome } from './evaluator.ts';
export function readArrowAccounts(_bytes: Uint8Array, _start: number, _end: number): readonly AccountDocument[] {
  throw new Error('not there yet');
}
export function arrowResults(_outcomes: readonly AccountOutcome[]): Uint8Array {
  throw new Error('not there yet');
}
export function arrowResultHeader(): Uint8Array {
  throw new Error('not there yet');
}
export function arrowResultFooter(_summary: string): Uint8Array {
  throw new Error('not there yet');
}
