/**
 * The simulated provider as one synchronous machine: a call goes in, a delivery comes out, and the ledger tells the truth.
 *
 * Faults apply before everything else, as in a real network. A late commit waits in a queue ordered by simulator time; the
 * queue is settled before anything is read or executed, so no timer is involved and moving the clock moves the commits.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Approvals from "./internal/Approvals.ts"
import * as BillingKeys from "./internal/BillingKeys.ts"
import * as CallLog from "./CallLog.ts"
import * as Cancels from "./internal/Cancels.ts"
import * as Customer from "./Customer.ts"
import * as Declines from "./Declines.ts"
import * as Delivery from "./Delivery.ts"
import * as Faults from "./Faults.ts"
import * as InFlight from "./internal/InFlight.ts"
import * as KakaoError from "./KakaoError.ts"
import type { Limits } from "./Limits.ts"
import * as Merchants from "./Merchants.ts"
import * as Orders from "./internal/Orders.ts"
import * as Requests from "./Requests.ts"
import * as SimulatorClock from "./SimulatorClock.ts"
import * as Store from "./Store.ts"
import type { Switches } from "./Switches.ts"
import type * as Wire from "./internal/Wire.ts"

/** Everything an engine starts from. */
export interface EngineOptions {
  readonly merchants: ReadonlyArray<Merchants.Merchant>
  readonly cidSecrets: Readonly<Record<string, string>>
  readonly switches: Switches
  readonly limits: Limits
  readonly seed: number
  readonly clock: SimulatorClock.ClockSettings
  readonly realNow: () => number
  /** Origin of redirect URLs; absent means that of the address each client called. */
  readonly publicOrigin: string | undefined
}

/** One HTTP call as the engine sees it. */
export interface IncomingCall {
  readonly endpoint: Requests.Endpoint
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: string
  /** The Host header. */
  readonly host: string | undefined
}

/** The machine. */
export interface Engine {
  readonly receive: (call: IncomingCall) => Delivery.Delivery
  /** Lets late commits land that are due. Called by every other operation; call it before reading the store. */
  readonly settle: () => void
  readonly customer: (
    find: { readonly tid: string } | { readonly hash: string },
    action: Customer.CustomerAction,
    method?: Store.PaymentMethod
  ) => Result.Result<Customer.CustomerMoved, Customer.CustomerRejection>
  readonly reset: () => void
  /** Origin of redirect URLs, once known. */
  readonly publicOrigin: () => string | undefined
  readonly setPublicOrigin: (origin: string) => void
  readonly store: () => Store.Store
  readonly calls: () => CallLog.CallLog
  readonly pendingCount: () => number
  readonly faults: Faults.Faults
  readonly declines: Declines.Declines
  readonly clock: SimulatorClock.SimulatorClock
  readonly merchants: ReadonlyMap<string, Merchants.Merchant>
}

type Outcome = Result.Result<Wire.Fields, KakaoError.KakaoError>

interface Prepared {
  readonly command: Requests.Command
  readonly isSubscription: boolean
  readonly origin: string
}

interface LateCommit {
  readonly dueAt: number
  readonly prepared: Prepared
  readonly record: CallLog.MutableCallRecord
  readonly unlock: () => void
}

const lateCommitDelayMillis = 20 * 60_000
const slowDelayMillis = 30_000

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && contentType.split(";", 1)[0]?.trim().toLowerCase() === "application/json"

