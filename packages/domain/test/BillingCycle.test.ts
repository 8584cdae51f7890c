import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as BillingCycle from "../src/BillingCycle.ts"
import { targetsOf } from "../src/State.ts"
import * as BusinessDate from "../src/BusinessDate.ts"
import { DunningPolicy, standard } from "../src/DunningPolicy.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  anyAttemptId,
  anySubscriptionId,
  day,
  dueCycle,
  inDoubtCycle,
  inFlightCycle,
  keylessCycle,
  retryDueCycle,
  quantity
} from "../src/testing/Fixtures.ts"
import { law, machineLaws, rejected, succeeded } from "./Laws.ts"

// Tests of refusals hide from the compiler which state they give: it would refuse first.
const wide = (self: BillingCycle.BillingCycle): BillingCycle.BillingCycle => self

const holder = anyAttemptId()
const stranger = anyAttemptId("stranger")
const on = day("2026-02-14")
/** A cycle in any state, as a caller that read it has it. */
const any = (self: BillingCycle.BillingCycle): BillingCycle.BillingCycle => self
/** Closed by a late answer of another attempt while its holder's is awaited. */
const closedWhileHeld = succeeded(BillingCycle.charge(inFlightCycle(), stranger, on))

describe("BillingCycle", () => {
  machineLaws<BillingCycle.BillingCycle>({
    transitions: BillingCycle.transitions,
    state: Arbitraries.billingCycle,
    command: Arbitraries.billingCycleCommand,
    is: Schema.is(BillingCycle.BillingCycle)
  })

  law("holds an attempt exactly while one is in flight or in doubt", [Arbitraries.billingCycle], (self) => {
    if (self._tag === "Charged") return
    assert.strictEqual(self.openAttempt !== null, self._tag === "InFlight" || self._tag === "InDoubt")
  })

  law("is chargeable, waiting, held or closed, and only one of them", [Arbitraries.billingCycle], (self) => {
    assert.strictEqual(
      BillingCycle.isOpen(self),
      targetsOf<BillingCycle.Tag>(BillingCycle.transitions, self._tag).length > 0
    )
    if (BillingCycle.isChargeable(self)) assert.isTrue(BillingCycle.isOpen(self))
  })

  law("keeps its number whatever happens to it", [Arbitraries.billingCycle], (self) => {
    assert.strictEqual(self.number, 1)
    assert.strictEqual(self.subscriptionId, anySubscriptionId())
  })

  law(
    "keeps its grid date unless it is rescheduled",
    [Arbitraries.billingCycle, Arbitraries.billingCycleCommand],
    (self, { name, run }) => {
      if (!name.startsWith("reschedule"))
        assert.strictEqual(Result.getOrElse(run(self), () => self).gridDate, self.gridDate)
    },
    1_000
  )

  law(
    "is charged by an attempt that does not hold it, and by no other answer of such an attempt",
    [Arbitraries.billingCycle],
    (self) => {
      rejected(BillingCycle.doubt(self, stranger), "CycleTransitionDenied")
      rejected(BillingCycle.giveBack(self, stranger, on), "CycleTransitionDenied")
      rejected(BillingCycle.block(self, stranger, on), "CycleTransitionDenied")
      rejected(BillingCycle.declineSoftly(self, stranger, on, standard), "CycleTransitionDenied")
      rejected(BillingCycle.declineHard(self, stranger, on, standard, on), "CycleTransitionDenied")
      rejected(BillingCycle.exhaust(self, stranger, on, "Abandoned"), "CycleTransitionDenied")
      assert.strictEqual(Result.isSuccess(BillingCycle.charge(self, stranger, on)), BillingCycle.isOpen(self))
    }
  )

  it("hears of its holder's answer only while one is awaited", () => {
    for (const self of [any(dueCycle({ openAttempt: holder })), any(closedWhileHeld)]) {
      rejected(BillingCycle.doubt(self, holder), "CycleTransitionDenied")
      rejected(BillingCycle.giveBack(self, holder, on), "CycleTransitionDenied")
      rejected(BillingCycle.block(self, holder, on), "CycleTransitionDenied")
      rejected(BillingCycle.declineSoftly(self, holder, on, standard), "CycleTransitionDenied")
      rejected(BillingCycle.declineHard(self, holder, on, standard, on), "CycleTransitionDenied")
    }
    rejected(BillingCycle.doubt(any(inDoubtCycle()), holder), "CycleTransitionDenied")
  })

  it("hears of its holder's answer in doubt as in flight", () => {
    for (const self of [inFlightCycle(), inDoubtCycle()]) {
      assert.strictEqual(succeeded(BillingCycle.giveBack(self, holder, on))._tag, "Due")
      assert.strictEqual(succeeded(BillingCycle.block(self, holder, on))._tag, "Blocked")
      assert.strictEqual(succeeded(BillingCycle.declineHard(self, holder, on, standard, on))._tag, "AwaitingKey")
      assert.notStrictEqual(succeeded(BillingCycle.declineSoftly(self, holder, on, standard)), "exhausted")
    }
  })

  law("survives being written and read", [Arbitraries.billingCycle], (self) => {
    const codec = Schema.toCodecJson(BillingCycle.BillingCycle)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
      self
    )
  })
})

