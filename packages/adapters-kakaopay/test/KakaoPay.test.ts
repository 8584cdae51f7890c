import { assert, describe, it } from "@effect/vitest"
import * as Strategy from "@pillivery/domain/PaymentStrategy"
import { CustomerReference, ProviderName } from "@pillivery/domain/Provider"
import type { ProviderAnswer } from "@pillivery/domain/ProviderAnswer"
import { Won } from "@pillivery/domain/Won"
import { ConfigProvider, DateTime, Effect, Exit, Redacted } from "effect"
import { inspect } from "node:util"
import * as KakaoPay from "../src/KakaoPay.ts"
import * as Provider from "./Provider.ts"

const setUp = Effect.gen(function* () {
  const server = yield* Provider.scriptedServer
  const strategy = yield* Provider.makeStrategy(server.url, { headersMillisMax: 5_000 })
  const approve = Effect.flatMap(Provider.deadlineIn(60_000), (deadline) =>
    strategy.approve(Provider.approveRequest(deadline))
  )
  const refund = Effect.flatMap(Provider.deadlineIn(60_000), (deadline) =>
    strategy.refund(Provider.refundRequest(deadline))
  )
  const lookup = strategy.lookupPayment(Provider.paymentRequest)
  const lookupKey = strategy.lookupBillingKey(Provider.keyRequest)
  return { server, strategy, approve, charge: Provider.charge(strategy), refund, lookup, lookupKey }
})

const iso = (at: DateTime.Utc | null) => (at === null ? null : DateTime.formatIso(at))
const approvedOf = (answer: ProviderAnswer) =>
  answer._tag === "Approved" ? answer : assert.fail(JSON.stringify(answer))

