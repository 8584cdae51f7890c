/** The example of the README, which `Readme.test.ts` compares with this file. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Simulator } from "../src/Simulator.ts"
import * as SimulatorServer from "../src/SimulatorServer.ts"
import { defaultSecretKey } from "../src/Merchants.ts"

const chargeWithYourClient = (url: string, sid: string) =>
  Effect.tryPromise(() =>
    fetch(`${url}/online/v1/payment/subscription`, {
      method: "POST",
      headers: { authorization: `SECRET_KEY ${defaultSecretKey}`, "content-type": "application/json" },
      body: JSON.stringify({
        cid: "TCSUBSCRIP",
        sid,
        partner_order_id: "order-1",
        partner_user_id: "user-1",
        item_name: "비타민 C",
        quantity: 1,
        total_amount: 12_900,
        tax_free_amount: 0
      }),
      signal: AbortSignal.timeout(500)
    })
  )

it.live("a charge whose answer is lost has still taken the money", () =>
  Effect.gen(function* () {
    const { url } = yield* SimulatorServer.SimulatorServer
    const simulator = yield* Simulator
    const sid = yield* simulator.billingKeys.issue({ partnerUserId: "user-1" })
    yield* simulator.faults.add({ kind: "timeout-after", endpoint: "subscription", match: { sid }, times: 1 })
    yield* Effect.flip(chargeWithYourClient(url, sid))
    const totals = yield* simulator.ledger.totals({ sid })
    assert.strictEqual(totals.captureCount, 1)
  }).pipe(Effect.provide(SimulatorServer.layer()))
)
