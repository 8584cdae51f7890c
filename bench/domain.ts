/**
 * `npm run bench -- domain`: how fast the domain decides, decodes and starts.
 *
 * Transitions are counted as a shop meets them: each builds a validated next state and the validated event that tells of
 * it. Decoding is measured beside a validator written by hand that checks the same things, and importing the package
 * beside importing the Effect modules it uses; both pairs run in turns, and medians are told.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingCalendar from "@pillivery/domain/BillingCalendar"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import * as Order from "@pillivery/domain/Order"
import * as Refund from "@pillivery/domain/Refund"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Result, Schema } from "effect"
// Compiles schemas; where code may not be generated everything works all the same, slower.
import "effect/schema/SchemaJITCompiler/enable"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../scripts/internal/Workspace.ts"
import { validateOrder } from "./validators/order.ts"

const rounds = 9
const roundMillis = 250
const callsAtOnce = 500
const starts = 15
const linesOfOrder = 10

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** Calls a second, over one round. */
const callsPerSecond = (call: (index: number) => unknown): number => {
  const startedAt = performance.now()
  let calls = 0
  let elapsed = 0
  while (elapsed < roundMillis) {
    for (let index = 0; index < callsAtOnce; index++) kept = call(calls + index)
    calls += callsAtOnce
    elapsed = performance.now() - startedAt
  }
  return (calls * 1_000) / elapsed
}

// What was computed is kept, so that computing it cannot be left out.
let kept: unknown = null

// -----------------------------------------------------------------------------
// transitions
// -----------------------------------------------------------------------------

const at = Fixtures.now
const on = Fixtures.day("2026-02-14")
const [order, subscription, cycle, inFlight] = [
  Fixtures.placedOrder(),
  Fixtures.subscription(),
  Fixtures.dueCycle(),
  Fixtures.inFlightCycle()
]
const [attempt, key, refund] = [Fixtures.sentAttempt(), Fixtures.activeKey(), Fixtures.requestedRefund()]
const reference = Fixtures.knownReference()
const sentRefund = Result.getOrThrow(Refund.send(refund, { at, leaseExpiresAt: at, refundedBefore: Fixtures.won(0) }))
const common = { at, userId: Fixtures.anyUserId() }
const ofCycle = { ...common, subscriptionId: subscription.id, cycleNumber: 1 }
const ofSubscription = { ...common, subscriptionId: subscription.id }
const ofRefund = {
  ...common,
  refundId: refund.id,
  attemptId: attempt.id,
  orderId: order.id,
  amount: refund.amount
}

type Next = Result.Result<{ readonly _tag: string }, unknown>

interface Told {
  readonly next: Next
  /** Another machine that moves with it. */
  readonly also?: Next
  readonly event: DomainEvent.DomainEvent
}

const eventId = (cause: string, tag: DomainEvent.Tag) => DomainEvent.eventId(cause, tag)

/** Accepted moves of each machine with the event that tells of them. */
const transitions: Readonly<Record<string, () => Told>> = {
  "Order.pay": () => ({
    next: Order.pay(order, attempt.id, at),
    event: new DomainEvent.OrderPaid({
      ...common,
      eventId: eventId(attempt.id, "OrderPaid"),
      orderId: order.id,
      attemptId: attempt.id,
      amount: order.total
    })
  }),
  "SubscriptionOrder.pause": () => ({
    next: SubscriptionOrder.pause(subscription, "owner", null),
    event: new DomainEvent.SubscriptionPaused({
      ...ofSubscription,
      eventId: eventId(subscription.id, "SubscriptionPaused"),
      by: "owner",
      resumeOn: null
    })
  }),
  "BillingCycle.charge": () => ({
    next: BillingCycle.charge(inFlight, attempt.id, on),
    // The approval of its attempt is told by the same event.
    also: Attempt.approve(attempt, { at, reference, amount: attempt.amount, isOwed: true }),
    event: new DomainEvent.CycleCharged({
      ...ofCycle,
      eventId: eventId(attempt.id, "CycleCharged"),
      attemptId: attempt.id,
      orderId: order.id,
      amount: attempt.amount,
      chargedOn: on
    })
  }),
  "BillingCycle.skip": () => ({
    next: BillingCycle.skip(cycle, "owner"),
    event: new DomainEvent.CycleSkipped({
      ...ofCycle,
      eventId: eventId(subscription.id, "CycleSkipped"),
      reason: "owner"
    })
  }),
  "BillingKey.revoke": () => ({
    next: BillingKey.revoke(key),
    event: new DomainEvent.BillingKeyRevoked({
      ...common,
      eventId: eventId(key.id, "BillingKeyRevoked"),
      billingKeyId: key.id
    })
  }),
  "Attempt.review": () => ({
    next: Attempt.review(attempt, at, "unclear"),
    event: new DomainEvent.PaymentNeedsReview({
      ...common,
      eventId: eventId(attempt.id, "PaymentNeedsReview"),
      attemptId: attempt.id,
      detail: "unclear"
    })
  }),
  "Refund.complete": () => ({
    next: Refund.complete(sentRefund, at),
    event: new DomainEvent.RefundCompleted({ ...ofRefund, eventId: eventId(refund.id, "RefundCompleted") })
  })
}

