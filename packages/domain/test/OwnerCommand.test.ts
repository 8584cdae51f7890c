import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as BillingCycle from "../src/BillingCycle.ts"
import * as BillingKey from "../src/BillingKey.ts"
import * as BusinessDate from "../src/BusinessDate.ts"
import * as DunningPolicy from "../src/DunningPolicy.ts"
import * as OwnerCommand from "../src/OwnerCommand.ts"
import * as Renewal from "../src/Renewal.ts"
import * as SubscriptionOrder from "../src/SubscriptionOrder.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  activeKey,
  anyAttemptId,
  anyBillingKeyId,
  anyUserId,
  cancelledSubscription,
  day,
  dueCycle,
  inDoubtCycle,
  inFlightCycle,
  keylessCycle,
  keylessSubscription,
  pastDueSubscription,
  pausedSubscription,
  pendingKey,
  period,
  quantity,
  retryDueCycle,
  sentAttempt,
  softDecline,
  subscription,
  timeOn,
  won
} from "../src/testing/Fixtures.ts"
import { wonMax } from "../src/Won.ts"
import { law, rejected, succeeded } from "./Laws.ts"

// The first renewal of the fixtures is due on 2026-02-14; these things happen four days before.
const at = timeOn("2026-02-10")
const books = (changed: Partial<OwnerCommand.Books> = {}): OwnerCommand.Books => ({
  subscription: subscription(),
  cycle: dueCycle(),
  ...changed
})
const tags = (entries: Pick<OwnerCommand.Entries, "events">) => entries.events.map((event) => event._tag)
const says = ({ events: [event] }: Pick<OwnerCommand.Entries, "events">, told: Readonly<Record<string, unknown>>) =>
  assert.deepInclude(Object.fromEntries(Object.entries(event ?? {})), told)
const dates = (cycles: ReadonlyArray<BillingCycle.BillingCycle>) =>
  cycles.map((cycle) => `${cycle.number} ${cycle._tag} ${cycle.dueDate}`)

const some = (...cycles: ReadonlyArray<BillingCycle.Open>) => cycles
const declinedHard = succeeded(
  BillingCycle.declineHard(
    inFlightCycle(),
    anyAttemptId(),
    day("2026-02-14"),
    DunningPolicy.standard,
    day("2026-02-14")
  )
)
const givenBack = succeeded(BillingCycle.giveBack(inFlightCycle(), anyAttemptId(), day("2026-02-15")))

describe("OwnerCommand.skip", () => {
  it("leaves the open delivery out and opens the next one of the grid", () => {
    const entries = succeeded(OwnerCommand.skip(books(), at))
    assert.isTrue(entries.cycle?._tag === "Skipped" && entries.cycle.reason === "owner")
    assert.deepStrictEqual(dates(entries.opened), ["2 Due 2026-03-16"])
    assert.strictEqual(entries.subscription.skipsInARow, 1)
    assert.deepStrictEqual(tags(entries), ["CycleSkipped"])
  })

  it("is allowed twice in a row and not a third time", () => {
    const twice = subscription({ skipsInARow: SubscriptionOrder.skipsInARowMax })
    assert.strictEqual(
      rejected(OwnerCommand.skip(books({ subscription: twice }), at), "SkipLimitReached").skipsInARow,
      2
    )
  })

  it("leaves out a delivery that was declined, its ladder with it, and nothing is behind any more", () => {
    const late = timeOn("2026-02-16")
    for (const cycle of some(retryDueCycle(), declinedHard)) {
      const entries = succeeded(OwnerCommand.skip(books({ subscription: pastDueSubscription(), cycle }), late))
      assert.strictEqual(entries.subscription._tag, "Active")
      assert.deepStrictEqual(dates(entries.opened), ["2 Due 2026-03-16"])
    }
  })

  it("opens the next delivery after today, and records the ones that passed", () => {
    const entries = succeeded(OwnerCommand.skip(books(), timeOn("2026-04-20")))
    assert.deepStrictEqual(dates(entries.opened), ["2 Skipped 2026-03-16", "3 Skipped 2026-04-15", "4 Due 2026-05-15"])
    assert.isTrue(entries.opened[0]?._tag === "Skipped" && entries.opened[0].reason === "outage")
  })
})

