/**
 * So many columns of n zeros in one piece of memory. A typed array that has memory of its own takes most of a microsecond to come and to go,
 * twenty times as long as a view; accounts have several columns, and come by the hundred thousand.
 */
export function columns(count: number, n: number): Float64Array[] {
  const { buffer } = new Float64Array(count * n);
  const views: Float64Array[] = [];
  for (let i = 0; i < count; i++) views.push(new Float64Array(buffer, i * n * 8, n));
  return views;
}