describe("BillingCycle.open", () => {
  it("is due on its grid date with a key, and waits without one", () => {
    const options = { subscriptionId: anySubscriptionId(), number: 3, gridDate: on }
    const due = BillingCycle.open({ ...options, hasKey: true })
    assert.deepStrictEqual([due._tag, due.dueDate, due.nextAttemptOn, due.step], ["Due", on, on, 0])
    const waiting = BillingCycle.open({ ...options, hasKey: false })
    assert.deepStrictEqual([waiting._tag, waiting.nextAttemptOn], ["AwaitingKey", null])
  })
})

describe("BillingCycle.passed", () => {
  it("is skipped from the start", () => {
    const passed = BillingCycle.passed({
      subscriptionId: anySubscriptionId(),
      number: 2,
      gridDate: on,
      reason: "outage"
    })
    assert.deepStrictEqual([passed._tag, passed.reason, passed.dueDate], ["Skipped", "outage", on])
  })
})

describe("BillingCycle.isDue", () => {
  it("begins on the date of the next try", () => {
    assert.isFalse(BillingCycle.isDue(dueCycle(), day("2026-02-13")))
    assert.isTrue(BillingCycle.isDue(dueCycle(), on))
    assert.isTrue(BillingCycle.isDue(dueCycle(), day("2027-01-01")))
  })

  it("allows one definite answer a day", () => {
    assert.isFalse(BillingCycle.isDue(dueCycle({ answeredOn: on }), on))
    assert.isTrue(BillingCycle.isDue(dueCycle({ answeredOn: on }), day("2026-02-15")))
  })

  it("is false while an attempt holds the cycle, or it waits for a key", () => {
    assert.isFalse(BillingCycle.isDue(inFlightCycle(), on))
    assert.isFalse(BillingCycle.isDue(inDoubtCycle(), on))
    assert.isFalse(BillingCycle.isDue(dueCycle({ openAttempt: holder }), on))
    assert.isFalse(BillingCycle.isDue(keylessCycle(), day("2027-01-01")))
  })
})

describe("BillingCycle.send", () => {
  it("takes a cycle once", () => {
    assert.strictEqual(inFlightCycle().openAttempt, holder)
    const denial = rejected(BillingCycle.send(wide(inFlightCycle()), stranger, quantity(2)), "CycleTransitionDenied")
    assert.include(denial.message, "cycle 1 of subscription")
    rejected(BillingCycle.send(dueCycle({ openAttempt: holder }), stranger, quantity(2)), "CycleTransitionDenied")
    rejected(BillingCycle.send(wide(keylessCycle()), holder, quantity(2)), "CycleTransitionDenied")
  })
})

describe("BillingCycle.charge", () => {
  it("frees the slot when its holder was charged", () => {
    const charged = succeeded(BillingCycle.charge(inDoubtCycle(), holder, on))
    assert.deepStrictEqual([charged.chargedBy, charged.chargedOn, charged.openAttempt], [holder, on, null])
  })

  it("leaves the slot to its holder when a late answer of another attempt closes the cycle", () => {
    const charged = succeeded(BillingCycle.charge(inFlightCycle(), stranger, on))
    assert.deepStrictEqual([charged.chargedBy, charged.openAttempt], [stranger, holder])
  })

  it("closes a cycle that waits for its retry or its key", () => {
    assert.strictEqual(succeeded(BillingCycle.charge(retryDueCycle(), holder, on))._tag, "Charged")
    assert.strictEqual(succeeded(BillingCycle.charge(keylessCycle(), holder, on))._tag, "Charged")
  })

  it("never charges a closed cycle", () => {
    const charged = succeeded(BillingCycle.charge(inFlightCycle(), holder, on))
    rejected(BillingCycle.charge(wide(charged), stranger, on), "CycleTransitionDenied")
    rejected(
      BillingCycle.charge(wide(succeeded(BillingCycle.skip(dueCycle(), "owner"))), holder, on),
      "CycleTransitionDenied"
    )
  })
})

