/** The table of a risk report, for people. */
import type { RiskReport } from '../../engine/riskReport.ts';
import { type LossParts, lossTables } from './explainTable.ts';
import { count, estimate, money, percent, printable, shortHash } from './figures.ts';
import { pairs, table } from './table.ts';

const COLUMNS = [
  { title: 'underlying' },
  { title: 'VaR', align: 'right' },
  { title: 'ES', align: 'right' },
  { title: 'of Σ ES', align: 'right' },
] as const;

/** An interval of VaR: `35,160.00 … 37,240.50`; an end that the sample does not reach is unknown. */
export function intervalText([low, high]: readonly (number | null)[]): string {
  const end = (value: number | null | undefined): string =>
    value == null ? 'unknown' : money(value);
  return `${end(low)} … ${end(high)}`;
}

/** @param explained where ES comes from; null where it was not asked */
export function riskTable(
  report: RiskReport,
  listed: number,
  explained: LossParts | null = null,
  top = 20,
): string {
  const { account, currency, risk, method } = report;
  const { confidence, horizonDays, scenarios, valueAtRisk, expectedShortfall } = risk;
  const days = horizonDays === 1 ? '1 day' : `${horizonDays} days`;
  const title = `Risk of ${printable(account)}, in ${currency}: ${percent(confidence, 2)} over ${days}. Losses are positive.`;
  const skipped = risk.skippedScenarios ?? 0;
  const items: (readonly [string, string])[] = [
    ['value at risk', estimate(valueAtRisk, risk.standardError.valueAtRisk)],
    ['expected shortfall', estimate(expectedShortfall, risk.standardError.expectedShortfall)],
    [`VaR, ${percent(risk.interval.level, 0)} interval`, intervalText(risk.interval.valueAtRisk)],
    ['equity', money(report.equity)],
    ['diversification', `${money(report.diversification)} (Σ stand-alone ES − ES)`],
    ['method', `${method}, ${count(scenarios)} scenarios`],
    ...(skipped > 0 ? [['rows skipped for gaps', count(skipped)] as const] : []),
    ...(report.clampedShocks > 0 ? [['shocks clamped', count(report.clampedShocks)] as const] : []),
    ...(report.heldFactors.length > 0
      ? [['held still', report.heldFactors.join(', ')] as const]
      : []),
    ['market as of', report.asOf],
    ['scenario set', shortHash(report.scenarioSet)],
  ];
  const more = explained === null ? '' : `\n${lossTables(explained, top)}`;
  return `${title}\n\n${pairs(items)}\n${parts(report, listed)}${more}`;
}

function parts({ underlyings }: RiskReport, listed: number): string {
  if (underlyings.length === 0) return 'Nothing is at risk: the account holds no position.\n';
  const gross = underlyings.reduce((sum, part) => sum + part.expectedShortfall, 0);
  const sorted = underlyings.toSorted((a, b) => b.expectedShortfall - a.expectedShortfall);
  const rows = sorted.map((part) => [
    part.underlying,
    money(part.valueAtRisk),
    money(part.expectedShortfall),
    gross > 0 ? percent(part.expectedShortfall / gross) : '',
  ]);
  const head = `Each underlying by itself (${underlyings.length} of ${listed} listed)`;
  return `${head}\n\n${table(COLUMNS, rows)}`;
}
