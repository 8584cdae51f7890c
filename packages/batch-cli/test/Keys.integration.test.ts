import { assert, describe, it } from "@effect/vitest"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import { Effect, Schema } from "effect"
import * as Shop from "./Shop.ts"

const checkedOf = Effect.fnUntraced(function* (ended: { readonly code: number | null; readonly stdout: string }) {
  assert.strictEqual(ended.code, 0)
  const Output = Schema.fromJsonString(Schema.Struct({ keys: Schema.Struct({ checked: Schema.Int }) }))
  const { keys } = yield* Schema.decodeUnknownEffect(Output)(ended.stdout.trim().split("\n").at(-1))
  return keys.checked
})

describe("restored", () => {
  it.live(
    "has the keys compared again that were compared today",
    () =>
      Effect.gen(function* () {
        yield* Shop.subscribe({ price: 10_000, period: 30 })
        yield* Shop.passTime("10 days")
        const env = Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
        const reconcile = Effect.flatMap(Shop.cli(["reconcile", "--json"], env), checkedOf)
        assert.strictEqual(yield* reconcile, 1)
        assert.strictEqual(yield* reconcile, 0)
        assert.strictEqual((yield* Shop.cli(["restored"], env)).code, 0)
        assert.strictEqual(yield* reconcile, 1)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})
