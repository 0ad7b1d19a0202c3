/** Every bound in one place. Each loop, buffer and queue cites one of these. */
export const LIMITS = {
  /** Scenarios in a set: one at least; above the maximum a request is a mistake. */
  scenariosMin: 1,
  scenariosMax: 10_000_000,
  /** Risk factors in a factor model (the Cholesky factor is dense). */
  factorsMax: 2_000,
  /** Volatility and drift (either sign) of a factor, per year: an absolute factor's are in price units. */
  factorVolatilityMax: 1e15,
  driftMax: 1e15,
  /** Instants of a day at which dynamic volatilities change: each costs a whole revaluation. */
  volatilityInstantsMax: 24,
  /** Years that a long-run volatility may be of. */
  longRunYearsMax: 200,
  /** Up to one period a millisecond. */
  periodsPerYearMax: 4e10,
  /** Above it the Student-t is normal to double precision. */
  degreesOfFreedomMax: 1e9,
  /** Jumps: how many a year, the mean and the deviation of one (log), what a factor takes of it; and how many to expect within a horizon. */
  jumpIntensityMax: 100_000,
  jumpSizeMax: 10,
  jumpLoadingMax: 1_000,
  jumpsPerHorizonMax: 500,
  underlyingsMax: 10_000,
  instrumentsMax: 200_000,
  quotesPerSliceMax: 10_000,
  /** Forwards, or slices of a volatility surface, of one underlying; levels of one depth ladder. */
  expiriesMax: 10_000,
  depthLevelsMax: 10_000,
  /** Prices, strikes and multipliers; outside, a ratio of two of them could leave the range of double precision. */
  priceMin: 1e-15,
  priceMax: 1e15,
  /** 2,000% a year; a volatility written in percent (48 for 0.48) is refused by it. */
  impliedVolatilityMin: 1e-6,
  impliedVolatilityMax: 20,
  /** Continuous interest rate per year, either sign. */
  rateMax: 10,
  /** Positions and collateral lines of one account. */
  positionsMax: 1_000_000,
  collateralMax: 10_000,
  ordersMax: 100_000,
  /** Orders that one what-if may add: each is judged by itself, in some 400 µs. */
  changeOrdersMax: 1_000,
  /** Accounts that a liquidation plan may deleverage, and trades that one set of hedges may have. */
  counterpartiesMax: 10_000,
  hedgesMax: 20,
  /** Dates of one timeline: on each, all that the account holds is revalued. */
  timelineDatesMax: 400,
  /** Methodologies that one comparison may name beside the engine's own: each has its scenarios drawn. */
  comparedMethodologiesMax: 8,
  /** Length of any id, in UTF-16 code units. */
  idLengthMax: 128,
  /** What a worker remembers of the accounts that it was asked about: bytes of P&L, books, and results of accounts of so many positions. */
  subtotalBytes: 64 * 1024 * 1024,
  rememberedBooksMax: 4096,
  rememberedResultsMax: 512,
  rememberedPositionsMax: 1_000,
  /** One line of NDJSON or one element of a JSON array: a million-position account fits. */
  accountBytesMax: 128 * 1024 * 1024,
  /** Metadata of one message of an Arrow stream, and the body of one record batch. */
  arrowMetadataBytesMax: 1024 * 1024,
  arrowBatchBytesMax: 256 * 1024 * 1024,
  /** All dictionaries of an Arrow stream together: they go to the workers with every batch. */
  arrowDictionaryBytesMax: 64 * 1024 * 1024,
  /** A JSON body that is parsed on the main thread. */
  jsonBodyBytesMax: 1024 * 1024,
  /** A market snapshot or a history sent over HTTP. */
  marketBodyBytesMax: 256 * 1024 * 1024,
  /** Levels of nesting of any JSON: our own shapes have fewer than ten. */
  jsonDepthMax: 64,
  /** A local input file. */
  fileBytesMax: 4 * 1024 * 1024 * 1024,
  /** Shared WebAssembly memory: 32-bit addresses end at 4 GiB; the last page is left out. */
  sharedMemoryBytesMax: 65_535 * 65_536,
  workersMax: 256,
  /** A shard is retried this many times when its worker dies, then it is SHARD_FAILED. */
  shardTriesMax: 3,
  /** Single requests waiting for a worker; more are refused with 503. */
  queuedRequestsMax: 4_096,
  /** Request bodies held in memory at once, over all connections; more are refused with 503. */
  httpBodiesBytesMax: 1024 * 1024 * 1024,
  /** Batches under way at once. Each holds up to `httpAnswerBytesMax` of answers. */
  httpBatchesMax: 16,
  /** Answers of one batch computed ahead of their reader: a client that sends its whole body before it reads is served up to here. */
  httpAnswerBytesMax: 16 * 1024 * 1024,
  /** Risk reports computed at once (each opens a scenario set of its own), and waiting. */
  httpReportsMax: 2,
  httpReportsWaitingMax: 16,
  /** Header fields of a request must have come after this long: a client that drips them is cut off. */
  httpHeadersMs: 10_000,
  /** A body that is read whole must have come after this long. */
  httpBodyMs: 30_000,
  /** A streamed body must have come whole after this long; the engine's pace counts. */
  httpUploadMs: 300_000,
  /** A batch ends when its client neither sends nor reads for this long. */
  httpStallMs: 60_000,
  /** An unused connection is kept this long: longer than the usual 60 s of a proxy, which must be the one to close it. */
  httpKeepAliveMs: 65_000,
  /** A connection on which no byte moves either way is cut: the backstop of all others, above the longest computation. */
  httpIdleMs: 600_000,
  /** How often the above are looked at. */
  httpCheckMs: 1_000,
  /** Requests on one connection; then it is closed, so that a load balancer can spread its clients anew. */
  httpSocketRequestsMax: 10_000,
  /** Mean delay of the event loop above which new requests are refused. Reading a large market takes the loop for less. */
  httpLoopDelayMs: 1_000,
  /** Requests under way when the service is closed have this long to end. */
  httpDrainMs: 25_000,
  /** Rows of a price history, and its columns. */
  historyRowsMax: 1_000_000,
  historyColumnsMax: 2_000,
  /** Days of a backtest: a series that is tested, or rows of a history that is walked. */
  backtestRowsMax: 100_000,
  /** Rows of one window of P&L: ten days of an hourly history. */
  backtestOverlapMax: 240,
  /** Underlyings of a backtested book: the covariance of all of them is factored each day. */
  backtestUnderlyingsMax: 200,
  /** Scenarios × underlyings × days × methods of a backtest (three times that with anti-procyclicality): half an hour of one core. */
  backtestWorkMax: 1e11,
  /** The same over HTTP, where a walk shares its thread with everybody: some 15 seconds. */
  httpBacktestWorkMax: 1e9,
  /** Worst scenarios that an explanation shows, and positions whose incremental ES it computes: those that contribute most. */
  explainWorstMax: 1_000,
  explainIncrementalMax: 1_000,
  /** Factors of a parametric tail: the cube of it is what its moments cost. */
  parametricFactorsMax: 300,
  confidenceMin: 0.5,
  confidenceMax: 0.9999,
  horizonDaysMax: 365,
  /** Scenarios of a stress library, and underlyings that get scenarios of their own in it (the others are listed). */
  stressScenariosMax: 512,
  stressUnderlyingsMax: 64,
  /** Worst days of a history in a stress library, of each kind. */
  stressDaysMax: 50,
  /** Ids of fills that the book remembers, the latest half of them always: one that comes again within them is refused, whatever its idempotency key. */
  bookFillIdsMax: 200_000,
  /** Fills, corrections or funding payments of one command. */
  bookLinesMax: 10_000,
  /** Length of a reason or a name in an event, in UTF-16 code units. */
  reasonLengthMax: 1_000,
  /** Minutes that a margin call may leave: four weeks. */
  callMinutesMax: 40_320,
  /** Steps of one liquidation plan. */
  liquidationStepsMax: 10_000,
  /** Ticks accepted in one batch. */
  ticksMax: 100_000,
  /** One line of a recorded feed, and one message of an exchange: the summary of a whole chain is some 2 MiB. */
  feedLineBytesMax: 16 * 1024 * 1024,
  /** Items of a live feed that wait for their reader; more are conflated. */
  feedQueueMax: 1_024,
  /** Gaps that are remembered of a source, so that a late tick is told from one that comes twice. */
  feedGapsMax: 64,
  /** Rows of sequence numbers that a gate follows: one a source, or one an underlying of a source. */
  feedNumberingsMax: 100_000,
  /** Channels of one request to subscribe (Deribit takes 500), and in all. */
  feedChannelsPerRequest: 500,
  feedChannelsMax: 20_000,
  /** Log shocks are clamped to this unless the methodology says otherwise. */
  maxLogShock: 3,
  /** Steps of a simulation: a year of minutes. */
  simulationStepsMax: 525_600,
  /** One record of the log: a market snapshot fits. In UTF-16 code units of its JSON. */
  storeRecordCharsMax: 256 * 1024 * 1024,
  storeKeyLengthMax: 255,
  /** Records that one call appends, all or none. */
  storeCallRecordsMax: 50_000,
  /** Appends waiting for the disk; more are refused with 503. */
  storeQueueRecordsMax: 100_000,
  storeQueueCharsMax: 512 * 1024 * 1024,
  /** Of what came in while the disk was busy, one transaction takes so much; a larger call goes alone. */
  storeBatchRecordsMax: 4_096,
  storeBatchCharsMax: 16 * 1024 * 1024,
  /** One page of reading; a page has one record at least. */
  storePageRecordsMax: 10_000,
  storePageCharsMax: 16 * 1024 * 1024,
  /** After a failure writes are refused for so long, then one is tried. */
  storeRetryMs: 500,
  /** A lost database server is called again for so long before appends fail. */
  storeReconnectMs: 10_000,
  /** Snapshots of the book: size, in parts of what length they are written (appends pass between two), and how many are kept. */
  storeSnapshotBytesMax: 1024 * 1024 * 1024,
  storeSnapshotPartBytes: 1024 * 1024,
  storeSnapshotsKept: 3,
  /** The desk: milliseconds after which a cycle of recomputation looks at new ticks; calls past their deadline are looked for this often. */
  deskCycleMs: 50,
  deskDeadlineMs: 1_000,
  /** Figures of an account are waited for this long. */
  deskWaitMs: 10_000,
  /** The desk is idle when nothing has come for so long after a cycle; then triggers are searched. */
  deskIdleAfterMs: 10,
  /**
   * Of each `deskCycleMs` of idle time the triggers of accounts far from their thresholds take so much, on half of the workers. Accounts whose
   * equity is this near to a threshold, as a share of it, are searched whenever the desk is idle.
   */
  triggersIdleMs: 25,
  triggersNear: 0.05,
  /** A liquidation plan that is not made for so long, because the engine has other work, takes its turn behind that. */
  planIdleMs: 1_000,
  /** Accounts of one page of triggers. */
  triggersPageMax: 1_000,
  /** Batches of ticks waiting for their cycle; more are refused with 503. */
  deskTicksWaitingMax: 10_000,
  /** Records between two snapshots of the book. */
  deskSnapshotRecords: 100_000,
  /** Records kept in memory for streams; a reader that falls further behind is dropped. */
  streamRecordsKept: 20_000,
  /** Prices of all market records among them: where they have more, fewer are in memory and the rest is read from the log. */
  streamPricesKept: 200_000,
  /** Streams open at once, and milliseconds after which an idle one says that it lives. */
  streamsMax: 1_000,
  streamBeatMs: 15_000,
} as const;
