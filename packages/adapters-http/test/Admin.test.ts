import { assert, describe, it } from "@effect/vitest"
import * as CatalogueFile from "@pillivery/adapters-http/CatalogueFile"
import { reportsMax } from "@pillivery/application/Catalogue/ImportItems"
import { jobName } from "@pillivery/application/Billing/RunBilling"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { Outbox } from "@pillivery/application/ports/Outbox"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { Won } from "@pillivery/domain/Won"
import { DateTime, Effect, Stream } from "effect"
import * as Shop from "./Shop.ts"

const draft = {
  name: "루테인 플러스",
  brand: "온결바이오",
  originPrice: 20_000,
  discountPercent: 12.5,
  mainFunction: "눈 건강에 도움을 줄 수 있음"
}

describe("an item that is put into the catalogue", () => {
  it.live("is found at once by its name, category and brand, with the price that follows", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      yield* Shop.send("GET", "/api/items/search?category=EYE")
      const made = yield* Shop.send("POST", "/api/admin/items", { token, body: draft })
      assert.strictEqual(made.status, 201, made.text)
      assert.deepStrictEqual(Shop.field(made, "price"), {
        origin: 20_000,
        discountPercent: 12.5,
        discount: 2_500,
        real: 17_500
      })
      yield* Effect.sleep(20)
      for (const query of [
        "keyword=루테인",
        "category=EYE",
        `brand=${encodeURIComponent("온결바이오")}&category=EYE`
      ]) {
        const found = yield* Shop.send("GET", `/api/items/search?${encodeURI(decodeURI(query))}`)
        assert.include(found.text, String(Shop.field(made, "id")), query)
      }
      const brands = yield* Shop.send("GET", "/api/items/brands")
      assert.include(JSON.stringify(Shop.field(brands, "data")), '{"name":"온결바이오","items":3}')
      const reduced = yield* Shop.send("GET", "/api/items/on-sale")
      assert.strictEqual(Shop.field(reduced, "data", 0, "id"), Shop.field(made, "id"))
      assert.strictEqual(
        Shop.field(yield* Shop.send("GET", "/api/items/on-sale?category=BONE"), "pageInfo", "totalElements"),
        0
      )
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("is changed in part, by who has read it as it is", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const id = String(Shop.field(yield* Shop.send("POST", "/api/admin/items", { token, body: draft }), "id"))
      const change = (body: unknown) => Shop.send("PATCH", `/api/admin/items/${id}`, { token, body })
      const changed = yield* change({ version: 0, originPrice: 10_000, mainFunction: "뼈 건강" })
      assert.deepStrictEqual(
        [
          changed.status,
          Shop.field(changed, "price", "real"),
          Shop.field(changed, "categories"),
          Shop.field(changed, "version")
        ],
        [200, 8_750, ["BONE"], 1]
      )
      assert.strictEqual(Shop.field(changed, "name"), draft.name)
      const stale = yield* change({ version: 0, originPrice: 1 })
      assert.strictEqual(stale.status, 409)
      assert.strictEqual(Shop.field(yield* Shop.send("GET", `/api/items/${id}`), "price", "real"), 8_750)
      const missing = yield* Shop.send("PATCH", `/api/admin/items/01890a5d-ac96-774b-bcce-b302099a8057`, {
        token,
        body: { version: 0 }
      })
      assert.deepStrictEqual(Shop.codeOf(missing), [404, "ITEM_NOT_FOUND"])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("F27: has no price that cannot be", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      for (const wrong of [
        { originPrice: -1 },
        { originPrice: 1.5 },
        { originPrice: 100_000_000_000 },
        { discountPercent: -0.1 },
        { discountPercent: 100.1 },
        { name: " " },
        { brand: "" }
      ]) {
        const refused = yield* Shop.send("POST", "/api/admin/items", { token, body: { ...draft, ...wrong } })
        assert.strictEqual(refused.status, 400, JSON.stringify(wrong))
      }
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("orders to deliver", () => {
  it.live("are those paid after a moment, whoever's they are, with what is left of them and where it goes", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const list = (paidAfter: string) =>
        Shop.send("GET", `/api/admin/orders?paidAfter=${encodeURIComponent(paidAfter)}`, { token })
      const customer = yield* Shop.logIn(2)
      const unpaid = yield* Shop.placeOrder(customer)
      const approval = yield* Shop.approveAtProvider(customer, yield* Shop.placeOrder(customer))
      assert.deepStrictEqual(Shop.field(yield* list("2000-01-01T00:00:00Z"), "data"), [])
      assert.strictEqual((yield* Shop.send("GET", approval.path)).status, 200)
      const listed = yield* list("2000-01-01T00:00:00Z")
      assert.strictEqual(Shop.field(listed, "pageInfo", "totalElements"), 1)
      assert.notStrictEqual(Shop.field(listed, "data", 0, "id"), unpaid)
      assert.strictEqual(Shop.field(listed, "data", 0, "state"), "Paid")
      assert.isString(Shop.field(listed, "data", 0, "receiver", "address", "detail"))
      assert.strictEqual(Shop.field(listed, "data", 0, "lines", 0, "refundedQuantity"), 0)
      const paidAt = String(Shop.field(listed, "data", 0, "paidAt"))
      assert.deepStrictEqual(Shop.field(yield* list(paidAt), "data"), [])
      assert.strictEqual((yield* list("yesterday")).status, 400)
      assert.strictEqual((yield* Shop.send("GET", "/api/admin/orders", { token })).status, 400)
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("what waits for people", () => {
  it.live("is a payment of another amount, an event that was given up, and the runs of each date", () =>
    Effect.gen(function* () {
      const provider = yield* MemoryProvider.MemoryProvider
      const [outbox, ledger] = [yield* Outbox, yield* BillingLedger]
      const token = yield* Shop.asAdmin
      const list = (path: string) =>
        Effect.map(Shop.send("GET", path, { token }), (answer) => {
          assert.strictEqual(answer.status, 200, answer.text)
          return answer
        })
      for (const path of ["/api/admin/payments/reviews", "/api/admin/outbox/failures", "/api/admin/billing/runs"]) {
        assert.deepStrictEqual((yield* list(path)).json, { data: [] }, path)
      }
      const approval = yield* Shop.approveAtProvider(token, yield* Shop.placeOrder(token))
      yield* provider.next({ _tag: "WrongAmount", amount: Won.make(1) })
      yield* Shop.send("GET", approval.path)
      const reviews = yield* list("/api/admin/payments/reviews")
      assert.deepStrictEqual(
        [Shop.field(reviews, "data", 0, "subject"), Shop.field(reviews, "data", 0, "id")],
        ["attempt", approval.paymentId]
      )
      const [delivery] = yield* outbox.claim({ owner: "test", limit: 1, leaseMillis: 1_000 })
      if (delivery === undefined) return assert.fail("there is an event")
      yield* outbox.giveUp(delivery, "the mail server said no")
      const failures = yield* list("/api/admin/outbox/failures")
      assert.strictEqual(Shop.field(failures, "data", 0, "error"), "the mail server said no")
      const date = BusinessDate.make("2026-03-01")
      const at = DateTime.makeUnsafe(0)
      yield* ledger.joinRun({ job: jobName, date, worker: "w", at, leaseMillis: 1_000 })
      assert.strictEqual(Shop.field(yield* list("/api/admin/billing/runs"), "data", 0, "date"), date)
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("a session", () => {
  it.live("is ended by who runs the shop, with all others of its user and nobody else's", () =>
    Effect.gen(function* () {
      const admin = yield* Shop.asAdmin
      const [here, there] = [yield* Shop.logIn(2), yield* Shop.logInAgain(2)]
      const me = (token: string) => Shop.send("GET", "/api/users/me", { token })
      const userId = String(Shop.field(yield* me(here), "id"))
      const ended = yield* Shop.send("DELETE", `/api/admin/users/${userId}/sessions`, { token: admin })
      assert.strictEqual(ended.status, 204)
      assert.deepStrictEqual(
        [(yield* me(here)).status, (yield* me(there)).status, (yield* me(admin)).status],
        [401, 401, 200]
      )
    }).pipe(Effect.provide(Shop.layer))
  )
})

const ndjson = (lines: ReadonlyArray<unknown>) =>
  lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n")

const sendFile = (token: string, rawBody: string, type = "application/x-ndjson") =>
  Shop.send("POST", "/api/admin/items/import", { token, rawBody, headers: { "content-type": type } })

const countsOf = ({ json }: Shop.Answer) => {
  const { created, lines, refused, unchanged, updated } = json
  return { lines, created, updated, unchanged, refused }
}

const line = (key: string, changed: Record<string, unknown> = {}) => ({
  key,
  productName: `상품 ${key}`,
  brand: "온결바이오",
  originPrice: 10_000,
  ...changed
})

describe("a catalogue that is read in", () => {
  it.live("makes each item once, changes what differs, and leaves the rest", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const first = yield* sendFile(token, ndjson([line("a"), line("b"), line("c")]))
      assert.deepStrictEqual(countsOf(first), { lines: 3, created: 3, updated: 0, unchanged: 0, refused: 0 })
      const again = yield* sendFile(token, ndjson([line("a"), line("b", { originPrice: 9_000 }), line("c"), line("d")]))
      assert.deepStrictEqual(countsOf(again), { lines: 4, created: 1, updated: 1, unchanged: 2, refused: 0 })
      const found = yield* Shop.send("GET", `/api/items/search?keyword=${encodeURIComponent("상품 b")}`)
      assert.strictEqual(Shop.field(found, "data", 0, "price", "real"), 9_000)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("tells of each bad line, and reads every other", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const told = yield* sendFile(
        token,
        ndjson([
          line("a"),
          "{",
          line("b", { originPrice: -1 }),
          "",
          line("c", { brand: 7 }),
          line(" d"),
          line("e"),
          "[]"
        ])
      )
      assert.deepStrictEqual(countsOf(told), { lines: 7, created: 2, updated: 0, unchanged: 0, refused: 5 })
      const reports = Object.values(Object(Shop.field(told, "reports"))).map((report) => {
        const { field, line } = Object(report)
        return `${line} ${field}`
      })
      assert.deepStrictEqual(reports.toSorted(), ["2 ", "3 originPrice", "5 brand", "6 key", "8 "])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("tells of a thousand bad lines at most, and counts them all", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const told = yield* sendFile(token, ndjson(Array.from({ length: reportsMax + 5 }, () => "{")))
      assert.strictEqual(Shop.field(told, "refused"), reportsMax + 5)
      assert.lengthOf(Object.keys(Object(Shop.field(told, "reports"))), reportsMax)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("may be CSV, with quotes, line breaks and a byte order mark", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const csv = [
        "\uFEFFkey,productName,brand,originPrice,discountPercent,mainFunction",
        'a,"비타민 ""C"", 1000",온결바이오,10000,10,"피부\n건강"',
        "b,칼슘,온결바이오,abc,,",
        "c,마그네슘,온결바이오,5000,,"
      ].join("\r\n")
      const told = yield* sendFile(token, csv, "text/csv; charset=utf-8")
      assert.deepStrictEqual(countsOf(told), { lines: 3, created: 2, updated: 0, unchanged: 0, refused: 1 })
      const found = yield* Shop.send("GET", "/api/items/search?category=SKIN")
      assert.strictEqual(Shop.field(found, "data", 0, "name"), '비타민 "C", 1000')
      assert.deepStrictEqual(countsOf(yield* sendFile(token, csv, "text/csv")), {
        lines: 3,
        created: 0,
        updated: 0,
        unchanged: 2,
        refused: 1
      })
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("is refused when it is of another kind, and broken off where a line has no end", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const other = yield* sendFile(token, "{}", "application/json")
      assert.deepStrictEqual(Shop.codeOf(other), [415, "MEDIA_TYPE_UNSUPPORTED"])
      const endless = `${ndjson([line("a")])}\n{"key":"${"x".repeat(CatalogueFile.lineBytesMax)}`
      assert.deepStrictEqual(Shop.codeOf(yield* sendFile(token, endless)), [422, "FILE_UNREADABLE"])
      const wide = `key,productName\na,"${"x".repeat(CatalogueFile.lineBytesMax + 1)}"`
      assert.deepStrictEqual(Shop.codeOf(yield* sendFile(token, wide, "text/csv")), [422, "FILE_UNREADABLE"])
      // Only this address takes more than any other.
      const large = yield* Shop.send("POST", "/api/admin/items", {
        token,
        body: { ...draft, intake: "x".repeat(300_000) }
      })
      assert.strictEqual(large.status, 413)
      const many = yield* sendFile(
        token,
        ndjson(Array.from({ length: 400 }, (_, key) => line(`${key}`, { intake: "x".repeat(1_000) })))
      )
      assert.strictEqual(Shop.field(many, "created"), 400)
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("the lines of a file", () => {
  it.effect("are the same however its bytes are cut", () =>
    Effect.gen(function* () {
      const bytes = new TextEncoder().encode(ndjson([line("가"), line("나"), line("다")]))
      const read = (size: number) =>
        Stream.fromIterable(
          Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
            bytes.slice(index * size, (index + 1) * size)
          )
        ).pipe((chunks) => Stream.runCollect(CatalogueFile.linesOf("ndjson", chunks)))
      const whole = yield* read(bytes.length)
      for (const size of [1, 2, 3, 7, 64]) assert.deepStrictEqual(yield* read(size), whole, String(size))
      assert.lengthOf([...whole], 3)
    })
  )

  it.effect("end with a refusal when the client goes away in the middle of them", () =>
    Effect.gen(function* () {
      const begun = Stream.make(new TextEncoder().encode("key,productName\na,비타민\nb,"))
      const broken = Stream.concat(begun, Stream.fail(new Error("the client went away")))
      for (const kind of ["csv", "ndjson"] as const) {
        const failure = yield* Effect.flip(Stream.runCollect(CatalogueFile.linesOf(kind, broken)))
        assert.include(failure.message, "the client went away", kind)
      }
    })
  )

  it("name items by their key alone", () => {
    assert.strictEqual(CatalogueFile.idOf("a"), CatalogueFile.idOf("a"))
    assert.strictEqual(CatalogueFile.idOf("가"), CatalogueFile.idOf("가".normalize("NFD")))
    assert.strictEqual(new Set(Array.from({ length: 1_000 }, (_, key) => CatalogueFile.idOf(String(key)))).size, 1_000)
  })
})