describe("BillingCycle.giveBack", () => {
  it("uses up no step of the ladder", () => {
    const again = succeeded(BillingCycle.giveBack(inFlightCycle(), holder, on))
    assert.deepStrictEqual([again._tag, again.step, again.ladderStart, again.answeredOn], ["Due", 0, null, null])
    const retry = retryDueCycle()
    const sent = succeeded(BillingCycle.send(retry, stranger, quantity(2)))
    const back = succeeded(BillingCycle.giveBack(sent, stranger, day("2026-02-15")))
    assert.deepStrictEqual([back._tag, back.step, back.ladderStart], ["RetryDue", retry.step, retry.ladderStart])
  })
})

describe("BillingCycle.block", () => {
  it("waits for the first of the next month, without a step", () => {
    const blocked = succeeded(BillingCycle.block(inFlightCycle(), holder, day("2026-12-31")))
    assert.deepStrictEqual([blocked.nextAttemptOn, blocked.step, blocked.ladderStart], [day("2027-01-01"), 0, null])
  })

  it("waits as well when nothing was sent, which is no answer of that day", () => {
    for (const self of [dueCycle(), retryDueCycle()]) {
      const blocked = succeeded(BillingCycle.block(self, null, day("2026-12-31")))
      assert.deepStrictEqual(
        [blocked.nextAttemptOn, blocked.step, blocked.ladderStart, blocked.answeredOn],
        [day("2027-01-01"), self.step, self.ladderStart, self.answeredOn]
      )
    }
  })

  it("is refused without an attempt while one holds the cycle, and with one while none does", () => {
    rejected(BillingCycle.block(inFlightCycle(), null, on), "CycleTransitionDenied")
    rejected(BillingCycle.block(dueCycle({ openAttempt: holder }), null, on), "CycleTransitionDenied")
    rejected(BillingCycle.block(dueCycle(), holder, on), "CycleTransitionDenied")
  })
})

describe("BillingCycle.declineSoftly", () => {
  it("climbs days 1, 3 and 5 after the first decline, then is exhausted", () => {
    let cycle: BillingCycle.BillingCycle = dueCycle()
    const climbed: Array<string> = []
    for (const date of ["2026-02-16", "2026-02-17", "2026-02-19"]) {
      cycle = succeeded(BillingCycle.send(cycle, holder, quantity(2)))
      const next: BillingCycle.RetryDue | "exhausted" = succeeded(
        BillingCycle.declineSoftly(cycle, holder, day(date), standard)
      )
      assert.notStrictEqual(next, "exhausted")
      if (next === "exhausted") return
      assert.strictEqual(next.ladderStart, "2026-02-16")
      climbed.push(`${next.step} ${next.nextAttemptOn}`)
      cycle = next
    }
    assert.deepStrictEqual(climbed, ["1 2026-02-17", "2 2026-02-19", "3 2026-02-21"])
    const last = succeeded(BillingCycle.send(cycle, holder, quantity(2)))
    assert.strictEqual(succeeded(BillingCycle.declineSoftly(last, holder, day("2026-02-21"), standard)), "exhausted")
  })

  law(
    "moves the next try later, and the ladder's start and the grid never",
    [Arbitraries.billingCycle, Arbitraries.nearDate, Arbitraries.dunningPolicy],
    (self, date, policy) => {
      if (self._tag !== "InFlight" && self._tag !== "InDoubt") return
      const next = succeeded(BillingCycle.declineSoftly(self, self.openAttempt ?? holder, date, policy))
      if (next === "exhausted") return
      assert.isTrue(next.nextAttemptOn > date)
      assert.strictEqual(next.ladderStart, self.ladderStart ?? date)
      assert.isFalse(BillingCycle.isDue(next, date))
    },
    1_000
  )
})