describe("OwnerCommand.postpone", () => {
  it("moves the due date and not the grid", () => {
    const entries = succeeded(OwnerCommand.postpone(books(), 10, at))
    assert.strictEqual(entries.cycle?._tag, "Due")
    assert.strictEqual(entries.cycle?.dueDate, "2026-02-24")
    assert.strictEqual(entries.cycle?.gridDate, "2026-02-14")
    assert.isTrue(entries.cycle?._tag === "Due" && entries.cycle.nextAttemptOn === "2026-02-24")
    assert.deepStrictEqual(
      dates(succeeded(OwnerCommand.skip(books({ cycle: dueCycle({ dueDate: day("2026-02-24") }) }), at)).opened),
      ["2 Due 2026-03-16"]
    )
    says(entries, { _tag: "DeliveryPostponed", from: "2026-02-14", to: "2026-02-24" })
  })

  it("counts from today when the due date has passed", () => {
    const entries = succeeded(OwnerCommand.postpone(books(), 1, timeOn("2026-02-20")))
    assert.strictEqual(entries.cycle?.dueDate, "2026-02-21")
  })

  it("goes 60 days from the grid date and no further, however often", () => {
    assert.strictEqual(succeeded(OwnerCommand.postpone(books(), 60, at)).cycle?.dueDate, "2026-04-15")
    assert.strictEqual(rejected(OwnerCommand.postpone(books(), 61, at), "PostponeInvalid").latest, "2026-04-15")
    const once = dueCycle({ dueDate: day("2026-04-10"), nextAttemptOn: day("2026-04-10") })
    rejected(OwnerCommand.postpone(books({ cycle: once }), 6, at), "PostponeInvalid")
  })

  it("takes whole days only, at least one", () => {
    for (const days of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const invalid = rejected(OwnerCommand.postpone(books(), days, at), "PostponeInvalid")
      assert.include(invalid.message, "a whole number of days")
    }
  })

  it("is refused once a charge was sent, or while paused", () => {
    for (const cycle of some(givenBack, retryDueCycle(), declinedHard, keylessCycle())) {
      rejected(OwnerCommand.postpone(books({ cycle }), 1, at), "CycleTransitionDenied")
    }
    rejected(
      OwnerCommand.postpone(books({ subscription: pausedSubscription() }), 1, at),
      "SubscriptionTransitionDenied"
    )
  })
})

describe("OwnerCommand.pause", () => {
  it("ends when the owner says, or by hand", () => {
    const until = succeeded(OwnerCommand.pause(books(), day("2026-03-01"), at))
    assert.isTrue(until.subscription._tag === "Paused" && until.subscription.resumeOn === "2026-03-01")
    assert.isUndefined(until.cycle)
    assert.isEmpty(until.opened)
    says(until, { _tag: "SubscriptionPaused", by: "owner", resumeOn: "2026-03-01" })
    assert.isNull((succeeded(OwnerCommand.pause(books(), null, at)).subscription as SubscriptionOrder.Paused).resumeOn)
  })

  it("may be given another end", () => {
    const entries = succeeded(OwnerCommand.pause(books({ subscription: pausedSubscription() }), day("2026-05-01"), at))
    assert.isTrue(entries.subscription._tag === "Paused" && entries.subscription.resumeOn === "2026-05-01")
  })

  it("ends tomorrow at the earliest and in a year at the latest", () => {
    succeeded(OwnerCommand.pause(books(), day("2026-02-11"), at))
    succeeded(OwnerCommand.pause(books(), day("2027-02-10"), at))
    for (const resumeOn of ["2026-02-10", "2027-02-11"]) {
      const invalid = rejected(OwnerCommand.pause(books(), day(resumeOn), at), "PauseInvalid")
      assert.strictEqual(invalid.message, `a pause ends between 2026-02-11 and 2027-02-10, not on ${resumeOn}`)
    }
  })

  it("is due to end on its day and after it, never without one", () => {
    const { subscription: paused } = succeeded(OwnerCommand.pause(books(), day("2026-03-01"), at))
    assert.deepStrictEqual(
      ["2026-02-28", "2026-03-01", "2026-03-02"].map((today) => SubscriptionOrder.isResumeDue(paused, day(today))),
      [false, true, true]
    )
    assert.isFalse(SubscriptionOrder.isResumeDue(pausedSubscription(), day("2199-12-31")))
    assert.isFalse(SubscriptionOrder.isResumeDue(subscription(), day("2199-12-31")))
  })
})

