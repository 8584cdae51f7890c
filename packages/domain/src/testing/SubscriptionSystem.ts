/**
 * What the subscription model asks of whatever it is run against: one subscription, its billing cycles, and nothing but
 * plain data.
 *
 * A system carries out requests on Korean dates and tells what can be seen of it. It may be a function, a service or a
 * database, in any technology; `SubscriptionModel` compares it with the rules.
 *
 * @since 0.1.0
 */

/** What the subscription of one history is; dates are Korean calendar dates, `yyyy-mm-dd`. */
export interface Start {
  /** The day on which the first payment was sent; the grid counts from it. */
  readonly firstPaidOn: string
  readonly periodDays: number
  readonly quantity: number
  /** Won for one unit. */
  readonly unitPrice: number
  /** Whether the first payment gave a billing key. */
  readonly hasBillingKey: boolean
  /** The days after the first decline on which to try again, rising. */
  readonly ladderDays: ReadonlyArray<number>
  readonly finalAction: "cancel" | "pause" | "skip"
}

/**
 * What became of a charge.
 *
 * **Details**
 *
 * `keyRevoked` is the hard decline that says that the billing key is dead; after `declinedHard` the key lives on.
 * `notExecuted` of a charge whose answer was lost before is what the provider's evidence says after the grace time.
 */
export type Outcome = "approved" | "declinedSoftly" | "declinedHard" | "keyRevoked" | "blocked" | "notExecuted" | "lost"

/**
 * What a system is told to do.
 *
 * **Details**
 *
 * `bill` is the billing run of the day: it sends the charge that is due, or takes the last step that is due for a cycle
 * without a usable key. `endPause` resumes a pause whose day has come. `answer` tells what became of the n-th charge that
 * was sent, counted from 1. The rest is the owner's.
 */
export type Request =
  | { readonly name: "skip" }
  | { readonly name: "postpone"; readonly days: number }
  | { readonly name: "pause"; readonly until: string | null }
  | { readonly name: "resume" }
  | { readonly name: "changeQuantity"; readonly quantity: number }
  | { readonly name: "changePeriod"; readonly periodDays: number }
  | { readonly name: "replaceKey"; readonly key: "another" | "same" }
  | { readonly name: "cancel" }
  | { readonly name: "endPause" }
  | { readonly name: "bill" }
  | { readonly name: "answer"; readonly charge: number; readonly outcome: Outcome }

/**
 * Whether a request was carried out, or why it was refused and changed nothing. The reasons are the domain's tags;
 * `NothingDue` is the answer of a `bill` or `endPause` that finds nothing to do.
 */
export type Answer =
  | "accepted"
  | "NothingDue"
  | "SubscriptionTransitionDenied"
  | "CycleTransitionDenied"
  | "AttemptTransitionDenied"
  | "PaymentInProgress"
  | "SkipLimitReached"
  | "PostponeInvalid"
  | "PauseInvalid"
  | "BillingKeyUnusable"

/** A cycle that still wants an end. */
export interface OpenCycle {
  readonly number: number
  readonly state: "Due" | "RetryDue" | "Blocked" | "AwaitingKey" | "InFlight" | "InDoubt"
  readonly gridDate: string
  readonly dueDate: string
  /** When the billing run acts on it; null while a charge is sent or in doubt, or while only a key is waited for. */
  readonly nextAttemptOn: string | null
  /** Units that its next charge asks for, or that the one in flight asked for. */
  readonly quantity: number
}

/** A cycle that has ended, and how. */
export interface ClosedCycle {
  readonly number: number
  readonly gridDate: string
  readonly as:
    | "Charged"
    | "Skipped(owner)"
    | "Skipped(outage)"
    | "Skipped(paused)"
    | "Skipped(dunning)"
    | "Abandoned(dunning)"
    | "Abandoned(cancelled)"
}

/** Won that moved for a cycle; what is being given back counts as given back. */
export interface Money {
  readonly cycle: number
  readonly captured: number
  readonly givenBack: number
}

/** What can be seen of a system; lists are in the order of cycle numbers. */
export interface View {
  readonly state: "AwaitingBillingKey" | "Active" | "PastDue" | "Paused" | "Cancelled"
  /** When a pause ends by itself. */
  readonly resumeOn: string | null
  readonly quantity: number
  readonly periodDays: number
  /** Owner's skips since the last charge. */
  readonly skipsInARow: number
  readonly openCycles: ReadonlyArray<OpenCycle>
  readonly closedCycles: ReadonlyArray<ClosedCycle>
  /** The cycles for which any money moved. */
  readonly money: ReadonlyArray<Money>
  /** The key the subscription charges; `none` before it has one and after it ended. */
  readonly billingKey: "none" | "usable" | "dead"
  /** Keys that a charge holds, since it is sent or in doubt. */
  readonly keysHeld: number
  /** Living keys that nothing uses or holds any more, so that the provider is to be told. */
  readonly keysUnused: number
}

/** One subscription, in whatever technology. */
export interface SubscriptionSystem {
  /** Carries out a request on a Korean date, `yyyy-mm-dd`; dates never go back. */
  readonly perform: (request: Request, on: string) => Promise<Answer>
  readonly observe: () => Promise<View>
}