describe("BillingCycle.declineHard and receiveKey", () => {
  it("waits for a key until the ladder's last day", () => {
    const waiting = succeeded(BillingCycle.declineHard(inFlightCycle(), holder, on, standard, on))
    assert.deepStrictEqual(
      [waiting.nextAttemptOn, waiting.ladderStart, waiting.answeredOn],
      [day("2026-02-19"), on, on]
    )
  })

  it("leaves as many days for another key when the decline became known late", () => {
    const late = succeeded(BillingCycle.declineHard(inFlightCycle(), holder, on, standard, day("2026-02-20")))
    assert.deepStrictEqual([late.nextAttemptOn, late.ladderStart, late.answeredOn], [day("2026-02-25"), on, on])
    const before = succeeded(BillingCycle.declineHard(inFlightCycle(), holder, on, standard, day("2026-02-13")))
    assert.strictEqual(before.nextAttemptOn, "2026-02-19")
    // No day was left on the ladder's last one, so none is left later.
    const last = succeeded(
      BillingCycle.declineHard(
        inFlightCycle({ ladderStart: on, step: 3 }),
        holder,
        day("2026-02-19"),
        standard,
        day("2026-02-22")
      )
    )
    assert.strictEqual(last.nextAttemptOn, "2026-02-19")
  })

  it("keeps the first decline as day 0", () => {
    const sent = succeeded(BillingCycle.send(retryDueCycle(), stranger, quantity(2)))
    const waiting = succeeded(BillingCycle.declineHard(sent, stranger, day("2026-02-15"), standard, day("2026-02-15")))
    assert.strictEqual(waiting.nextAttemptOn, "2026-02-19")
  })

  it("is due today with another key, or tomorrow after today's answer", () => {
    const waiting = succeeded(BillingCycle.declineHard(inFlightCycle(), holder, on, standard, on))
    assert.strictEqual(succeeded(BillingCycle.receiveKey(waiting, on)).nextAttemptOn, "2026-02-15")
    const retry = succeeded(BillingCycle.receiveKey(waiting, day("2026-02-17")))
    assert.deepStrictEqual([retry._tag, retry.nextAttemptOn], ["RetryDue", day("2026-02-17")])
  })

  it("does not make a cycle due before its date", () => {
    const due = succeeded(BillingCycle.receiveKey(keylessCycle(), day("2026-02-01")))
    assert.deepStrictEqual([due._tag, due.nextAttemptOn], ["Due", on])
    assert.strictEqual(
      succeeded(BillingCycle.receiveKey(keylessCycle(), day("2026-03-01"))).nextAttemptOn,
      "2026-03-01"
    )
  })

  it("is refused by a cycle that has a key", () => {
    rejected(BillingCycle.receiveKey(wide(dueCycle()), on), "CycleTransitionDenied")
  })
})

describe("BillingCycle.loseKey", () => {
  it("starts the ladder, or keeps the one that runs", () => {
    const fresh = succeeded(BillingCycle.loseKey(dueCycle(), day("2026-02-10"), standard))
    assert.deepStrictEqual([fresh.ladderStart, fresh.nextAttemptOn], [day("2026-02-10"), day("2026-02-15")])
    const running = succeeded(BillingCycle.loseKey(retryDueCycle(), day("2026-02-16"), standard))
    assert.strictEqual(running.nextAttemptOn, "2026-02-19")
  })

  it("is refused while an attempt holds the cycle", () => {
    rejected(BillingCycle.loseKey(wide(inFlightCycle()), on, standard), "CycleTransitionDenied")
    rejected(BillingCycle.loseKey(dueCycle({ openAttempt: holder }), on, standard), "CycleTransitionDenied")
  })
})

describe("BillingCycle.skip, abandon and exhaust", () => {
  it("wait for an attempt that was sent", () => {
    rejected(BillingCycle.skip(wide(inFlightCycle()), "owner"), "CycleTransitionDenied")
    rejected(BillingCycle.abandon(wide(inDoubtCycle()), "cancelled"), "CycleTransitionDenied")
    rejected(BillingCycle.exhaust(inFlightCycle(), null, on, "Abandoned"), "CycleTransitionDenied")
  })

  it("end a cycle by the attempt that holds it", () => {
    const ended = succeeded(BillingCycle.exhaust(inFlightCycle(), holder, on, "Skipped"))
    assert.isTrue(ended._tag === "Skipped" && ended.reason === "dunning" && ended.openAttempt === null)
    assert.deepStrictEqual([ended.answeredOn, ended.ladderStart], [on, on])
    assert.strictEqual(succeeded(BillingCycle.exhaust(inDoubtCycle(), holder, on, "Abandoned")).reason, "dunning")
  })

  it("end a cycle that waits for a key", () => {
    assert.strictEqual(succeeded(BillingCycle.exhaust(keylessCycle(), null, on, "Abandoned"))._tag, "Abandoned")
    assert.strictEqual(succeeded(BillingCycle.abandon(keylessCycle(), "cancelled")).reason, "cancelled")
  })
})

