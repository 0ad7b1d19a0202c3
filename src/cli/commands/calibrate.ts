/** `plimsoll calibrate`: a history of prices in, a factor model out, with all that was assumed and all that is wrong with the data. */
import { setImmediate } from 'node:timers/promises';
import { PlimsollError } from '../../errors.ts';
import {
  type Calibration,
  type CalibrationOptions,
  calibrationSteps,
} from '../../market/calibration.ts';
import type { CorrelationModel } from '../../market/calibrationReport.ts';
import type { History } from '../../market/history.ts';
import type { VolAssumption } from '../../market/volAssumption.ts';
import type { VolatilityModel } from '../../market/volatilityFit.ts';
import { EXIT } from '../exitCodes.ts';
import { inputsOf, readHistories, refuseOverwriting, refuseSharedInput } from '../inputs.ts';
import type { ModelOptions, OutOptions } from '../options.ts';
import { calibrationPage } from '../output/calibrationPage.ts';
import { calibrationTable } from '../output/calibrationTable.ts';
import { openSink, type Sink } from '../output/sink.ts';
import type { Terminal } from '../terminal.ts';

export interface CalibrateOptions extends ModelOptions, OutOptions {
  readonly underlying?: string[];
  readonly volatility?: VolatilityModel;
  readonly correlation?: CorrelationModel;
  readonly fitDegreesOfFreedom?: 'common' | 'factors' | 'both';
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
  readonly report?: string;
}

export async function runCalibrate(options: CalibrateOptions, terminal: Terminal): Promise<number> {
  const { out, report: page } = options;
  const inputs = inputsOf(options);
  refuseSharedInput(inputs);
  refuseOverwriting(out, inputs);
  refuseOverwriting(page, inputs, 'report');
  if (page === '-') throw new PlimsollError('USAGE', '--report needs a file', { path: 'report' });
  if (page !== undefined && page === out) {
    throw new PlimsollError('USAGE', `--out and --report both name ${page}`, { path: 'report' });
  }
  if (out === '-' && terminal.json) {
    throw new PlimsollError('USAGE', '--json and --out - both want stdout', { path: 'out' });
  }
  const history = await readHistories(options);
  if (history === null) {
    throw new PlimsollError('USAGE', 'no history: give --history FILE', { path: 'history' });
  }
  const sinks: Sink[] = [];
  const open = async (target: string | undefined, option: string): Promise<Sink | null> => {
    if (target === undefined) return null;
    const sink = await openSink(target, terminal, option);
    sinks.push(sink);
    return sink;
  };
  try {
    const model = await open(out, 'out');
    const report = await open(page, 'report');
    const calibration = await calibrated(history, calibrationOptions(options), terminal);
    await report?.deliver(calibrationPage(calibration));
    await model?.deliver(`${JSON.stringify(calibration.model, null, 2)}\n`);
    await tell(calibration, options, terminal);
  } finally {
    terminal.progress.stop();
    for (const sink of sinks) await sink.discard();
  }
  return EXIT.ok;
}

/** Between two factors signals are heard and progress is shown. */
async function calibrated(
  history: History,
  options: CalibrationOptions,
  terminal: Terminal,
): Promise<Calibration> {
  const steps = calibrationSteps(history, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    terminal.progress.update({ stage: 'factors', ...step.value });
    await setImmediate();
  }
}

async function tell(
  calibration: Calibration,
  { out, report: page }: CalibrateOptions,
  terminal: Terminal,
): Promise<void> {
  const { model, report } = calibration;
  terminal.progress.stop();
  if (terminal.json) await terminal.document(calibration);
  else if (out === '-') terminal.note(calibrationTable(model, report).trimEnd());
  else await terminal.write(calibrationTable(model, report));
  if (page !== undefined) terminal.note(`report written to ${page}`);
  if (out === undefined && !terminal.json) {
    terminal.note('nothing was written: give --out FILE to keep the factor model');
  } else if (out !== undefined && out !== '-') terminal.note(`factor model written to ${out}`);
}

/** Only what was stated: the defaults are the calibration's own. */
function calibrationOptions(options: CalibrateOptions): CalibrationOptions {
  const { lambda, correlationLambda, periodsPerYear, minimumRows, degreesOfFreedom } = options;
  const { volatility, correlation, fitDegreesOfFreedom } = options;
  return {
    ...(volatility === undefined ? {} : { volatility }),
    ...(correlation === undefined ? {} : { correlation }),
    ...(fitDegreesOfFreedom === undefined ? {} : { fitDegreesOfFreedom }),
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
