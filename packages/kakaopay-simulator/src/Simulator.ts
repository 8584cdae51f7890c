/**
 * An honest KakaoPay in memory: the truth about money, and levers for time, faults, declines and customers.
 *
 * The service can be used without HTTP. `SimulatorServer` puts it on a port; `SimulatorRoutes` mounts it on a router.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BillingKeys from "./internal/BillingKeys.ts"
import type { CallFilter, CallRecord } from "./CallLog.ts"
import type { CustomerAction, CustomerMoved } from "./Customer.ts"
import type { ActiveDecline, DeclineRule } from "./Declines.ts"
import * as Engine from "./Engine.ts"
import type { ActiveFault, FaultRule } from "./Faults.ts"
import type { LedgerEntry, LedgerFilter, LedgerTotals } from "./Ledger.ts"
import * as Limits from "./Limits.ts"
import * as Merchants from "./Merchants.ts"
import type { PaymentStatus } from "./PaymentStatus.ts"
import type { ClockSettings } from "./SimulatorClock.ts"
import * as Store from "./Store.ts"
import * as Switches from "./Switches.ts"

/** What a simulator is made from. Everything has a default. */
export interface Options {
  /** Secret key of one merchant with the two test contracts. Ignored when `merchants` is given. */
  readonly secretKey?: string
  /** Several keys, or other contracts. */
  readonly merchants?: ReadonlyArray<Merchants.Merchant>
  /** Secrets of contracts that need one. */
  readonly cidSecrets?: Readonly<Record<string, string>>
  /** Changes to the default behaviour; `reset` returns to them. */
  readonly switches?: Switches.SwitchesPatch
  readonly limits?: Partial<Limits.Limits>
  /** Seed of ids and wire quirks. Absent means random; read it back from `Simulator.seed` and print it. */
  readonly seed?: number
  readonly clock?: Partial<ClockSettings>
  /** Origin of redirect URLs. `SimulatorServer` sets its own. */
  readonly publicOrigin?: string
  /** The clock that `offsetMillis` is added to. */
  readonly realNow?: () => number
}

/** The customer cannot do that now. */
export class CustomerActionRejected extends Schema.TaggedError<CustomerActionRejected>(
  "kakaopay-simulator/CustomerActionRejected"
)("CustomerActionRejected", {
  tid: Schema.String,
  action: Schema.String,
  reason: Schema.Literals(["unknown-payment", "expired", "not-open"])
}) {
  override get message(): string {
    return `The customer cannot ${this.action} payment ${this.tid}: ${this.reason}`
  }
}

/** There is no such billing key. */
export class UnknownBillingKey extends Schema.TaggedError<UnknownBillingKey>("kakaopay-simulator/UnknownBillingKey")(
  "UnknownBillingKey",
  { sid: Schema.String }
) {
  override get message(): string {
    return `There is no billing key ${this.sid}`
  }
}

/** A bound of the simulator was reached. */
export class LimitReached extends Schema.TaggedError<LimitReached>("kakaopay-simulator/LimitReached")("LimitReached", {
  limit: Schema.String,
  maximum: Schema.Int
}) {
  override get message(): string {
    return `The simulator's limit ${this.limit} of ${this.maximum} is reached`
  }
}

/** A payment as a test sees it. */
export interface PaymentView {
  readonly tid: string
  readonly cid: string
  readonly sid: string | null
  readonly status: PaymentStatus
  readonly partnerOrderId: string
  readonly partnerUserId: string
  readonly totalAmount: number
  readonly canceledAmount: number
}

/** A billing key as a test sees it. */
export interface BillingKeyView {
  readonly sid: string
  readonly cid: string
  readonly partnerUserId: string
  readonly method: Store.PaymentMethod
  readonly isActive: boolean
}

/** What a new billing key is issued for, without a customer in a browser. */
export interface IssueKey {
  readonly partnerUserId: string
  readonly cid?: string
  readonly method?: Store.PaymentMethod
  readonly itemName?: string
}

/** What a customer chooses. */
export interface CustomerChoice {
  readonly method?: Store.PaymentMethod
}

type Act = (tid: string, choice?: CustomerChoice) => Effect.Effect<CustomerMoved, CustomerActionRejected>

