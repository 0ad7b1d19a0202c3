/** The page's script. It only asks and shows: every figure is the service's, every text is set as text. */
import type { MarginResult } from '../margin/result.ts';
import { amount, intervalChart, percent, withError } from './figures.ts';

/** What the page shows of a problem, and of the answer of GET /v1/market. */
export interface ShownProblem {
  readonly code: string;
  readonly detail: string;
  readonly path?: string;
}

export interface ShownMarket {
  readonly asOf: string;
  readonly currency: string;
  readonly underlyings: number;
  readonly instruments: number;
  readonly scenarios: number;
  readonly workers: number;
  readonly engine: string;
}

const EXAMPLES = 20;
let example = 0;

function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

type Child = Node | string;

function element(name: string, children: readonly Child[] = [], className = ''): HTMLElement {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

function showProblem({ code, detail, path }: ShownProblem): void {
  const where = path === undefined ? [] : [' at ', element('code', [path])];
  byId('problem').replaceChildren(element('b', [code]), ...where, element('div', [detail]));
}

/** The answer's value; a problem is shown and gives null. */
async function ask<T>(path: string, init?: RequestInit): Promise<T | null> {
  try {
    const response = await fetch(path, init);
    const value: unknown = await response.json();
    if (response.ok) return value as T;
    showProblem(value as ShownProblem);
  } catch (error) {
    showProblem({ code: 'INTERNAL', detail: `The service did not answer: ${error}` });
  }
  return null;
}

async function showMarket(): Promise<void> {
  const market = await ask<ShownMarket>('/v1/market');
  if (market === null) return;
  const count = (n: number, one: string) => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`;
  byId('market').textContent = [
    `Market of ${market.asOf} in ${market.currency}`,
    count(market.underlyings, 'underlying'),
    count(market.instruments, 'instrument'),
    count(market.scenarios, 'scenario'),
    count(market.workers, 'worker'),
    market.engine,
  ].join(' · ');
}

async function showExample(): Promise<void> {
  example = (example % EXAMPLES) + 1;
  const account = await ask<unknown>(`/v1/example?number=${example}`);
  if (account !== null) {
    byId<HTMLTextAreaElement>('account').value = JSON.stringify(account, null, 2);
  }
}

type Tile = readonly [name: string, value: string, className?: string];

function tiles(entries: readonly Tile[]): HTMLElement {
  const groups = entries.map(([name, value, className]) =>
    element('div', [element('dt', [name]), element('dd', [value], className)]),
  );
  return element('dl', groups, 'tiles');
}

function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]) {
  const scoped = (name: string, scope: string) => {
    const cell = element('th', [name]);
    cell.setAttribute('scope', scope);
    return cell;
  };
  const line = ([first, ...rest]: readonly string[]) =>
    element('tr', [scoped(first!, 'row'), ...rest.map((text) => element('td', [text]))]);
  return element('table', [
    element('caption', [caption]),
    element('thead', [
      element(
        'tr',
        head.map((name) => scoped(name, 'col')),
      ),
    ]),
    element('tbody', rows.map(line)),
  ]);
}

function riskPart({ risk, currency }: MarginResult): Child[] {
  const { valueAtRisk, expectedShortfall, standardError, interval } = risk;
  const caption = `The band is the ${interval.level * 100}% interval of VaR, the whiskers one standard error of ES.`;
  const horizon = `${risk.horizonDays} ${risk.horizonDays === 1 ? 'day' : 'days'}`;
  return [
    element('h3', ['Tail']),
    table(
      `At ${risk.confidence}, ${horizon}, ${risk.scenarios.toLocaleString('en')} scenarios, ± one standard error, ${currency}`,
      ['Measure', 'Loss'],
      [
        ['Value at risk', withError(valueAtRisk, standardError.valueAtRisk)],
        ['Expected shortfall', withError(expectedShortfall, standardError.expectedShortfall)],
      ],
    ),
    element('figure', [intervalChart(risk), element('figcaption', [caption])]),
  ];
}

function provenance(result: MarginResult): HTMLElement {
  const { scenarioSet, methodology, market, engine, asOf } = result;
  const entries = Object.entries({ asOf, scenarioSet, methodology, market, engine });
  const list = entries.flatMap(([name, value]) => [element('dt', [name]), element('dd', [value])]);
  return element('details', [element('summary', ['Provenance']), element('dl', list)]);
}

function showResult(result: MarginResult): void {
  const { currency, modes } = result;
  const pair = (of: { initialMargin: number; maintenanceMargin: number }) => [
    amount(of.initialMargin),
    amount(of.maintenanceMargin),
  ];
  const both = ['Initial', 'Maintenance'];
  byId('result').replaceChildren(
    tiles([
      ['State', result.state, result.state],
      ['Initial margin', amount(result.initialMargin)],
      ['Maintenance margin', amount(result.maintenanceMargin)],
      ['Equity', amount(result.equity)],
      ['Margin ratio', percent(result.marginRatio)],
    ]),
    element('h3', ['Components']),
    table(
      `Of the ${result.mode} requirement, ${currency}`,
      ['Component', ...both],
      result.components.map(({ name, initial, maintenance }) => [
        name,
        amount(initial),
        amount(maintenance),
      ]),
    ),
    ...riskPart(result),
    element('h3', ['Modes']),
    table(
      `The same positions; capital efficiency ${percent(modes.capitalEfficiency)}`,
      ['Mode', ...both],
      [
        ['portfolio', ...pair(modes.portfolio)],
        ['isolated', ...pair(modes.isolated)],
      ],
    ),
    provenance(result),
  );
}

async function margin(): Promise<void> {
  const button = document.querySelector<HTMLButtonElement>('button[type=submit]')!;
  button.disabled = true;
  byId('problem').replaceChildren();
  const start = performance.now();
  const result = await ask<MarginResult>('/v1/margin', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: byId<HTMLTextAreaElement>('account').value,
  });
  byId('took').textContent = `${(performance.now() - start).toFixed(1)} ms`;
  if (result === null) byId('result').replaceChildren();
  else showResult(result);
  button.disabled = false;
}

byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  void margin();
});
byId('another').addEventListener('click', () => void showExample().then(margin));
void showMarket();
void showExample().then(margin);
