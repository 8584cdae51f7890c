/**
 * `npm run screenshots`: takes the pictures of the customer's page that the simulator's README shows.
 *
 * The page, the payments and the time are fixed; the letters are those of this machine's Korean font.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as SimulatorServer from "kakaopay-simulator/SimulatorServer"
import { mkdirSync, statSync } from "node:fs"
import { join, relative } from "node:path"
import { browse, Chromium } from "../packages/kakaopay-simulator/test/Browser.ts"
import { findBrowser, hasKoreanFont } from "./internal/Browsers.ts"
import { Failure, runMain } from "./internal/Failure.ts"
import { root } from "./internal/Workspace.ts"

const folder = join(root, "packages/kakaopay-simulator/docs")
const bytesMax = 60_000
const secretKey = "DEVSIMULATOR0000000000000000000000000000"
const now = Date.parse("2026-03-02T15:00:00+09:00")

const pictures = [
  {
    name: "checkout",
    fields: { cid: "TC0ONETIME", partner_order_id: "20260302-0001", item_name: "오메가-3 외 2건", total_amount: 38_500 }
  },
  {
    name: "subscription",
    fields: {
      cid: "TCSUBSCRIP",
      partner_order_id: "20260302-0002",
      item_name: "비타민 D 30일 구독",
      total_amount: 12_900
    }
  }
]

const prepare = Effect.fnUntraced(function* (fields: Readonly<Record<string, unknown>>) {
  const { url } = yield* SimulatorServer.SimulatorServer
  return yield* Effect.promise(async () => {
    const answer = await fetch(`${url}/online/v1/payment/ready`, {
      method: "POST",
      headers: { authorization: `SECRET_KEY ${secretKey}`, "content-type": "application/json" },
      body: JSON.stringify({
        partner_user_id: "user-1",
        quantity: 1,
        tax_free_amount: 0,
        approval_url: "http://shop.example/approved",
        cancel_url: "http://shop.example/cancelled",
        fail_url: "http://shop.example/failed",
        ...fields
      })
    })
    if (!answer.ok) throw new Failure(`the simulator answered ${answer.status}: ${await answer.text()}`)
    const ready: { readonly next_redirect_mobile_url: string } = JSON.parse(await answer.text())
    return ready.next_redirect_mobile_url
  })
})

const takeAll = Effect.gen(function* () {
  for (const { fields, name } of pictures) {
    const address = yield* prepare(fields)
    const path = join(folder, `${name}.png`)
    yield* browse(
      async (page) => {
        await page.goto(address)
        await page.screenshot({ path })
      },
      { colorScheme: "light" }
    )
    const { size } = statSync(path)
    if (size > bytesMax) throw new Failure(`${relative(root, path)} has ${size} bytes, more than ${bytesMax}`)
    console.log(`${relative(root, path)}: ${size} bytes`)
  }
})

await runMain(async () => {
  process.env["PILLIVERY_TEST_CHROMIUM"] ??= findBrowser()
  if (!(await hasKoreanFont())) throw new Failure("no Korean font: install fonts-noto-cjk")
  mkdirSync(folder, { recursive: true })
  await Effect.runPromise(
    takeAll.pipe(Effect.provide([Chromium.layer, SimulatorServer.layer({ secretKey, seed: 1, realNow: () => now })]))
  )
  return 0
})
