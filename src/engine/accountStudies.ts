/** The questions that an engine answers about one account, beside its margin: each checks what is asked and hands it to its study. */
import {
  type Methodology,
  type MethodologyInput,
  resolveMethodology,
} from '../margin/methodology.ts';
import type { CompiledFactors } from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import { type Comparison, comparedMethodologies, comparison } from './comparison.ts';
import type { Session } from './sessionData.ts';
import { stressRows } from './stressRows.ts';
import { changedInstruments } from './studies/changes.ts';
import { type CompareRequest, readCompareRequest } from './studies/compareSchema.ts';
import {
  type ExplainDocument,
  type Explanation,
  explainedInstruments,
  readExplainRequest,
} from './studies/explainSchema.ts';
import { type Hedges, type HedgesRequest, readHedgesRequest } from './studies/hedgesSchema.ts';
import type { StudyAnswer, StudyName, StudyRequest } from './studies/index.ts';
import {
  type Liquidation,
  type LiquidationRequest,
  liquidation,
  readLiquidationRequest,
} from './studies/liquidation.ts';
import { listedOnUnderlyings, planInstruments } from './studies/liquidationInstruments.ts';
import {
  readStressRequest,
  type StressReport,
  type StressRequest,
} from './studies/stressSchema.ts';
import {
  readTimelineRequest,
  type Timeline,
  type TimelineRequest,
} from './studies/timelineSchema.ts';
import { triggersAnswer } from './studies/triggersAnswer.ts';
import {
  readTriggersRequest,
  type Triggers,
  type TriggersPart,
  type TriggersRequest,
} from './studies/triggersSchema.ts';
import { readWhatIfRequest, type WhatIf, type WhatIfRequest } from './studies/whatIfSchema.ts';

export interface StudyOptions {
  readonly signal?: AbortSignal;
  /** Further instruments that the question is about. */
  readonly also?: readonly string[];
  /** Another methodology than the engine's: a session of its own is drawn and filled. */
  readonly methodology?: Methodology;
  /** Nobody waits for it: it goes behind all work that is queued. */
  readonly background?: boolean;
  /** And it is given up (CANCELLED) when anything else has to wait for a worker. */
  readonly givesWay?: boolean;
  /** One of several whose answers are put together: all are of one market. */
  readonly joint?: boolean;
}

type Cancellable = Pick<StudyOptions, 'signal' | 'givesWay'>;

/** What an engine works with now. */
export interface StudySources {
  readonly session: Session;
  readonly input: MethodologyInput;
  readonly factors: CompiledFactors | null;
  readonly history: History | null;
}

export abstract class AccountStudies {
  /** @param request or how it is made of the very sources that it is answered on */
  abstract study<N extends StudyName>(
    name: N,
    account: unknown,
    request: StudyRequest<N> | ((sources: StudySources) => StudyRequest<N>),
    options?: StudyOptions,
  ): Promise<StudyAnswer<N>>;

  /** The answer as JSON. */
  abstract studyText<N extends StudyName>(
    name: N,
    account: unknown,
    request: StudyRequest<N>,
    options?: StudyOptions,
  ): Promise<string>;

  protected abstract sources(): Promise<StudySources>;

  /** Worker threads. */
  abstract readonly workers: number;

  /** Margin before and after a change of an account, and whether its orders may be accepted. */
  async whatIf(
    account: unknown,
    request: WhatIfRequest,
    options: Cancellable = {},
  ): Promise<WhatIf> {
    const asked = readWhatIfRequest(request);
    const also = changedInstruments(asked.change);
    return this.study('whatIf', account, asked, { ...options, also });
  }

  /** The same as JSON: for who passes it on. */
  async whatIfText(
    account: unknown,
    request: WhatIfRequest,
    options: Cancellable = {},
  ): Promise<string> {
    const asked = readWhatIfRequest(request);
    const also = changedInstruments(asked.change);
    return this.studyText('whatIf', account, asked, { ...options, also });
  }

  /** Why one account's requirement is what it is; with `other` or a `change`, also what that makes of it. */
  async explain(
    account: unknown,
    request: ExplainDocument = {},
    options: Cancellable = {},
  ): Promise<Explanation> {
    const asked = readExplainRequest(request);
    return this.study('explain', account, asked, { ...options, also: explainedInstruments(asked) });
  }

  /** The account on later dates, the market unchanged. */
  async timeline(
    account: unknown,
    request: TimelineRequest = {},
    options: Cancellable = {},
  ): Promise<Timeline> {
    return this.study('timeline', account, readTimelineRequest(request), options);
  }

  /** P&L of the account under each stress scenario. */
  async stress(
    account: unknown,
    request: StressRequest = {},
    options: Cancellable = {},
  ): Promise<StressReport> {
    const asked = readStressRequest(request);
    const rows = ({ session, history }: StudySources) => stressRows(asked, session, history);
    return this.study('stress', account, rows, options);
  }

  /** The account in each margin mode, under the engine's methodology and under others. */
  async compare(
    account: unknown,
    request: CompareRequest = {},
    options: Cancellable = {},
  ): Promise<Comparison> {
    const { input, factors } = await this.sources();
    const compared = comparedMethodologies(readCompareRequest(request), input);
    const current = await this.study('compare', account, {}, options);
    return comparison(compared, current, (stated) => {
      const methodology = resolveMethodology(stated, factors?.degreesOfFreedom != null);
      return this.study('compare', account, {}, { ...options, methodology });
    });
  }

  /** The prices at which the account is liquidated; on request, how its liquidation would go. */
  async liquidation(
    account: unknown,
    request: LiquidationRequest = {},
    options: Cancellable = {},
  ): Promise<Liquidation> {
    const asked = readLiquidationRequest(request);
    const { session } = await this.sources();
    // On sessions for this account alone each task would fill one of its own.
    const parts = session.layout.cube === 0 ? 1 : this.workers;
    return liquidation(asked, {
      parts,
      prices: (part) => this.study('liquidationPrice', account, part, { ...options, joint: true }),
      plan: (plan) => {
        const also = planInstruments(account, plan, session.valuation.market);
        return this.study('liquidationPlan', account, plan, { ...options, also, joint: true });
      },
    });
  }

  /** The nearest move of each underlying, up and down, at which the account's state changes. */
  async triggers(
    account: unknown,
    request: TriggersRequest = {},
    options: Cancellable = {},
  ): Promise<Triggers> {
    const asked = readTriggersRequest(request);
    const computedAt = new Date().toISOString();
    const { session } = await this.sources();
    const alone = asked.approximate === true || options.givesWay === true;
    const parts = session.layout.cube === 0 || alone ? 1 : this.workers;
    const joint = parts > 1;
    const find = (part: TriggersPart) =>
      this.study('triggers', account, part, { ...options, joint });
    return triggersAnswer(asked, { parts, find, computedAt });
  }

  /** Trades that free most margin per unit of cost. */
  async hedges(
    account: unknown,
    request: HedgesRequest = {},
    options: Cancellable = {},
  ): Promise<Hedges> {
    const asked = readHedgesRequest(request);
    const { session } = await this.sources();
    const also = asked.instruments ?? listedOnUnderlyings(account, session.valuation.market);
    return this.study('hedges', account, asked, { ...options, also });
  }
}