describe("OwnerCommand.resume", () => {
  const paused = (changed: Partial<OwnerCommand.Books> = {}) =>
    books({ subscription: pausedSubscription(), ...changed })

  it("goes on with the open delivery when its date lies ahead", () => {
    const entries = succeeded(OwnerCommand.resume(paused(), timeOn("2026-02-13")))
    assert.strictEqual(entries.subscription._tag, "Active")
    assert.isUndefined(entries.cycle)
    assert.isEmpty(entries.opened)
    says(entries, { _tag: "SubscriptionResumed", nextDueDate: "2026-02-14" })
  })

  it("counts the date itself as passed on its day", () => {
    const entries = succeeded(OwnerCommand.resume(paused(), timeOn("2026-02-14")))
    assert.deepStrictEqual(dates(entries.opened), ["2 Due 2026-03-16"])
    says(entries, { nextDueDate: "2026-03-16" })
  })

  it("goes on with the first date of the grid after today, and leaves out what passed", () => {
    const entries = succeeded(OwnerCommand.resume(paused(), timeOn("2026-03-16")))
    assert.isTrue(entries.cycle?._tag === "Skipped" && entries.cycle.reason === "paused")
    assert.deepStrictEqual(dates(entries.opened), ["2 Skipped 2026-03-16", "3 Due 2026-04-15"])
    assert.isTrue(entries.opened[0]?._tag === "Skipped" && entries.opened[0].reason === "paused")
    says(entries, { nextDueDate: "2026-04-15" })
  })

  it("clears the ladder of a delivery that was declined", () => {
    for (const cycle of some(retryDueCycle(), declinedHard)) {
      const entries = succeeded(OwnerCommand.resume(paused({ cycle }), timeOn("2026-02-20")))
      assert.deepStrictEqual(dates(entries.opened), ["2 Due 2026-03-16"])
      assert.isNull(entries.opened[0]?.ladderStart)
    }
  })

  it("does not count against the owner's skips", () => {
    const entries = succeeded(OwnerCommand.resume(paused(), timeOn("2026-06-01")))
    assert.strictEqual(entries.subscription.skipsInARow, 0)
  })

  it("is refused where nothing is paused", () => {
    rejected(OwnerCommand.resume(books(), at), "SubscriptionTransitionDenied")
  })
})

describe("OwnerCommand.changeQuantity", () => {
  it("counts from the open delivery", () => {
    const { subscription: changed, events, opened } = succeeded(OwnerCommand.changeQuantity(books(), quantity(5), at))
    assert.isEmpty(opened)
    assert.strictEqual(BillingCycle.quantityOf(dueCycle(), changed), 5)
    says({ events }, { _tag: "SubscriptionChanged", quantity: 5, period: 30, nextDueDate: "2026-02-14" })
  })

  it("counts from the next one when a charge of this one was sent", () => {
    for (const cycle of some(givenBack, retryDueCycle(), declinedHard)) {
      const { subscription: changed } = succeeded(OwnerCommand.changeQuantity(books({ cycle }), quantity(5), at))
      assert.strictEqual(BillingCycle.quantityOf(cycle, changed), 2)
      assert.strictEqual(changed.quantity, 5)
    }
  })

  it("is refused when a delivery would cost more than an amount can say", () => {
    const dear = subscription({ unitPrice: won(wonMax), quantity: quantity(1) })
    rejected(OwnerCommand.changeQuantity(books({ subscription: dear }), quantity(2), at), "WonOutOfRange")
  })
})