describe("requests", () => {
  it.live("F7: are spelled as documented, with the attempt's id as the order's number", () =>
    Effect.gen(function* () {
      const { approve, charge, lookup, lookupKey, refund, server, strategy } = yield* setUp
      yield* strategy.prepare(Provider.prepareRequest)
      yield* approve
      yield* charge
      yield* refund
      yield* strategy.deactivate(Provider.keyRequest)
      yield* lookup
      yield* lookupKey
      const parties = { partner_order_id: Provider.attemptId, partner_user_id: "customer-1" }
      assert.deepStrictEqual(
        server.calls.map(({ body, path }) => ({ path, body })),
        [
          {
            path: "/online/v1/payment/ready",
            body: {
              cid: "TC0ONETIME",
              ...parties,
              item_name: "비타민 D",
              quantity: 1,
              total_amount: 12_000,
              tax_free_amount: 0,
              vat_amount: 1_091,
              approval_url: "http://127.0.0.1/approve",
              cancel_url: "http://127.0.0.1/cancel",
              fail_url: "http://127.0.0.1/fail"
            }
          },
          {
            path: "/online/v1/payment/approve",
            body: { cid: "TC0ONETIME", tid: Provider.tid, ...parties, pg_token: "token", total_amount: 12_000 }
          },
          {
            path: "/online/v1/payment/subscription",
            body: {
              cid: "TCSUBSCRIP",
              sid: Provider.sid,
              ...parties,
              item_name: "오메가-3",
              quantity: 1,
              total_amount: 12_000,
              tax_free_amount: 0,
              vat_amount: 1_091
            }
          },
          {
            path: "/online/v1/payment/cancel",
            body: {
              cid: "TC0ONETIME",
              tid: Provider.tid,
              cancel_amount: 5_000,
              cancel_tax_free_amount: 0,
              cancel_vat_amount: 455,
              cancel_available_amount: 12_000,
              payload: Provider.refundId
            }
          },
          {
            path: "/online/v1/payment/manage/subscription/inactive",
            body: { cid: "TCSUBSCRIP", sid: Provider.sid }
          },
          { path: "/online/v1/payment/order", body: { cid: "TC0ONETIME", tid: Provider.tid } },
          { path: "/online/v1/payment/manage/subscription/status", body: { cid: "TCSUBSCRIP", sid: Provider.sid } }
        ]
      )
      for (const { headers } of server.calls) {
        assert.strictEqual(headers["authorization"], `SECRET_KEY ${Provider.secretKey}`)
        assert.strictEqual(headers["content-type"], "application/json")
      }
      assert.strictEqual(Provider.attemptId.length, 36)
    })
  )

  it.live("carry the account a payment was made under, whatever the configuration says today", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      yield* strategy.lookupPayment({ ...Provider.paymentRequest, merchantAccount: Provider.recurring })
      assert.deepInclude(server.calls[0]?.body, { cid: "TCSUBSCRIP" })
      assert.strictEqual(strategy.merchantAccountFor("oneTime"), "TC0ONETIME")
      assert.strictEqual(strategy.merchantAccountFor("subscription"), "TCSUBSCRIP")
    })
  )

  it.live("keep a path of the base URL", () =>
    Effect.gen(function* () {
      const server = yield* Provider.scriptedServer
      for (const path of ["/kakao", "/kakao/", "/", ""]) {
        const strategy = yield* Provider.makeStrategy(`${server.url}${path}`)
        yield* strategy.lookupPayment(Provider.paymentRequest)
      }
      assert.deepStrictEqual(
        server.calls.map((call) => call.path),
        [
          "/kakao/online/v1/payment/order",
          "/kakao/online/v1/payment/order",
          "/online/v1/payment/order",
          "/online/v1/payment/order"
        ]
      )
    })
  )

  it("name items in at most 100 UTF-16 units, cut between characters, with the number of others kept", () => {
    const family = "👨‍👩‍👧‍👦"
    const decomposed = "비타민".normalize("NFD")
    for (const [name, sent] of [
      ["비타민 D", "비타민 D"],
      ["가".repeat(100), "가".repeat(100)],
      ["가".repeat(101), "가".repeat(100)],
      [`${"가".repeat(120)} 외 12건`, `${"가".repeat(94)} 외 12건`],
      [`${"가".repeat(95)} 외 1건`, `${"가".repeat(95)} 외 1건`],
      [`${"가".repeat(96)} 외 1건`, `${"가".repeat(95)} 외 1건`],
      ["😀".repeat(80), "😀".repeat(50)],
      [`a${"😀".repeat(80)}`, `a${"😀".repeat(49)}`],
      // Eleven units each: nine fit, and no part of a tenth.
      [family.repeat(20), family.repeat(9)],
      [`${family.repeat(20)} 외 3건`, `${family.repeat(8)} 외 3건`],
      // Seven units each: fourteen fit, and the first syllable of the fifteenth.
      [decomposed.repeat(20), decomposed.repeat(14) + "비".normalize("NFD")],
      ["e\u0301".repeat(80), "e\u0301".repeat(50)],
      [`a${"e\u0301".repeat(80)}`, `a${"e\u0301".repeat(49)}`],
      // One endless character.
      [`e${"\u0301".repeat(200)}`, `e${"\u0301".repeat(99)}`]
    ] as const) {
      assert.strictEqual(KakaoPay.itemNameOf(name), sent)
      assert.isAtMost(sent.length, 100)
      assert.isTrue(sent.isWellFormed())
    }
  })
})

