/**
 * Checking that the books are right: between our own rows, and against the provider's.
 *
 * Everything here only reads. Rows are taken chunk by chunk, so that memory stays flat and no statement is long; what is
 * shown of a broken rule is bounded, what is counted is not.
 *
 * @since 0.1.0
 */
import type * as Attempt from "@pillivery/domain/Attempt"
import { type AttemptId, BillingKeyId } from "@pillivery/domain/Ids"
import { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { Clock, DateTime, Effect, Option } from "effect"
import * as Evidence from "../Payments/Evidence.ts"
import { MoneyCalls } from "../Payments/MoneyCalls.ts"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import { Audit, type Broken, type Chunk } from "../ports/Audit.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import {
  type ProviderRuleName,
  providerRules,
  type RuleName,
  rules,
  rulesOver,
  type Subject,
  subjects
} from "./Invariants.ts"

/** Rows of one chunk. */
export const chunkRows = 5_000
/** The most chunks of one kind of row; more rows than these are an error of the reader, not of the books. */
export const chunksMax = 1_000_000
/** Rows shown of each broken rule, unless something else is asked for. */
export const shownDefault = 10
/** Approved payments that are looked up at the provider, unless something else is asked for. */
export const sampleDefault = 50
/** Lookups at the provider at once. */
const lookupConcurrency = 4

/** What was found of one rule. */
export interface Finding {
  readonly rule: RuleName | ProviderRuleName
  readonly sentence: string
  /** How many rows break it. */
  readonly count: number
  /** The first of them. */
  readonly rows: ReadonlyArray<Broken>
}

/** What was read, and every rule that is broken. */
export interface Verified {
  /** Rows read, by their kind. */
  readonly rows: Readonly<Record<Subject, number>>
  /** How many rules were checked. */
  readonly rules: number
  readonly broken: ReadonlyArray<Finding>
  readonly millis: number
}

/** What was asked of the provider, and every rule that is broken. */
export interface ProviderVerified {
  /** Payments and billing keys whose rows could be compared with the provider's. */
  readonly compared: number
  /** Those that could not: the lookup told nothing, a call is under way, or the row moved meanwhile. */
  readonly notCompared: number
  readonly broken: ReadonlyArray<Finding>
}

/** Checks every rule on every row. */
export const verify = Effect.fn("verify")(function* (
  options: {
    /** Rows to show of each broken rule. */
    readonly shown?: number
  } = {}
) {
  const audit = yield* Audit
  const clock = yield* BusinessClock
  const shown = options.shown ?? shownDefault
  const startedAt = yield* Clock.currentTimeMillis
  const read: Record<Subject, number> = {
    subscription: 0,
    cycle: 0,
    attempt: 0,
    order: 0,
    billingKey: 0,
    refund: 0
  }
  const tally = new Map<RuleName, { count: number; readonly rows: Array<Broken> }>()
  let checked = 0
  for (const subject of subjects) {
    const names = rulesOver(subject)
    checked += names.length
    let after: string | null = null
    for (let round = 0; round < chunksMax; round++) {
      const chunk: Chunk | null = yield* audit.chunk(subject, after, chunkRows)
      if (chunk === null) break
      read[subject] += chunk.rows
      for (const rule of names) {
        const broken = yield* audit.broken(rule, chunk, { now: yield* clock.now })
        if (broken.length === 0) continue
        const seen = tally.get(rule) ?? { count: 0, rows: [] }
        seen.rows.push(...broken.slice(0, Math.max(0, shown - seen.rows.length)))
        tally.set(rule, { count: seen.count + broken.length, rows: seen.rows })
      }
      after = chunk.until
      if (after === null) break
    }
  }
  return {
    rows: read,
    rules: checked,
    broken: [...tally].map(([rule, seen]): Finding => ({ rule, sentence: rules[rule].sentence, ...seen })),
    millis: (yield* Clock.currentTimeMillis) - startedAt
  } satisfies Verified
})

type Compared = "agrees" | "cannotTell" | Broken

/** Compares the payments approved last, and the billing keys they charged, with what the provider shows of them. */
export const verifyProvider = Effect.fn("verifyProvider")(function* (
  options: {
    /** Approved payments to look up. */
    readonly sample?: number
    /** Rows to show of each broken rule. */
    readonly shown?: number
  } = {}
) {
  const audit = yield* Audit
  const payments = yield* PaymentRepository
  const shown = options.shown ?? shownDefault
  const ids = yield* audit.lastApproved(options.sample ?? sampleDefault)
  const found = yield* Effect.forEach(ids, payments.findAttempt)
  const attempts = found.flatMap((attempt) => (Option.isSome(attempt) ? [attempt.value] : []))
  const keyIds = [...new Set(attempts.flatMap(({ id, purpose }) => keysOf(id, purpose)))]
  const compared: Readonly<Record<ProviderRuleName, ReadonlyArray<Compared>>> = {
    providerShowsTheApproval: yield* Effect.forEach(attempts, compareAttempt, { concurrency: lookupConcurrency }),
    providerShowsNoOtherCharge: yield* Effect.forEach(keyIds, compareKey, { concurrency: lookupConcurrency })
  }
  const all = Object.values(compared).flat()
  const broken = (Object.keys(providerRules) as Array<ProviderRuleName>).flatMap((rule): ReadonlyArray<Finding> => {
    const rows = compared[rule].filter((each) => typeof each !== "string")
    return rows.length === 0
      ? []
      : [{ rule, sentence: providerRules[rule].sentence, count: rows.length, rows: rows.slice(0, shown) }]
  })
  const notCompared = all.filter((each) => each === "cannotTell").length
  return { compared: all.length - notCompared, notCompared, broken } satisfies ProviderVerified
})

