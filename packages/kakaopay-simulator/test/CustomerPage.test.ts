import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { withPgToken } from "../src/Customer.ts"
import { Simulator } from "../src/Simulator.ts"
import { approve, call, oneTime, readyFields, recurring, send, simulator, textAt } from "./support.ts"

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

const headersOf = (url: string, init: { readonly method?: string; readonly body?: string }) =>
  Effect.promise(() => fetch(url, { ...init, redirect: "manual" }))

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
      assert.strictEqual(pressed.status, 303)
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

  it.live("opens at each of the four addresses that ready gives, one-time or subscription", () =>
    Effect.gen(function* () {
      for (const cid of [oneTime, recurring]) {
        const ready = yield* call("ready", readyFields({ cid }))
        const scheme = new URL(textAt(ready, "ios_app_scheme")).searchParams.get("url") ?? ""
        const names = ["next_redirect_pc_url", "next_redirect_mobile_url", "next_redirect_app_url"]
        for (const page of [scheme, ...names.map((name) => textAt(ready, name))]) {
          const answer = yield* send("GET", page)
          assert.strictEqual(answer.status, 200)
          assert.include(answer.text, `formaction="${page.slice(-64)}/approve"`)
        }
      }
    }).pipe(Effect.provide(simulator()))
  )

  it.live("offers only the method that the merchant fixed, and takes no other", () =>
    Effect.gen(function* () {
      const { page, tid } = yield* open({ payment_method_type: "MONEY" })
      const { text } = yield* send("GET", page)
      assert.deepStrictEqual(text.match(/value="(?:MONEY|CARD)" checked/g), ['value="MONEY" checked'])
      assert.notInclude(text, 'value="CARD"')
      const { location } = yield* press(page, "approve", "method=CARD")
      const approved = yield* approve(tid, new URL(location ?? "").searchParams.get("pg_token") ?? "")
      assert.strictEqual(approved.json["payment_method_type"], "MONEY")
    }).pipe(Effect.provide(simulator()))
  )

  it.live("proposes the method that the switch names", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      assert.include((yield* send("GET", page)).text, 'value="CARD" checked')
    }).pipe(Effect.provide(simulator({ switches: { defaultPaymentMethod: "CARD" } })))
  )

  it.live("sends no header line of the merchant's, and Korean addresses as a browser spells them", () =>
    Effect.gen(function* () {
      const split = yield* open({ approval_url: "http://shop.example/ok\r\nset-cookie: a=b" })
      const pressed = yield* headersOf(`${split.page}/approve`, { method: "POST" })
      assert.isNull(pressed.headers.get("set-cookie"))
      assert.match(pressed.headers.get("location") ?? "", /^http:\/\/shop\.example\/okset-cookie:%20a=b\?pg_token=/)
      const korean = yield* open({ cancel_url: "http://shop.example/취소?주문=1" })
      const { location } = yield* press(korean.page, "cancel")
      assert.strictEqual(decodeURI(location ?? ""), "http://shop.example/취소?주문=1")
    }).pipe(Effect.provide(simulator()))
  )

  it.live("guards every answer with the same headers, and trusts one style sheet", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const other = yield* open()
      const policies = new Set<string | null>()
      const answers = [
        [200, page],
        [303, `${page}/approve`],
        [404, `${page}/steal`],
        [404, `${page}0`],
        [400, `${other.page}/approve`, { method: "POST", body: "method=MONEY&".repeat(1_000) }],
        [200, `${other.page}/abandon`, { method: "POST" }],
        [303, `${other.page}/cancel`, { method: "POST" }],
        [409, `${other.page}/approve`, { method: "POST" }],
        [409, other.page]
      ] as const
      for (const [status, url, init] of answers) {
        const answer = yield* headersOf(url, init ?? {})
        assert.strictEqual(answer.status, status, url)
        assert.strictEqual(answer.headers.get("cache-control"), "no-store")
        assert.strictEqual(answer.headers.get("referrer-policy"), "no-referrer")
        assert.strictEqual(answer.headers.get("x-content-type-options"), "nosniff")
        policies.add(answer.headers.get("content-security-policy"))
      }
      const { text } = yield* send("GET", page)
      const style = /<style>(.*?)<\/style>/s.exec(text)?.[1] ?? ""
      const hash = createHash("sha256").update(style).digest("base64")
      assert.deepStrictEqual(
        [...policies],
        [`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`]
      )
    }).pipe(Effect.provide(simulator()))
  )

  it.live("leads from the address of a button back to the page", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const answer = yield* send("GET", `${page}/abandon`)
      assert.strictEqual(new URL(answer.location ?? "", `${page}/abandon`).href, page)
      assert.strictEqual((yield* send("GET", `${page.slice(0, -1)}/abandon`)).status, 404)
    }).pipe(Effect.provide(simulator()))
  )

  it("adds pg_token before a fragment", () => {
    assert.strictEqual(withPgToken("http://a/b", "t"), "http://a/b?pg_token=t")
    assert.strictEqual(withPgToken("http://a/b?x=1#y", "t"), "http://a/b?x=1&pg_token=t#y")
  })
})