describe("the tax of refunds", () => {
  const vatOf = (body: unknown) => (body as { readonly cancel_vat_amount: number }).cancel_vat_amount

  it.live("adds up to the tax of the payment, where rounding each refund for itself would not", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      for (const { approved, parts, vats } of [
        { approved: 12_000, parts: [4_000, 4_000, 4_000], vats: [364, 363, 364] },
        { approved: 12, parts: [6, 6], vats: [1, 0] },
        { approved: 5, parts: [1, 1, 1, 1, 1], vats: [0, 0, 0, 0, 0] },
        { approved: 12_000, parts: [12_000], vats: [1_091] }
      ]) {
        server.calls.length = 0
        let available = approved
        for (const part of parts) {
          yield* strategy.refund({
            ...Provider.refundRequest(yield* Provider.deadlineIn(60_000)),
            amount: Won.make(part),
            approved: Won.make(approved),
            available: Won.make(available)
          })
          available -= part
        }
        assert.deepStrictEqual(
          server.calls.map(({ body }) => vatOf(body)),
          vats
        )
        assert.strictEqual(
          vats.reduce((sum, vat) => sum + vat, 0),
          Math.round(approved / 11)
        )
      }
    })
  )

  it.live("is that of the amount alone when our books do not add up: the provider refuses such a refund anyway", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      for (const [amount, approved, available] of [
        [5_000, 4_000, 4_000],
        [5_000, 12_000, 4_000],
        [5_000, 4_000, 12_000]
      ] as const) {
        yield* strategy.refund({
          ...Provider.refundRequest(yield* Provider.deadlineIn(60_000)),
          amount: Won.make(amount),
          approved: Won.make(approved),
          available: Won.make(available)
        })
      }
      assert.deepStrictEqual(
        server.calls.map(({ body }) => vatOf(body)),
        [455, 455, 455]
      )
    })
  )
})

describe("an approval", () => {
  it.live("is read from the captured answer of the current host", () =>
    Effect.gen(function* () {
      const { approve, server } = yield* setUp
      server.answer(200, Provider.approval())
      const answer = approvedOf(yield* approve)
      const plain: Record<string, unknown> = { ...answer, approvedAt: iso(answer.approvedAt) }
      assert.deepInclude(plain, {
        transactionId: Provider.tid,
        approvalId: "A6a8d3a301d33ed2dc3c",
        amount: 12_000,
        approvedAt: "2024-07-30T11:51:00.000Z",
        method: "CARD",
        billingKey: null
      })
    })
  )

  it.live("reads null, missing and empty alike, numbers as texts, and fields nobody announced", () =>
    Effect.gen(function* () {
      const { approve, server } = yield* setUp
      const { payment_method_type: _method, sid: _sid, ...missing } = Provider.approval()
      for (const body of [
        Provider.approval({ sid: null, payment_method_type: null }),
        missing,
        Provider.approval({ sid: "", payment_method_type: "" }),
        { tms_result: true, ...missing, nested: { anything: [1] } }
      ]) {
        server.answer(200, body)
        const answer = approvedOf(yield* approve)
        assert.strictEqual(answer.billingKey, null)
        assert.strictEqual(answer.method, "UNKNOWN")
      }
      server.answer(201, Provider.approval({ amount: { total: "12000" }, sid: "s1" }))
      const answer = approvedOf(yield* approve)
      assert.strictEqual(answer.amount, 12_000)
      assert.strictEqual(answer.billingKey, "s1")
    })
  )

  it.live("is not lost for the sake of a method with a very long name", () =>
    Effect.gen(function* () {
      const { approve, server } = yield* setUp
      server.answer(200, Provider.approval({ payment_method_type: "M".repeat(100) }))
      assert.strictEqual(approvedOf(yield* approve).method, "M".repeat(32))
    })
  )

  it.live("of another amount is answered as it came", () =>
    Effect.gen(function* () {
      const { approve, charge, server } = yield* setUp
      server.answer(200, Provider.approval({ amount: { total: 11_999 } }))
      assert.strictEqual(approvedOf(yield* approve).amount, 11_999)
      assert.strictEqual(approvedOf(yield* charge).amount, 11_999)
    })
  )

  it.live("of zero won issues a billing key", () =>
    Effect.gen(function* () {
      const { approve, server } = yield* setUp
      server.answer(200, Provider.approval({ amount: { total: 0 }, sid: Provider.sid, card_info: { bin: "1" } }))
      const answer = approvedOf(yield* approve)
      assert.strictEqual(answer.amount, 0)
      assert.strictEqual(answer.billingKey, Provider.sid)
    })
  )

  it.live("is Unknown when it is not complete or not ours", () =>
    Effect.gen(function* () {
      const { approve, charge, server } = yield* setUp
      for (const changes of [
        { tid: undefined },
        { tid: "T-other" },
        { tid: "" },
        { tid: "T".repeat(21) },
        { aid: null },
        { partner_order_id: "other" },
        { partner_order_id: null },
        { amount: undefined },
        { amount: {} },
        { amount: { total: -1 } },
        { amount: { total: 1.5 } },
        { amount: { total: "12,000" } },
        { amount: { total: "1e4" } },
        { approved_at: null },
        { approved_at: "yesterday" },
        { sid: "S".repeat(21) }
      ]) {
        server.answer(200, Provider.approval(changes))
        assert.strictEqual((yield* approve)._tag, "Unknown", JSON.stringify(changes))
      }
      server.answer(200, Provider.approval({ sid: "S-other" }))
      assert.strictEqual((yield* charge)._tag, "Unknown")
      server.answer(200, Provider.approval({ partner_order_id: "other", sid: Provider.sid }))
      assert.strictEqual((yield* charge)._tag, "Unknown")
    })
  )
})

