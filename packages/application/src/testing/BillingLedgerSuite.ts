/**
 * The contract of `BillingLedger`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import * as Arbitraries from "@pillivery/domain/testing/Arbitraries"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option, Result } from "effect"
import { BillingLedger, type CycleKey, type RunCounts } from "../ports/BillingLedger.ts"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { aggregateLaws } from "./AggregateLaws.ts"
import { countOf, endsOf, failsWith, freshSeed, freshSeeds, law, type Law, suiteOf, type Timing } from "./Law.ts"
import { atVersion, cycleStates, cycleVarieties } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = BillingLedger | SubscriptionRepository | Transaction | IdGenerator

const rivalsCount = 8
const pagesMax = 10_000
/** Large enough for whatever other laws left behind. */
const pageLarge = 1_000
const { getOrThrow } = Result

const dueDate = Fixtures.day("2026-02-14")
const { addDays } = BusinessDate

const keyOf = ({ number, subscriptionId }: CycleKey): CycleKey => ({ subscriptionId, number })
const isOwn = (seeds: ReadonlyArray<string>) => {
  const ids = new Set<string>(seeds.map((seed) => Fixtures.anySubscriptionId(seed)))
  return ({ subscriptionId }: CycleKey) => ids.has(subscriptionId)
}

/** A cycle and, unless there is none, its subscription. */
const insert = Effect.fnUntraced(function* (
  cycle: BillingCycle.BillingCycle,
  subscription: SubscriptionOrder.SubscriptionOrder | null
) {
  if (subscription !== null) yield* (yield* SubscriptionRepository).insert(subscription)
  yield* (yield* BillingLedger).insertCycle(cycle)
})

/** Everything that is due, by pages, and what happens after each of them. */
const listAll = Effect.fnUntraced(function* <E, R>(
  options: { readonly date: BusinessDate.BusinessDate; readonly step: number; readonly limit: number },
  between: (page: ReadonlyArray<CycleKey>) => Effect.Effect<void, E, R>
) {
  const ledger = yield* BillingLedger
  const listed: Array<CycleKey> = []
  for (let page = 0, after: CycleKey | null = null; page < pagesMax; page++) {
    const keys: ReadonlyArray<CycleKey> = yield* ledger.listDue({ ...options, after })
    assert.isAtMost(keys.length, options.limit)
    const last = keys[keys.length - 1]
    if (last === undefined) return listed
    listed.push(...keys)
    after = keyOf(last)
    yield* between(keys)
  }
  return assert.fail("the pages have no end")
})

/** Which of some subscriptions' cycles a run for a date must touch on a rung. */
const dueAmong = Effect.fnUntraced(function* (
  seeds: ReadonlyArray<string>,
  date: BusinessDate.BusinessDate,
  step: number
) {
  const listed = yield* listAll({ date, step, limit: pageLarge }, () => Effect.void)
  return seeds.filter((seed) => listed.some(isOwn([seed])))
})

/** Asserts on which of some dates and rungs a cycle is due. */
const isDueOn = Effect.fnUntraced(function* (
  seed: string,
  expected: ReadonlyArray<readonly [date: BusinessDate.BusinessDate, step: number, isDue: boolean]>
) {
  for (const [date, step, isDue] of expected) {
    assert.deepStrictEqual(yield* dueAmong([seed], date, step), isDue ? [seed] : [], `${date}, step ${step}`)
  }
})

// -----------------------------------------------------------------------------
// Cycles
// -----------------------------------------------------------------------------

