/** A failure as people read it: the code, what is wrong, where, and what to do about it. */
import type { ErrorCode, PlimsollError } from '../errors.ts';
import { printable } from './output/figures.ts';

const HINTS: Partial<Record<ErrorCode, string>> = {
  MISSING_HISTORY: 'give --history FILE with a column for each factor (BTC, BTC:vol)',
  INSUFFICIENT_HISTORY: 'give a longer history; `plimsoll calibrate` reports its gaps',
  NOT_POSITIVE_SEMIDEFINITE: '`plimsoll calibrate` repairs correlations and reports the repair',
  MALFORMED_JSON:
    'check the file with a JSON tool, a .gz with `gzip -t` first; NDJSON has one account a line',
  MISSING_VOLATILITY:
    'quote a surface for it, or fit a factor model with `plimsoll calibrate` instead of --factors implied',
  OUTPUT_FAILED: 'make room on the disk, or write elsewhere',
  OUT_OF_MEMORY: 'use fewer --scenarios, or split the market',
  UNKNOWN_UNDERLYING: 'the factor model and the market must name the same underlyings',
  INTERNAL: 'this is a fault of ours: please report it with the command that caused it',
};

const FACTORS_HINT = `make a factor model with \`plimsoll calibrate --history FILE --out factors.json\`,
        or read one off the option prices with --factors implied`;

function hintOf({ code, path }: PlimsollError): string | undefined {
  if (code === 'MISSING_FACTOR') return FACTORS_HINT;
  if (code === 'INVALID_SCENARIO_COUNT') return 'set --scenarios; --model historical takes none';
  if (code === 'MISSING_FIELD' && path === 'degreesOfFreedom') {
    return 'add degreesOfFreedom to the factor model, or use --model gaussian';
  }
  if (code === 'MISSING_FIELD' && path === 'periodsPerYear') {
    return 'set --periods-per-year: 365 for what trades daily, 252 for exchange days';
  }
  return HINTS[code];
}

export function failureText(error: PlimsollError): string {
  const lines = [`plimsoll: ${error.code}: ${printable(error.message)}`];
  if (error.account !== undefined && error.account !== '') {
    lines.push(`  account: ${printable(error.account)}`);
  }
  if (error.path !== undefined && error.path !== '') lines.push(`  at: ${printable(error.path)}`);
  const hint = hintOf(error);
  if (hint !== undefined) lines.push(`  hint: ${hint}`);
  return `${lines.join('\n')}\n`;
}
