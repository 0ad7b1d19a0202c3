/** Tables of an explanation, for people: what the requirement is made of and where ES comes from. */
import type { Explanation } from '../../engine/studies/explainSchema.ts';
import { estimate, money, percent, printable, shortHash } from './figures.ts';
import { type Column, pairs, table } from './table.ts';

/** The parts of ES: what a risk report shows of an explanation too. */
export type LossParts = Pick<
  Explanation,
  | 'positions'
  | 'collateral'
  | 'underlyings'
  | 'expiries'
  | 'factors'
  | 'worst'
  | 'parametric'
  | 'tail'
>;

const right = (title: string): Column => ({ title, align: 'right' });

export function explainTable(explanation: Explanation, top: number): string {
  const { margin } = explanation;
  const title = `Margin of ${printable(margin.account)} explained, in ${margin.currency}, mode ${margin.mode}.`;
  return [
    `${title}\n\n${pairs(headOf(explanation))}`,
    `Components\n\n${components(explanation)}`,
    lossTables(explanation, top),
    ...(explanation.difference === undefined ? [] : [difference(explanation.difference, top)]),
  ].join('\n');
}

function headOf({
  margin,
  levels,
  antiProcyclicality,
  worstStress,
}: Explanation): [string, string][] {
  const { risk } = margin;
  const measures = Object.entries(antiProcyclicality).flatMap(([name, on]) => (on ? [name] : []));
  const absent = margin.absentInputs ?? [];
  return [
    ['initial margin', money(margin.initialMargin)],
    ['maintenance margin', money(margin.maintenanceMargin)],
    ['equity', money(margin.equity)],
    ['free collateral', money(levels.freeCollateral)],
    ['state', margin.state],
    ['warning below', money(levels.warning)],
    ['margin call below', money(levels.initialRequirement)],
    ['liquidation below', money(levels.maintenanceRequirement)],
    ['expected shortfall', estimate(risk.expectedShortfall, risk.standardError.expectedShortfall)],
    ['value at risk', estimate(risk.valueAtRisk, risk.standardError.valueAtRisk)],
    ...(worstStress === null
      ? []
      : [['worst stress', `${money(worstStress.loss)} (${worstStress.name})`] as [string, string]]),
    ['scenarios', `${risk.scenarios}, set ${shortHash(margin.scenarioSet)}`],
    ['anti-procyclicality', measures.length === 0 ? 'none' : measures.join(', ')],
    ...(margin.heldFactors.length === 0
      ? []
      : [['held still', margin.heldFactors.join(', ')] as [string, string]]),
    ...(absent.length === 0 ? [] : [['absent inputs', absent.join(', ')] as [string, string]]),
  ];
}

function components({ components: all }: Explanation): string {
  const rows = all.map(({ name, initial, maintenance }) => [
    name,
    money(initial),
    money(maintenance),
  ]);
  const inputs = all
    .filter(({ initial }) => initial !== 0)
    .map(({ name, formula, charges }) => {
      const lines = charges
        .filter(({ amount }) => amount !== 0)
        .slice(0, CHARGES_SHOWN)
        .map(({ of, amount, inputs: made }) => {
          const given = Object.entries(made).map(([label, value]) => `${label} ${figure(value)}`);
          return `    ${printable(of)}: ${money(amount)} from ${printable(given.join(', '))}\n`;
        });
      return `  ${name}: ${printable(formula)}\n${lines.join('')}`;
    });
  const columns = [{ title: 'component' }, right('initial'), right('maintenance')];
  return `${table(columns, rows)}\n${inputs.join('')}`;
}

/** Charges of one component that the table lists: in isolated mode there may be thousands. */
const CHARGES_SHOWN = 5;

/** Inputs are money, units, shares: four digits behind the point serve them all. */
function figure(value: number): string {
  return Math.abs(value) >= 1000 ? money(value) : `${Number(value.toPrecision(6))}`;
}

/** Where ES comes from: by position, expiry, underlying and factor type; the worst scenarios; figures without simulation. */
export function lossTables(parts: LossParts, top: number): string {
  if (parts.tail.scenarios === 0) return 'Nothing is at risk.\n';
  return [
    `Parts of the expected shortfall, from the ${parts.tail.scenarios} worst scenarios\n\n${lines(parts, top)}`,
    group('underlying', parts.underlyings, ({ underlying }) => underlying),
    group('expiry', parts.expiries, ({ expiry }) => expiry ?? 'undated'),
    factors(parts),
    worst(parts),
    `Without simulation, factors taken as normal\n\n${parametric(parts)}`,
  ].join('\n');
}

