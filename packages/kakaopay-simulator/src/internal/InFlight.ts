/**
 * Money calls between their arrival and their answer: what overlaps is refused.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as KakaoError from "../KakaoError.ts"
import type * as Requests from "../Requests.ts"
import type * as Store from "../Store.ts"

/** The calls in flight. */
export interface InFlight {
  /**
   * Enters a call, or refuses it: -785 when another approve or cancel of the same tid is running [D], USER_LOCKED when
   * another money call of the same customer is [D]. The returned function leaves; calling it again does nothing.
   */
  readonly enter: (store: Store.Store, command: Requests.Command) => Result.Result<() => void, KakaoError.KakaoError>
}

const failureCode = { approve: -780, cancel: -781, subscription: -782 } as const

const increment = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

const decrement = (counts: Map<string, number>, name: string): void => {
  const count = (counts.get(name) ?? 1) - 1
  if (count === 0) counts.delete(name)
  else counts.set(name, count)
}

const subjects = (
  store: Store.Store,
  command: Requests.Command
): { readonly tid: string | undefined; readonly user: string | undefined; readonly code: number } | undefined => {
  switch (command.endpoint) {
    case "approve":
    case "cancel": {
      const { tid } = command.request
      return { tid, user: store.payments.get(tid)?.partnerUserId, code: failureCode[command.endpoint] }
    }
    case "subscription":
      return { tid: undefined, user: command.request.partner_user_id, code: failureCode.subscription }
    default:
      return undefined
  }
}

/** Nothing in flight. */
export const make = (): InFlight => {
  const tids = new Map<string, number>()
  const users = new Map<string, number>()
  return {
    enter: (store, command) => {
      const subject = subjects(store, command)
      if (subject === undefined) return Result.succeed(() => {})
      const { tid, user, code } = subject
      if (tid !== undefined && tids.has(tid)) return Result.fail(KakaoError.make(-785))
      if (user !== undefined && users.has(user) && store.switches.lockUserOnOverlap) {
        return Result.fail(KakaoError.make(code, { extras: KakaoError.extrasOf("USER_LOCKED") }))
      }
      if (tid !== undefined) increment(tids, tid)
      if (user !== undefined) increment(users, user)
      let isInside = true
      return Result.succeed(() => {
        if (!isInside) return
        isInside = false
        if (tid !== undefined) decrement(tids, tid)
        if (user !== undefined) decrement(users, user)
      })
    }
  }
}
