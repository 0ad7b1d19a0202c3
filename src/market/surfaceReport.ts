/** Every surface of a snapshot as SVI slices, and how each was fitted. */
import { PlimsollError } from '../errors.ts';
import { formatInstant } from './dates.ts';
import { byId, readInstant } from './instruments.ts';
import type { MarketSnapshot, UnderlyingRecord } from './snapshot.ts';
import { compileSurface } from './surface.ts';
import { fitSlices, type SliceReport } from './sviSurface.ts';

export interface ExpiryReport extends Omit<SliceReport, 'expiryMs'> {
  readonly expiry: string;
}

export interface UnderlyingReport {
  readonly id: string;
  readonly asOf: string;
  /** Slices quoted that had expired by then. */
  readonly expired: number;
  readonly slices: readonly ExpiryReport[];
}

export interface SurfaceReport {
  readonly asOf: string;
  readonly underlyings: readonly UnderlyingReport[];
}

/**
 * @param snapshot that `readSnapshot` returned
 * @throws MISSING_FIELD where no underlying quotes a volatility
 */
export function surfaceReport(snapshot: MarketSnapshot): SurfaceReport {
  const quoted = snapshot.underlyings.filter(({ surface = [] }) => surface.length > 0);
  if (quoted.length === 0) {
    throw new PlimsollError('MISSING_FIELD', 'no underlying of the market has a surface', {
      path: 'underlyings',
    });
  }
  const underlyings = quoted.toSorted(byId).map((record) => reportOn(record, snapshot.asOf));
  return { asOf: snapshot.asOf, underlyings };
}

function reportOn(record: UnderlyingRecord, snapshotAsOf: string): UnderlyingReport {
  const asOf = record.asOf ?? snapshotAsOf;
  const forwards = new Map(
    (record.forwards ?? []).map(({ expiry, price }) => [readInstant(expiry, 'expiry'), price]),
  );
  const quotes = compileSurface(record.surface ?? [], forwards, readInstant(asOf, 'asOf'));
  const slices = fitSlices(quotes.slices).reports.map(({ expiryMs, ...rest }) => ({
    expiry: formatInstant(expiryMs),
    ...rest,
  }));
  return { id: record.id, asOf, expired: (record.surface ?? []).length - slices.length, slices };
}
