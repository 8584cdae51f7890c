/**
 * Whether this server is ready, and the sandbox of client developers.
 *
 * @since 0.1.0
 */
import { Readiness, Sandbox } from "@pillivery/adapters-http/Operations"
import { runBilling } from "@pillivery/application/Billing/RunBilling"
import { drain } from "@pillivery/application/Events/Relay"
import { sendMessages } from "@pillivery/application/Events/SendMessages"
import { ProtocolSettings } from "@pillivery/application/Payments/ProtocolSettings"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { CartStore } from "@pillivery/application/ports/CartStore"
import { Outbox } from "@pillivery/application/ports/Outbox"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { UserId } from "@pillivery/domain/Ids"
import { Context, Effect, Layer, MutableRef, Scope } from "effect"
import { foldSales } from "./Background.ts"
import { ProviderClock } from "./Provider.ts"

/** How long a part may take to show that it is up, in milliseconds. */
export const checkMillisMax = 1_000
/** How often the sandbox looks whether everything is delivered. */
export const drainRoundsMax = 100

const drainPauseMillis = 50
// Nobody's cart: reading it shows that carts can be read.
const nobody = UserId.make("00000000-0000-7000-8000-000000000000")

/** Whether the server takes requests; false from the start of the shutdown on. */
export class Accepting extends Context.Service<Accepting, MutableRef.MutableRef<boolean>>()(
  "@pillivery/api-server/Accepting"
) {}

/** Not accepting yet. */
export const layerAccepting = Layer.sync(Accepting, () => MutableRef.make(false))

/** Ready while it accepts, and rows and carts can be read. */
export const layerReadiness = Layer.effect(
  Readiness,
  Effect.gen(function* () {
    const accepting = yield* Accepting
    const clock = yield* BusinessClock
    const carts = yield* CartStore
    const check = <A, E>(name: string, effect: Effect.Effect<A, E>) =>
      effect.pipe(
        Effect.timeout(checkMillisMax),
        Effect.match({ onFailure: () => ({ name, isUp: false }), onSuccess: () => ({ name, isUp: true }) })
      )
    const all = Effect.all([check("database", clock.databaseNow), check("carts", carts.get(nobody, "normal"))], {
      concurrency: "unbounded"
    })
    return Readiness.of({
      check: Effect.map(all, (checks) => ({
        isReady: MutableRef.get(accepting) && checks.every(({ isUp }) => isUp),
        checks
      }))
    })
  })
)

/** No sandbox. */
export const layerNoSandbox = Layer.succeed(Sandbox, { controls: null })

type Needed =
  | Effect.Services<ReturnType<typeof drain>>
  | Effect.Services<ReturnType<typeof sendMessages>>
  | Effect.Services<ReturnType<typeof foldSales>>
  | Effect.Services<ReturnType<typeof runBilling>>

/** The sandbox: the clock moves, for the provider too; events are delivered and billing is run at once. */
export const layerSandbox = Layer.effect(
  Sandbox,
  Effect.gen(function* () {
    const services = Context.omit(Scope.Scope)(yield* Effect.context<Needed>())
    const clock = yield* BusinessClock
    const outbox = yield* Outbox
    const providerClock = yield* ProviderClock
    const { owner } = yield* ProtocolSettings

    const drainAll = Effect.gen(function* () {
      let delivered = 0
      for (let round = 0; ; round++) {
        delivered += yield* drain()
        const { dead, pending } = yield* outbox.counts
        if (pending === 0 || round >= drainRoundsMax) {
          yield* sendMessages()
          yield* foldSales()
          return { delivered, pending, dead }
        }
        // Another server, or our own relay, is at it; or a delivery waits to be tried again.
        yield* Effect.sleep(drainPauseMillis)
      }
    })

    return Sandbox.of({
      controls: {
        advanceClock: Effect.fn("Sandbox.advanceClock")(function* (by) {
          yield* clock.advance(by)
          yield* providerClock.follow(yield* clock.offset)
          return yield* clock.now
        }),
        drain: Effect.provideContext(drainAll, services),
        runBilling: Effect.gen(function* () {
          const date = BusinessDate.fromInstant(yield* clock.now)
          const { counts, owed } = yield* runBilling({ date, worker: owner })
          return { date, counts, owed }
        }).pipe(Effect.provideContext(services))
      }
    })
  })
)

/** The provider's clock stands where ours does, also when ours was moved before this process began. */
export const layerClockFollows = Layer.effectDiscard(
  Effect.gen(function* () {
    const clock = yield* BusinessClock
    yield* (yield* ProviderClock).follow(yield* clock.offset)
  })
)
