/** Fitted figures as people read them, the same in the table and on the page. */
import { defaultKind, parseFactorId } from '../../market/factorIds.ts';
import type { TailFit } from '../../market/studentT.ts';
import { percent } from './figures.ts';

/** A volatility a year: in percent for factors that move in proportion, else in their own unit. */
export function volatilityText(id: string, volatility: number): string {
  const proportional = defaultKind(parseFactorId(id).type) === 'log';
  return proportional ? percent(volatility, 2) : volatility.toPrecision(4);
}

/** `0.0812 ± 0.0140`; without its error where there is none. */
export function fittedText(value: number, standardError: number | null | undefined): string {
  const text = value.toFixed(4);
  return standardError == null ? `${text} ± none` : `${text} ± ${standardError.toFixed(4)}`;
}

/** `4.31 ± 0.28`, `normal`. */
export function degreesText({
  degreesOfFreedom: nu,
  standardError,
  atLowerBound,
}: Omit<TailFit, 'leftOut'>): string {
  if (nu === null) return 'normal';
  if (atLowerBound) return `${nu} (the least fitted)`;
  return standardError === null
    ? `${nu.toFixed(2)} ± none`
    : `${nu.toFixed(2)} ± ${standardError.toFixed(2)}`;
}

/** The likelihood and by how much it is above the normal's. */
export function likelihoodText({ logLikelihood, gaussianLogLikelihood }: TailFit): string {
  const gain = logLikelihood - gaussianLogLikelihood;
  return `${logLikelihood.toFixed(2)} (normal ${gaussianLogLikelihood.toFixed(2)}, gain ${gain.toFixed(2)})`;
}

/** `34.2 rows`. */
export function rowsText(rows: number): string {
  return `${rows >= 1000 ? rows.toFixed(0) : rows.toPrecision(3)} rows`;
}