/** Builds an engine. */
export const make = (options: EngineOptions): Engine => {
  const merchants = new Map(options.merchants.map((merchant) => [merchant.key, merchant]))
  const clock = SimulatorClock.make({ ...options.clock, realNow: options.realNow })
  const faults = Faults.make({ countMax: options.limits.faultRuleCountMax, seed: options.seed })
  const declines = Declines.make({ countMax: options.limits.declineRuleCountMax, seed: options.seed })
  let store = Store.make(options)
  let calls = CallLog.make(options.limits.callsLoggedMax)
  let inFlight = InFlight.make()
  let pending: Array<LateCommit> = []
  let resetCount = 0
  let publicOrigin = options.publicOrigin

  const execute = (prepared: Prepared, atMillis: number): Outcome => {
    const moment = clock.moment(atMillis)
    const { command, isSubscription, origin } = prepared
    switch (command.endpoint) {
      case "ready":
        return Approvals.ready(store, command.request, { moment, isSubscription, origin })
      case "approve":
        return Approvals.approve(store, command.request, { moment, isSubscription, declines })
      case "subscription":
        return BillingKeys.charge(store, command.request, { moment, declines })
      case "cancel":
        return Cancels.cancel(store, command.request, { moment })
      case "order":
        return Orders.order(store, command.request)
      case "inactive":
        return BillingKeys.inactivate(store, command.request, moment)
      case "status":
        return BillingKeys.status(store, command.request)
    }
  }

  const note = (record: CallLog.MutableCallRecord, outcome: Outcome): Outcome => {
    record.executed = Result.isSuccess(outcome)
    record.errorCode = Result.isFailure(outcome) ? outcome.failure.code : null
    return outcome
  }

  const settle = (): void => {
    const now = clock.nowMillis()
    while (pending[0] !== undefined && pending[0].dueAt <= now) {
      const late = pending.shift()
      if (late === undefined) return
      late.unlock()
      note(late.record, execute(late.prepared, late.dueAt))
    }
  }

  const prepare = (
    call: IncomingCall,
    fields: Result.Result<Record<string, unknown>, KakaoError.KakaoError>
  ): Result.Result<Prepared, KakaoError.KakaoError> => {
    const merchant = Merchants.authenticate(merchants, call.authorization, {
      acceptDevScheme: store.switches.acceptDevSecretKeyScheme
    })
    if (Result.isFailure(merchant)) return Result.fail(merchant.failure)
    if (!isJson(call.contentType)) {
      return Result.fail(KakaoError.make(-2, { message: "invalid parameter: send application/json", httpStatus: 415 }))
    }
    if (Result.isFailure(fields)) return Result.fail(fields.failure)
    const command = Requests.decode(call.endpoint, fields.success)
    if (Result.isFailure(command)) return Result.fail(command.failure)
    const kind = Merchants.contractKind(merchant.success, options.cidSecrets, command.success.request)
    if (Result.isFailure(kind)) return Result.fail(kind.failure)
    return Result.succeed({
      command: command.success,
      isSubscription: kind.success === "subscription",
      origin: publicOrigin ?? `http://${call.host ?? "localhost"}`
    })
  }

  const subjectOf = (endpoint: Requests.Endpoint, fields: Record<string, unknown>): Faults.FaultSubject => {
    const tid = textOf(fields["tid"])
    const payment = tid === undefined ? undefined : store.payments.get(tid)
    const sid = textOf(fields["sid"]) ?? payment?.sid ?? undefined
    const key = sid === undefined ? undefined : store.billingKeys.get(sid)
    return {
      endpoint,
      tid,
      sid,
      partnerOrderId: textOf(fields["partner_order_id"]) ?? payment?.partnerOrderId,
      partnerUserId: textOf(fields["partner_user_id"]) ?? payment?.partnerUserId ?? key?.partnerUserId
    }
  }

  const errorOf = (rule: Faults.FaultRule): KakaoError.KakaoError => {
    const { error } = rule
    if (error === undefined) return KakaoError.make(-603, { httpStatus: 500 })
    return KakaoError.make(error.code, {
      ...(error.message === undefined ? {} : { message: error.message }),
      ...(error.httpStatus === undefined ? {} : { httpStatus: error.httpStatus }),
      ...(error.methodResultCode === undefined
        ? {}
        : { extras: KakaoError.extrasOf(error.methodResultCode, error.methodResultMessage) })
    })
  }

  const replyOf = (outcome: Outcome): Delivery.Reply =>
    Result.isSuccess(outcome)
      ? Delivery.success(outcome.success, store.switches, store.random)
      : Delivery.failure(outcome.failure, store.switches)

  const answer = (
    record: CallLog.MutableCallRecord,
    reply: Delivery.Reply,
    more: { readonly delayMillis?: number; readonly unlock?: () => void } = {}
  ): Delivery.Delivery => ({
    kind: "answer",
    ...reply,
    delayMillis: more.delayMillis ?? 0,
    finished: (wasAnswered) => {
      more.unlock?.()
      if (wasAnswered) {
        record.answered = true
        record.httpStatus = reply.status
      }
    }
  })

  const receive = (call: IncomingCall): Delivery.Delivery => {
    settle()
    const now = clock.nowMillis()
    const parsed = Requests.parseFields(call.body)
    const fields = Result.getOrElse(parsed, () => ({}))
    const record = calls.append({ endpoint: call.endpoint, receivedAtMillis: now, fields })
    const rule = faults.isEmpty() ? undefined : faults.take(subjectOf(call.endpoint, fields))
    record.fault = rule?.kind ?? null

    const prepared = prepare(call, parsed)
    const run = (): { readonly outcome: Outcome; readonly unlock: () => void } => {
      if (Result.isFailure(prepared)) return { outcome: note(record, Result.fail(prepared.failure)), unlock: noop }
      const lock = inFlight.enter(store, prepared.success.command)
      if (Result.isFailure(lock)) return { outcome: note(record, Result.fail(lock.failure)), unlock: noop }
      return { outcome: note(record, execute(prepared.success, now)), unlock: lock.success }
    }
    const runAlone = (): Outcome => {
      const { outcome, unlock } = run()
      unlock()
      return outcome
    }
    const runIf = (wanted: boolean | undefined): void => {
      if (wanted === true) runAlone()
    }

    const delayed = { delayMillis: rule?.delayMillis ?? 0 }
    switch (rule?.kind) {
      case undefined: {
        const { outcome, unlock } = run()
        return answer(record, replyOf(outcome), { unlock })
      }
      case "slow": {
        const { outcome, unlock } = run()
        return answer(record, replyOf(outcome), { unlock, delayMillis: rule?.delayMillis ?? slowDelayMillis })
      }
      case "timeout-after":
        runAlone()
        return { kind: "hang" }
      case "timeout-before":
        return { kind: "hang" }
      case "reset-after":
        runAlone()
        return { kind: "reset" }
      case "reset-before":
        return { kind: "reset" }
      case "gateway-502":
        runIf(rule?.execute)
        return answer(record, Delivery.gateway(502), delayed)
      case "gateway-504":
        runIf(rule?.execute)
        return answer(record, Delivery.gateway(504), delayed)
      case "truncated-json":
        return answer(record, Delivery.truncated(replyOf(runAlone())))
      case "rate-limit":
        return answer(record, Delivery.failure(KakaoError.make(-10), store.switches), delayed)
      case "maintenance":
        return answer(record, Delivery.failure(KakaoError.make(-9798), store.switches), delayed)
      case "internal-timeout":
        runIf(rule?.execute)
        return answer(record, Delivery.failure(KakaoError.make(-603, { httpStatus: 500 }), store.switches), delayed)
      case "error":
        runIf(rule?.execute)
        return answer(
          record,
          rule === undefined ? Delivery.gateway(502) : Delivery.failure(errorOf(rule), store.switches),
          delayed
        )
      case "late-commit":
        return rule === undefined ? { kind: "hang" } : commitLate(record, rule, prepared, now)
    }
  }

  const commitLate = (
    record: CallLog.MutableCallRecord,
    rule: Faults.FaultRule,
    prepared: Result.Result<Prepared, KakaoError.KakaoError>,
    now: number
  ): Delivery.Delivery => {
    if (Result.isFailure(prepared)) return answer(record, replyOf(note(record, Result.fail(prepared.failure))))
    if (pending.length >= options.limits.lateCommitCountMax) {
      return answer(record, replyOf(Result.fail(KakaoError.capacityReached)))
    }
    const lock = inFlight.enter(store, prepared.success.command)
    if (Result.isFailure(lock)) return answer(record, replyOf(note(record, Result.fail(lock.failure))))
    if (!store.switches.lateCommitLocksUser) lock.success()
    const dueAt = now + (rule.delayMillis ?? lateCommitDelayMillis)
    const at = pending.findLastIndex((other) => other.dueAt <= dueAt) + 1
    pending.splice(at, 0, { dueAt, prepared: prepared.success, record, unlock: lock.success })
    switch (rule.answer ?? "none") {
      case "none":
        return { kind: "hang" }
      case "reset":
        return { kind: "reset" }
      case "gateway-504":
        return answer(record, Delivery.gateway(504))
      case "error":
        return answer(record, Delivery.failure(errorOf(rule), store.switches))
    }
  }

  return {
    receive,
    settle,
    customer: (find, action, method) => {
      settle()
      const payment = "tid" in find ? store.payments.get(find.tid) : store.paymentsByHash.get(find.hash)
      return Customer.act(store, payment, action, { atMillis: clock.nowMillis(), method })
    },
    reset: () => {
      // Another sequence, still fixed by the seed: ids of before the reset never come back.
      resetCount += 1
      store = Store.make({ ...options, seed: options.seed + resetCount })
      calls = CallLog.make(options.limits.callsLoggedMax)
      inFlight = InFlight.make()
      pending = []
      faults.clear()
      declines.clear()
      clock.set(options.clock)
    },
    publicOrigin: () => publicOrigin,
    setPublicOrigin: (origin) => {
      publicOrigin = origin
    },
    store: () => store,
    calls: () => calls,
    pendingCount: () => pending.length,
    faults,
    declines,
    clock,
    merchants
  }
}

const noop = (): void => {}