describe("a prepared transaction", () => {
  it.live("may be approved for fifteen minutes after it was opened by the provider's clock", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      server.answer(200, Provider.ready())
      const answer = yield* strategy.prepare(Provider.prepareRequest)
      if (answer._tag !== "Prepared") return assert.fail(answer._tag)
      assert.strictEqual(iso(answer.expiresAt), "2024-07-30T12:05:27.000Z")
      assert.include(answer.redirectUrls.pc, "/bridge/pc/")
      assert.include(answer.redirectUrls.mobile, "/bridge/mobile-web/")
      assert.include(answer.redirectUrls.app, "/bridge/mobile-app/")
    })
  )

  it.live("is Unknown when the customer could not be sent there", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      for (const changes of [
        { tid: null },
        { next_redirect_pc_url: "javascript:alert(1)" },
        { next_redirect_mobile_url: null },
        { created_at: null }
      ]) {
        server.answer(200, Provider.ready(changes))
        assert.strictEqual((yield* strategy.prepare(Provider.prepareRequest))._tag, "Unknown")
      }
    })
  )
})

describe("a refund", () => {
  it.live("answers all that was given back so far", () =>
    Effect.gen(function* () {
      const { refund, server } = yield* setUp
      for (const payload of [undefined, null, "", Provider.refundId]) {
        server.answer(200, Provider.cancel({ payload, canceled_amount: { total: "9000" } }))
        const answer = yield* refund
        if (answer._tag !== "RefundDone") return assert.fail(answer._tag)
        assert.strictEqual(answer.refundedTotal, 9_000)
        assert.strictEqual(iso(answer.at), "2024-07-30T12:03:45.000Z")
      }
    })
  )

  it.live("is Unknown when the answer is not complete or not ours", () =>
    Effect.gen(function* () {
      const { refund, server } = yield* setUp
      for (const changes of [
        { tid: "T-other" },
        { payload: "another refund" },
        { canceled_amount: null },
        { canceled_at: null }
      ]) {
        server.answer(200, Provider.cancel(changes))
        assert.strictEqual((yield* refund)._tag, "Unknown", JSON.stringify(changes))
      }
    })
  )
})

describe("a deactivation", () => {
  it.live("is believed only when the key is answered to be inactive", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      const deactivate = strategy.deactivate(Provider.keyRequest)
      server.answer(200, { cid: "TCSUBSCRIP", sid: Provider.sid, status: "INACTIVE", last_approved_at: null })
      assert.strictEqual((yield* deactivate)._tag, "Deactivated")
      for (const body of [{ sid: Provider.sid, status: "ACTIVE" }, { sid: "S-other", status: "INACTIVE" }, {}]) {
        server.answer(200, body)
        assert.strictEqual((yield* deactivate)._tag, "Unknown")
      }
    })
  )
})

