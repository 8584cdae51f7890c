/**
 * The gate that charges in this process, straight through the protocol.
 *
 * @since 0.1.0
 */
import type * as Attempt from "@pillivery/domain/Attempt"
import { type Cause, Context, Effect, Layer, Scope, Stream } from "effect"
import { checkKeys } from "../Payments/CheckKeys.ts"
import { reconcile } from "../Payments/Reconcile.ts"
import type { CycleKey } from "../ports/BillingLedger.ts"
import { isAway, StaleWrite, StorageError } from "../ports/StorageError.ts"
import { awaitKeys } from "../Subscriptions/AwaitKeys.ts"
import { resumePaused } from "../Subscriptions/ResumePaused.ts"
import { askForBaseline, type ChargeOutcome, planCycle, type Planned, type Ready, sendCharge } from "./ChargeCycle.ts"
import { ChargeGate, type Charging, type CycleOutcome } from "./ChargeGate.ts"

/** Cycles that are planned together. */
export const plannedTogether = 50
/** How many times so many are planned at once: while the database reads for one, the other is decided. */
export const pagesAtOnce = 2
/** Billing keys the provider is asked about at once: lookups have a place for most of them, and the next ones wait. */
export const askedAtOnce = 75
/** Charges being written down, sent and recorded at once; those being recorded hold no place in the bounds of calls. */
export const sentAtOnce = 600

/** What came of a cycle, as a run counts it. */
export const outcomeOf = (outcome: ChargeOutcome): CycleOutcome =>
  outcome._tag === "Sent"
    ? { _tag: "Sent", result: resultOf(outcome.attempt), isOurs: isOurs(outcome.attempt) }
    : outcome

const resultOf = (attempt: Attempt.Attempt) => {
  switch (attempt._tag) {
    case "Approved":
    case "ApprovedSurplus":
      return "charged" as const
    case "Declined":
      return "declined" as const
    case "NotExecuted":
      return "notExecuted" as const
    default:
      return "unknown" as const
  }
}

// Whether the provider refused us, not the customer.
const isOurs = (attempt: Attempt.Attempt): boolean => attempt._tag === "NotExecuted" && attempt.why === "ours"

// Cycles of one customer are charged one after the other: the ones that would have to wait are postponed.
const chargeAll = Effect.fnUntraced(function* (
  cycles: Stream.Stream<CycleKey, StorageError>,
  { date, isAheadAllowed, isOver, note, patiently }: Charging
) {
  const charging = new Set<string>()

  // Goes on with what is to be charged, and notes what came of the others.
  const orNote = <A>(made: (A & { readonly _tag: "Charge" }) | ChargeOutcome) =>
    made._tag === "Charge" ? Effect.succeed(made) : Effect.as(note(outcomeOf(made)), null)

  // One broken subscription never stops another; a database that is gone stops them all.
  const isolated = (key: CycleKey) => (cause: Cause.Cause<unknown>) =>
    Effect.gen(function* () {
      yield* Effect.logError("A cycle could not be charged", cause).pipe(
        Effect.annotateLogs({ subscriptionId: key.subscriptionId, cycle: key.number })
      )
      if (storageErrorIn(cause) !== null) {
        yield* note({ _tag: "Postponed", reason: "the database failed", isOurs: false })
      }
      return null
    })

  const plan = (key: CycleKey) =>
    patiently(Effect.flatMap(planCycle(key, { date, isAheadAllowed }), orNote)).pipe(
      Effect.catchCause((cause) => {
        const error = storageErrorIn(cause)
        return error !== null && isAway(error) ? Effect.fail(error) : isolated(key)(cause)
      })
    )

  const ask = (planned: Planned) =>
    Effect.gen(function* () {
      return (yield* isOver) ? null : yield* orNote(yield* askForBaseline(planned))
    }).pipe(Effect.catchCause(isolated(planned.cycleKey)))

  const unlessOver = () =>
    Effect.flatMap(isOver, (is) => (is ? new StaleWrite({ entity: "billing run", id: date }) : Effect.void))

  const send = (ready: Ready) => {
    const customer = `${ready.key.provider} ${ready.key.customerReference}`
    if (charging.has(customer))
      return note({ _tag: "Postponed", reason: "its customer is being charged", isOurs: false })
    charging.add(customer)
    return Effect.gen(function* () {
      if (!(yield* isOver)) yield* note(outcomeOf(yield* sendCharge(ready, unlessOver)))
    }).pipe(Effect.catchCause(isolated(ready.cycleKey)), Effect.ensuring(Effect.sync(() => charging.delete(customer))))
  }

  // Planned together, since what is read together is one statement.
  yield* cycles.pipe(
    Stream.grouped(plannedTogether),
    Stream.mapEffect((keys) => Effect.forEach(keys, plan, { concurrency: "unbounded" }), { concurrency: pagesAtOnce }),
    Stream.flattenIterable,
    Stream.filter((planned) => planned !== null),
    Stream.buffer({ capacity: plannedTogether }),
    Stream.mapEffect(ask, { concurrency: askedAtOnce, unordered: true }),
    Stream.filter((ready) => ready !== null),
    Stream.buffer({ capacity: plannedTogether }),
    Stream.mapEffect(send, { concurrency: sentAtOnce, unordered: true }),
    Stream.runDrain
  )
})

const settle = Effect.tap(
  Effect.suspend(() => reconcile()),
  () => Effect.andThen(awaitKeys(), resumePaused())
)

type Needed =
  | Effect.Services<ReturnType<typeof chargeAll>>
  | Effect.Services<typeof settle>
  | Effect.Services<ReturnType<typeof checkKeys>>

/** Charges in this process. */
export const layer: Layer.Layer<ChargeGate, never, Needed> = Layer.effect(
  ChargeGate,
  Effect.gen(function* () {
    const services = Context.omit(Scope.Scope)(yield* Effect.context<Needed>())
    return ChargeGate.of({
      settle: Effect.provideContext(settle, services),
      charge: (cycles, charging) => Effect.provideContext(chargeAll(cycles, charging), services),
      checkKeys: (isOver) => Effect.provideContext(checkKeys(isOver), services)
    })
  })
)

const storageErrorIn = (cause: Cause.Cause<unknown>): StorageError | null => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Fail" && reason.error instanceof StorageError) return reason.error
  }
  return null
}
