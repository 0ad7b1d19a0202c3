/**
 * Why an account's requirement is what it is: each component with its inputs, the exact parts of ES by position, underlying, expiry and type of
 * factor, the worst scenarios, and figures without simulation to check it by (METHODOLOGY section 4).
 */
import type { Account } from '../../margin/account.ts';
import { checkFigures } from '../../margin/result.ts';
import { applyChange } from './changes.ts';
import { componentsOf } from './explainComponents.ts';
import { differenceOf } from './explainDifference.ts';
import { factorsOf } from './explainFactors.ts';
import { partsOf, worstOf, worstStressOf } from './explainLosses.ts';
import { type MeasuredAccount, measureAccount } from './explainMeasure.ts';
import { parametricOf } from './explainParametric.ts';
import { type ExplainRequest, type Explanation, ofOther } from './explainSchema.ts';
import type { StudyContext } from './study.ts';

/** @throws what the account, or the other one, has wrong; NUMERIC_OVERFLOW */
export function explain(
  account: Account,
  request: ExplainRequest,
  context: StudyContext,
): Explanation {
  const { bench } = context;
  const { valuation } = bench.session;
  const { market, methodology } = valuation;
  const measured = measureAccount(account, context);
  const after = afterwards(account, request, context);
  const factors = factorsOf(measured, bench);
  const { buffer, stressed, longRunFloor } = methodology.antiProcyclicality;
  const explanation: Explanation = {
    margin: measured.result,
    levels: levelsOf(measured, methodology.warningLevel),
    components: [...componentsOf(measured, valuation)],
    antiProcyclicality: { buffer, stressed, longRunFloor },
    tail: {
      scenarios: measured.tail?.tail.scenarios.length ?? 0,
      mass: measured.tail?.tail.mass ?? 0,
    },
    ...partsOf(measured, context),
    factors,
    worst: [...worstOf(measured, request.worst, context)],
    worstStress: worstStressOf(measured, context),
    // A loss by time is a negative constant of the P&L.
    parametric: parametricOf(measured, -factors.time, bench),
    ...(after === null ? {} : { difference: differenceOf(measured, after, market) }),
  };
  checkFigures(explanation, account.id);
  return explanation;
}

/** The account that it is compared with; null without one. */
function afterwards(
  account: Account,
  { other, change }: ExplainRequest,
  context: StudyContext,
): MeasuredAccount | null {
  if (change !== null) {
    return measureAccount(applyChange(account, change, context.bench.session.valuation), context);
  }
  if (other === null) return null;
  try {
    return measureAccount(other, context);
  } catch (error) {
    throw ofOther(error);
  }
}

/** What equity is compared with. A credit line is allocated to no isolated position. */
function levelsOf({ account, result }: MeasuredAccount, warningLevel: number) {
  const creditLine = account.mode === 'isolated' ? 0 : account.creditLine;
  const initialRequirement = Math.max(0, result.initialMargin - creditLine);
  return {
    creditLine,
    initialRequirement,
    maintenanceRequirement: Math.max(0, result.maintenanceMargin - creditLine),
    warning: warningLevel * initialRequirement,
    freeCollateral: result.equity - initialRequirement,
  };
}