/** The simulator. Every operation first lets due late commits land. */
export class Simulator extends Context.Service<
  Simulator,
  {
    /** Seed of this simulator, to be printed by tests. */
    readonly seed: number
    /** Money that really moved. */
    readonly ledger: {
      readonly entries: (filter?: LedgerFilter) => Effect.Effect<ReadonlyArray<LedgerEntry>>
      readonly totals: (filter?: LedgerFilter) => Effect.Effect<LedgerTotals>
    }
    /** Calls received, oldest first, within the log's bound. */
    readonly calls: {
      readonly list: (filter?: CallFilter) => Effect.Effect<ReadonlyArray<CallRecord>>
      readonly received: Effect.Effect<number>
    }
    /** What goes wrong on the way. */
    readonly faults: {
      readonly add: (rule: FaultRule) => Effect.Effect<string, LimitReached>
      readonly list: Effect.Effect<ReadonlyArray<ActiveFault>>
      readonly remove: (id: string) => Effect.Effect<boolean>
      readonly clear: Effect.Effect<void>
      /** Executions that will land later. */
      readonly lateCommitsPending: Effect.Effect<number>
    }
    /** Charges the provider refuses. */
    readonly declines: {
      readonly add: (rule: DeclineRule) => Effect.Effect<string, LimitReached>
      readonly list: Effect.Effect<ReadonlyArray<ActiveDecline>>
      readonly remove: (id: string) => Effect.Effect<boolean>
      readonly clear: Effect.Effect<void>
    }
    /** Time. */
    readonly clock: {
      readonly nowMillis: Effect.Effect<number>
      readonly settings: Effect.Effect<ClockSettings>
      readonly set: (settings: Partial<ClockSettings>) => Effect.Effect<ClockSettings>
      readonly advance: (millis: number) => Effect.Effect<ClockSettings>
    }
    /** The customer in the payment window, by `tid`. */
    readonly customers: {
      readonly approve: Act
      readonly cancel: Act
      readonly fail: Act
      readonly abandon: Act
      readonly act: (
        tid: string,
        action: CustomerAction,
        choice?: CustomerChoice
      ) => Effect.Effect<CustomerMoved, CustomerActionRejected>
    }
    /** Payments by `tid`. */
    readonly payments: {
      readonly find: (tid: string) => Effect.Effect<Option.Option<PaymentView>>
    }
    /** Billing keys. */
    readonly billingKeys: {
      readonly find: (sid: string) => Effect.Effect<Option.Option<BillingKeyView>>
      /** Issues a key out of band, as if a customer had once gone through the window. Moves no money. */
      readonly issue: (options: IssueKey) => Effect.Effect<string, LimitReached>
      /** The customer disconnects the service in their app; the merchant is not told. [I] */
      readonly inactivate: (sid: string) => Effect.Effect<void, UnknownBillingKey>
    }
    readonly switches: {
      readonly get: Effect.Effect<Switches.Switches>
      readonly set: (patch: Switches.SwitchesPatch) => Effect.Effect<Switches.Switches>
    }
    /** Forgets everything and returns to the options. */
    readonly reset: Effect.Effect<void>
    /** Origin of redirect URLs, once known. */
    readonly publicOrigin: Effect.Effect<Option.Option<string>>
    readonly setPublicOrigin: (origin: string) => Effect.Effect<void>
    readonly limits: Limits.Limits
    /** The synchronous machine inside, for other hosts than `SimulatorRoutes` and for measurements. */
    readonly engine: Engine.Engine
  }
>()("kakaopay-simulator/Simulator") {}

const viewOf = (payment: Store.Payment): PaymentView => ({
  tid: payment.tid,
  cid: payment.cid,
  sid: payment.sid,
  status: payment.status,
  partnerOrderId: payment.partnerOrderId,
  partnerUserId: payment.partnerUserId,
  totalAmount: payment.amount.total,
  canceledAmount: payment.canceled.total
})

const keyViewOf = (key: Store.BillingKey): BillingKeyView => ({
  sid: key.sid,
  cid: key.cid,
  partnerUserId: key.partnerUserId,
  method: key.method,
  isActive: key.inactivatedStampMillis === null
})

const randomSeed = (): number => Math.floor(Math.random() * 4_294_967_296)

/** Makes a simulator. */
export const make = (options: Options = {}): Effect.Effect<Simulator["Service"]> =>
  Effect.sync(() => makeUnsafe(options))