const cycleLaws: ReadonlyArray<Law<Requirements>> = [
  ...aggregateLaws({
    schema: BillingCycle.BillingCycle,
    states: cycleStates,
    varieties: cycleVarieties,
    transitions: BillingCycle.transitions,
    histories: { begin: [cycleStates.Due, cycleStates.AwaitingKey], commands: Arbitraries.billingCycleCommand },
    idOf: keyOf,
    insert: (cycle) => Effect.flatMap(BillingLedger, (ledger) => ledger.insertCycle(cycle)),
    find: (key) => Effect.flatMap(BillingLedger, (ledger) => ledger.findCycle(key)),
    update: (cycle) => Effect.flatMap(BillingLedger, (ledger) => ledger.updateCycle(cycle))
  }),

  law(
    "finds the one open cycle of a subscription",
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const seed = yield* freshSeed
      const subscriptionId = Fixtures.anySubscriptionId(seed)
      assert.isTrue(Option.isNone(yield* ledger.findOpenCycle(subscriptionId)))
      const first = Fixtures.dueCycle({}, seed)
      yield* ledger.insertCycle(first)
      assert.strictEqual(Option.getOrThrow(yield* ledger.findOpenCycle(subscriptionId)).number, 1)
      yield* ledger.updateCycle(getOrThrow(BillingCycle.skip(first, "owner")))
      assert.isTrue(Option.isNone(yield* ledger.findOpenCycle(subscriptionId)))
      yield* ledger.insertCycle(Fixtures.dueCycle({ number: 2 }, seed))
      const open = Option.getOrThrow(yield* ledger.findOpenCycle(subscriptionId))
      assert.deepStrictEqual([open.number, open._tag], [2, "Due"])
    })
  ),

  law(
    "takes one open cycle at a time for each subscription",
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const seed = yield* freshSeed
      const rivals = Array.from({ length: rivalsCount }, (_, index) => Fixtures.dueCycle({ number: index + 1 }, seed))
      const ends = yield* endsOf(rivals.map(ledger.insertCycle))
      assert.strictEqual(countOf(ends, "success"), 1)
      assert.strictEqual(countOf(ends, "AlreadyExists"), rivalsCount - 1)
    })
  ),

  law(
    "takes any number of closed cycles beside the open one",
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const seed = yield* freshSeed
      const subscriptionId = Fixtures.anySubscriptionId(seed)
      for (const number of [1, 2]) {
        yield* ledger.insertCycle(BillingCycle.passed({ subscriptionId, number, gridDate: dueDate, reason: "outage" }))
      }
      yield* ledger.insertCycle(Fixtures.dueCycle({ number: 3 }, seed))
      yield* failsWith("AlreadyExists", ledger.insertCycle(Fixtures.dueCycle({ number: 4 }, seed)))
      assert.isTrue(Option.isNone(yield* ledger.findCycle({ subscriptionId, number: 4 })))
    })
  ),

  law(
    "closes a cycle and opens the next in one transaction, or neither",
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const { run } = yield* Transaction
      const seed = yield* freshSeed
      const first = Fixtures.dueCycle({}, seed)
      yield* ledger.insertCycle(first)
      const close = Effect.gen(function* () {
        yield* ledger.updateCycle(getOrThrow(BillingCycle.skip(first, "owner")))
        yield* ledger.insertCycle(Fixtures.dueCycle({ number: 2 }, seed))
      })
      const openNumber = Effect.map(
        ledger.findOpenCycle(first.subscriptionId),
        (open) => Option.getOrThrow(open).number
      )
      yield* failsWith("Unwanted", run(Effect.andThen(close, Effect.fail({ _tag: "Unwanted" as const }))))
      assert.strictEqual(yield* openNumber, 1)
      yield* run(close)
      assert.strictEqual(yield* openNumber, 2)
    })
  ),

  law(
    "lists a subscription's cycles newest first, by number and not by text",
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const seed = yield* freshSeed
      const subscriptionId = Fixtures.anySubscriptionId(seed)
      const numbers = [2, 10, 1, 9, 11]
      yield* Effect.forEach(numbers, (number) =>
        ledger.insertCycle(BillingCycle.passed({ subscriptionId, number, gridDate: dueDate, reason: "paused" }))
      )
      yield* ledger.insertCycle(Fixtures.dueCycle({}, yield* freshSeed))
      const pages = yield* Effect.forEach([1, 2, 3, 4], (page) => ledger.listCycles(subscriptionId, { page, size: 2 }))
      assert.deepStrictEqual(
        pages.map(({ data }) => data.map(({ number }) => number)),
        [[11, 10], [9, 2], [1], []]
      )
      assert.deepStrictEqual(
        pages.map(({ totalElements }) => totalElements),
        [5, 5, 5, 5]
      )
    })
  )
]

// -----------------------------------------------------------------------------
// What is due
// -----------------------------------------------------------------------------