describe("OwnerCommand.changePeriod", () => {
  const first = (changed: Partial<OwnerCommand.Books> = {}) => ({ ...books(changed), previous: null })

  it("moves nothing when the period is the same", () => {
    const renewed = subscription({ lastPaidDueDate: day("2026-02-10") })
    const cycle = dueCycle({ gridDate: day("2026-03-16"), dueDate: day("2026-03-20") })
    const entries = succeeded(OwnerCommand.changePeriod(first({ subscription: renewed, cycle }), period(30), at))
    assert.isUndefined(entries.cycle)
    says(entries, { _tag: "SubscriptionChanged", nextDueDate: "2026-03-20" })
  })

  it("leaves half a period after a delivery that was charged late", () => {
    const charged = succeeded(BillingCycle.charge(inFlightCycle(), anyAttemptId(), day("2026-03-10")))
    const cycle = dueCycle({ number: 3, gridDate: day("2026-04-15"), dueDate: day("2026-04-15") })
    const moved = (previous: BillingCycle.BillingCycle) =>
      succeeded(
        OwnerCommand.changePeriod(
          { subscription: subscription({ lastPaidDueDate: day("2026-02-14") }), cycle, previous },
          period(31),
          timeOn("2026-03-11")
        )
      ).cycle?.dueDate
    assert.strictEqual(moved(charged), "2026-03-26")
    const passed = BillingCycle.passed({
      subscriptionId: charged.subscriptionId,
      number: 2,
      gridDate: day("2026-03-16"),
      reason: "outage"
    })
    assert.strictEqual(moved(passed), "2026-04-01")
  })

  it("does not bring back a delivery that was skipped", () => {
    const skipped = succeeded(OwnerCommand.skip(books(), at))
    const [open] = skipped.opened
    assert.isTrue(open?._tag === "Due")
    const entries = succeeded(
      OwnerCommand.changePeriod(
        { subscription: skipped.subscription, cycle: open as BillingCycle.Due, previous: skipped.cycle ?? null },
        period(31),
        at
      )
    )
    assert.strictEqual(entries.cycle?.dueDate, "2026-03-02")
  })

  it("moves the grid to a new period after the last paid delivery", () => {
    const entries = succeeded(OwnerCommand.changePeriod(first(), period(60), at))
    assert.strictEqual(entries.cycle?.gridDate, "2026-03-16")
    assert.strictEqual(entries.cycle?.dueDate, "2026-03-16")
    says(entries, { _tag: "SubscriptionChanged", period: 60, nextDueDate: "2026-03-16" })
    const renewed = subscription({ lastPaidDueDate: day("2026-02-20") })
    assert.strictEqual(
      succeeded(OwnerCommand.changePeriod(first({ subscription: renewed }), period(60), at)).cycle?.dueDate,
      "2026-04-21"
    )
  })

  it("never moves it before tomorrow", () => {
    const rare = subscription({ period: period(120) })
    const cycle = dueCycle({ gridDate: day("2026-05-15"), dueDate: day("2026-05-15") })
    const entries = succeeded(
      OwnerCommand.changePeriod(first({ subscription: rare, cycle }), period(30), timeOn("2026-04-01"))
    )
    assert.strictEqual(entries.cycle?.gridDate, "2026-04-02")
  })

  it("leaves a delivery alone whose charge was sent, and counts from it", () => {
    for (const cycle of some(givenBack, retryDueCycle(), declinedHard)) {
      const entries = succeeded(OwnerCommand.changePeriod(first({ cycle }), period(60), at))
      assert.isUndefined(entries.cycle)
      assert.strictEqual(entries.subscription.period, 60)
      assert.deepStrictEqual(
        dates(
          BillingCycle.following(cycle, {
            period: entries.subscription.period,
            today: day("2026-02-16"),
            chargedOn: null,
            hasKey: true,
            reason: "outage"
          })
        ),
        ["2 Due 2026-04-15"]
      )
    }
  })

  it("moves a delivery that waits for a first key", () => {
    const entries = succeeded(
      OwnerCommand.changePeriod(first({ subscription: keylessSubscription(), cycle: keylessCycle() }), period(60), at)
    )
    assert.isTrue(entries.cycle?._tag === "AwaitingKey" && entries.cycle.nextAttemptOn === null)
    assert.strictEqual(entries.cycle?.dueDate, "2026-03-16")
  })
})

