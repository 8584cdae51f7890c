import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { withPgToken } from "../src/Customer.ts"
import { Simulator } from "../src/Simulator.ts"
import { approve, call, oneTime, readyFields, send, simulator, textAt } from "./support.ts"

const open = (more: Record<string, unknown> = {}) =>
  Effect.map(call("ready", readyFields(more)), (answer) => ({
    tid: textAt(answer, "tid"),
    page: textAt(answer, "next_redirect_pc_url")
  }))

const press = (page: string, button: string, form = "") =>
  send("POST", `${page}/${button}`, {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: form
  })

describe("the customer's page", () => {
  it.live("shows item and amount in Korean, escaped, with four submit buttons", () =>
    Effect.gen(function* () {
      const { page, tid } = yield* open({ item_name: `<b>"오메가" & 3</b>`, total_amount: 1_234_567 })
      const answer = yield* send("GET", page)
      assert.strictEqual(answer.status, 200)
      assert.include(answer.contentType, "text/html")
      assert.include(answer.text, `<html lang="ko">`)
      assert.include(answer.text, "1,234,567원")
      assert.include(answer.text, "&lt;b&gt;&quot;오메가&quot; &amp; 3&lt;/b&gt;")
      assert.strictEqual(answer.text.match(/<button type="submit"/g)?.length, 4)
      const order = yield* call("order", { cid: oneTime, tid })
      assert.strictEqual(order.json["status"], "OPEN_PAYMENT")
    }).pipe(Effect.provide(simulator()))
  )

  it.live("sends an approving customer back with pg_token after the existing query", () =>
    Effect.gen(function* () {
      const { page, tid } = yield* open()
      const pressed = yield* press(page, "approve", "method=CARD")
      assert.strictEqual(pressed.status, 302)
      const target = new URL(pressed.location ?? "")
      assert.strictEqual(target.searchParams.get("order"), "1")
      const token = target.searchParams.get("pg_token") ?? ""
      assert.lengthOf(token, 20)
      assert.strictEqual((yield* press(page, "approve")).location, pressed.location)
      const approved = yield* approve(tid, token)
      assert.strictEqual(approved.json["payment_method_type"], "CARD")
      assert.strictEqual((yield* press(page, "approve")).status, 409)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("sends a cancelling or failing customer to the other URLs, and an abandoning one nowhere", () =>
    Effect.gen(function* () {
      const cancelled = yield* open()
      assert.strictEqual((yield* press(cancelled.page, "cancel")).location, "http://shop.example/cancelled")
      const failed = yield* open()
      assert.strictEqual((yield* press(failed.page, "fail")).location, "http://shop.example/failed")
      const abandoned = yield* open()
      const pressed = yield* press(abandoned.page, "abandon")
      assert.strictEqual(pressed.status, 200)
      assert.isNull(pressed.location)
      const order = yield* call("order", { cid: oneTime, tid: abandoned.tid })
      assert.strictEqual(order.json["status"], "READY")
    }).pipe(Effect.provide(simulator()))
  )

  it.live("is gone after 15 minutes and unknown for another hash", () =>
    Effect.gen(function* () {
      const { clock } = yield* Simulator
      const { page } = yield* open()
      assert.strictEqual((yield* press(page, "steal")).status, 404)
      yield* clock.advance(15 * 60_000)
      assert.strictEqual((yield* send("GET", page)).status, 410)
      assert.strictEqual((yield* press(page, "approve")).status, 410)
      assert.strictEqual((yield* send("GET", page.slice(0, -4))).status, 404)
    }).pipe(Effect.provide(simulator()))
  )

  it("adds pg_token before a fragment", () => {
    assert.strictEqual(withPgToken("http://a/b", "t"), "http://a/b?pg_token=t")
    assert.strictEqual(withPgToken("http://a/b?x=1#y", "t"), "http://a/b?x=1&pg_token=t#y")
  })
})
