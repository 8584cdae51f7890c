/**
 * Declines on demand: a key, order or customer whose next charges fail with a chosen method result.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SeededRandom from "./internal/SeededRandom.ts"
import * as KakaoError from "./KakaoError.ts"

/** One decline: -782 on a subscription charge, -780 on approve. */
export const DeclineRule = Schema.Struct({
  sid: Schema.optionalKey(Schema.NonEmptyString),
  partnerOrderId: Schema.optionalKey(Schema.NonEmptyString),
  partnerUserId: Schema.optionalKey(Schema.NonEmptyString),
  methodResultCode: Schema.NonEmptyString,
  methodResultMessage: Schema.optionalKey(Schema.String),
  /** Matching attempts left alone before the rule starts. */
  skip: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))),
  /** Probability of a decline. Absent means 1. */
  rate: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  /** Seed of `rate`. Absent means the simulator's own seed. */
  seed: Schema.optionalKey(Schema.Int),
  /** How many attempts are declined before they succeed again. Absent means every one. */
  times: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })))
})
export type DeclineRule = typeof DeclineRule.Type

/** A rule in force. */
export interface ActiveDecline {
  readonly id: string
  readonly rule: DeclineRule
  /** Attempts that matched, declined or not. */
  readonly seen: number
  /** Attempts it declined so far. */
  readonly used: number
}

/** What a charge is about. */
export interface DeclineSubject {
  readonly sid: string | null
  readonly partnerOrderId: string
  readonly partnerUserId: string
}

/** The rules in force. Those of one key come first, then the general ones, each oldest first. */
export interface Declines {
  /** Adds a rule; undefined when the limit is reached. */
  readonly add: (rule: DeclineRule) => string | undefined
  readonly remove: (id: string) => boolean
  readonly list: () => ReadonlyArray<ActiveDecline>
  readonly clear: () => void
  /** The decline of this attempt, if any. Counts it. */
  readonly take: (subject: DeclineSubject) => KakaoError.Extras | undefined
}

type Entry = {
  readonly id: string
  readonly rule: DeclineRule
  readonly random: SeededRandom.SeededRandom
  seen: number
  used: number
}

const matches = (rule: DeclineRule, subject: DeclineSubject): boolean =>
  (rule.sid === undefined || rule.sid === subject.sid) &&
  (rule.partnerOrderId === undefined || rule.partnerOrderId === subject.partnerOrderId) &&
  (rule.partnerUserId === undefined || rule.partnerUserId === subject.partnerUserId)

/** No declines yet. Rules of one key are indexed by it, so that a hundred thousand of them cost nothing per call. */
export const make = (options: { readonly countMax: number; readonly seed: number }): Declines => {
  const bySid = new Map<string, Map<string, Entry>>()
  const general = new Map<string, Entry>()
  let sequence = 0
  let count = 0
  const groups = (): ReadonlyArray<Map<string, Entry>> => [...bySid.values(), general]
  const groupOf = (rule: DeclineRule): Map<string, Entry> => {
    if (rule.sid === undefined) return general
    const group = bySid.get(rule.sid) ?? new Map<string, Entry>()
    bySid.set(rule.sid, group)
    return group
  }
  const takeFrom = (group: Map<string, Entry>, subject: DeclineSubject): KakaoError.Extras | undefined => {
    for (const entry of group.values()) {
      if (!matches(entry.rule, subject)) continue
      entry.seen += 1
      if (entry.seen <= (entry.rule.skip ?? 0)) continue
      if (entry.rule.rate !== undefined && !entry.random.chance(entry.rule.rate)) continue
      entry.used += 1
      if (entry.used === entry.rule.times) {
        group.delete(entry.id)
        count -= 1
      }
      return KakaoError.extrasOf(entry.rule.methodResultCode, entry.rule.methodResultMessage)
    }
    return undefined
  }
  return {
    add: (rule) => {
      if (count >= options.countMax) return undefined
      sequence += 1
      count += 1
      const id = `decline-${sequence}`
      const random = SeededRandom.make(rule.seed ?? options.seed + sequence)
      groupOf(rule).set(id, { id, rule, random, seen: 0, used: 0 })
      return id
    },
    remove: (id) => {
      const isRemoved = groups().some((group) => group.delete(id))
      if (isRemoved) count -= 1
      return isRemoved
    },
    list: () =>
      groups().flatMap((group) => [...group.values()].map(({ id, rule, seen, used }) => ({ id, rule, seen, used }))),
    clear: () => {
      bySid.clear()
      general.clear()
      count = 0
    },
    take: (subject) => {
      const group = subject.sid === null ? undefined : bySid.get(subject.sid)
      return (group === undefined ? undefined : takeFrom(group, subject)) ?? takeFrom(general, subject)
    }
  }
}
