/**
 * Mistakes that the simulation must find.
 *
 * Each is a change to the sources that breaks the charging protocol in a way that was thought of, and that somebody may
 * make again. `mutate.ts` makes the change while the modules are loaded, and says so when the text it changes is gone.
 *
 * @since 0.1.0
 */
import type { Rule } from "./Rules.ts"

/** One text of a source file in place of another. */
export interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** A mistake. */
export interface Mutant {
  readonly sentence: string
  readonly edits: ReadonlyArray<Edit>
}

/** A seed that finds a mistake, and the rule that it then breaks. */
export interface Catch {
  readonly seed: number
  readonly rule: Rule
}

/** The shop that a mistake is looked for in. */
export const shop = { days: 150, users: 20 }
/** The seeds that are tried for one mistake. */
export const seedsMax = 400

const chargeCycle = "packages/application/src/Billing/ChargeCycle.ts"
const recordCharge = "packages/application/src/Billing/RecordCharge.ts"
const billingCycle = "packages/domain/src/BillingCycle.ts"
const evidence = "packages/application/src/Payments/Evidence.ts"
const memoryStore = "packages/adapters-memory/src/Store.ts"

const unknownIsUnknown = `    case "NotYet":
    case "Expired":
    case "Unknown":
      return { _tag: "StillUnknown", detail: answer.detail }`