// The key that a payment issued has the payment's id.
const keysOf = (id: AttemptId, purpose: Attempt.Purpose): ReadonlyArray<BillingKeyId> => {
  switch (purpose._tag) {
    case "ForCycle":
    case "ForRegistration":
      return [purpose.billingKeyId]
    case "ForOrder":
      return purpose.issuesBillingKey ? [BillingKeyId.make(id)] : []
  }
}

// The row is read again after the lookup: only one that did not move can be held against what the provider showed.
const compareAttempt = Effect.fnUntraced(function* (attempt: Attempt.Attempt) {
  const payments = yield* PaymentRepository
  const calls = yield* MoneyCalls
  const strategy = (yield* PaymentStrategies).find(attempt.provider)
  const isNamed = "reference" in attempt && attempt.reference._tag === "Known"
  if (strategy === null || !isNamed || attempt.refundInFlight !== null) return "cannotTell"
  const answer = yield* calls
    .lookup(
      (result) => (result._tag === "LookupFailed" && !result.isOurFault ? "failure" : "success"),
      strategy.lookupPayment({
        merchantAccount: attempt.merchantAccount,
        transactionId: attempt.reference.transactionId
      })
    )
    .pipe(Effect.catch(() => Effect.succeed(null)))
  if (answer === null || answer._tag === "LookupFailed") return "cannotTell"
  const again = yield* payments.findAttempt(attempt.id)
  if (Option.isNone(again) || again.value.version !== attempt.version) return "cannotTell"
  const differs = (found: string): Compared => ({ id: attempt.id, number: null, found })
  if (answer._tag === "PaymentMissing") return differs("the provider does not know it")
  if (answer.standing !== "approved") return differs(`the provider shows it ${answer.standing}`)
  if (answer.attemptId !== null && answer.attemptId !== attempt.id) {
    return differs(`the provider shows it as ${answer.attemptId}`)
  }
  if (answer.amount !== attempt.approved) {
    return differs(`the provider took ${answer.amount} won, our rows say ${attempt.approved}`)
  }
  return answer.refundedTotal === attempt.refunded
    ? "agrees"
    : differs(`the provider gave back ${answer.refundedTotal} won, our rows say ${attempt.refunded}`)
})

const compareKey = Effect.fnUntraced(function* (id: BillingKeyId) {
  const keys = yield* BillingKeyRepository
  const calls = yield* MoneyCalls
  const strategies = yield* PaymentStrategies
  const settings = yield* ProtocolSettings
  const found = yield* keys.findById(id)
  const key = Option.getOrNull(found)
  // A key that is held may be approved this moment; a frozen one is a person's case already.
  if (key === null || key._tag !== "Active" || key.inFlight !== null) return "cannotTell"
  const strategy = strategies.find(key.provider)
  if (strategy === null) return "cannotTell"
  const answer = yield* calls
    .lookup(
      (result) => (result._tag === "LookupFailed" && !result.isOurFault ? "failure" : "success"),
      strategy.lookupBillingKey({ merchantAccount: key.merchantAccount, billingKey: key.billingKey })
    )
    .pipe(Effect.catch(() => Effect.succeed(null)))
  if (answer === null || answer._tag !== "BillingKeyFound") return "cannotTell"
  const again = Option.getOrNull(yield* keys.findById(id))
  if (again?.version !== key.version) return "cannotTell"
  // What a key without a charge shows is not said by the provider's contract: there is nothing to compare it with.
  const isExplained = !Evidence.wasExecuted(
    settings,
    { baseline: key.lastKnownApproval },
    key,
    key.lastKnownApproval === null ? null : answer.lastApprovedAt
  )
  const shown = answer.lastApprovedAt === null ? "none" : DateTime.formatIso(answer.lastApprovedAt)
  const known = key.lastKnownApproval === null ? "none" : DateTime.formatIso(key.lastKnownApproval)
  return isExplained
    ? "agrees"
    : ({
        id,
        number: null,
        found: `the provider shows an approval at ${shown}, our rows know ${known}`
      } satisfies Broken)
})
