/** The named parts of a requirement, in the order in which they are charged and shown. Each is a pure function in a file of its own. */
import { basis } from './basis.ts';
import { concentration } from './concentration.ts';
import type { Component } from './context.ts';
import { depeg } from './depeg.ts';
import { dependence } from './dependence.ts';
import { liquidity } from './liquidity.ts';
import { marketRisk } from './marketRisk.ts';
import { oracle } from './oracle.ts';
import { shortOptionMinimum } from './shortOptionMinimum.ts';
import { stress } from './stress.ts';

/** All but the open orders, which compare the sums of these over different holdings (see `../charge.ts`). */
export const COMPONENTS: readonly Component[] = [
  marketRisk,
  stress,
  dependence,
  liquidity,
  concentration,
  basis,
  shortOptionMinimum,
  oracle,
  depeg,
];