/** Every mistake, by its name. */
export const mutants: Readonly<Record<string, Mutant>> = {
  resendOnUnknown: {
    sentence: "A charge whose answer was lost is taken for not executed and sent again.",
    edits: [
      {
        file: recordCharge,
        from: unknownIsUnknown,
        to: `default: return { _tag: "NotExecuted", why: "local", detail: "" }`
      }
    ]
  },
  noClaim: {
    sentence: "Rows are written whatever version they have, so that a claim holds nobody off.",
    edits: [
      { file: chargeCycle, from: "if (standing?.version !== key.version) return null", to: "" },
      {
        file: memoryStore,
        from: "if (this.get(table, id)?.version !== row.version) return Result.fail(new StaleWrite({ entity: table.name, id }))",
        to: ""
      }
    ]
  },
  outcomeBeforeSent: {
    sentence: "That a charge is sent is written together with its outcome, not before it.",
    edits: [
      { file: chargeCycle, from: "yield* payments.insertAttempt(sent)", to: "yield* payments.insertAttempt(prepared)" }
    ]
  },
  evidenceAgainstOurClock: {
    sentence: "The key's last approval is compared with the time of sending on our clock.",
    edits: [
      {
        file: evidence,
        from: "const known = Math.max(baseline ?? 0, others ?? 0)",
        to: "const known = attempt.sentAt.epochMilliseconds"
      }
    ]
  },
  evidenceIgnoresOthers: {
    sentence: "The key's last approval is compared with the attempt's own baseline alone.",
    edits: [
      {
        file: evidence,
        from: "const known = Math.max(baseline ?? 0, others ?? 0)",
        to: "const known = baseline ?? others ?? 0"
      },
      {
        file: chargeCycle,
        from: "at: Evidence.laterOf(answer.lastApprovedAt, key.lastKnownApproval) }",
        to: "at: answer.lastApprovedAt ?? key.lastKnownApproval }"
      },
      {
        file: "packages/application/src/Payments/AskProvider.ts",
        from: "return Evidence.mayBeHidden(settings, attempt, known)",
        to: "return false"
      }
    ]
  },
  lateAnswerDropped: {
    sentence: "An answer that comes after others took the charge for lost is thrown away.",
    edits: [
      {
        file: chargeCycle,
        from: "record: (books, answer) => recordCharge(attemptId, findingOf(answer), books),",
        to: `record: (books, answer) =>
          Effect.flatMap(payments.findAttempt(attemptId), (found) =>
            found.value._tag === "Sent" ? recordCharge(attemptId, findingOf(answer), books) : Effect.succeed(found.value)
          ),`
      }
    ]
  },
  releasedByNonHolder: {
    sentence: "Who asks about a charge, or answers late, frees the billing key, whoever holds it.",
    edits: [
      {
        file: "packages/domain/src/Renewal.ts",
        from: "return { attempt: yield* Attempt.askAgain(attempt, nextAskAt), opened: [], events: [] }",
        to: `return {
        attempt: yield* Attempt.askAgain(attempt, nextAskAt),
        key: BillingKey.release(books.key, attempt.id),
        opened: [],
        events: []
      }`
      },
      {
        file: "packages/domain/src/BillingKey.ts",
        from: "self.inFlight === attemptId ? withFields(self, { inFlight: null }) : self",
        to: "withFields(self, { inFlight: null })"
      }
    ]
  },
  cycleKeyedByDueDate: {
    sentence: "Another due date is another cycle.",
    edits: [
      {
        file: "packages/adapters-memory/src/BillingLedger.ts",
        from: "unique: { open: (cycle) => (BillingCycle.isOpen(cycle) ? cycle.subscriptionId : null) },",
        to: "unique: { open: (cycle) => (BillingCycle.isOpen(cycle) ? `${cycle.subscriptionId}/${cycle.dueDate}` : null) },"
      },
      {
        file: "packages/domain/src/OwnerCommand.ts",
        from: `      cycle: postponed,
      opened: [],`,
        to: `      opened: [
        BillingCycle.open({
          subscriptionId: cycle.subscriptionId,
          number: cycle.number + 1,
          gridDate: postponed.dueDate,
          hasKey: true
        })
      ],`
      }
    ]
  },
  inDoubtIsDeclined: {
    sentence: "A code that leaves the outcome in doubt is taken for a decline.",
    edits: [
      {
        file: recordCharge,
        from: unknownIsUnknown,
        to: `default:
      return { _tag: "Declined", reason: { _tag: "Soft", kind: "InsufficientFunds", code: "0", message: "" } }`
      }
    ]
  },
  twoApprovable: {
    sentence: "A customer with two windows can approve both.",
    edits: [
      { file: "packages/domain/src/Purchase.ts", from: "superseded.push(yield* Attempt.supersede(other, at))", to: "" },
      {
        file: "packages/domain/src/Purchase.ts",
        from: "const order = yield* Order.beginApproval(books.order, attempt.id, dispatch.at)",
        to: "const order = books.order"
      },
      {
        file: "packages/application/src/Payments/ApprovePayment.ts",
        from: "if (entries.order !== undefined) yield* orders.update(entries.order)",
        to: ""
      }
    ]
  },
  stalePageClaimsNext: {
    sentence: "A cycle is charged because a page listed it, though it was answered since.",
    edits: [
      {
        file: "packages/application/src/Billing/PlanCharge.ts",
        from: "if (!BillingCycle.isDue(cycle, date) || cycle.answeredOn === today)",
        to: "if (!BillingCycle.isChargeable(cycle) || cycle.openAttempt !== null)"
      }
    ]
  },
  leaseExpiryResends: {
    sentence: "A charge whose sender is gone is taken for never sent.",
    edits: [
      {
        file: "packages/application/src/Payments/Reconcile.ts",
        from: `const finding = { _tag: "StillUnknown", detail: "its sender is gone" } as const`,
        to: `const finding = { _tag: "NotExecuted", why: "local", detail: "its sender is gone" } as const`
      }
    ]
  },
  retryShiftsTheGrid: {
    sentence: "A retry moves the dates of all later deliveries.",
    edits: [
      {
        file: billingCycle,
        from: "nextAttemptOn: next.on",
        to: "gridDate: next.on, dueDate: next.on, nextAttemptOn: next.on"
      }
    ]
  },
  postponeShiftsTheGrid: {
    sentence: "A postponed delivery moves the dates of all later ones.",
    edits: [
      {
        file: billingCycle,
        from: "Result.succeed(State.next(Due, self, { dueDate, nextAttemptOn: dueDate }))",
        to: "Result.succeed(State.next(Due, self, { gridDate: dueDate, dueDate, nextAttemptOn: dueDate }))"
      }
    ]
  },
  noNextCycle: {
    sentence: "After a cycle that was given up no other is opened.",
    edits: [
      {
        file: "packages/domain/src/Renewal.ts",
        from: `subscription: yield* SubscriptionOrder.recover(subscription),
          key,
          opened: openNext(subscription, cycle, null, context.at),`,
        to: `subscription: yield* SubscriptionOrder.recover(subscription),
          key,
          opened: [],`
      }
    ]
  },
  graceWithoutOffset: {
    sentence: "The time of sending is taken from another clock than the grace is measured with.",
    edits: [
      {
        file: chargeCycle,
        from: "const { databaseNow, now: sentAt } = yield* clock.times",
        to: "const { databaseNow, databaseNow: sentAt } = yield* clock.times"
      }
    ]
  },
  noInbox: {
    sentence: "A consumer does not note which events it has had, and tells of them each time.",
    edits: [
      {
        file: "packages/application/src/Events/HandleEvent.ts",
        from: `if (!(yield* outbox.consumeOnce(event.eventId, "notification", yield* clock.now))) return`,
        to: "const toldAt = yield* clock.now"
      },
      {
        file: "packages/application/src/Events/HandleEvent.ts",
        from: "          id: event.eventId,",
        to: "          id: `${event.eventId} ${toldAt.epochMilliseconds}`,"
      }
    ]
  }
}
