/**
 * Sliding windows over call outcomes, as immutable values.
 *
 * A window answers how many of the latest calls failed or were slow: the latest N calls, or the calls of the latest
 * N seconds in one-second buckets, as Resilience4j counts them. Recording gives a new window and leaves the old one
 * as it was.
 *
 * Successive windows share one append-only log instead of copying it, so recording is O(1) amortized. A log entry is
 * never rewritten: only the newest window may append to its log, and recording on an older one copies first. That is
 * what keeps the sharing invisible.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/** The longest count window, in calls. */
export const windowCallsMax = 100_000

/** The longest time window, in seconds. */
export const windowSecondsMax = 3_600

/** The number of live entries a log has room for before it is copied. */
const logLengthsPerWindow = 4

/** A bucket in the log of a time window is its second, calls, failed and slow calls. */
const bucketWidth = 4

const millisPerSecond = 1_000

const lengthUpTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))

/** A window over the latest calls. */
export const CountSpec = Schema.TaggedStruct("Count", { calls: lengthUpTo(windowCallsMax) })

/** A window over the calls of the latest seconds, the running second included. */
export const TimeSpec = Schema.TaggedStruct("Time", { seconds: lengthUpTo(windowSecondsMax) })

/** What a window slides over. */
export const Spec = Schema.Union([CountSpec, TimeSpec])

/** What a window slides over. */
export type Spec = typeof Spec.Type

/** What a window remembers of one call. */
export interface Call {
  readonly isFailed: boolean
  readonly isSlow: boolean
}

/** The counts of the calls inside a window. */
export interface Counts {
  readonly calls: number
  readonly failed: number
  readonly slow: number
}

interface CountLog {
  readonly entries: Uint8Array
  used: number
}

interface TimeLog {
  readonly entries: Float64Array
  used: number
}

/** The latest calls. */
export interface CountWindow extends Counts {
  readonly _tag: "Count"
  readonly length: number
  readonly log: CountLog
  readonly end: number
}

/** The calls of the latest seconds: finished seconds in the log, the running one beside it. */
export interface TimeWindow extends Counts {
  readonly _tag: "Time"
  readonly length: number
  readonly log: TimeLog
  readonly start: number
  readonly end: number
  readonly second: number
  readonly secondCounts: Counts
}

/** A sliding window over call outcomes. */
export type SlidingWindow = CountWindow | TimeWindow

const noCounts: Counts = { calls: 0, failed: 0, slow: 0 }

/** Creates an empty window. */
export const make = (spec: Spec): SlidingWindow =>
  spec._tag === "Count" ? makeCount(spec.calls) : makeTime(spec.seconds)

/** Creates an empty window over the latest calls. */
export const makeCount = (calls: number): CountWindow => ({
  _tag: "Count",
  length: calls,
  log: { entries: new Uint8Array(calls * logLengthsPerWindow), used: 0 },
  end: 0,
  calls: 0,
  failed: 0,
  slow: 0
})

/** Creates an empty window over the calls of the latest seconds. */
export const makeTime = (seconds: number): TimeWindow => ({
  _tag: "Time",
  length: seconds,
  log: { entries: new Float64Array(seconds * logLengthsPerWindow * bucketWidth), used: 0 },
  start: 0,
  end: 0,
  second: Number.NEGATIVE_INFINITY,
  secondCounts: noCounts,
  calls: 0,
  failed: 0,
  slow: 0
})

/** Adds one call, recorded at the given time, and drops what the window no longer covers. */
export const record = (self: SlidingWindow, call: Call, nowMillis: number): SlidingWindow =>
  self._tag === "Count" ? recordCount(self, call) : recordTime(advance(self, nowMillis), call)

/** Counts the calls the window covers at the given time. */
export const countsAt = (self: SlidingWindow, nowMillis: number): Counts =>
  self._tag === "Count" ? self : advance(self, nowMillis)

// -----------------------------------------------------------------------------
// Count
// -----------------------------------------------------------------------------

const failedBit = 1
const slowBit = 2

/** A log that the window may append one entry to, and the place of that entry. */
const roomForCall = (self: CountWindow): { readonly log: CountLog; readonly end: number } => {
  if (self.log.used === self.end && self.end < self.log.entries.length) return self
  const entries = new Uint8Array(self.length * logLengthsPerWindow)
  entries.set(self.log.entries.subarray(self.end - self.calls, self.end))
  return { log: { entries, used: self.calls }, end: self.calls }
}

const recordCount = (self: CountWindow, call: Call): CountWindow => {
  const { log, end } = roomForCall(self)
  const failed = call.isFailed ? 1 : 0
  const slow = call.isSlow ? 1 : 0
  const isFull = self.calls === self.length
  const dropped = isFull ? (log.entries[end - self.length] ?? 0) : 0
  log.entries[end] = failed * failedBit + slow * slowBit
  log.used = end + 1
  return {
    _tag: "Count",
    length: self.length,
    log,
    end: end + 1,
    calls: isFull ? self.calls : self.calls + 1,
    failed: self.failed + failed - (dropped & failedBit),
    slow: self.slow + slow - ((dropped & slowBit) >> 1)
  }
}

// -----------------------------------------------------------------------------
// Time
// -----------------------------------------------------------------------------

const roomForBucket = (self: TimeWindow): { readonly log: TimeLog; readonly start: number; readonly end: number } => {
  const capacity = self.log.entries.length / bucketWidth
  if (self.log.used === self.end && self.end < capacity) return self
  const entries = new Float64Array(self.length * logLengthsPerWindow * bucketWidth)
  entries.set(self.log.entries.subarray(self.start * bucketWidth, self.end * bucketWidth))
  const live = self.end - self.start
  return { log: { entries, used: live }, start: 0, end: live }
}

/** Moves the running second to the one of the given time. Time that goes back stays in the running second. */
const advance = (self: TimeWindow, nowMillis: number): TimeWindow => {
  const second = Math.floor(nowMillis / millisPerSecond)
  if (second <= self.second) return self
  let { end, log, start } = self
  if (self.secondCounts.calls > 0) {
    ;({ end, log, start } = roomForBucket(self))
    const at = end * bucketWidth
    log.entries[at] = self.second
    log.entries[at + 1] = self.secondCounts.calls
    log.entries[at + 2] = self.secondCounts.failed
    log.entries[at + 3] = self.secondCounts.slow
    end = end + 1
    log.used = end
  }
  let { calls, failed, slow } = self
  while (start < end) {
    const at = start * bucketWidth
    const bucketSecond = log.entries[at] ?? second
    if (bucketSecond > second - self.length) break
    calls -= log.entries[at + 1] ?? 0
    failed -= log.entries[at + 2] ?? 0
    slow -= log.entries[at + 3] ?? 0
    start = start + 1
  }
  return {
    _tag: "Time",
    length: self.length,
    log,
    start,
    end,
    second,
    secondCounts: noCounts,
    calls,
    failed,
    slow
  }
}

const recordTime = (self: TimeWindow, call: Call): TimeWindow => {
  const failed = call.isFailed ? 1 : 0
  const slow = call.isSlow ? 1 : 0
  return {
    _tag: "Time",
    length: self.length,
    log: self.log,
    start: self.start,
    end: self.end,
    second: self.second,
    secondCounts: {
      calls: self.secondCounts.calls + 1,
      failed: self.secondCounts.failed + failed,
      slow: self.secondCounts.slow + slow
    },
    calls: self.calls + 1,
    failed: self.failed + failed,
    slow: self.slow + slow
  }
}