const dueLaws: ReadonlyArray<Law<Requirements>> = [
  law(
    "lists what is due on or before the date, for the first try",
    Effect.gen(function* () {
      const seed = yield* freshSeed
      yield* insert(Fixtures.dueCycle({}, seed), Fixtures.subscription({}, seed))
      yield* isDueOn(seed, [
        [addDays(dueDate, -1), 0, false],
        [dueDate, 0, true],
        [addDays(dueDate, 400), 0, true],
        [dueDate, 1, false]
      ])
    })
  ),

  law(
    "lists a retry on its rung of the ladder alone",
    Effect.gen(function* () {
      const seed = yield* freshSeed
      yield* insert(Fixtures.retryDueCycle(seed), Fixtures.pastDueSubscription(seed))
      yield* isDueOn(seed, [
        [dueDate, 1, false],
        [addDays(dueDate, 1), 1, true],
        [addDays(dueDate, 1), 0, false],
        [addDays(dueDate, 1), 2, false]
      ])
    })
  ),

  law(
    "lists a blocked cycle from the first of the next month on",
    Effect.gen(function* () {
      const seed = yield* freshSeed
      yield* insert(cycleStates.Blocked(seed), Fixtures.subscription({}, seed))
      yield* isDueOn(seed, [
        [Fixtures.day("2026-02-28"), 0, false],
        [Fixtures.day("2026-03-01"), 0, true]
      ])
    })
  ),

  law(
    "lists a cycle that waits for a key on the last day of its ladder, and never without a ladder",
    Effect.gen(function* () {
      const [seed, keyless] = [yield* freshSeed, yield* freshSeed]
      yield* insert(cycleStates.AwaitingKey(seed), Fixtures.pastDueSubscription(seed))
      yield* insert(Fixtures.keylessCycle(keyless), Fixtures.subscription({}, keyless))
      yield* isDueOn(seed, [
        [addDays(dueDate, 4), 0, false],
        [addDays(dueDate, 5), 0, true]
      ])
      yield* isDueOn(keyless, [[addDays(dueDate, 400), 0, false]])
    })
  ),

  law(
    "leaves out what was answered on the date, but not what was answered on another",
    Effect.gen(function* () {
      const seed = yield* freshSeed
      yield* insert(Fixtures.dueCycle({ answeredOn: dueDate }, seed), Fixtures.subscription({}, seed))
      yield* isDueOn(seed, [
        [dueDate, 0, false],
        [addDays(dueDate, 1), 0, true]
      ])
    })
  ),

  law(
    "leaves out what an attempt holds",
    Effect.gen(function* () {
      const seeds = yield* freshSeeds(3)
      const [sent = "", doubtful = "", held = ""] = seeds
      yield* insert(Fixtures.inFlightCycle({}, sent), Fixtures.subscription({}, sent))
      yield* insert(Fixtures.inDoubtCycle({}, doubtful), Fixtures.subscription({}, doubtful))
      yield* insert(
        Fixtures.dueCycle({ openAttempt: Fixtures.anyAttemptId(held) }, held),
        Fixtures.subscription({}, held)
      )
      for (const step of [0, 1]) assert.deepStrictEqual(yield* dueAmong(seeds, addDays(dueDate, 9), step), [])
    })
  ),

  law(
    "leaves out what is closed",
    Effect.gen(function* () {
      const seeds = yield* freshSeeds(3)
      const states = [cycleStates.Charged, cycleStates.Skipped, cycleStates.Abandoned]
      for (const [index, seed] of seeds.entries()) {
        yield* insert((states[index] ?? cycleStates.Charged)(seed), Fixtures.subscription({}, seed))
      }
      assert.deepStrictEqual(yield* dueAmong(seeds, addDays(dueDate, 9), 0), [])
    })
  ),

  law(
    "leaves out cycles of subscriptions that are not charged, and of none at all",
    Effect.gen(function* () {
      const seeds = yield* freshSeeds(6)
      const [active = "", pastDue = "", paused = "", cancelled = "", keyless = "", orphan = ""] = seeds
      yield* insert(Fixtures.dueCycle({}, active), Fixtures.subscription({}, active))
      yield* insert(Fixtures.dueCycle({}, pastDue), Fixtures.pastDueSubscription(pastDue))
      yield* insert(Fixtures.dueCycle({}, paused), Fixtures.pausedSubscription(paused))
      yield* insert(Fixtures.dueCycle({}, cancelled), Fixtures.cancelledSubscription(cancelled))
      yield* insert(Fixtures.dueCycle({}, keyless), Fixtures.keylessSubscription({}, keyless))
      yield* insert(Fixtures.dueCycle({}, orphan), null)
      assert.deepStrictEqual(yield* dueAmong(seeds, dueDate, 0), [active, pastDue])
    })
  ),

  law(
    "follows a subscription that is paused and resumed",
    Effect.gen(function* () {
      const subscriptions = yield* SubscriptionRepository
      const seed = yield* freshSeed
      const active = Fixtures.subscription({}, seed)
      yield* insert(Fixtures.dueCycle({}, seed), active)
      const paused = getOrThrow(SubscriptionOrder.pause(active, "owner", null))
      yield* subscriptions.update(paused)
      assert.deepStrictEqual(yield* dueAmong([seed], dueDate, 0), [])
      yield* subscriptions.update(atVersion(getOrThrow(SubscriptionOrder.resume(paused)), 1))
      assert.deepStrictEqual(yield* dueAmong([seed], dueDate, 0), [seed])
    })
  ),

  law(
    "follows a cycle that is moved, sent and given back",
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const seed = yield* freshSeed
      const cycle = Fixtures.dueCycle({}, seed)
      const attemptId = Fixtures.anyAttemptId(seed)
      yield* insert(cycle, Fixtures.subscription({}, seed))
      const moved = getOrThrow(BillingCycle.postpone(cycle, 3, Fixtures.day("2026-02-10")))
      yield* ledger.updateCycle(moved)
      yield* isDueOn(seed, [
        [dueDate, 0, false],
        [addDays(dueDate, 3), 0, true]
      ])
      const sent = getOrThrow(BillingCycle.send(moved, attemptId, Fixtures.quantity(2)))
      yield* ledger.updateCycle(atVersion(sent, 1))
      yield* isDueOn(seed, [[addDays(dueDate, 3), 0, false]])
      yield* ledger.updateCycle(atVersion(getOrThrow(BillingCycle.giveBack(sent, attemptId, addDays(dueDate, 4))), 2))
      yield* isDueOn(seed, [
        [addDays(dueDate, 3), 0, false],
        [addDays(dueDate, 4), 0, true]
      ])
    })
  ),

  law(
    "lists in key order, each cycle once, while what was listed is sent and more becomes due",
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const seeds = yield* freshSeeds(23)
      yield* Effect.forEach(seeds, (seed) => insert(Fixtures.dueCycle({}, seed), Fixtures.subscription({}, seed)), {
        concurrency: rivalsCount
      })
      const own = isOwn(seeds)
      const listed = yield* listAll({ date: dueDate, step: 0, limit: 5 }, (page) =>
        Effect.gen(function* () {
          // What was listed leaves the list, as it does under a run.
          for (const key of page.filter(own)) {
            const cycle = Option.getOrThrow(yield* ledger.findCycle(key))
            yield* ledger.updateCycle(
              getOrThrow(BillingCycle.send(cycle, Fixtures.anyAttemptId(key.subscriptionId), Fixtures.quantity(2)))
            )
          }
          const late = yield* freshSeed
          yield* insert(Fixtures.dueCycle({}, late), Fixtures.subscription({}, late))
        })
      )
      const keys = listed.map(({ number, subscriptionId }) => `${subscriptionId}/${String(number).padStart(12, "0")}`)
      assert.deepStrictEqual(keys, [...new Set(keys)].sort())
      assert.sameMembers(
        listed.filter(own).map(({ subscriptionId }) => subscriptionId),
        seeds.map((seed) => Fixtures.anySubscriptionId(seed))
      )
    })
  ),

  law(
    "goes on after a key that is no longer due or never was",
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const seeds = [...(yield* freshSeeds(3))].sort((self, that) =>
        Fixtures.anySubscriptionId(self) < Fixtures.anySubscriptionId(that) ? -1 : 1
      )
      const [first = "", missing = "", last = ""] = seeds
      yield* insert(Fixtures.dueCycle({}, first), Fixtures.subscription({}, first))
      yield* insert(Fixtures.dueCycle({}, last), Fixtures.subscription({}, last))
      const own = isOwn(seeds)
      const after = { subscriptionId: Fixtures.anySubscriptionId(missing), number: 1 }
      const listed = yield* ledger.listDue({ date: dueDate, step: 0, after, limit: pageLarge })
      assert.deepStrictEqual(listed.filter(own).map(keyOf), [
        { subscriptionId: Fixtures.anySubscriptionId(last), number: 1 }
      ])
      const afterLast = { subscriptionId: Fixtures.anySubscriptionId(last), number: 1 }
      const rest = yield* ledger.listDue({ date: dueDate, step: 0, after: afterLast, limit: pageLarge })
      assert.deepStrictEqual(rest.filter(own), [])
      const higher = yield* ledger.listDue({
        date: dueDate,
        step: 0,
        after: { ...afterLast, number: 0 },
        limit: pageLarge
      })
      assert.strictEqual(higher.filter(own).length, 1)
    })
  ),

  law(
    "counts what is owed for a date",
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const seeds = yield* freshSeeds(14)
      const [due = "", retry = "", ladderEnd = "", sent = "", doubtful = ""] = seeds
      const [later = "", paused = "", answered = "", keyless = "", charged = "", sentLater = "", cancelled = ""] =
        seeds.slice(5)
      const [doubtfulToo = "", doubtfulLater = ""] = seeds.slice(12)
      // A date no other law has rows for.
      const date = Fixtures.day("2031-05-05")
      const before = yield* ledger.owed(date)
      const on = { nextAttemptOn: date }
      yield* insert(Fixtures.dueCycle(on, due), Fixtures.subscription({}, due))
      yield* insert(
        new BillingCycle.RetryDue({ ...Fixtures.retryDueCycle(retry), nextAttemptOn: date }),
        Fixtures.pastDueSubscription(retry)
      )
      yield* insert(
        new BillingCycle.AwaitingKey({ ...cycleStates.AwaitingKey(ladderEnd), nextAttemptOn: date }),
        Fixtures.pastDueSubscription(ladderEnd)
      )
      yield* insert(Fixtures.inFlightCycle(on, sent), Fixtures.subscription({}, sent))
      yield* insert(Fixtures.inDoubtCycle(on, doubtful), Fixtures.pastDueSubscription(doubtful))
      const after = { nextAttemptOn: addDays(date, 1) }
      yield* insert(Fixtures.dueCycle(after, later), Fixtures.subscription({}, later))
      yield* insert(Fixtures.dueCycle(on, paused), Fixtures.pausedSubscription(paused))
      yield* insert(Fixtures.dueCycle({ ...on, answeredOn: date }, answered), Fixtures.subscription({}, answered))
      yield* insert(Fixtures.keylessCycle(keyless), Fixtures.subscription({}, keyless))
      yield* insert(cycleStates.Charged(charged), Fixtures.subscription({}, charged))
      yield* insert(Fixtures.inFlightCycle(after, sentLater), Fixtures.subscription({}, sentLater))
      yield* insert(Fixtures.inDoubtCycle(on, doubtfulToo), Fixtures.subscription({}, doubtfulToo))
      yield* insert(Fixtures.inDoubtCycle(after, doubtfulLater), Fixtures.subscription({}, doubtfulLater))
      // Nobody is charged any more, but money may have moved.
      yield* insert(Fixtures.inDoubtCycle(on, cancelled), Fixtures.cancelledSubscription(cancelled))
      const owed = yield* ledger.owed(date)
      assert.deepStrictEqual(
        {
          due: owed.due - before.due,
          inFlight: owed.inFlight - before.inFlight,
          inDoubt: owed.inDoubt - before.inDoubt
        },
        { due: 3, inFlight: 1, inDoubt: 3 }
      )
    })
  )
]

