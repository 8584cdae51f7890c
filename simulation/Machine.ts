/**
 * A process of the shop that may die or fall asleep at every step it takes.
 *
 * All machines share one store and one provider. Each has its own gate to the provider and its own name in leases, and
 * passes a crossing before and after whatever others can see of it: every statement, every commit, every call. A dead
 * machine never comes back from a crossing, so that nothing tidies up after it: its transaction is rolled back, as a
 * database does when a connection breaks, and its leases stay. A sleeping one goes on later, in another world.
 *
 * @since 0.1.0
 */
import { Store } from "@pillivery/adapters-memory/Store"
import type { PaymentStrategy } from "@pillivery/domain/PaymentStrategy"
import type { ProviderAnswer } from "@pillivery/domain/ProviderAnswer"
import { Context, Effect, Exit } from "effect"
import type { Chance } from "./Chance.ts"
import type { Trace } from "./Trace.ts"
import type { VirtualTime } from "./VirtualTime.ts"

/** What befalls a machine when it passes its `crossing`th crossing, or its `crossing`th of one `point`. */
export interface Fate {
  readonly crossing: number
  readonly point: string | null
  /** How long it sleeps; null where it dies. */
  readonly sleepMillis: number | null
}

/** Points between which most that matters happens; a fate may wait for one of them. */
export const points = [
  "commit",
  "after the commit",
  "charge",
  "the answer to charge",
  "approve",
  "the answer to approve",
  "refund",
  "the answer to refund",
  "Outbox.complete"
]

/** How likely another fiber goes first at a crossing. */
const yieldProbability = 0.2
/** The longest a provider's answer is under way, in milliseconds; most are quick. */
const latencyMillisMax = 2_000

const InTransaction = Context.Reference<boolean>("@pillivery/simulation/InTransaction", { defaultValue: () => false })

const killed = new Error("the machine is dead")

/** One process. */
export class Machine {
  readonly name: string
  readonly #time: VirtualTime
  readonly #chance: Chance
  readonly #trace: Trace
  #fate: Fate | null
  #crossings = 0
  #awaited = 0
  #asleepUntil = 0
  #isDead = false

  constructor(options: {
    readonly name: string
    readonly fate: Fate | null
    readonly time: VirtualTime
    readonly chance: Chance
    readonly trace: Trace
  }) {
    this.name = options.name
    this.#fate = options.fate
    this.#time = options.time
    this.#chance = options.chance
    this.#trace = options.trace
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Nothing more befalls it. */
  spare(): void {
    this.#fate = null
  }

  /** Passes a point at which the machine may die, sleep, or let others go first. */
  crossing(point: string): Effect.Effect<void> {
    return Effect.flatMap(InTransaction, (isInside) => this.#pass(point, isInside))
  }

  #pass(point: string, isInside: boolean): Effect.Effect<void> {
    if (!this.#isDead) {
      this.#crossings++
      this.#trace.step(this.#time.currentTimeMillisUnsafe(), this.name, point)
      this.#suffer(point, isInside)
    }
    if (this.#isDead) return isInside ? Effect.die(killed) : Effect.never
    const asleepMillis = this.#asleepUntil - this.#time.currentTimeMillisUnsafe()
    if (asleepMillis > 0 && !isInside) return Effect.sleep(asleepMillis)
    return this.#chance.happens(yieldProbability) ? Effect.yieldNow : Effect.void
  }

  // A machine that slept in a transaction would find it rolled back, which dying shows as well; so it sleeps outside.
  #suffer(point: string, isInside: boolean): void {
    const fate = this.#fate
    if (fate === null) return
    if (point === fate.point) this.#awaited++
    if ((fate.point === null ? this.#crossings : this.#awaited) < fate.crossing) return
    if (fate.sleepMillis === null) {
      this.#isDead = true
      this.#trace.tell(`${this.name} is killed before ${point}`)
    } else if (!isInside) {
      this.#asleepUntil = this.#time.currentTimeMillisUnsafe() + fate.sleepMillis
      this.#trace.tell(`${this.name} is stopped before ${point} for ${Math.round(fate.sleepMillis / 1_000)} s`)
      this.#fate = null
    }
  }

  /** The store as this machine reaches it. */
  store(shared: Store["Service"]): Store["Service"] {
    return Store.of({
      read: (operation, f) => Effect.andThen(this.crossing(operation), shared.read(operation, f)),
      write: (operation, f) => Effect.andThen(this.crossing(operation), shared.write(operation, f)),
      transaction: (effect) =>
        Effect.flatMap(InTransaction, (isInside) => {
          if (isInside) return shared.transaction(effect)
          const work = Effect.tap(effect, () => this.crossing("commit"))
          return this.crossing("begin").pipe(
            Effect.andThen(shared.transaction(Effect.provideService(work, InTransaction, true))),
            Effect.onExit((exit) =>
              this.#isDead || Exit.isSuccess(exit) ? this.crossing("after the commit") : Effect.void
            )
          )
        })
    })
  }

  /** The provider as this machine reaches it; `heard` is told of each answer to a charge that reached it. */
  strategy(shared: PaymentStrategy, heard: (cause: string, answer: ProviderAnswer) => void): PaymentStrategy {
    const reach =
      <Request, Answer>(name: string, call: (request: Request) => Effect.Effect<Answer>) =>
      (request: Request): Effect.Effect<Answer> =>
        this.crossing(name).pipe(
          Effect.andThen(call(request)),
          Effect.tap(() => Effect.sleep(Math.ceil(this.#chance.next() ** 4 * latencyMillisMax))),
          Effect.tap(() => this.crossing(`the answer to ${name}`))
        )
    return {
      provider: shared.provider,
      merchantAccountFor: shared.merchantAccountFor,
      prepare: reach("prepare", shared.prepare),
      approve: reach("approve", shared.approve),
      charge: (request) =>
        Effect.tap(reach("charge", shared.charge)(request), (answer) =>
          Effect.sync(() => heard(request.attemptId, answer))
        ),
      refund: reach("refund", shared.refund),
      deactivate: reach("deactivate", shared.deactivate),
      lookupPayment: reach("lookupPayment", shared.lookupPayment),
      lookupBillingKey: reach("lookupBillingKey", shared.lookupBillingKey)
    }
  }
}
