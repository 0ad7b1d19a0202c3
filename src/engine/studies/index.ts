/** The studies by name: what a worker can be asked. */
import { compare } from './compare.ts';
import { explain } from './explain.ts';
import { hedges } from './hedges.ts';
import { liquidationPlan } from './liquidationPlan.ts';
import { liquidationPrice } from './liquidationPrice.ts';
import { stress } from './stress.ts';
import type { Study } from './study.ts';
import { timeline } from './timeline.ts';
import { triggers } from './triggers.ts';
import { whatIf } from './whatIf.ts';

export const STUDIES = {
  compare,
  explain,
  hedges,
  liquidationPlan,
  liquidationPrice,
  stress,
  timeline,
  triggers,
  whatIf,
} as const satisfies Record<string, Study<never, unknown>>;

export type StudyName = keyof typeof STUDIES;
export type StudyRequest<N extends StudyName> = Parameters<(typeof STUDIES)[N]>[1];
export type StudyAnswer<N extends StudyName> = ReturnType<(typeof STUDIES)[N]>;