describe("BillingCycle.release", () => {
  const held = { openAttempt: holder }
  const closed: ReadonlyArray<BillingCycle.Closed> = [
    closedWhileHeld,
    new BillingCycle.Skipped({ ...succeeded(BillingCycle.skip(dueCycle(), "owner")), ...held }),
    new BillingCycle.Abandoned({ ...succeeded(BillingCycle.abandon(dueCycle(), "cancelled")), ...held })
  ]

  it("gives the slot of a closed cycle back and changes nothing else", () => {
    for (const self of closed) {
      assert.deepStrictEqual({ ...BillingCycle.release(self, holder) }, { ...self, openAttempt: null })
    }
  })

  it("is for the holder alone", () => {
    for (const self of closed) assert.strictEqual(BillingCycle.release(self, stranger), self)
  })
})

describe("BillingCycle.postpone and reschedule", () => {
  it("move this delivery and not the grid", () => {
    const later = succeeded(BillingCycle.postpone(dueCycle(), 7, day("2026-02-10")))
    assert.deepStrictEqual(
      [later.dueDate, later.nextAttemptOn, later.gridDate],
      [day("2026-02-21"), day("2026-02-21"), on]
    )
  })

  it("move the grid", () => {
    const moved = succeeded(BillingCycle.reschedule(dueCycle(), day("2026-03-20")))
    assert.deepStrictEqual(
      [moved.dueDate, moved.nextAttemptOn, moved.gridDate],
      [day("2026-03-20"), day("2026-03-20"), day("2026-03-20")]
    )
    const waiting = succeeded(BillingCycle.reschedule(keylessCycle(), day("2026-03-20")))
    assert.deepStrictEqual([waiting.nextAttemptOn, waiting.dueDate], [null, day("2026-03-20")])
  })

  it("are refused while a ladder runs, though nothing was ever sent", () => {
    const keyless = succeeded(
      BillingCycle.loseKey(
        dueCycle(),
        day("2026-02-14"),
        DunningPolicy.make({ ladderDays: [1, 3, 5], finalAction: "cancel" })
      )
    )
    assert.isFalse(BillingCycle.isMovable(keyless))
    rejected(BillingCycle.reschedule(keyless, on), "CycleTransitionDenied")
  })

  it("are refused while an attempt holds the cycle", () => {
    const waiting = new BillingCycle.AwaitingKey({ ...keylessCycle(), openAttempt: holder })
    for (const self of [any(dueCycle({ openAttempt: holder })), any(waiting)]) {
      rejected(BillingCycle.postpone(self, 7, on), "CycleTransitionDenied")
      rejected(BillingCycle.reschedule(self, on), "CycleTransitionDenied")
    }
  })

  it("are refused once the cycle was tried", () => {
    for (const cycle of [retryDueCycle(), inFlightCycle(), inDoubtCycle()]) {
      rejected(BillingCycle.postpone(wide(cycle), 7, day("2026-02-10")), "CycleTransitionDenied")
      rejected(BillingCycle.reschedule(wide(cycle), on), "CycleTransitionDenied")
    }
  })

  law("postpone by the days asked", [fc.integer({ min: 1, max: 60 })], (days) => {
    assert.strictEqual(
      BusinessDate.daysUntil(on, succeeded(BillingCycle.postpone(dueCycle(), days, day("2026-02-10"))).dueDate),
      days
    )
  })
})

describe("a policy of one day", () => {
  it("is exhausted by the second decline", () => {
    const policy = DunningPolicy.make({ ladderDays: [2], finalAction: "skip" })
    const first = succeeded(BillingCycle.declineSoftly(inFlightCycle(), holder, on, policy))
    assert.isTrue(first !== "exhausted" && first.nextAttemptOn === "2026-02-16")
    if (first === "exhausted") return
    const sent = succeeded(BillingCycle.send(first, holder, quantity(2)))
    assert.strictEqual(succeeded(BillingCycle.declineSoftly(sent, holder, day("2026-02-16"), policy)), "exhausted")
  })
})

describe("BillingCycle.giveBack", () => {
  it("frees a cycle on its ladder for its next date, and keeps the step", () => {
    const sent = succeeded(BillingCycle.send(retryDueCycle(), holder, quantity(2)))
    const back = succeeded(BillingCycle.giveBack(sent, holder, day("2026-02-16")))
    assert.deepStrictEqual(
      [back._tag, back.openAttempt, back.nextAttemptOn, back.step],
      ["RetryDue", null, day("2026-02-16"), 1]
    )
  })
})