const moves = Object.entries(transitions).map(([name, move]) => {
  const { also, next } = move()
  const made = also === undefined ? [next] : [next, also]
  if (made.some(Result.isFailure)) throw new Error(`${name} is refused, so that its speed says nothing`)
  return { name, move, count: made.length }
})

// -----------------------------------------------------------------------------
// dates
// -----------------------------------------------------------------------------

const periods = [30, 60, 90, 120].map(Fixtures.period)
const gridDates = Array.from({ length: 64 }, (_, index) => BusinessDate.addDays(on, index * 17))

/** The next due date of a charged cycle, over changing dates and periods. */
const nextDue = (index: number) => {
  const gridDate = gridDates[index % gridDates.length] ?? on
  return BillingCalendar.nextGridDate({
    gridDate,
    period: periods[index % periods.length] ?? Fixtures.period(30),
    today: gridDate,
    chargedOn: gridDate
  })
}

// -----------------------------------------------------------------------------
// decoding
// -----------------------------------------------------------------------------

const codec = Schema.toCodecJson(Order.Order)
const wire: unknown = JSON.parse(
  JSON.stringify(
    Schema.encodeSync(codec)(
      Fixtures.placedOrder({
        lines: Array.from({ length: linesOfOrder }, (_, seed) => Fixtures.orderLine({}, seed))
      })
    )
  )
)
const decode = Schema.decodeUnknownSync(codec)
const same = JSON.stringify(Schema.encodeSync(codec)(decode(wire))) === JSON.stringify(wire)
if (!same || JSON.stringify(validateOrder(wire)) !== JSON.stringify(decode(wire))) {
  throw new Error("the two decoders do not answer the same order")
}

// -----------------------------------------------------------------------------
// importing
// -----------------------------------------------------------------------------

/** Milliseconds that a fresh process takes to import these modules, at once as a program does. */
const importMillis = (folder: string, modules: ReadonlyArray<string>): number => {
  const file = join(folder, "start.mjs")
  writeFileSync(join(folder, "all.mjs"), modules.map((module) => `import ${JSON.stringify(module)}\n`).join(""))
  writeFileSync(
    file,
    'const startedAt = performance.now()\nawait import("./all.mjs")\nconsole.log(performance.now() - startedAt)\n'
  )
  return Number(execFileSync(process.execPath, [file], { encoding: "utf8" }))
}

/** The modules below `prefix` that a source imports values of. */
const importsOf = (file: string, prefix: string): ReadonlyArray<string> =>
  [...readFileSync(file, "utf8").matchAll(/^import (?!type).*?from "([^"]+)"/gms)]
    .map(([, module = ""]) => module)
    .filter((module) => module.startsWith(prefix))

const measureImports = () => {
  execFileSync(process.execPath, [join(root, "scripts/build.ts"), "packages/domain"])
  const source = join(root, "packages/domain/src")
  const modules = readdirSync(source)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -".ts".length))
  const used = new Set(modules.flatMap((module) => importsOf(join(source, `${module}.ts`), "effect/")))
  // What no other module imports: naming these brings all of the package.
  const inner = new Set(modules.flatMap((module) => importsOf(join(source, `${module}.ts`), "./")))
  const outer = modules.filter((module) => !inner.has(`./${module}.ts`))
  // Inside the workspace, so that both resolve the one Effect, and the package its built files.
  const folder = mkdtempSync(join(root, "node_modules/.bench-"))
  try {
    const pairs = Array.from({ length: starts }, () => ({
      effect: importMillis(folder, [...used]),
      whole: importMillis(
        folder,
        outer.map((module) => `@pillivery/domain/${module}`)
      )
    }))
    return { effect: median(pairs.map((pair) => pair.effect)), whole: median(pairs.map((pair) => pair.whole)) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

// -----------------------------------------------------------------------------
// all of it
// -----------------------------------------------------------------------------

const results = Array.from({ length: rounds + 1 }, () => ({
  moves: moves.map(({ count, move }) => count * callsPerSecond(move)),
  nextDue: callsPerSecond(nextDue),
  ours: callsPerSecond(() => decode(wire)),
  byHand: callsPerSecond(() => validateOrder(wire))
})).slice(1)
if (kept === null) throw new Error("nothing was computed")

const speeds = moves.map(({ count, name }, index) => {
  const perSecond = median(results.map((result) => result.moves[index] ?? 0))
  console.log(`${name.padEnd(24)} ${Math.round(perSecond).toLocaleString("en-US").padStart(10)} /s`)
  return { count, perSecond }
})
const imports = measureImports()
console.log(
  JSON.stringify({
    bench: "domain",
    // As many of each: the time of all of them together counts, not the mean of their speeds.
    transitionsPerSecond: Math.round(
      speeds.reduce((sum, { count }) => sum + count, 0) /
        speeds.reduce((seconds, { count, perSecond }) => seconds + count / perSecond, 0)
    ),
    nextDuePerSecond: Math.round(median(results.map((result) => result.nextDue))),
    decodeRatio: Number(median(results.map((result) => result.byHand / result.ours)).toFixed(2)),
    importMillis: Number(imports.whole.toFixed(1)),
    effectImportMillis: Number(imports.effect.toFixed(1))
  })
)
