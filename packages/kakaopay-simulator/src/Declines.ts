/**
 * Declines on demand: a key, order or customer whose next charges fail with a chosen method result.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as KakaoError from "./KakaoError.ts"

/** One decline: -782 on a subscription charge, -780 on approve. */
export const DeclineRule = Schema.Struct({
  sid: Schema.optionalKey(Schema.NonEmptyString),
  partnerOrderId: Schema.optionalKey(Schema.NonEmptyString),
  partnerUserId: Schema.optionalKey(Schema.NonEmptyString),
  methodResultCode: Schema.NonEmptyString,
  methodResultMessage: Schema.optionalKey(Schema.String),
  /** How many attempts are declined before they succeed again. Absent means every one. */
  times: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })))
})
export type DeclineRule = typeof DeclineRule.Type

/** A rule in force. */
export interface ActiveDecline {
  readonly id: string
  readonly rule: DeclineRule
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
  readonly list: () => ReadonlyArray<ActiveDecline>
  readonly clear: () => void
  /** The decline of this attempt, if any. Counts it. */
  readonly take: (subject: DeclineSubject) => KakaoError.Extras | undefined
}

type Entry = { readonly id: string; readonly rule: DeclineRule; used: number }

const matches = (rule: DeclineRule, subject: DeclineSubject): boolean =>
  (rule.sid === undefined || rule.sid === subject.sid) &&
  (rule.partnerOrderId === undefined || rule.partnerOrderId === subject.partnerOrderId) &&
  (rule.partnerUserId === undefined || rule.partnerUserId === subject.partnerUserId)

/** No declines yet. Rules of one key are indexed by it, so that a hundred thousand of them cost nothing per call. */
export const make = (countMax: number): Declines => {
  const bySid = new Map<string, Map<string, Entry>>()
  const general = new Map<string, Entry>()
  let sequence = 0
  let count = 0
  const groupOf = (rule: DeclineRule): Map<string, Entry> => {
    if (rule.sid === undefined) return general
    const group = bySid.get(rule.sid) ?? new Map<string, Entry>()
    bySid.set(rule.sid, group)
    return group
  }
  const takeFrom = (group: Map<string, Entry>, subject: DeclineSubject): KakaoError.Extras | undefined => {
    for (const entry of group.values()) {
      if (!matches(entry.rule, subject)) continue
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
      if (count >= countMax) return undefined
      sequence += 1
      count += 1
      const id = `decline-${sequence}`
      groupOf(rule).set(id, { id, rule, used: 0 })
      return id
    },
    list: () =>
      [...[...bySid.values()].flatMap((group) => [...group.values()]), ...general.values()].map((entry) => ({
        ...entry
      })),
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
