/**
 * What the composition root tells the HTTP side about the process: whether it is ready, and whether there is a sandbox.
 *
 * @since 0.1.0
 */
import type { AnotherRunActive, Owed, RunCounts } from "@pillivery/application/ports/BillingLedger"
import type { ClockIsFixed } from "@pillivery/application/ports/BusinessClock"
import type { StorageError } from "@pillivery/application/ports/StorageError"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import { Context, type DateTime, type Duration, type Effect } from "effect"

/** One part the server stands on. */
export interface Check {
  readonly name: string
  readonly isUp: boolean
}

/** Whether requests can be served; not ready while it starts, drains, or misses a part. */
export class Readiness extends Context.Service<
  Readiness,
  { readonly check: Effect.Effect<{ readonly isReady: boolean; readonly checks: ReadonlyArray<Check> }> }
>()("@pillivery/adapters-http/Readiness") {}

/** What a billing run did, and what is still owed after it. */
export interface BillingReport {
  readonly date: BusinessDate
  readonly counts: RunCounts
  readonly owed: Owed
}

/** What client developers can do to a server of their own. */
export interface SandboxControls {
  /** Moves the business clock, and the provider's with it. */
  readonly advanceClock: (by: Duration.Duration) => Effect.Effect<DateTime.Utc, ClockIsFixed | StorageError>
  /** Delivers every event that is due. */
  readonly drain: Effect.Effect<
    { readonly delivered: number; readonly pending: number; readonly dead: number },
    StorageError
  >
  /** Charges what is due today, as the billing CLI would. */
  readonly runBilling: Effect.Effect<BillingReport, AnotherRunActive | StorageError>
}

/** The sandbox; null where there is none. */
export class Sandbox extends Context.Service<Sandbox, { readonly controls: SandboxControls | null }>()(
  "@pillivery/adapters-http/Sandbox"
) {}
