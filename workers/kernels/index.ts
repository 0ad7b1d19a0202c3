// The kernels' exports, file by file. See ../kernels.ts for their types and README.md for where to begin.
export { exp, log, normalCdf, inverseNormalCdf, expArray, logArray, normalCdfArray, inverseNormalCdfArray } from './maths';
export { threefry, openStream, fillBits } from './random';
export { normals, normalsByInversion, chiSquares } from './normal';
export { correlate, mixing, scaleShocks } from './shocks';
export { studentMargins } from './margins';
export { addScaled, jumpSums, poissons } from './jumps';
export {
  black76, black76Array, spotScenarios, expiryScenarios, optionRows, payoffRow, linearRow, inverseRow,
  binaryRow, binaryPayoffRow, rootRow,
} from './pricing';
export { americanPrice, americanRow } from './american';
export { sliceVolatilities } from './smile';
export {
  addReordered, addValues, packReordered, packRow, rowBound, rowScale, sumRows, tailOfRows,
} from './accumulation';
export { accumulate } from './screening';
export { tailOf } from './tail';

/** The first byte that the kernels' own constants leave free. */
export function heapBase(): usize {
  return __heap_base;
}