// -----------------------------------------------------------------------------
// Runs
// -----------------------------------------------------------------------------

const [date, otherDate] = [Fixtures.day("2026-02-14"), Fixtures.day("2026-02-15")]
const noCounts: RunCounts = { charged: 0, declined: 0, notExecuted: 0, unknown: 0, skipped: 0, cancelled: 0 }
const someCounts: RunCounts = { charged: 1, declined: 2, notExecuted: 3, unknown: 4, skipped: 5, cancelled: 6 }

const runLaws = ({ leaseMillis, waitFor }: Timing): ReadonlyArray<Law<Requirements>> => {
  const at = Fixtures.now
  const longLease = leaseMillis * 100
  const half = leaseMillis / 2
  const overLease = leaseMillis * 1.25

  const freshJob = Effect.map(freshSeed, (seed) => `job-${seed}`)

  const found = Effect.fnUntraced(function* (job: string, date: BusinessDate.BusinessDate) {
    const run = Option.getOrThrow(yield* (yield* BillingLedger).findRun(job, date))
    return { status: run.status, finishedAt: run.finishedAt?.epochMilliseconds ?? null, counts: { ...run.counts } }
  })

  return [
    law(
      "starts a run with empty counts",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        assert.isTrue(Option.isNone(yield* ledger.findRun(job, date)))
        const run = yield* ledger.joinRun({ job, date, worker: "one", at, leaseMillis })
        const stored = Option.getOrThrow(yield* ledger.findRun(job, date))
        for (const { counts, finishedAt, startedAt, ...rest } of [run, stored]) {
          assert.deepStrictEqual(rest, { job, date, status: "Running" })
          assert.deepStrictEqual({ ...counts }, noCounts)
          assert.isNull(finishedAt)
          assert.strictEqual(startedAt.epochMilliseconds, at.epochMilliseconds)
        }
      })
    ),

    law(
      "lets any number of workers join the run of a date, at once and again",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        const workers = Array.from({ length: rivalsCount }, (_, index) => `worker-${index}`)
        const join = (worker: string) => ledger.joinRun({ job, date, worker, at, leaseMillis: longLease })
        const ends = yield* endsOf(workers.map(join))
        assert.strictEqual(countOf(ends, "success"), rivalsCount)
        const again = yield* ledger.joinRun({
          job,
          date,
          worker: "worker-0",
          at: Fixtures.later(9),
          leaseMillis: longLease
        })
        assert.strictEqual(again.startedAt.epochMilliseconds, at.epochMilliseconds)
        assert.strictEqual((yield* ledger.listRuns(job, 10)).length, 1)
      })
    ),

    law(
      "refuses another date while a worker lives, and says which date runs",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const [job, otherJob] = [yield* freshJob, yield* freshJob]
        yield* ledger.joinRun({ job, date, worker: "one", at, leaseMillis: longLease })
        const refused = yield* Effect.flip(
          ledger.joinRun({ job, date: otherDate, worker: "two", at, leaseMillis: longLease })
        )
        if (refused._tag !== "AnotherRunActive") return assert.fail(refused._tag)
        assert.deepStrictEqual([refused.job, refused.date], [job, date])
        assert.isTrue(Option.isNone(yield* ledger.findRun(job, otherDate)))
        yield* ledger.joinRun({ job: otherJob, date: otherDate, worker: "two", at, leaseMillis: longLease })
      })
    ),

    law(
      "lets one of many rivals choose the date",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        const dates = Array.from({ length: rivalsCount }, (_, index) => addDays(date, index))
        const ends = yield* endsOf(
          dates.map((date) => ledger.joinRun({ job, date, worker: date, at, leaseMillis: longLease }))
        )
        assert.strictEqual(countOf(ends, "success"), 1)
        assert.strictEqual(countOf(ends, "AnotherRunActive"), rivalsCount - 1)
      })
    ),

    law(
      "ends the run when its last worker leaves, with that worker's status",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        for (const worker of ["one", "two"]) yield* ledger.joinRun({ job, date, worker, at, leaseMillis: longLease })
        yield* ledger.leaveRun({ job, date, worker: "one", at: Fixtures.later(1), status: "Stopped" })
        assert.deepStrictEqual(yield* found(job, date), { status: "Running", finishedAt: null, counts: noCounts })
        yield* ledger.leaveRun({ job, date, worker: "two", at: Fixtures.later(2), status: "Completed" })
        assert.deepStrictEqual(yield* found(job, date), {
          status: "Completed",
          finishedAt: Fixtures.later(2).epochMilliseconds,
          counts: noCounts
        })
        yield* ledger.joinRun({ job, date: otherDate, worker: "one", at, leaseMillis: longLease })
      })
    ),

    law(
      "ends the run of workers that leave together once",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        const workers = Array.from({ length: rivalsCount }, (_, index) => `worker-${index}`)
        yield* Effect.forEach(workers, (worker) => ledger.joinRun({ job, date, worker, at, leaseMillis: longLease }))
        yield* endsOf(workers.map((worker) => ledger.leaveRun({ job, date, worker, at, status: "Completed" })))
        assert.strictEqual((yield* found(job, date)).status, "Completed")
      })
    ),

    law(
      "gives each page of a step to one worker, and all of them again when the run is begun again",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        const seeds = yield* freshSeeds(5)
        // Rungs that no other law has rows on.
        const [low, high] = [28, 29]
        for (const [index, seed] of seeds.entries()) {
          const cycle = Fixtures.dueCycle({ step: index < 4 ? low : high }, seed)
          yield* insert(cycle, Fixtures.subscription({}, seed))
        }
        const join = (worker: string) => ledger.joinRun({ job, date, worker, at, leaseMillis: longLease })
        const take = (step: number) => ledger.takeDue({ job, date, step, limit: 2 })
        const takeAll = Effect.gen(function* () {
          const pages = yield* Effect.all([take(low), take(low), take(low)], { concurrency: 3 })
          return new Set(pages.flat().map(({ subscriptionId }) => subscriptionId)).size
        })
        yield* join("one")
        yield* join("two")
        assert.strictEqual(yield* takeAll, 4)
        yield* join("one")
        assert.deepStrictEqual(yield* take(low), [])
        assert.deepStrictEqual((yield* take(high)).map(keyOf), [
          { subscriptionId: Fixtures.anySubscriptionId(seeds[4]), number: 1 }
        ])
        assert.deepStrictEqual(yield* take(low), [])
        for (const worker of ["one", "two"]) yield* ledger.leaveRun({ job, date, worker, at, status: "Stopped" })
        yield* join("three")
        assert.strictEqual(yield* takeAll, 4)
      })
    ),

    law(
      "starts a finished date again, and goes on counting",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        yield* ledger.joinRun({ job, date, worker: "one", at, leaseMillis: longLease })
        yield* ledger.addCounts(job, date, someCounts)
        yield* ledger.leaveRun({ job, date, worker: "one", at: Fixtures.later(1), status: "Stopped" })
        const run = yield* ledger.joinRun({
          job,
          date,
          worker: "two",
          at: Fixtures.later(5),
          leaseMillis: longLease
        })
        assert.deepStrictEqual({ ...run.counts }, someCounts)
        assert.deepStrictEqual(yield* found(job, date), { status: "Running", finishedAt: null, counts: someCounts })
      })
    ),

    law(
      "adds to the counts of one run, whoever adds at once",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const { run } = yield* Transaction
        const job = yield* freshJob
        yield* ledger.joinRun({ job, date, worker: "one", at, leaseMillis: longLease })
        yield* endsOf(Array.from({ length: rivalsCount }, () => ledger.addCounts(job, date, someCounts)))
        yield* failsWith(
          "Unwanted",
          run(Effect.andThen(ledger.addCounts(job, date, someCounts), Effect.fail({ _tag: "Unwanted" as const })))
        )
        assert.deepStrictEqual((yield* found(job, date)).counts, {
          charged: rivalsCount,
          declined: 2 * rivalsCount,
          notExecuted: 3 * rivalsCount,
          unknown: 4 * rivalsCount,
          skipped: 5 * rivalsCount,
          cancelled: 6 * rivalsCount
        })
      })
    ),

    law(
      "frees the job when a worker's lease ended",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        yield* ledger.joinRun({ job, date, worker: "dead", at, leaseMillis })
        yield* waitFor(overLease)
        yield* ledger.joinRun({ job, date: otherDate, worker: "one", at, leaseMillis: longLease })
        yield* failsWith("AnotherRunActive", ledger.joinRun({ job, date, worker: "dead", at, leaseMillis: longLease }))
      })
    ),

    law(
      "keeps a worker alive that renews",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        yield* ledger.joinRun({ job, date, worker: "one", at, leaseMillis })
        for (let round = 0; round < 3; round++) {
          yield* waitFor(half)
          assert.isTrue(yield* ledger.renewWorker({ job, date, worker: "one", leaseMillis }))
        }
        yield* failsWith(
          "AnotherRunActive",
          ledger.joinRun({ job, date: otherDate, worker: "two", at, leaseMillis: longLease })
        )
      })
    ),

    law(
      "does not wait for dead workers to end the run",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        yield* ledger.joinRun({ job, date, worker: "dead", at, leaseMillis })
        yield* ledger.joinRun({ job, date, worker: "one", at, leaseMillis: longLease })
        yield* waitFor(overLease)
        yield* ledger.leaveRun({ job, date, worker: "one", at, status: "Completed" })
        assert.strictEqual((yield* found(job, date)).status, "Completed")
      })
    ),

    law(
      "tells a worker to stop when its run has ended",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        assert.isFalse(yield* ledger.renewWorker({ job, date, worker: "one", leaseMillis: longLease }))
        yield* ledger.joinRun({ job, date, worker: "slept", at, leaseMillis })
        yield* waitFor(overLease)
        yield* ledger.joinRun({ job, date, worker: "one", at, leaseMillis: longLease })
        yield* ledger.leaveRun({ job, date, worker: "one", at, status: "Stopped" })
        assert.isFalse(yield* ledger.renewWorker({ job, date, worker: "slept", leaseMillis: longLease }))
        yield* ledger.joinRun({ job, date: otherDate, worker: "two", at, leaseMillis: longLease })
      })
    ),

    law(
      "tells a worker to stop that slept past its lease while another date began",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        yield* ledger.joinRun({ job, date, worker: "slept", at, leaseMillis })
        yield* waitFor(overLease)
        yield* ledger.joinRun({ job, date: otherDate, worker: "one", at, leaseMillis: longLease })
        assert.isFalse(yield* ledger.renewWorker({ job, date, worker: "slept", leaseMillis: longLease }))
        assert.isTrue(yield* ledger.renewWorker({ job, date: otherDate, worker: "one", leaseMillis: longLease }))
      })
    ),

    law(
      "asks those who work to stop, keeps them alive while they finish, and lets a later start go on",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const [job, otherJob] = [yield* freshJob, yield* freshJob]
        for (const worker of ["one", "two"]) yield* ledger.joinRun({ job, date, worker, at, leaseMillis: longLease })
        yield* ledger.joinRun({ job: otherJob, date, worker: "one", at, leaseMillis: longLease })
        assert.deepStrictEqual(yield* ledger.askToStop(job), [
          { date, worker: "one" },
          { date, worker: "two" }
        ])
        for (const worker of ["one", "two"]) {
          assert.isFalse(yield* ledger.renewWorker({ job, date, worker, leaseMillis: longLease }))
          assert.isFalse(yield* ledger.renewWorker({ job, date, worker, leaseMillis: longLease }))
        }
        assert.isTrue(yield* ledger.renewWorker({ job: otherJob, date, worker: "one", leaseMillis: longLease }))
        // They are finishing: another date must still wait for them.
        yield* failsWith(
          "AnotherRunActive",
          ledger.joinRun({ job, date: otherDate, worker: "three", at, leaseMillis: longLease })
        )
        yield* ledger.leaveRun({ job, date, worker: "one", at, status: "Stopped" })
        yield* ledger.leaveRun({ job, date, worker: "two", at, status: "Stopped" })
        assert.strictEqual((yield* found(job, date)).status, "Stopped")
        yield* ledger.joinRun({ job, date, worker: "two", at, leaseMillis: longLease })
        assert.strictEqual((yield* found(job, date)).status, "Running")
        assert.isTrue(yield* ledger.renewWorker({ job, date, worker: "two", leaseMillis: longLease }))
      })
    ),

    law(
      "asks nobody who joins later, and a worker no longer that begins again",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        assert.deepStrictEqual(yield* ledger.askToStop(job), [])
        yield* ledger.joinRun({ job, date, worker: "one", at, leaseMillis: longLease })
        yield* ledger.askToStop(job)
        yield* ledger.joinRun({ job, date, worker: "two", at, leaseMillis: longLease })
        assert.isTrue(yield* ledger.renewWorker({ job, date, worker: "two", leaseMillis: longLease }))
        assert.isFalse(yield* ledger.renewWorker({ job, date, worker: "one", leaseMillis: longLease }))
        yield* ledger.joinRun({ job, date, worker: "one", at, leaseMillis: longLease })
        assert.isTrue(yield* ledger.renewWorker({ job, date, worker: "one", leaseMillis: longLease }))
      })
    ),

    law(
      "tells a worker that slept past its lease that it was asked to stop, but does not count it as living",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        yield* ledger.joinRun({ job, date, worker: "slept", at, leaseMillis })
        yield* waitFor(overLease)
        assert.deepStrictEqual(yield* ledger.askToStop(job), [])
        assert.isFalse(yield* ledger.renewWorker({ job, date, worker: "slept", leaseMillis: longLease }))
      })
    ),

    law(
      "lets a worker have the run for itself, unless another one lives",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        const joinAlone = (worker: string) =>
          ledger.joinRun({ job, date, worker, at, leaseMillis: longLease, isExclusive: true })
        yield* ledger.joinRun({ job, date, worker: "dead", at, leaseMillis })
        yield* failsWith("AnotherRunActive", joinAlone("one"))
        yield* waitFor(overLease)
        yield* joinAlone("one")
        yield* joinAlone("one")
        yield* failsWith("AnotherRunActive", joinAlone("two"))
        yield* ledger.leaveRun({ job, date, worker: "one", at, status: "Stopped" })
        const ends = yield* endsOf(Array.from({ length: rivalsCount }, (_, index) => joinAlone(`rival-${index}`)))
        assert.strictEqual(countOf(ends, "success"), 1)
        assert.strictEqual(countOf(ends, "AnotherRunActive"), rivalsCount - 1)
      })
    ),

    law(
      "lists the runs of a job newest date first",
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = yield* freshJob
        for (const days of [1, 3, 0, 2]) {
          const run = { job, date: addDays(date, days), worker: "one", at }
          yield* ledger.joinRun({ ...run, leaseMillis: longLease })
          yield* ledger.leaveRun({ ...run, status: "Completed" })
        }
        const dates = (limit: number) => Effect.map(ledger.listRuns(job, limit), (runs) => runs.map(({ date }) => date))
        assert.deepStrictEqual(
          yield* dates(10),
          [3, 2, 1, 0].map((days) => addDays(date, days))
        )
        assert.deepStrictEqual(
          yield* dates(2),
          [3, 2].map((days) => addDays(date, days))
        )
      })
    )
  ]
}

/** Everything a `BillingLedger` promises. */
export const laws = (timing: Timing): ReadonlyArray<Law<Requirements>> => [...cycleLaws, ...dueLaws, ...runLaws(timing)]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("BillingLedger", laws)
