/**
 * `npm run bench -- resilience`: what a circuit breaker costs a call, ours next to cockatiel's and opossum's.
 *
 * Like is compared with like. All three judge from 20 calls on, open at 60 % and stay open for longer than the benchmark
 * runs; ours and cockatiel's window is the latest 40 calls, opossum has only windows of time and keeps its default of
 * ten seconds. All guard a call that adds one to a number. Each is driven as its users drive it: ours by a fiber that makes
 * one call after the other, theirs by an async function that awaits one call after the other. Opossum runs without its
 * timeout, percentiles and snapshots, which ours and cockatiel's breaker do not have. A rejected call is made and its
 * error caught. Rows for what a reader may ask besides: ours when each call is a promise of its own, and theirs when errors
 * carry no stack, which is most of what their rejections cost; one error without a caller's stack serves all our
 * rejections of the same moment.
 *
 * All run in turns, on the processor time of this process rather than on the wall clock, since a shared machine takes time
 * away from whoever runs. The time of the bare call, in a loop of its own, is subtracted from `closedMicros` and from
 * nothing else: `vsCockatiel` and `vsOpossum` are whole times, for one closed and one rejected call, ours ÷ theirs.
 *
 * @since 0.1.0
 */
import * as CircuitBreaker from "@pillivery/application/resilience/CircuitBreaker"
import * as Cockatiel from "cockatiel"
import { Effect } from "effect"
import Opossum from "opossum"

const rounds = 9
const warmUpRounds = 2
const callsPerRound = 40_000
const callsPerLoop = 1_000

const windowCalls = 40
const callsMin = 20
const failureRatePercent = 60
const openMillis = 3_600_000

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

// What was computed is kept, so that computing it cannot be left out.
let kept = 0

/** Makes that many calls, one after the other. */
type Loop = (calls: number) => Promise<void>

/** Microseconds of processor time a call, over one round. */
const microsPerCall = async (loop: Loop): Promise<number> => {
  const before = process.cpuUsage()
  for (let calls = 0; calls < callsPerRound; calls += callsPerLoop) await loop(callsPerLoop)
  const { system, user } = process.cpuUsage(before)
  return (system + user) / callsPerRound
}

const byFiber =
  <E>(call: Effect.Effect<unknown, E>): Loop =>
  (calls) =>
    Effect.runPromise(
      Effect.gen(function* () {
        for (let n = 0; n < calls; n++) yield* call
      })
    )

const byPromise =
  (call: () => Promise<unknown>): Loop =>
  async (calls) => {
    for (let n = 0; n < calls; n++) await call()
  }

const withoutStacks =
  (loop: Loop): Loop =>
  async (calls) => {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    await loop(calls)
    Error.stackTraceLimit = stackTraceLimit
  }

const caught = (call: () => Promise<unknown>) => async () => {
  try {
    await call()
  } catch {
    kept++
  }
}

const effect = Effect.sync(() => kept++)
const action = async () => kept++
const down = new Error("down")
const failing = () => Promise.reject(down)

// -----------------------------------------------------------------------------
// the three, each closed and each opened by failures
// -----------------------------------------------------------------------------

const makeOurs = CircuitBreaker.make({
  name: "bench",
  window: { _tag: "Count", calls: windowCalls },
  callsMin,
  failureRatePercent,
  openMillis
})
const [ours, oursOpen] = [await Effect.runPromise(makeOurs), await Effect.runPromise(makeOurs)]
const guard = ours.withBreaker(CircuitBreaker.classifyExit)
const guardOpen = oursOpen.withBreaker(CircuitBreaker.classifyExit)

const makeCockatiel = () =>
  Cockatiel.circuitBreaker(Cockatiel.handleAll, {
    halfOpenAfter: openMillis,
    breaker: new Cockatiel.CountBreaker({
      threshold: failureRatePercent / 100,
      size: windowCalls,
      minimumNumberOfCalls: callsMin
    })
  })
const [cockatiel, cockatielOpen] = [makeCockatiel(), makeCockatiel()]

const makeOpossum = (call: () => Promise<unknown>) =>
  new Opossum(call, {
    errorThresholdPercentage: failureRatePercent,
    volumeThreshold: callsMin,
    resetTimeout: openMillis,
    timeout: false,
    rollingPercentilesEnabled: false,
    enableSnapshots: false
  })
const [opossum, opossumOpen] = [makeOpossum(action), makeOpossum(failing)]

for (let n = 0; n < callsMin; n++) {
  await Effect.runPromiseExit(guardOpen(Effect.fail(down)))
  await caught(() => cockatielOpen.execute(failing))()
  await caught(() => opossumOpen.fire())()
}
const { _tag: stateOfOurs } = await Effect.runPromise(oursOpen.state)
if (stateOfOurs !== "Open" || cockatielOpen.state !== Cockatiel.CircuitState.Open || !opossumOpen.opened) {
  throw new Error("not all of them opened, so that the speed of their rejections says nothing")
}

// -----------------------------------------------------------------------------
// all of it
// -----------------------------------------------------------------------------

const rejected = {
  ours: Effect.ignore(guardOpen(effect)),
  cockatiel: byPromise(caught(() => cockatielOpen.execute(action))),
  opossum: byPromise(caught(() => opossumOpen.fire()))
}

const loops = {
  "bare effect": byFiber(effect),
  "bare promise": byPromise(action),
  "ours, closed": byFiber(guard(effect)),
  "cockatiel, closed": byPromise(() => cockatiel.execute(action)),
  "opossum, closed": byPromise(() => opossum.fire()),
  "ours, rejected": byFiber(rejected.ours),
  "cockatiel, rejected": rejected.cockatiel,
  "opossum, rejected": rejected.opossum,
  "bare effect, a promise each": byPromise(() => Effect.runPromise(effect)),
  "ours, closed, a promise each": byPromise(() => Effect.runPromise(guard(effect))),
  "ours, rejected, a promise each": byPromise(() => Effect.runPromise(rejected.ours)),
  "cockatiel, rejected, no stacks": withoutStacks(rejected.cockatiel),
  "opossum, rejected, no stacks": withoutStacks(rejected.opossum)
}

/** Microseconds a call of each loop, in one round. */
type Round = (name: string) => number

const measureRound = async (): Promise<Round> => {
  const micros = new Map<string, number>()
  for (const [name, loop] of Object.entries(loops)) micros.set(name, await microsPerCall(loop))
  return (name) => micros.get(name) ?? Number.NaN
}

const measured: Array<Round> = []
for (let round = 0; round < warmUpRounds + rounds; round++) {
  const result = await measureRound()
  if (round >= warmUpRounds) measured.push(result)
}
opossum.shutdown()
opossumOpen.shutdown()
if (kept === 0) throw new Error("nothing was computed")

const medianOf = (value: (round: Round) => number) => Number(median(measured.map(value)).toFixed(2))

for (const name of Object.keys(loops)) {
  console.log(
    `${name.padEnd(32)} ${medianOf((round) => round(name))
      .toFixed(2)
      .padStart(6)} µs`
  )
}
console.log(
  JSON.stringify({
    bench: "resilience",
    closedMicros: medianOf((round) => round("ours, closed") - round("bare effect")),
    rejectedMicros: medianOf((round) => round("ours, rejected")),
    vsCockatiel: medianOf(
      (round) =>
        (round("ours, closed") + round("ours, rejected")) / (round("cockatiel, closed") + round("cockatiel, rejected"))
    ),
    vsOpossum: medianOf(
      (round) =>
        (round("ours, closed") + round("ours, rejected")) / (round("opossum, closed") + round("opossum, rejected"))
    )
  })
)