describe("OwnerCommand.replaceKey", () => {
  const newKey = activeKey({ id: anyBillingKeyId("new"), liveUses: 0 })
  const oldKey = activeKey()

  it("charges the new key from now on and lets the old one go", () => {
    const entries = succeeded(OwnerCommand.replaceKey({ ...books(), oldKey, newKey }, at))
    assert.isTrue(entries.subscription._tag === "Active" && entries.subscription.billingKeyId === newKey.id)
    assert.deepStrictEqual([entries.key.liveUses, entries.oldKey?.liveUses], [1, 0])
    assert.deepStrictEqual(tags(entries), ["BillingKeyReplaced", "BillingKeyUnused"])
    assert.isEmpty(entries.opened)
    assert.isUndefined(entries.cycle)
  })

  it("does not let go of a key that another subscription still charges", () => {
    const shared = activeKey({ liveUses: 2 })
    assert.deepStrictEqual(tags(succeeded(OwnerCommand.replaceKey({ ...books(), oldKey: shared, newKey }, at))), [
      "BillingKeyReplaced"
    ])
  })

  it("makes a delivery that waited due today, or tomorrow when today had a definite answer", () => {
    const waiting = { ...books({ subscription: pastDueSubscription(), cycle: declinedHard }), oldKey, newKey }
    const dueOn = (date: string) => {
      const { cycle } = succeeded(OwnerCommand.replaceKey(waiting, timeOn(date)))
      return cycle?._tag === "RetryDue" ? cycle.nextAttemptOn : null
    }
    assert.strictEqual(dueOn("2026-02-14"), "2026-02-15")
    assert.strictEqual(dueOn("2026-02-16"), "2026-02-16")
  })

  it("begins to charge a subscription that had no key", () => {
    const entries = succeeded(
      OwnerCommand.replaceKey({ subscription: keylessSubscription(), cycle: keylessCycle(), oldKey: null, newKey }, at)
    )
    assert.strictEqual(entries.subscription._tag, "Active")
    assert.isTrue(entries.cycle?._tag === "Due" && entries.cycle.nextAttemptOn === "2026-02-14")
    assert.isUndefined(entries.oldKey)
    assert.deepStrictEqual(tags(entries), ["BillingKeyReplaced"])
  })

  it("takes no key that cannot be charged, is in use already, or is somebody else's", () => {
    const why = (key: BillingKey.BillingKey) =>
      rejected(OwnerCommand.replaceKey({ ...books(), oldKey, newKey: key }, at), "BillingKeyUnusable")
    const revoked = succeeded(BillingKey.revoke(newKey))
    assert.deepStrictEqual(
      [
        why(revoked),
        why(pendingKey({ id: newKey.id })),
        why(oldKey),
        why(activeKey({ userId: anyUserId("other") }))
      ].map(({ reason }) => reason),
      ["notActive", "notActive", "sameKey", "notTheOwners"]
    )
    assert.deepStrictEqual(
      [why(revoked), why(oldKey), why(activeKey({ userId: anyUserId("other") }))].map(({ message }) =>
        message.replace(/billing key \S+ /, "")
      ),
      ["cannot be charged", "is the one in use", "belongs to somebody else"]
    )
  })
})

