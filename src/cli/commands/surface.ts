/** `plimsoll surface`: SVI slices fitted to the volatilities of a market, and what arbitrage the quotes and the fit hold. */
import { surfaceReport } from '../../market/surfaceReport.ts';
import { EXIT } from '../exitCodes.ts';
import { readMarket, refuseSharedInput } from '../inputs.ts';
import type { MarketOptions } from '../options.ts';
import { surfaceTable } from '../output/surfaceTable.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface SurfaceOptions extends MarketOptions, CommonOptions {}

export async function runSurface(options: SurfaceOptions, terminal: Terminal): Promise<number> {
  refuseSharedInput(options.market ?? []);
  const report = surfaceReport(await readMarket(options));
  if (terminal.json) await terminal.document(report);
  else await terminal.write(surfaceTable(report));
  return EXIT.ok;
}
