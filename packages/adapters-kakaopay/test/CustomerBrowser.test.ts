import { assert, it } from "@effect/vitest"
import { ApprovalToken } from "@pillivery/domain/Provider"
import { Effect, Redacted } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import * as SimulatorServer from "kakaopay-simulator/SimulatorServer"
import { browse, Chromium, merchant, waysBack } from "../../kakaopay-simulator/test/Browser.ts"
import * as KakaoPay from "../src/KakaoPay.ts"
import * as Provider from "./Provider.ts"

const patienceMillis = 60_000

/** What a merchant has in hand: the adapter, a shop that customers come back to, and the truth about the money. */
const setUp = Effect.gen(function* () {
  const { url } = yield* SimulatorServer.SimulatorServer
  const { ledger } = yield* Simulator
  const strategy = yield* KakaoPay.make({
    ...Provider.configOf(url, { headersMillisMax: 5_000 }),
    secretKey: Redacted.make(Provider.secretKey)
  })
  const shop = yield* merchant
  const back = waysBack(shop)
  const prepare = Effect.fnUntraced(function* (merchantAccount = Provider.oneTime) {
    const answer = yield* strategy.prepare({
      ...Provider.prepareRequest,
      merchantAccount,
      approvalUrl: back.approval_url,
      cancelUrl: back.cancel_url,
      failUrl: back.fail_url
    })
    return answer._tag === "Prepared" ? answer : assert.fail(JSON.stringify(answer))
  })
  /** Approves with the token of every visit to the approval address, as a shop does that believes each of them. */
  const approveVisits = Effect.fnUntraced(function* (
    prepared: Effect.Success<ReturnType<typeof prepare>>,
    account = Provider.oneTime
  ) {
    return yield* Effect.forEach(shop.visits, (visit) =>
      Effect.gen(function* () {
        const token = new URL(visit.replace("GET ", shop.url)).searchParams.get("pg_token") ?? ""
        return yield* strategy.approve({
          ...Provider.approveRequest(yield* Provider.deadlineIn(patienceMillis)),
          merchantAccount: account,
          transactionId: prepared.transactionId,
          approvalToken: ApprovalToken.make(token)
        })
      })
    )
  })
  return { approveVisits, ledger, prepare, shop, strategy }
})

it.layer(Chromium.layer, { excludeTestServices: true, timeout: "60 seconds" })("a customer in Chromium", (it) => {
  it.effect("pays once, though they press twice and come back twice", () =>
    Effect.gen(function* () {
      const { approveVisits, ledger, prepare, shop, strategy } = yield* setUp
      const prepared = yield* prepare()
      yield* browse(async (page) => {
        await page.goto(prepared.redirectUrls.mobile)
        await page.getByText("신용·체크카드").click()
        await page.getByRole("button", { name: "결제하기" }).dblclick()
        await page.waitForURL(`${shop.url}/**`, { waitUntil: "load" })
        await page.reload()
      })
      assert.isAtLeast(shop.visits.length, 2)
      assert.isTrue(shop.visits.every((visit) => visit.startsWith("GET /approved?order=1&pg_token=")))
      const [first, ...others] = yield* approveVisits(prepared)
      assert.strictEqual(first?._tag, "Approved")
      assert.isAbove(others.length, 0)
      for (const other of others) assert.strictEqual(other._tag, "Unknown")
      const entries = yield* ledger.entries()
      assert.deepStrictEqual(
        entries.map(({ amount, kind, partnerOrderId, tid }) => ({ amount, kind, partnerOrderId, tid })),
        [{ amount: Provider.price, kind: "capture", partnerOrderId: Provider.attemptId, tid: prepared.transactionId }]
      )
      const found = yield* strategy.lookupPayment({
        merchantAccount: Provider.oneTime,
        transactionId: prepared.transactionId
      })
      assert.strictEqual(found._tag === "PaymentFound" ? found.standing : found._tag, "approved")
    }).pipe(Effect.provide(SimulatorServer.layer({ secretKey: Provider.secretKey })))
  )

  it.effect("agrees to a subscription, and gives the merchant a billing key with the first charge", () =>
    Effect.gen(function* () {
      const { approveVisits, ledger, prepare, shop } = yield* setUp
      const prepared = yield* prepare(Provider.recurring)
      yield* browse(async (page) => {
        await page.goto(prepared.redirectUrls.pc)
        await page.getByRole("button", { name: "동의하고" }).press("Enter")
        await page.waitForURL(`${shop.url}/**`)
      })
      const [approved] = yield* approveVisits(prepared, Provider.recurring)
      const billingKey = approved?._tag === "Approved" ? approved.billingKey : assert.fail(JSON.stringify(approved))
      assert.isNotNull(billingKey)
      const totals = yield* ledger.totals({ sid: billingKey ?? "" })
      assert.strictEqual(totals.captureCount, 1)
    }).pipe(Effect.provide(SimulatorServer.layer({ secretKey: Provider.secretKey })))
  )

  it.effect("cancels, and no money moves even if the merchant believes otherwise", () =>
    Effect.gen(function* () {
      const { approveVisits, ledger, prepare, shop, strategy } = yield* setUp
      const prepared = yield* prepare()
      yield* browse(async (page) => {
        await page.goto(prepared.redirectUrls.mobile)
        await page.getByRole("button", { name: "결제 취소" }).click()
        await page.waitForURL(`${shop.url}/**`)
      })
      assert.deepStrictEqual(shop.visits, ["GET /cancelled?order=1"])
      const found = yield* strategy.lookupPayment({
        merchantAccount: Provider.oneTime,
        transactionId: prepared.transactionId
      })
      assert.strictEqual(found._tag === "PaymentFound" ? found.standing : found._tag, "failed")
      shop.visits.splice(0, 1, "GET /approved?order=1&pg_token=guessed")
      const [answer] = yield* approveVisits(prepared)
      assert.notStrictEqual(answer?._tag, "Approved")
      assert.deepStrictEqual(yield* ledger.entries(), [])
    }).pipe(Effect.provide(SimulatorServer.layer({ secretKey: Provider.secretKey })))
  )
})
