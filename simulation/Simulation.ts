/**
 * One shop, its customers and its provider, for as many days as wanted, from one seed.
 *
 * The shop is the application on memory adapters. A server that relays events and reconciles, and the billing workers of
 * each day are machines that may die or sleep at any step; the store loses answers of commits and shows old rows; the provider
 * refuses, loses answers, commits late and has a clock of its own; customers buy, cancel, ask for refunds and register
 * keys, by preference while a run is under way. Every day everything in Rules.ts is checked. At the end all faults stop,
 * and what then is still not right is wrong for good.
 *
 * @since 0.1.0
 */
import * as Mailer from "@pillivery/adapters-memory/Mailer"
import * as Memory from "@pillivery/adapters-memory/Memory"
import * as IdGenerators from "@pillivery/adapters-memory/IdGenerator"
import * as Orders from "@pillivery/adapters-memory/OrderRepository"
import * as Store from "@pillivery/adapters-memory/Store"
import * as Subscriptions from "@pillivery/adapters-memory/SubscriptionRepository"
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import type { ChargeGate } from "@pillivery/application/Billing/ChargeGate"
import { runBilling } from "@pillivery/application/Billing/RunBilling"
import { verify } from "@pillivery/application/Billing/Verify"
import { expireOrders } from "@pillivery/application/Checkout/ExpireOrders"
import { drain } from "@pillivery/application/Events/Relay"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { CallbackUrls } from "@pillivery/application/Payments/CallbackUrls"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import { ProtocolSettings, settingsDefault } from "@pillivery/application/Payments/ProtocolSettings"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { requestPayment } from "@pillivery/application/Payments/RequestPayment"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { Outbox } from "@pillivery/application/ports/Outbox"
import { requestRefund } from "@pillivery/application/Refunds/RequestRefund"
import { cancelSubscription } from "@pillivery/application/Subscriptions/CancelSubscription"
import {
  changeSubscription,
  pauseSubscription,
  postponeDelivery,
  resumeSubscription,
  skipDelivery
} from "@pillivery/application/Subscriptions/ChangeSubscription"
import { requestBillingKey } from "@pillivery/application/Subscriptions/RegisterBillingKey"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Blocked, Hard, Soft } from "@pillivery/domain/DeclineReason"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import type { DunningPolicy } from "@pillivery/domain/DunningPolicy"
import { ItemId, OrderId, OrderLineId, UserId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import type { SubscriptionOrder } from "@pillivery/domain/SubscriptionOrder"
import { Won } from "@pillivery/domain/Won"
import {
  Cause,
  Clock,
  Context,
  DateTime,
  Duration,
  Effect,
  type Exit,
  Layer,
  Random,
  References,
  Scheduler,
  Scope
} from "effect"
import { Chance } from "./Chance.ts"
import { type Fate, Machine, points } from "./Machine.ts"
import * as Rules from "./Rules.ts"
import { Trace } from "./Trace.ts"
import { VirtualTime } from "./VirtualTime.ts"

/** What may go wrong; each can be left out, to find the least that breaks a rule. */
export const faultNames = [
  "deaths",
  "sleeps",
  "lostAnswers",
  "lateCommits",
  "declines",
  "denials",
  "lostCommits",
  "staleReads",
  "clockMoves",
  "clockOffset",
  "lateEvidence",
  "commands",
  "rivals",
  "awkwardHours"
] as const
/** One kind of fault. */
export type Fault = (typeof faultNames)[number]

/** What is simulated. */
export interface Options {
  readonly seed: number
  readonly days: number
  readonly users: number
  readonly faults: ReadonlyArray<Fault>
}

/** What came of it. */
export interface Outcome {
  readonly options: Options
  readonly firstDate: BusinessDate.BusinessDate
  readonly violations: ReadonlyArray<Rules.Violation>
  /** The day on which the first rule broke. */
  readonly brokenOn: BusinessDate.BusinessDate | null
  readonly story: ReadonlyArray<string>
  readonly fingerprint: string
  readonly counts: {
    readonly steps: number
    readonly captures: number
    readonly refunds: number
    readonly unknown: number
    readonly deaths: number
    readonly sleeps: number
  }
}

/** Days at the end on which nothing goes wrong: longer than the ladder and every grace. */
export const quietDays = 12
/** The first day: a leap day and ends of months of all lengths lie ahead. */
const firstDate = BusinessDate.BusinessDate.make("2027-11-20")

const minuteMillis = 60_000
const hourMillis = 60 * minuteMillis
const minutesPerDay = 24 * 60
const usualRunMinute = 10 * 60
/** Around midnight, at the edges of the bank check, and the last minute of a day. */
const awkwardRunMinutes = [1, 46, 23 * 60 + 10, 23 * 60 + 19, 23 * 60 + 50, 23 * 60 + 59]
const lastRelayMinute = minutesPerDay - 5
const naps: ReadonlyArray<readonly [weight: number, millis: number]> = [
  [1, 20_000],
  [1, 3 * minuteMillis],
  [1, 40 * minuteMillis],
  [2, 13 * hourMillis],
  [1, 30 * hourMillis]
]
const clockMoves = [30_000, 20 * minuteMillis, 5 * hourMillis, 14 * hourMillis]
/** Shorter than the grace: the provider's evidence is then always right, and a second capture never is. */
const lateChargeMillisMax = 3 * hourMillis
/** Shorter than the grace of approvals. */
const lateApprovalMillisMax = 20 * minuteMillis
/** How far business time may be moved ahead, in hours. */
const offsetHoursMax = 100
/** How far behind the provider's lookups may be. */
const evidenceLagMillisMax = 45_000
const crossingsPerRunMax = 400
const crossingsPerServerMax = 2_000
const restartsMax = 2

const softDecline = new Soft({ kind: "InsufficientFunds", code: "LACK_BALANCE", message: "잔액 부족" })
const hardDecline = new Hard({ kind: "BillingKeyRevoked", code: "-751", message: "inactive" })
const blockedDecline = new Blocked({ kind: "MonthlyUsesExceeded", code: "-752", message: "" })

interface User {
  readonly id: UserId
  readonly name: string
  orders: Array<Order.Order>
  nextPurchase: number
}

type Ports = Layer.Success<typeof Memory.layerPorts> | Store.Store
type Mailed = Layer.Success<typeof Mailer.layerNone>
type BaseServices = Ports | IdGenerator | Mailed | MemoryProvider.MemoryProvider | PaymentStrategies | CallbackUrls
type Services = BaseServices | MoneyCalls.MoneyCalls | ChargeGate

/** Simulates one shop. */
export const simulate = (options: Options): Outcome => new Simulation(options).run()

class Simulation {
  readonly #options: Options
  readonly #days: Chance
  readonly #fates: Chance
  readonly #provider: Chance
  readonly #stores: Chance
  readonly #customers: Chance
  readonly #time: VirtualTime
  readonly #trace: Trace
  readonly #base: Context.Context<BaseServices>
  readonly #settings
  readonly #users: ReadonlyArray<User>
  readonly #answers: Array<Rules.Definite> = []
  readonly #heard: Array<Rules.Heard> = []
  /** Business time is this far ahead of the machines' and the database's. */
  readonly #offsetMillis: number
  readonly #violations: Array<Rules.Violation> = []
  readonly #counts = { captures: 0, refunds: 0, unknown: 0, deaths: 0, sleeps: 0 }
  #isQuiet = false
  #isChecking = true
  #server: Machine | null = null
  #serverContext: Context.Context<Services> | null = null
  #machines = 0

  constructor(options: Options) {
    this.#options = options
    const chance = (name: string) => new Chance(options.seed, name)
    this.#days = chance("days")
    this.#fates = chance("fates")
    this.#provider = chance("provider")
    this.#stores = chance("stores")
    this.#customers = chance("customers")
    const startMillis = BusinessDate.instantAt(firstDate).epochMilliseconds
    this.#offsetMillis = options.faults.includes("clockOffset") ? this.#days.below(offsetHoursMax) * hourMillis : 0
    this.#time = new VirtualTime(startMillis - this.#offsetMillis, chance("tasks"))
    this.#trace = new Trace(() => this.#nowMillis)
    const dunningPolicy: DunningPolicy = {
      ladderDays: [1, 3, 5],
      finalAction: this.#days.pick(["cancel", "skip", "cancel"])
    }
    this.#settings = { ...settingsDefault, dunningPolicy }
    const random = chance("random")
    const around = Context.make(Clock.Clock, this.#time).pipe(
      Context.add(Scheduler.Scheduler, this.#time),
      Context.add(Random.Random, {
        nextIntUnsafe: () => random.below(Number.MAX_SAFE_INTEGER),
        nextDoubleUnsafe: () => random.next()
      }),
      Context.add(References.TracerEnabled, false),
      Context.add(References.MinimumLogLevel, "None")
    )
    this.#base = this.#now(
      around,
      Effect.map(Layer.buildWithMemoMap(this.#baseLayer(), Layer.makeMemoMapUnsafe(), Scope.makeUnsafe()), (services) =>
        Context.merge(around, services)
      )
    )
    this.#now(this.#base, this.#prepareProvider())
    this.#users = Array.from({ length: options.users }, (_, index) => ({
      id: UserId.make(
        this.#now(
          this.#base,
          Effect.flatMap(IdGenerator, ({ next }) => next)
        )
      ),
      name: `customer ${index + 1}`,
      orders: [],
      nextPurchase: this.#customers.below(30)
    }))
    this.#isChecking = false
  }

  run(): Outcome {
    let brokenOn: BusinessDate.BusinessDate | null = null
    const { days } = this.#options
    for (let day = 0; day < days && this.#violations.length === 0; day++) {
      this.#isQuiet = day >= days - quietDays
      const date = BusinessDate.addDays(firstDate, day)
      // A clock that was moved may have passed the whole day.
      if (BusinessDate.instantAt(BusinessDate.addDays(date, 1)).epochMilliseconds <= this.#nowMillis) continue
      this.#passDay(date, day)
      this.#check(date, day === days - 1)
      if (this.#violations.length > 0) brokenOn = date
    }
    const about = this.#violations.flatMap((violation) => violation.about).filter((name) => name !== "")
    return {
      options: this.#options,
      firstDate,
      violations: this.#violations,
      brokenOn,
      story: [
        ...this.#trace.story([...about, ...this.#customersOf(about)]),
        ...this.#read((rows) => Rules.describe(rows, about))
      ],
      fingerprint: this.#trace.fingerprint,
      counts: { ...this.#counts, steps: this.#trace.steps }
    }
  }

  /** Business time. */
  get #nowMillis(): number {
    return this.#time.currentTimeMillisUnsafe() + this.#offsetMillis
  }

  #passUntil(businessMillis: number): void {
    this.#time.runUntil(Math.max(businessMillis, this.#nowMillis) - this.#offsetMillis)
  }

  #may(fault: Fault, probability: number, chance: Chance): boolean {
    // Drawn in any case, so that leaving a fault out changes little else.
    const happens = chance.happens(probability)
    return happens && !this.#isQuiet && !this.#isChecking && this.#options.faults.includes(fault)
  }

  // ---------------------------------------------------------------------------
  // The world
  // ---------------------------------------------------------------------------

  #baseLayer() {
    const store = Store.layerFaulty({
      commit: () => {
        const isLost = this.#may("lostCommits", 0.004, this.#stores)
        const isKept = this.#stores.happens(0.5)
        return isLost ? (isKept ? "keptUntold" : "lostUntold") : "kept"
      },
      behind: () => (this.#may("staleReads", 0.03, this.#stores) ? this.#stores.between(1, Store.behindMax) : 0)
    })
    return Layer.mergeAll(
      Memory.layerPorts.pipe(Layer.provideMerge(store)),
      IdGenerators.layerSequential(this.#options.seed),
      MemoryProvider.layer,
      Mailer.layerNone,
      Layer.succeed(CallbackUrls, { of: (attemptId, way) => `simulation:${attemptId}/${way}` })
    )
  }

  #prepareProvider() {
    const ahead = this.#options.faults.includes("clockOffset") ? this.#provider.between(-30_000, 30_000) : 0
    return Effect.gen({ self: this }, function* () {
      const provider = yield* MemoryProvider.MemoryProvider
      yield* provider.setClockOffset(this.#offsetMillis + ahead)
      yield* provider.setEvidenceLag(() =>
        this.#may("lateEvidence", 0.2, this.#provider) ? this.#provider.below(evidenceLagMillisMax) : 0
      )
      yield* (yield* BusinessClock).advance(Duration.millis(this.#offsetMillis))
      yield* provider.decide((call) => {
        this.#checkCall(call)
        const behaviour = this.#behaviour(call)
        if (behaviour._tag !== "Execute")
          this.#trace.tell(`the provider: ${describe(behaviour)} for ${call.kind} ${call.cause}`)
        if (call.kind === "charge") this.#noteAnswer(call.cause, behaviour)
        return behaviour
      })
    })
  }

  #behaviour({ kind }: MemoryProvider.MoneyCall): MemoryProvider.Behaviour {
    const chance = this.#provider
    const lost = this.#may("lostAnswers", 0.08, chance)
    const late = this.#may("lateCommits", 0.03, chance)
    const declined = this.#may("declines", 0.1, chance)
    const denied = this.#may("denials", 0.04, chance)
    const draw = chance.next()
    if (lost) return { _tag: draw < 0.5 ? "LoseAnswer" : "LoseRequest" }
    if (late) {
      const millisMax = kind === "approve" ? lateApprovalMillisMax : lateChargeMillisMax
      return { _tag: "CommitLate", afterMillis: Math.ceil(draw * millisMax) }
    }
    if (denied) {
      if (draw < 0.25 && kind === "charge") return { _tag: "DenyExecuted" }
      return { _tag: "NotExecuted", why: draw < 0.6 ? "local" : draw < 0.9 ? "word" : "ours" }
    }
    if (declined && kind === "charge") {
      return { _tag: "Decline", reason: draw < 0.75 ? softDecline : draw < 0.9 ? hardDecline : blockedDecline }
    }
    if (declined && kind === "approve") return { _tag: "Decline", reason: softDecline }
    return { _tag: "Execute" }
  }

  #noteAnswer(cause: string, behaviour: MemoryProvider.Behaviour): void {
    if (behaviour._tag !== "Execute" && behaviour._tag !== "Decline") return
    const outcome = behaviour._tag === "Execute" ? "approved" : behaviour.reason._tag === "Soft" ? "soft" : "other"
    this.#answers.push({ cause, date: BusinessDate.fromInstant(DateTime.makeUnsafe(this.#nowMillis)), outcome })
  }

  // Runs what does not sleep, at once.
  #now<A, E, R>(context: Context.Context<R>, effect: Effect.Effect<A, E, R>): A {
    const fiber = Effect.runForkWith(context)(effect, { scheduler: this.#time })
    if (fiber.pollUnsafe() === undefined) this.#passUntil(this.#nowMillis)
    const exit: Exit.Exit<A, E> | undefined = fiber.pollUnsafe()
    if (exit === undefined) throw new Error("it waits for something")
    if (exit._tag === "Failure") throw new Error(Cause.pretty(exit.cause))
    return exit.value
  }

  #start(role: string, fate: Fate | null): readonly [Machine, Context.Context<Services>] {
    const machine = new Machine({
      name: `${role} ${++this.#machines}`,
      fate,
      time: this.#time,
      chance: this.#fates,
      trace: this.#trace
    })
    const strategy = machine.strategy(Context.get(this.#base, PaymentStrategies).preferred, (cause, answer) => {
      if (answer._tag === "Unknown") this.#counts.unknown++
      if (answer._tag === "Approved" || answer._tag === "Declined") this.#heard.push({ cause, answer, machine })
    })
    const strategies = Layer.succeed(PaymentStrategies, {
      find: (name) => (name === strategy.provider ? strategy : null),
      preferred: strategy
    })
    const layer = ChargeDirectly.layer.pipe(
      Layer.provideMerge(Layer.merge(MoneyCalls.layer, strategies)),
      Layer.provideMerge(
        Memory.layerPorts.pipe(
          Layer.provideMerge(Layer.succeed(Store.Store, machine.store(Context.get(this.#base, Store.Store))))
        )
      ),
      Layer.provideMerge(Layer.succeed(ProtocolSettings, { ...this.#settings, owner: machine.name }))
    )
    const services = this.#now(this.#base, Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), Scope.makeUnsafe()))
    return [machine, Context.merge(this.#base, services)]
  }

  #read<A>(f: (rows: Store.Rows) => A): A {
    return this.#now(
      this.#base,
      Effect.flatMap(Store.Store, (store) => store.read("simulation", f))
    )
  }

  // Does something on a machine; what it fails with is foreseen, what it dies of is not.
  #do(context: Context.Context<Services>, what: string, effect: Effect.Effect<unknown, unknown, Services>): void {
    const watched = Effect.onExit(effect, (exit) =>
      Effect.sync(() => {
        if (exit._tag === "Failure" && Cause.hasDies(exit.cause)) {
          this.#violations.push({ rule: "onlyKnownFailures", found: `${what}: ${Cause.pretty(exit.cause)}`, about: [] })
        }
      })
    )
    Effect.runForkWith(context)(watched, { scheduler: this.#time })
  }

  // ---------------------------------------------------------------------------
  // A day
  // ---------------------------------------------------------------------------

  #passDay(date: BusinessDate.BusinessDate, day: number): void {
    const plan: Array<readonly [atMillis: number, act: () => void]> = []
    const midnight = BusinessDate.instantAt(date).epochMilliseconds
    const at = (minute: number, act: () => void) => plan.push([midnight + Math.floor(minute * minuteMillis), act])
    const anyMinute = (chance: Chance) => chance.next() * (minutesPerDay - 1)

    // A server is replaced now and then; what the old one has begun it finishes.
    if (this.#days.happens(0.3)) this.#server = null
    const runMinute = this.#may("awkwardHours", 0.15, this.#days) ? this.#days.pick(awkwardRunMinutes) : usualRunMinute
    at(runMinute, () => this.#runBilling(restartsMax))
    if (this.#may("rivals", 0.3, this.#days)) at(runMinute + this.#days.next() / 10, () => this.#runBilling(0))
    if (this.#may("rivals", 0.1, this.#days)) at(runMinute + this.#days.next() * 3, () => this.#runBilling(0))

    const serverAt = (minute: number, what: string, effect: Effect.Effect<unknown, unknown, Services>) =>
      at(minute, () => this.#onServer(what, effect))
    for (let time = 0; time < 3; time++) serverAt(anyMinute(this.#days), "reconcile", reconcile())
    for (let time = 0; time < 4; time++) serverAt(anyMinute(this.#days), "relay", drain())
    serverAt(anyMinute(this.#days), "expire orders", expireOrders())
    serverAt(lastRelayMinute, "relay", drain())

    const live = this.#isQuiet ? new Map<UserId, Array<SubscriptionOrder>>() : this.#liveSubscriptions()
    for (const user of this.#users) {
      this.#planCustomer(user, live.get(user.id) ?? [], day, runMinute, anyMinute, serverAt)
    }
    if (this.#may("clockMoves", 0.05, this.#days)) {
      const millis = this.#days.pick(clockMoves)
      const minute = this.#days.happens(0.5) ? runMinute + this.#days.next() / 20 : anyMinute(this.#days)
      at(minute, () => {
        this.#trace.tell(`the clock goes ${Math.round(millis / 1_000)} s forward at once`)
        this.#time.move(millis)
      })
    }

    for (const [atMillis, act] of plan.toSorted(([a], [b]) => a - b)) {
      this.#passUntil(atMillis)
      act()
    }
    this.#passUntil(midnight + minutesPerDay * minuteMillis - 1)
  }

  #onServer(what: string, effect: Effect.Effect<unknown, unknown, Services>): void {
    if (this.#server === null || this.#server.isDead || this.#serverContext === null) {
      const [machine, context] = this.#start("server", this.#fate(crossingsPerServerMax))
      this.#server = machine
      this.#serverContext = context
    }
    if (this.#isQuiet) this.#server.spare()
    this.#do(this.#serverContext, what, effect)
  }

  #fate(crossingsMax: number): Fate | null {
    const chance = this.#fates
    const point = chance.happens(0.5) ? chance.pick(points) : null
    // Early crossings are as likely as late ones, on a scale of powers.
    const crossing = point === null ? Math.ceil(crossingsMax ** chance.next()) : chance.between(1, 4)
    const dies = this.#may("deaths", 0.15, chance)
    const sleeps = this.#may("sleeps", 0.12, chance)
    const sleepMillis = chance.weighed(naps)
    if (dies) {
      this.#counts.deaths++
      return { crossing, point, sleepMillis: null }
    }
    if (!sleeps) return null
    this.#counts.sleeps++
    return { crossing, point, sleepMillis }
  }

  #runBilling(restarts: number): void {
    const [machine, context] = this.#start("worker", this.#fate(crossingsPerRunMax))
    const date = BusinessDate.fromInstant(DateTime.makeUnsafe(this.#nowMillis))
    this.#do(context, "run", runBilling({ date, worker: machine.name }))
    if (restarts === 0) return
    // An operator, or cron, looks again.
    const again = Effect.sleep(this.#days.between(1, 30) * minuteMillis).pipe(
      Effect.andThen(Effect.sync(() => (machine.isDead ? this.#runBilling(restarts - 1) : undefined)))
    )
    Effect.runForkWith(this.#base)(again, { scheduler: this.#time })
  }

  // ---------------------------------------------------------------------------
  // Customers
  // ---------------------------------------------------------------------------

  #liveSubscriptions(): Map<UserId, Array<SubscriptionOrder>> {
    const live = new Map<UserId, Array<SubscriptionOrder>>()
    for (const subscription of this.#read((rows) => rows.all(Subscriptions.subscriptions))) {
      if (subscription._tag === "Cancelled") continue
      const mine = live.get(subscription.userId)
      if (mine === undefined) live.set(subscription.userId, [subscription])
      else mine.push(subscription)
    }
    return live
  }

  #planCustomer(
    user: User,
    mine: ReadonlyArray<SubscriptionOrder>,
    day: number,
    runMinute: number,
    anyMinute: (chance: Chance) => number,
    serverAt: (minute: number, what: string, effect: Effect.Effect<unknown, unknown, Services>) => void
  ): void {
    const chance = this.#customers
    const told = <A, E, R>(line: string, effect: Effect.Effect<A, E, R>) =>
      Effect.andThen(
        Effect.sync(() => this.#trace.tell(line)),
        effect
      )
    const minute = chance.happens(0.4) ? runMinute + chance.next() / 10 : anyMinute(chance)
    const [draw, second] = [chance.next(), chance.next()]
    if (this.#isQuiet) return
    const awaiting = mine.find(({ _tag }) => _tag === "AwaitingBillingKey")
    if (day >= user.nextPurchase && mine.length === 0) {
      user.nextPurchase = day + chance.between(2, 20)
      return serverAt(minute, "buy", this.#buy(user, draw, second))
    }
    if (awaiting !== undefined && draw < 0.3) {
      return serverAt(minute, "register a key", this.#registerKey(user, awaiting.id))
    }
    const subscription = mine[Math.floor(second * mine.length)]
    if (!this.#options.faults.includes("commands") || subscription === undefined) return
    if (draw < 0.006) {
      return serverAt(
        minute,
        "cancel",
        told(
          `${user.name} cancels ${subscription.id}`,
          cancelSubscription({ subscriptionId: subscription.id, userId: user.id, reason: "owner" })
        )
      )
    }
    if (draw < 0.03) {
      const [name, command] = this.#ownerCommand(subscription)
      return serverAt(minute, name, told(`${user.name} wants to ${name} ${subscription.id}`, command))
    }
    if (draw < 0.038) {
      const paid = this.#read((rows) => rows.list(Orders.orders, "user", { prefix: user.id, limit: 100 })).filter(
        ({ _tag }) => _tag === "Paid"
      )
      const order = paid[Math.floor(second * paid.length)]
      if (order === undefined) return
      const refund = requestRefund({ orderId: order.id, userId: user.id, lines: "rest", reason: "변심" })
      serverAt(minute, "refund", told(`${user.name} wants ${order.id} back`, refund))
    }
  }

  #buy(user: User, draw: number, second: number) {
    const trace = this.#trace
    const periods = [30, 31, 45, 60, 90, 120]
    return Effect.gen(function* () {
      const ids = yield* IdGenerator
      const lines: Array<Order.OrderLine> = []
      for (let index = 0; index < 1 + Math.floor(draw * 3); index++) {
        const itemId = ItemId.make(yield* ids.next)
        yield* (yield* ItemRepository).insert([Fixtures.item({ id: itemId })])
        lines.push(
          Order.OrderLine.make({
            id: OrderLineId.make(yield* ids.next),
            itemId,
            itemName: "비타민 C 1000",
            originPrice: Won.make(30_000),
            unitPrice: Won.make(10_000 + 100 * index),
            quantity: Quantity.make(1 + index),
            period: DeliveryPeriod.make(periods[Math.floor(second * periods.length)] ?? 30),
            refundedQuantity: 0
          })
        )
      }
      const order = yield* Effect.fromResult(
        Order.place({
          id: OrderId.make(yield* ids.next),
          userId: user.id,
          origin: new Order.FromLines({}),
          lines,
          receiver: Fixtures.receiver(),
          at: yield* (yield* BusinessClock).now
        })
      )
      yield* (yield* OrderRepository).insert(order)
      trace.tell(`${user.name} buys ${order.id}: ${lines.map((line) => line.id).join(", ")}`)
      const pay = payAs(order)
      if (second < 0.1) yield* Effect.all([pay, pay], { concurrency: 2 })
      else yield* pay
      yield* Effect.sleep(Math.ceil(draw * hourMillis))
      // Who does not know whether it worked tries again.
      if (second > 0.5) yield* pay
    })
  }

  #ownerCommand({
    _tag,
    id,
    userId
  }: SubscriptionOrder): readonly [name: string, command: Effect.Effect<unknown, unknown, Services>] {
    const chance = this.#customers
    const days = chance.between(1, 30)
    const owned = { subscriptionId: id, userId }
    const pauseUntil = Effect.gen(function* () {
      const today = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
      return yield* pauseSubscription({ ...owned, resumeOn: BusinessDate.addDays(today, days) })
    })
    if (_tag === "Paused") return ["resume", resumeSubscription(owned)]
    return chance.pick<readonly [string, Effect.Effect<unknown, unknown, Services>]>([
      ["postpone", postponeDelivery({ ...owned, days })],
      ["skip", skipDelivery(owned)],
      ["pause", pauseSubscription({ ...owned, resumeOn: null })],
      ["pause for some days", pauseUntil],
      ["change the quantity of", changeSubscription({ ...owned, quantity: Quantity.make(1 + (days % 3)) })],
      ["change the period of", changeSubscription({ ...owned, period: DeliveryPeriod.make(30 + days) })]
    ])
  }

  #registerKey(user: User, subscriptionId: Parameters<typeof requestBillingKey>[0]["subscriptionId"]) {
    return Effect.gen(function* () {
      const waiting = yield* requestBillingKey({ subscriptionId, userId: user.id })
      yield* approveAs(waiting)
    })
  }

  // A story is told of whoever owns what it is about.
  #customersOf(ids: ReadonlyArray<string>): ReadonlyArray<string> {
    const owners = this.#read((rows) =>
      ids.flatMap(
        (id) => rows.get(Subscriptions.subscriptions, id)?.userId ?? rows.get(Orders.orders, id)?.userId ?? []
      )
    )
    return this.#users.filter((user) => owners.includes(user.id)).map((user) => `${user.name} `)
  }

  // ---------------------------------------------------------------------------
  // Judging
  // ---------------------------------------------------------------------------

  // What a call must find committed at the moment it is sent.
  #checkCall(call: MemoryProvider.MoneyCall): void {
    this.#isChecking = true
    this.#violations.push(...this.#read((rows) => Rules.checkCall(rows, call)))
    this.#isChecking = false
  }

  #check(date: BusinessDate.BusinessDate, isLast: boolean): void {
    this.#isChecking = true
    const movements = this.#now(
      this.#base,
      Effect.flatMap(MemoryProvider.MemoryProvider, (provider) => provider.movements)
    )
    this.#counts.captures = movements.filter(({ kind }) => kind === "capture").length
    this.#counts.refunds = movements.length - this.#counts.captures
    const broken = this.#read((rows) => {
      const evidence: Rules.Evidence = {
        rows,
        movements,
        answers: this.#answers,
        heard: this.#heard,
        today: date,
        ladderDays: this.#settings.dunningPolicy.ladderDays
      }
      return [...Rules.checkAlways(evidence), ...(isLast ? Rules.checkQuiet(evidence) : [])]
    })
    const books = this.#now(this.#base, verify()).broken.map(({ rows, sentence }): Rules.Violation => ({
      rule: "booksAreRight",
      found: `${sentence} ${rows.map(({ found, id }) => `${id}: ${found}`).join("; ")}`,
      about: rows.map(({ id }) => id)
    }))
    this.#violations.push(...broken, ...books)
    if (isLast) {
      const { dead, pending } = this.#now(
        this.#base,
        Effect.flatMap(Outbox, ({ counts }) => counts)
      )
      if (dead + pending > 0) {
        this.#violations.push({ rule: "everyoneIsTold", found: `${pending} wait and ${dead} were given up`, about: [] })
      }
    }
    this.#isChecking = false
  }
}

const approveAs = (waiting: {
  readonly id: Parameters<typeof approvePayment>[0]
  readonly transactionId: Parameters<MemoryProvider.MemoryProvider["Service"]["approveAsCustomer"]>[0]
}) =>
  Effect.gen(function* () {
    const provider = yield* MemoryProvider.MemoryProvider
    yield* Effect.sleep("1 minute")
    const token = yield* provider.approveAsCustomer(waiting.transactionId)
    yield* approvePayment(waiting.id, token)
  })

// Whatever comes of it: a customer may find the payment refused, in progress, or done.
const payAs = (order: Order.Order) =>
  requestPayment({ orderId: order.id, userId: order.userId }).pipe(
    Effect.flatMap(approveAs),
    Effect.catch(() => Effect.void)
  )

const describe = (behaviour: MemoryProvider.Behaviour): string => {
  switch (behaviour._tag) {
    case "Decline":
      return `${behaviour.reason._tag} decline`
    case "NotExecuted":
      return `not executed (${behaviour.why})`
    case "CommitLate":
      return `commits ${Math.round(behaviour.afterMillis / 1_000)} s late`
    default:
      return behaviour._tag
  }
}
