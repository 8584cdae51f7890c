import { assert, it } from "@effect/vitest"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import { Duration, Effect } from "effect"
import { suite } from "../../src/testing/PaymentStrategySuite.ts"
import * as World from "../World.ts"
import { layerWorld } from "./MemoryWorld.ts"

suite("MemoryProvider", layerWorld)

it.effect("the provider tells an approval as its clock stood then, also when it is moved in the same moment", () =>
  Effect.gen(function* () {
    const provider = yield* MemoryProvider
    const { key } = yield* World.subscribe()
    if (key?._tag !== "Active") return assert.fail("the key is not active")
    const shown = Effect.map(
      provider.strategy.lookupBillingKey({ merchantAccount: key.merchantAccount, billingKey: key.billingKey }),
      (found) => ("lastApprovedAt" in found ? found.lastApprovedAt : null)
    )
    const before = yield* shown
    yield* provider.setClockOffset(Duration.toMillis(Duration.days(30)))
    assert.isNotNull(before)
    assert.deepStrictEqual(yield* shown, before)
  }).pipe(Effect.provide(World.layer))
)
