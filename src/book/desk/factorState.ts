/** The factor model as the log has it, and what was heard of its factors: the fold of `factors-replaced`, `factors-updated` and market changes. */
import { PlimsollError } from '../../errors.ts';
import { hashOf } from '../../json.ts';
import { DynamicVolatility } from '../../market/dynamicVolatility.ts';
import type { HearingState } from '../../market/factorHearing.ts';
import { type FactorModel, readFactorModel } from '../../market/factorModel.ts';
import type { BookEvent } from '../events.ts';

/** Who sends the model that an engine was opened with. */
export const AT_START = 'start';

/** As a snapshot of the store keeps it. */
export interface FactorForm {
  readonly model: FactorModel;
  readonly heard: HearingState;
  readonly startHash: string | null;
}

export class FactorState {
  /** Null where the log names no factor model: figures are then of the one that the engine was opened with. */
  volatility: DynamicVolatility | null = null;
  /** Of the model of the last start: another one at the next start is news. */
  startHash: string | null = null;

  get model(): FactorModel | null {
    return this.volatility?.model ?? null;
  }

  /** @throws INVALID_RECORD where an update is not of the model that the log has */
  fold({ kind, body }: BookEvent, seq: number): void {
    switch (kind) {
      case 'factors-replaced':
        this.replace(body.model, body.source, body.hash, seq);
        break;
      case 'factors-updated':
        if (this.volatility?.hash !== body.before) throw misfit(seq, 'updates another model');
        this.volatility.apply(body);
        if (this.volatility.hash !== body.after) throw misfit(seq, 'makes another model');
        break;
      case 'ticks':
        this.volatility?.hear(body);
        break;
      case 'market-replaced':
        if (body.snapshot !== undefined) this.volatility?.hear({ snapshot: body.snapshot });
        break;
      default:
    }
  }

  get form(): FactorForm | null {
    const { volatility, startHash } = this;
    if (volatility === null) return null;
    return { model: volatility.model, heard: volatility.heard, startHash };
  }

  restore(form: FactorForm | null): void {
    this.volatility = form === null ? null : DynamicVolatility.of(form.model, form.heard);
    this.startHash = form?.startHash ?? null;
  }

  private replace(model: FactorModel, source: string, hash: string, seq: number): void {
    if (hashOf(model) !== hash) throw misfit(seq, `holds another factor model than ${hash}`);
    const read = readFactorModel(model);
    this.volatility = this.volatility?.replaced(read) ?? DynamicVolatility.of(read);
    if (source === AT_START) this.startHash = hash;
  }
}

function misfit(seq: number, message: string): PlimsollError {
  return new PlimsollError('INVALID_RECORD', `record ${seq} ${message}`);
}