describe("a lookup of a payment", () => {
  it.live("reads the thirteen statuses and says nothing of a fourteenth", () =>
    Effect.gen(function* () {
      const { lookup, server } = yield* setUp
      assert.strictEqual(Object.keys(KakaoPay.standings).length, 13)
      for (const [status, standing] of Object.entries(KakaoPay.standings)) {
        server.answer(200, Provider.order({ status, canceled_amount: { total: 5_000 } }))
        const answer = yield* lookup
        if (answer._tag !== "PaymentFound") return assert.fail(answer._tag)
        assert.strictEqual(answer.standing, standing)
        assert.strictEqual(answer.attemptId, Provider.attemptId)
        assert.strictEqual(answer.refundedTotal, 5_000)
        assert.strictEqual(iso(answer.approvedAt), standing === "approved" ? "2024-07-30T11:51:01.000Z" : null)
      }
      for (const status of ["PENDING_SOMETHING", "success_payment", "toString", "__proto__"]) {
        server.answer(200, Provider.order({ status }))
        assert.strictEqual((yield* lookup)._tag, "LookupFailed", status)
      }
    })
  )

  it.live("reads a payment that is not approved yet with next to nothing in it", () =>
    Effect.gen(function* () {
      const { lookup, server } = yield* setUp
      for (const body of [
        { tid: Provider.tid, status: "READY" },
        {
          tid: Provider.tid,
          status: "OPEN_PAYMENT",
          amount: null,
          canceled_amount: null,
          approved_at: null,
          canceled_at: "",
          payment_action_details: []
        }
      ]) {
        server.answer(200, body)
        const answer = yield* lookup
        if (answer._tag !== "PaymentFound") return assert.fail(answer._tag)
        assert.deepStrictEqual([answer.standing, answer.attemptId, answer.approvedAt], ["waiting", null, null])
      }
    })
  )

  it.live("never shows an approval without what is needed to settle it", () =>
    Effect.gen(function* () {
      const { lookup, server } = yield* setUp
      for (const changes of [
        { amount: null },
        { approved_at: null, payment_action_details: null },
        { approved_at: "soon" },
        { status: "PART_CANCEL_PAYMENT", canceled_amount: null },
        { status: "CANCEL_PAYMENT", canceled_amount: undefined },
        { tid: "T-other" }
      ]) {
        server.answer(200, Provider.order(changes))
        assert.strictEqual((yield* lookup)._tag, "LookupFailed", JSON.stringify(changes))
      }
    })
  )

  it.live("finds the time of approval among the actions, and an attempt only where there is one of ours", () =>
    Effect.gen(function* () {
      const { lookup, server } = yield* setUp
      server.answer(200, Provider.order({ approved_at: null, partner_order_id: "1", canceled_amount: null }))
      const answer = yield* lookup
      if (answer._tag !== "PaymentFound") return assert.fail(answer._tag)
      assert.strictEqual(iso(answer.approvedAt), "2024-07-30T11:51:01.000Z")
      assert.strictEqual(answer.attemptId, null)
      assert.strictEqual(answer.refundedTotal, 0)
    })
  )
})

describe("a lookup of a billing key", () => {
  it.live("answers the last approval, or null when there was none, but never null for what it cannot read", () =>
    Effect.gen(function* () {
      const { lookupKey, server } = yield* setUp
      server.answer(200, Provider.status())
      const active = yield* lookupKey
      if (active._tag !== "BillingKeyFound") return assert.fail(active._tag)
      assert.isTrue(active.isActive)
      assert.strictEqual(iso(active.lastApprovedAt), "2024-07-30T11:51:00.000Z")
      for (const last_approved_at of [null, "", undefined]) {
        server.answer(200, Provider.status({ status: "INACTIVE", last_approved_at }))
        const inactive = yield* lookupKey
        if (inactive._tag !== "BillingKeyFound") return assert.fail(inactive._tag)
        assert.deepStrictEqual([inactive.isActive, inactive.lastApprovedAt], [false, null])
      }
      for (const changes of [
        { last_approved_at: "2024-02-30T00:00:00" },
        { last_approved_at: 1_722_340_260 },
        { status: "SLEEPING" },
        { status: null },
        { sid: "S-other" }
      ]) {
        server.answer(200, Provider.status(changes))
        assert.strictEqual((yield* lookupKey)._tag, "LookupFailed", JSON.stringify(changes))
      }
    })
  )
})

