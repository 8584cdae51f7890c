/**
 * Faults on demand: what goes wrong between a client and the provider, per call.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { type Endpoint, endpoints } from "./Requests.ts"
import * as SeededRandom from "./internal/SeededRandom.ts"

/** Every kind of fault. */
export const FaultKind = Schema.Literals([
  /** Execute, never answer. */
  "timeout-after",
  /** Never execute, never answer. */
  "timeout-before",
  /** Execute at once, answer after `delayMillis` of real time. */
  "slow",
  /** Execute, then reset the connection. */
  "reset-after",
  /** Reset the connection without executing. */
  "reset-before",
  /** An HTML 502; executes only if `execute` is true. */
  "gateway-502",
  /** An HTML 504; executes only if `execute` is true. */
  "gateway-504",
  /** Execute, then answer 200 with half a JSON body. */
  "truncated-json",
  /** Execute `delayMillis` of simulator time later; meanwhile answer as `answer` says. */
  "late-commit",
  /** 429 with -10. */
  "rate-limit",
  /** 503 with -9798. */
  "maintenance",
  /** -603; executes only if `execute` is true. */
  "internal-timeout",
  /** Any error; executes only if `execute` is true. */
  "error"
])
export type FaultKind = typeof FaultKind.Type

const text = Schema.optionalKey(Schema.NonEmptyString)
const weekMillis = 7 * 24 * 60 * 60_000

/** Which calls a rule hits and what it does to them. */
export const FaultRule = Schema.Struct({
  kind: FaultKind,
  /** Absent means every endpoint. */
  endpoint: Schema.optionalKey(Schema.Literals(endpoints)),
  /** All given fields must match. A call that names only a tid or sid is matched through its payment or key too. */
  match: Schema.optionalKey(Schema.Struct({ sid: text, tid: text, partnerOrderId: text, partnerUserId: text })),
  /** Matching calls left alone before the rule starts. */
  skip: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000_000 }))),
  /** Calls hit before the rule ends. Absent means every one. */
  times: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 }))),
  /** Probability of a hit. Absent means 1. */
  rate: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  /** Seed of `rate`. Absent means the simulator's own seed. */
  seed: Schema.optionalKey(Schema.Int),
  /**
   * For `slow`, and for errors that are answered (`gateway-*`, `internal-timeout`, `error`, `rate-limit`, `maintenance`):
   * real time until the answer. For `late-commit`: simulator time until it executes.
   */
  delayMillis: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: weekMillis }))),
  /** For `gateway-502`, `gateway-504`, `internal-timeout` and `error`: the operation takes effect all the same. */
  execute: Schema.optionalKey(Schema.Boolean),
  /** For `late-commit`: what the client gets. Absent means no answer. */
  answer: Schema.optionalKey(Schema.Literals(["none", "error", "gateway-504", "reset"])),
  /** For `error`, and for `late-commit` with `answer: "error"`. Absent means -603. */
  error: Schema.optionalKey(
    Schema.Struct({
      code: Schema.Int,
      message: Schema.optionalKey(Schema.String),
      methodResultCode: text,
      methodResultMessage: Schema.optionalKey(Schema.String),
      httpStatus: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 400, maximum: 599 })))
    })
  )
})
export type FaultRule = typeof FaultRule.Type

/** A rule in force. */
export interface ActiveFault {
  readonly id: string
  readonly rule: FaultRule
  /** Calls that matched, hit or not. */
  readonly seen: number
  /** Calls hit. */
  readonly used: number
}

/** What a call is about, as far as it is known. */
export interface FaultSubject {
  readonly endpoint: Endpoint
  readonly sid: string | undefined
  readonly tid: string | undefined
  readonly partnerOrderId: string | undefined
  readonly partnerUserId: string | undefined
}

/** The rules in force, oldest first; the first that hits decides. */
export interface Faults {
  /** Adds a rule; undefined when the limit is reached. */
  readonly add: (rule: FaultRule) => string | undefined
  readonly remove: (id: string) => boolean
  readonly list: () => ReadonlyArray<ActiveFault>
  readonly clear: () => void
  readonly isEmpty: () => boolean
  /** The fault of this call, if any. Counts it. */
  readonly take: (subject: FaultSubject) => FaultRule | undefined
}

const matches = (rule: FaultRule, subject: FaultSubject): boolean => {
  if (rule.endpoint !== undefined && rule.endpoint !== subject.endpoint) return false
  const match = rule.match
  return (
    match === undefined ||
    ((match.sid === undefined || match.sid === subject.sid) &&
      (match.tid === undefined || match.tid === subject.tid) &&
      (match.partnerOrderId === undefined || match.partnerOrderId === subject.partnerOrderId) &&
      (match.partnerUserId === undefined || match.partnerUserId === subject.partnerUserId))
  )
}

/** No faults yet. */
export const make = (options: { readonly countMax: number; readonly seed: number }): Faults => {
  const rules = new Map<
    string,
    {
      readonly id: string
      readonly rule: FaultRule
      readonly random: SeededRandom.SeededRandom
      seen: number
      used: number
    }
  >()
  let sequence = 0
  return {
    add: (rule) => {
      if (rules.size >= options.countMax) return undefined
      sequence += 1
      const id = `fault-${sequence}`
      rules.set(id, { id, rule, random: SeededRandom.make(rule.seed ?? options.seed + sequence), seen: 0, used: 0 })
      return id
    },
    remove: (id) => rules.delete(id),
    list: () => [...rules.values()].map(({ id, rule, seen, used }) => ({ id, rule, seen, used })),
    clear: () => rules.clear(),
    isEmpty: () => rules.size === 0,
    take: (subject) => {
      for (const active of rules.values()) {
        if (!matches(active.rule, subject)) continue
        active.seen += 1
        if (active.seen <= (active.rule.skip ?? 0)) continue
        if (active.rule.rate !== undefined && !active.random.chance(active.rule.rate)) continue
        active.used += 1
        if (active.used === active.rule.times) rules.delete(active.id)
        return active.rule
      }
      return undefined
    }
  }
}