describe("OwnerCommand.cancel", () => {
  const holder = anyAttemptId()
  const cancel = (cycle: BillingCycle.BillingCycle | null, key: BillingKey.BillingKey | null) =>
    OwnerCommand.cancel({ subscription: subscription(), cycle, key }, "owner", at)

  it("closes the open cycle and lets the key go", () => {
    const entries = succeeded(cancel(dueCycle(), activeKey()))
    assert.isTrue(entries.cycle?._tag === "Abandoned" && entries.cycle.reason === "cancelled")
    assert.strictEqual(entries.subscription._tag, "Cancelled")
    assert.isFalse(entries.isPaymentInProgress)
    assert.deepStrictEqual(tags(entries), ["SubscriptionCancelled", "BillingKeyUnused"])
    assert.isEmpty(entries.opened)
  })

  it("leaves the cycle and the key to an attempt in flight, whose outcome then ends both", () => {
    for (const cycle of some(inFlightCycle(), inDoubtCycle())) {
      const entries = succeeded(cancel(cycle, activeKey({ inFlight: holder })))
      assert.isUndefined(entries.cycle)
      assert.isTrue(entries.isPaymentInProgress)
      assert.deepStrictEqual(tags(entries), ["SubscriptionCancelled"])
      const settled = succeeded(
        Renewal.settle(
          { attempt: sentAttempt(), cycle, subscription: entries.subscription, key: entries.key ?? activeKey() },
          { _tag: "Declined", reason: softDecline() },
          { at, policy: DunningPolicy.standard }
        )
      )
      assert.strictEqual(settled.cycle?._tag, "Abandoned")
      assert.deepStrictEqual(tags(settled), ["BillingKeyUnused"])
    }
  })

  it("needs neither cycle nor key, and happens once", () => {
    const entries = succeeded(
      OwnerCommand.cancel({ subscription: keylessSubscription(), cycle: keylessCycle(), key: null }, "noBillingKey", at)
    )
    assert.strictEqual(entries.cycle?._tag, "Abandoned")
    assert.isUndefined(entries.key)
    assert.deepStrictEqual(tags(entries), ["SubscriptionCancelled"])
    assert.isFalse(succeeded(cancel(null, null)).isPaymentInProgress)
    rejected(
      OwnerCommand.cancel({ subscription: cancelledSubscription(), cycle: null, key: null }, "owner", at),
      "SubscriptionTransitionDenied"
    )
  })
})

describe("every command but cancel", () => {
  const newKey = activeKey({ id: anyBillingKeyId("new") })
  const denied = (result: Result.Result<unknown, { readonly _tag: string; readonly message: string }>) =>
    Result.isFailure(result) ? result.failure : assert.fail("it was accepted")
  const commands: Readonly<Record<string, (read: OwnerCommand.Books) => Parameters<typeof denied>[0]>> = {
    skip: (read) => OwnerCommand.skip(read, at),
    postpone: (read) => OwnerCommand.postpone(read, 1, at),
    pause: (read) => OwnerCommand.pause(read, null, at),
    changeQuantity: (read) => OwnerCommand.changeQuantity(read, quantity(3), at),
    changePeriod: (read) => OwnerCommand.changePeriod({ ...read, previous: null }, period(90), at),
    replaceKey: (read) => OwnerCommand.replaceKey({ ...read, oldKey: activeKey(), newKey }, at)
  }

  for (const [name, run] of Object.entries(commands)) {
    it(`waits until a charge that was sent is settled: ${name}`, () => {
      for (const cycle of some(inFlightCycle(), inDoubtCycle())) {
        const inProgress = denied(run(books({ cycle })))
        assert.strictEqual(inProgress._tag, "PaymentInProgress")
        assert.include(inProgress.message, `is being charged by attempt ${anyAttemptId()}`)
      }
    })

    it(`is refused by a subscription that has ended, in flight or not: ${name}`, () => {
      for (const cycle of some(dueCycle(), inFlightCycle())) {
        const ended = denied(run(books({ subscription: cancelledSubscription(), cycle })))
        assert.strictEqual(ended._tag, "SubscriptionTransitionDenied")
      }
    })
  }

  law(
    "leaves exactly one open cycle, on a date that has not passed or was due before",
    [Arbitraries.subscription, Arbitraries.billingCycle, Arbitraries.nearDate],
    (self, cycle, today) => {
      if (!BillingCycle.isOpen(cycle) || self._tag === "Cancelled") return
      const now = BusinessDate.instantAt(today, 600)
      const read = { subscription: self, cycle }
      const outcomes: ReadonlyArray<Result.Result<OwnerCommand.Entries, unknown>> = [
        OwnerCommand.skip(read, now),
        OwnerCommand.postpone(read, 7, now),
        OwnerCommand.resume(read, now),
        OwnerCommand.changePeriod({ ...read, previous: null }, period(45), now)
      ]
      for (const outcome of outcomes) {
        if (Result.isFailure(outcome)) continue
        const { cycle: changed = cycle, opened } = outcome.success
        const open = [changed, ...opened].filter(BillingCycle.isOpen)
        assert.lengthOf(open, 1)
        assert.isTrue(open[0] === cycle || (open[0]?.dueDate ?? "") > today)
        assert.deepStrictEqual(
          opened.map(({ number }) => number),
          opened.map((_, index) => cycle.number + 1 + index)
        )
      }
    }
  )
})