function lines({ positions, collateral }: LossParts, top: number): string {
  const coins = collateral.map(({ asset, coins: size, ...rest }) => ({
    instrument: `${asset} (collateral)`,
    size,
    ...rest,
    incremental: null,
  }));
  const all = [...positions, ...coins];
  const size = (value: { readonly contribution: number }): number => Math.abs(value.contribution);
  const shown = all.toSorted((a, b) => size(b) - size(a)).slice(0, top);
  const rows = shown.map((line) => [
    line.instrument,
    figure(line.size),
    money(line.contribution),
    line.share === null ? '' : percent(line.share),
    money(line.standAlone),
    line.incremental === null ? '' : money(line.incremental),
  ]);
  const columns = ['size', 'part of ES', 'share', 'by itself', 'ES without it, less ES'];
  const rest = all.length > top ? `… and ${all.length - top} more\n` : '';
  return `${table([{ title: 'position' }, ...columns.map(right)], rows)}${rest}`;
}

function group<T extends { readonly contribution: number; readonly share: number | null }>(
  title: string,
  items: readonly T[],
  nameOf: (item: T) => string,
): string {
  const rows = items.map((item) => [
    nameOf(item),
    money(item.contribution),
    item.share === null ? '' : percent(item.share),
  ]);
  return table([{ title }, right('part of ES'), right('share')], rows);
}

function factors({ factors: { time, types, interaction } }: LossParts): string {
  const rows = [
    ...types.map(({ type, contribution }) => [type, money(contribution)]),
    ['passage of time', money(time)],
    ['together, beyond each alone', money(interaction)],
  ];
  return table([{ title: 'factor type' }, right('part of ES')], rows);
}

const SPOTS_SHOWN = 3;

function worst({ worst: scenarios }: LossParts): string {
  const rows = scenarios.map(({ scenario, period, weight, pnl, shocks }) => {
    const spots = shocks.filter(({ price }) => price !== undefined);
    const moved = spots
      .toSorted((a, b) => Math.abs(b.shock) - Math.abs(a.shock))
      .slice(0, SPOTS_SHOWN)
      .map(({ factor, price }) => `${factor} → ${money(price!)}`);
    return [period ?? String(scenario), percent(weight, 2), money(pnl), moved.join(', ')];
  });
  const columns = [
    right('scenario'),
    right('weight'),
    right('P&L'),
    { title: 'greatest spot moves' },
  ];
  return table(columns, rows);
}

function parametric({ parametric: { deltaNormal, cornishFisher, refusal } }: LossParts): string {
  const text = (tail: typeof deltaNormal): string =>
    tail === null
      ? `none: ${refusal}`
      : `VaR ${money(tail.valueAtRisk)}, ES ${money(tail.expectedShortfall)}`;
  return pairs([
    ['delta-normal', text(deltaNormal)],
    ['delta-gamma, Cornish–Fisher', text(cornishFisher)],
  ]);
}

function difference(after: NonNullable<Explanation['difference']>, top: number): string {
  const row = (
    name: string,
    change: { readonly before: number; readonly after: number; readonly difference: number },
  ) => [name, money(change.before), money(change.after), money(change.difference)];
  const columns = ['before', 'after', 'difference'].map(right);
  const figures = [
    row('initial margin', after.initialMargin),
    row('maintenance margin', after.maintenanceMargin),
    row('equity', after.equity),
    row('expected shortfall', after.expectedShortfall),
    ...after.components.map(({ name, initial }) => row(name, initial)),
  ];
  const size = (item: (typeof after.positions)[number]): number =>
    Math.abs(item.contribution.difference);
  const parts = after.positions
    .toSorted((a, b) => size(b) - size(a))
    .slice(0, top)
    .map(({ instrument, contribution }) => row(instrument, contribution));
  const { state } = after;
  return [
    `Compared with ${printable(after.account)}: ${state.before} → ${state.after}\n\n${table([{ title: '' }, ...columns], figures)}`,
    table([{ title: 'part of ES' }, ...columns], parts),
  ].join('\n');
}
