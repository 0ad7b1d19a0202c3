/** The public library. */

export { type BacktestRequest, backtest } from './engine/backtest.ts';
export type { Comparison } from './engine/comparison.ts';
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
export type { AccountChange, FillRecord } from './engine/studies/changes.ts';
export type { CompareRequest, ModeFigures, ModesCompared } from './engine/studies/compareSchema.ts';
export type { ExplainDocument, Explanation } from './engine/studies/explainSchema.ts';
export type { Hedge, Hedges, HedgesRequest } from './engine/studies/hedgesSchema.ts';
export type { Liquidation, LiquidationRequest } from './engine/studies/liquidation.ts';
export type {
  Deleveraged,
  LiquidationPlan,
  LiquidationPlanRequest,
  PlanStep,
} from './engine/studies/liquidationPlanSchema.ts';
export type {
  LiquidationCrossing,
  LiquidationPrice,
} from './engine/studies/liquidationPriceSchema.ts';
export type { StressReport, StressRequest } from './engine/studies/stressSchema.ts';
export type { Timeline, TimelinePoint, TimelineRequest } from './engine/studies/timelineSchema.ts';
export type {
  Trigger,
  TriggerCrossing,
  Triggers,
  TriggersRequest,
} from './engine/studies/triggersSchema.ts';
export type { Verdict, WhatIf, WhatIfRequest } from './engine/studies/whatIfSchema.ts';
export { ERROR_CODES, type ErrorCode, type ErrorRecord, PlimsollError } from './errors.ts';
export { conflate } from './feeds/conflation.ts';
export { deribitFeed } from './feeds/deribit/feed.ts';
export type { Feed, FeedItem, TickBatch, TickProblem } from './feeds/feed.ts';
export { gated, TickGate } from './feeds/gate.ts';
export { ndjsonFeed } from './feeds/ndjson.ts';
export { snapshotTicks } from './feeds/snapshotTicks.ts';
export { LIMITS } from './limits.ts';
export type { AccountInput, ColumnarAccountInput } from './margin/account.ts';
export { type Methodology, type MethodologyInput, PRESETS } from './margin/methodology.ts';
export type { MarginResult, RejectedAccount } from './margin/result.ts';
export { type Calibration, type CalibrationOptions, calibrate } from './market/calibration.ts';
export type { CalibrationReport } from './market/calibrationReport.ts';
export {
  DynamicVolatility,
  type VolatilityRule,
  type VolatilityUpdate,
} from './market/dynamicVolatility.ts';
export type { FactorModel } from './market/factorModel.ts';
export { type History, readHistory } from './market/history.ts';
export { impliedVolatility } from './market/impliedVolatility.ts';
export { readMarketFiles } from './market/readers/marketFiles.ts';
export { type MarketSnapshot, readSnapshot } from './market/snapshot.ts';
export { surfaceReport } from './market/surfaceReport.ts';
export type { Tick } from './market/ticks.ts';
export { DailyInstants } from './market/volatilityInstants.ts';
export { attribution } from './risk/backtest/attribution.ts';
export type { BacktestReport } from './risk/backtest/report.ts';
export { backtestSeries, type SeriesReport, type SeriesRequest } from './risk/backtest/series.ts';
export type { StressLibrary } from './scenarios/stress/schema.ts';