/** Makes a simulator outside of Effect. */
export const makeUnsafe = (options: Options = {}): Simulator["Service"] => {
  const seed = options.seed ?? randomSeed()
  const limits = { ...Limits.defaultLimits, ...options.limits }
  const engine = Engine.make({
    merchants: options.merchants ?? [Merchants.testMerchant(options.secretKey)],
    cidSecrets: options.cidSecrets ?? {},
    switches: { ...Switches.defaults, ...options.switches },
    limits,
    seed,
    clock: { offsetMillis: options.clock?.offsetMillis ?? 0, skewMillis: options.clock?.skewMillis ?? 0 },
    realNow: options.realNow ?? Date.now,
    publicOrigin: options.publicOrigin
  })

  /** Reads after the late commits that are due have landed. */
  const read = <A>(evaluate: () => A): Effect.Effect<A> =>
    Effect.sync(() => {
      engine.settle()
      return evaluate()
    })
  const added = (id: string | undefined, limit: "faultRuleCountMax" | "declineRuleCountMax") =>
    id === undefined ? Effect.fail(new LimitReached({ limit, maximum: limits[limit] })) : Effect.succeed(id)
  const act = (tid: string, action: CustomerAction, choice: CustomerChoice = {}) =>
    Effect.suspend(() =>
      Effect.fromResult(
        Result.mapError(
          engine.customer({ tid }, action, choice.method),
          (reason) => new CustomerActionRejected({ tid, action, reason })
        )
      )
    )

  return Simulator.of({
    seed,
    ledger: {
      entries: (filter) => read(() => engine.store().ledger.select(filter)),
      totals: (filter) => read(() => engine.store().ledger.totals(filter))
    },
    calls: {
      list: (filter) => read(() => engine.calls().select(filter)),
      received: read(() => engine.calls().received())
    },
    faults: {
      add: (rule) => Effect.suspend(() => added(engine.faults.add(rule), "faultRuleCountMax")),
      list: read(() => engine.faults.list()),
      remove: (id) => read(() => engine.faults.remove(id)),
      clear: read(() => engine.faults.clear()),
      lateCommitsPending: read(() => engine.pendingCount())
    },
    declines: {
      add: (rule) => Effect.suspend(() => added(engine.declines.add(rule), "declineRuleCountMax")),
      list: read(() => engine.declines.list()),
      remove: (id) => read(() => engine.declines.remove(id)),
      clear: read(() => engine.declines.clear())
    },
    clock: {
      nowMillis: Effect.sync(() => engine.clock.nowMillis()),
      settings: Effect.sync(() => engine.clock.settings()),
      set: (settings) =>
        Effect.sync(() => {
          engine.clock.set(settings)
          engine.settle()
          return engine.clock.settings()
        }),
      advance: (millis) =>
        Effect.sync(() => {
          engine.clock.set({ offsetMillis: engine.clock.settings().offsetMillis + millis })
          engine.settle()
          return engine.clock.settings()
        })
    },
    customers: {
      approve: (tid, choice) => act(tid, "approve", choice),
      cancel: (tid, choice) => act(tid, "cancel", choice),
      fail: (tid, choice) => act(tid, "fail", choice),
      abandon: (tid, choice) => act(tid, "abandon", choice),
      act
    },
    payments: {
      find: (tid) => read(() => Option.map(Option.fromNullishOr(engine.store().payments.get(tid)), viewOf))
    },
    billingKeys: {
      find: (sid) => read(() => Option.map(Option.fromNullishOr(engine.store().billingKeys.get(sid)), keyViewOf)),
      issue: (key) =>
        Effect.suspend(() => {
          const cids = [...engine.merchants.values()].flatMap((merchant) => merchant.subscriptionCids)
          const issued = BillingKeys.issue(engine.store(), {
            cid: key.cid ?? cids[0] ?? "TCSUBSCRIP",
            partnerUserId: key.partnerUserId,
            method: key.method ?? engine.store().switches.defaultPaymentMethod,
            itemName: key.itemName ?? null,
            moment: engine.clock.moment(engine.clock.nowMillis())
          })
          return issued === undefined
            ? Effect.fail(new LimitReached({ limit: "billingKeyCountMax", maximum: limits.billingKeyCountMax }))
            : Effect.succeed(issued.sid)
        }),
      inactivate: (sid) =>
        Effect.suspend(() => {
          engine.settle()
          const key = engine.store().billingKeys.get(sid)
          if (key === undefined) return Effect.fail(new UnknownBillingKey({ sid }))
          key.inactivatedStampMillis ??= engine.clock.moment(engine.clock.nowMillis()).stampMillis
          return Effect.void
        })
    },
    switches: {
      get: Effect.sync(() => engine.store().switches),
      set: (patch) =>
        Effect.sync(() => {
          const store = engine.store()
          store.switches = { ...store.switches, ...patch }
          return store.switches
        })
    },
    reset: Effect.sync(() => engine.reset()),
    publicOrigin: Effect.sync(() => Option.fromUndefinedOr(engine.publicOrigin())),
    setPublicOrigin: (origin) => Effect.sync(() => engine.setPublicOrigin(origin)),
    limits,
    engine
  })
}

/** A simulator without a port. */
export const layer = (options?: Options): Layer.Layer<Simulator> => Layer.effect(Simulator, make(options))
