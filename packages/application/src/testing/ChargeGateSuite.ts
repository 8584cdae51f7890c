/**
 * The contract of `ChargeGate`.
 *
 * The provider behind the gate is the one in memory, so that the laws can tell what was really captured.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import type { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Duration, Effect, Option, Stream } from "effect"
import { ChargeGate, type CycleOutcome } from "../Billing/ChargeGate.ts"
import type { CallbackUrls } from "../Payments/CallbackUrls.ts"
import type { MoneyCalls } from "../Payments/MoneyCalls.ts"
import { BillingLedger, type CycleKey } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import type * as RunBilling from "../Billing/RunBilling.ts"
import { law, type Law, suiteOf } from "./Law.ts"
import { MemoryProvider } from "./MemoryProvider.ts"
import * as Purchases from "./Purchases.ts"

/** What the laws of this port need. */
export type Requirements =
  | ChargeGate
  | MemoryProvider
  | MoneyCalls
  | CallbackUrls
  | PaymentStrategies
  | Effect.Services<ReturnType<typeof Purchases.subscribe>>
  | Effect.Services<ReturnType<typeof RunBilling.runBilling>>

const minuteAtTen = 10 * 60
const periodDays = 30

// More than the first pause before the provider is asked about a lost answer.
const askedAfterMinutes = 6

const pass = Effect.fnUntraced(function* (by: Duration.Duration) {
  const clock = yield* BusinessClock
  yield* clock.advance(by)
  yield* (yield* MemoryProvider).setClockOffset(Duration.toMillis(yield* clock.offset))
})

const passTo = Effect.fnUntraced(function* (daysLater: number) {
  const now = yield* (yield* BusinessClock).now
  const then = BusinessDate.instantAt(BusinessDate.addDays(BusinessDate.fromInstant(now), daysLater), minuteAtTen)
  yield* pass(Duration.millis(then.epochMilliseconds - now.epochMilliseconds))
})

// Bought at ten of the next day, so that nothing stands at the edge of a day.
const cycleDueIn = Effect.fnUntraced(function* (days: number) {
  yield* passTo(1)
  const subscriptionId = Purchases.subscriptionIdOf(yield* Purchases.subscribe({ period: periodDays }))
  yield* passTo(periodDays - days)
  const cycles = yield* (yield* BillingLedger).listCycles(subscriptionId, { page: 1, size: 1 })
  const cycle = Option.getOrThrow(Option.fromNullishOr(cycles.data[0]))
  return { subscriptionId, number: cycle.number } satisfies CycleKey
})

/** A subscription whose next delivery is due. */
export const dueCycle = cycleDueIn(0)

const captures = Effect.flatMap(MemoryProvider, ({ movements }) =>
  Effect.map(movements, (all) => all.filter(({ kind }) => kind === "capture").length)
)

/** What came of handing cycles over, as if by the run of today, or of days ahead. */
export const handOver = Effect.fnUntraced(function* (
  cycles: ReadonlyArray<CycleKey>,
  { daysAhead = 0, isOver = false }: { readonly daysAhead?: number; readonly isOver?: boolean } = {}
) {
  const date = BusinessDate.addDays(BusinessDate.fromInstant(yield* (yield* BusinessClock).now), daysAhead)
  const outcomes: Array<CycleOutcome> = []
  yield* (yield* ChargeGate).charge(Stream.fromIterable(cycles), {
    date,
    isAheadAllowed: daysAhead > 0,
    isOver: Effect.succeed(isOver),
    patiently: (self) => self,
    note: (outcome) => Effect.sync(() => void outcomes.push(outcome))
  })
  return outcomes
})

const sent = (result: "charged" | "declined" | "notExecuted" | "unknown", isOurs = false): CycleOutcome => ({
  _tag: "Sent",
  result,
  isOurs
})

/** Everything a `ChargeGate` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "charges a due cycle, and tells so",
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const before = yield* captures
      assert.deepStrictEqual(yield* handOver([cycle]), [sent("charged")])
      assert.strictEqual((yield* captures) - before, 1)
    })
  ),

  law(
    "charges a cycle once, however often and however close together it is handed over",
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const before = yield* captures
      yield* handOver(Array.from({ length: 8 }, () => cycle))
      yield* handOver([cycle])
      assert.strictEqual((yield* captures) - before, 1)
    })
  ),

  law(
    "tells a decline, and charges the others",
    Effect.gen(function* () {
      const declined = yield* dueCycle
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason: Fixtures.softDecline() })
      assert.deepStrictEqual(yield* handOver([declined]), [sent("declined")])
      assert.deepStrictEqual(yield* handOver([yield* dueCycle]), [sent("charged")])
    })
  ),

  law(
    "charges ahead of its day when told to, and what was declined ahead again on that day",
    Effect.gen(function* () {
      const daysAhead = 5
      const charged = yield* cycleDueIn(daysAhead)
      assert.deepStrictEqual(yield* handOver([charged], { daysAhead }), [sent("charged")])
      const declined = yield* cycleDueIn(daysAhead)
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason: Fixtures.softDecline() })
      assert.deepStrictEqual(yield* handOver([declined], { daysAhead }), [sent("declined")])
      yield* passTo(daysAhead)
      assert.deepStrictEqual(yield* handOver([declined]), [sent("charged")])
    })
  ),

  law(
    "tells that a charge without an answer is unknown, and does not send it again",
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const before = yield* captures
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      assert.deepStrictEqual(yield* handOver([cycle]), [sent("unknown")])
      yield* handOver([cycle])
      assert.strictEqual((yield* captures) - before, 1)
    })
  ),

  law(
    "tells that we were refused, not the customer",
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      yield* (yield* MemoryProvider).next({ _tag: "NotExecuted", why: "ours" })
      assert.deepStrictEqual(yield* handOver([cycle]), [sent("notExecuted", true)])
    })
  ),

  law(
    "has nothing to charge where there is no cycle, and goes on",
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const before = yield* captures
      const outcomes = yield* handOver([{ ...cycle, number: cycle.number + 1 }, cycle])
      assert.sameMembers(
        outcomes.map(({ _tag }) => _tag),
        ["NotDue", "Sent"]
      )
      assert.strictEqual((yield* captures) - before, 1)
    })
  ),

  law(
    "sends nothing once the run is over",
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const before = yield* captures
      yield* handOver([cycle], { isOver: true })
      assert.strictEqual((yield* captures) - before, 0)
    })
  ),

  law(
    "settles a charge whose answer was lost, by asking the provider",
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const before = yield* captures
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      yield* handOver([cycle])
      yield* pass(Duration.minutes(askedAfterMinutes))
      const { resolved } = yield* (yield* ChargeGate).settle
      assert.isAtLeast(resolved, 1)
      const found = Option.getOrThrow(yield* (yield* BillingLedger).findCycle(cycle))
      assert.strictEqual(found._tag, "Charged")
      assert.strictEqual((yield* captures) - before, 1)
    })
  ),

  law(
    "compares no key once the run is over",
    Effect.gen(function* () {
      const { checked } = yield* (yield* ChargeGate).checkKeys(Effect.succeed(true))
      assert.strictEqual(checked, 0)
    })
  )
]

/** Binds the contract to a layer, as the tests of an adapter do; `name` says which. */
export const suite = suiteOf("ChargeGate", laws)