describe("the configuration", () => {
  const read = (values: Record<string, string>) =>
    KakaoPay.config.pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(values)),
      Effect.exit
    )
  const secret = { PILLIVERY_KAKAOPAY_SECRET_KEY: Provider.secretKey }

  it.effect("needs nothing but the secret key", () =>
    Effect.gen(function* () {
      const config = yield* yield* read(secret)
      assert.strictEqual(config.baseUrl.href, "https://open-api.kakaopay.com/")
      assert.strictEqual(Redacted.value(config.secretKey), Provider.secretKey)
      assert.deepStrictEqual(
        [config.oneTimeAccount, config.subscriptionAccount, config.windowMinutes],
        ["TC0ONETIME", "TCSUBSCRIP", 15]
      )
      assert.notInclude(inspect(config, { depth: 9, showHidden: true }), Provider.secretKey)
      assert.isTrue(Exit.isFailure(yield* read({})))
    })
  )

  it.effect("reads the host and the contracts", () =>
    Effect.gen(function* () {
      const config = yield* yield* read({
        ...secret,
        PILLIVERY_KAKAOPAY_URL: "http://127.0.0.1:9090",
        PILLIVERY_KAKAOPAY_CID: "C123456789",
        PILLIVERY_KAKAOPAY_SUBSCRIPTION_CID: "C987654321"
      })
      assert.strictEqual(config.baseUrl.origin, "http://127.0.0.1:9090")
      assert.deepStrictEqual([config.oneTimeAccount, config.subscriptionAccount], ["C123456789", "C987654321"])
    })
  )

  it.effect("refuses what cannot be, without telling the secret", () =>
    Effect.gen(function* () {
      for (const values of [
        { PILLIVERY_KAKAOPAY_SECRET_KEY: `${Provider.secretKey}\n` },
        { PILLIVERY_KAKAOPAY_SECRET_KEY: "" },
        { ...secret, PILLIVERY_KAKAOPAY_URL: "not a url" },
        { ...secret, PILLIVERY_KAKAOPAY_URL: "ftp://open-api.kakaopay.com" },
        { ...secret, PILLIVERY_KAKAOPAY_URL: "open-api.kakaopay.com:443" },
        { ...secret, PILLIVERY_KAKAOPAY_RESPONSE_MILLIS: "0" },
        { ...secret, PILLIVERY_KAKAOPAY_RESPONSE_MILLIS: "-1" },
        { ...secret, PILLIVERY_KAKAOPAY_RESPONSE_MILLIS: "600001" },
        { ...secret, PILLIVERY_KAKAOPAY_CID: "TOO-LONG-A-CID" }
      ]) {
        const exit = yield* read(values)
        assert.isTrue(Exit.isFailure(exit), JSON.stringify(Object.keys(values)))
        assert.notInclude(inspect(exit, { depth: 12, showHidden: true }) + String(exit), Provider.secretKey)
      }
    })
  )

  it.live("makes the registry with this provider preferred and findable by its name", () =>
    Effect.gen(function* () {
      const strategies = yield* Strategy.PaymentStrategies
      assert.strictEqual(strategies.preferred.provider, "kakaopay")
      assert.strictEqual(strategies.find(ProviderName.make("kakaopay")), strategies.preferred)
      assert.isNull(strategies.find(ProviderName.make("memory")))
    }).pipe(
      Effect.provide(KakaoPay.layerConfig),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(secret))
    )
  )
})

describe("the customer reference", () => {
  it.live("is sent as it was stored with the payment", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      const reference = CustomerReference.make("0195c1de-0000-7000-8000-000000000001")
      yield* strategy.prepare({ ...Provider.prepareRequest, customerReference: reference })
      assert.deepInclude(server.calls[0]?.body, { partner_user_id: reference })
    })
  )
})
