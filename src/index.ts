/** The public library. */
export {
  type BatchForm,
  type BatchOptions,
  type BatchSummary,
  createEngine,
  Engine,
  type EngineInfo,
  type EngineOptions,
} from './engine/engine.ts';
export type { AccountOutcome } from './engine/evaluator.ts';
export type { Progress } from './engine/fill.ts';
export type { RiskReport, RiskRequest } from './engine/riskReport.ts';
export { ERROR_CODES, type ErrorCode, type ErrorRecord, PlimsollError } from './errors.ts';
export { LIMITS } from './limits.ts';
export type { AccountInput, ColumnarAccountInput } from './margin/account.ts';
export type { MethodologyInput } from './margin/methodology.ts';
export type { MarginResult, RejectedAccount } from './margin/result.ts';
export type { FactorModel } from './market/factorModel.ts';
export { type History, readHistory } from './market/history.ts';
export { readMarketFiles } from './market/readers/marketFiles.ts';
export { type MarketSnapshot, readSnapshot } from './market/snapshot.ts';
