/** `plimsoll calibrate`: a history of prices in, a factor model out, with all that was assumed and all that is wrong with the data. */
import { PlimsollError } from '../../errors.ts';
import { type CalibrationOptions, calibrate } from '../../market/calibration.ts';
import type { VolAssumption } from '../../market/volAssumption.ts';
import { EXIT } from '../exitCodes.ts';
import { inputsOf, readHistories, refuseOverwriting, refuseSharedInput } from '../inputs.ts';
import type { ModelOptions, OutOptions } from '../options.ts';
import { calibrationTable } from '../output/calibrationTable.ts';
import { writeOut } from '../output/sink.ts';
import type { Terminal } from '../terminal.ts';

export interface CalibrateOptions extends ModelOptions, OutOptions {
  readonly underlying?: string[];
  readonly lambda?: number;
  readonly correlationLambda?: number;
  readonly periodsPerYear?: number;
  readonly minimumRows?: number;
  readonly degreesOfFreedom?: number;
  /** False: `--no-default-vol`. */
  readonly defaultVol?: boolean;
  readonly defaultVolVolatility?: number;
  readonly defaultVolCorrelation?: number;
  readonly defaultVolCommonShare?: number;
}

export async function runCalibrate(options: CalibrateOptions, terminal: Terminal): Promise<number> {
  refuseSharedInput(inputsOf(options));
  refuseOverwriting(options.out, inputsOf(options));
  const history = await readHistories(options);
  if (history === null) {
    throw new PlimsollError('USAGE', 'no history: give --history FILE', { path: 'history' });
  }
  const { model, report } = calibrate(history, calibrationOptions(options));
  const { out } = options;
  const text = `${JSON.stringify(model, null, 2)}\n`;
  if (out !== undefined) {
    if (out === '-' && terminal.json) {
      throw new PlimsollError('USAGE', '--json and --out - both want stdout', { path: 'out' });
    }
    await writeOut(out, text, terminal);
  }
  if (terminal.json) await terminal.document({ model, report });
  else if (out === '-') terminal.note(calibrationTable(model, report).trimEnd());
  else await terminal.write(calibrationTable(model, report));
  if (out === undefined && !terminal.json) {
    terminal.note('nothing was written: give --out FILE to keep the factor model');
  } else if (out !== undefined && out !== '-') terminal.note(`factor model written to ${out}`);
  return EXIT.ok;
}

/** Only what was stated: the defaults are the calibration's own. */
function calibrationOptions(options: CalibrateOptions): CalibrationOptions {
  const { lambda, correlationLambda, periodsPerYear, minimumRows, degreesOfFreedom } = options;
  return {
    ...(options.underlying === undefined ? {} : { underlyings: options.underlying }),
    ...(lambda === undefined ? {} : { lambda }),
    ...(correlationLambda === undefined ? {} : { correlationLambda }),
    ...(periodsPerYear === undefined ? {} : { periodsPerYear }),
    ...(minimumRows === undefined ? {} : { minimumRows }),
    ...(degreesOfFreedom === undefined ? {} : { degreesOfFreedom }),
    defaultVol: options.defaultVol === false ? null : volAssumption(options),
  };
}

function volAssumption(options: CalibrateOptions): Partial<VolAssumption> {
  const {
    defaultVolVolatility: volatility,
    defaultVolCorrelation: correlationWithSpot,
    defaultVolCommonShare: commonShare,
  } = options;
  return {
    ...(volatility === undefined ? {} : { volatility }),
    ...(correlationWithSpot === undefined ? {} : { correlationWithSpot }),
    ...(commonShare === undefined ? {} : { commonShare }),
  };
}
