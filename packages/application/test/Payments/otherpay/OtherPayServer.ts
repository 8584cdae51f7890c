/**
 * The made-up provider: keeps a ledger, does a thing once for each idempotency key, and does what it is told with the next
 * call of a method. It shares no code with the strategy.
 */
import { Effect } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Method, Trouble } from "../../../src/testing/PaymentStrategySuite.ts"

const windowMillis = 15 * 60_000

type Fields = Readonly<Record<string, unknown>>

interface Payment {
  readonly id: string
  readonly order: string
  readonly amount: number
  readonly givesKey: boolean
  proof: string | null
  capturedAt: string | null
  refunded: number
}

interface Movement {
  readonly kind: "capture" | "refund"
  readonly order: string
  readonly amount: number
}

const methods: Readonly<Record<string, Method>> = {
  "/payments": "prepare",
  "/captures": "approve",
  "/charges": "charge",
  "/refunds": "refund",
  "/keys/end": "deactivate",
  "/payments/show": "lookupPayment",
  "/keys/show": "lookupBillingKey"
}

const refuse = (reason: string): Fields => ({ ok: false, reason, text: "so it is" })

/** What a call carried besides its body. */
export interface Seen {
  readonly method: Method
  readonly idempotencyKey: string | undefined
  readonly authorization: string | undefined
}

/** Starts a provider on a free port for as long as the scope lives. */
export const start = Effect.gen(function* () {
  const payments = new Map<string, Payment>()
  const keys = new Map<string, { isLive: boolean; lastCaptureAt: string | null }>()
  const answers = new Map<string, Fields>()
  const troubles = new Map<Method, Trouble>()
  const movements: Array<Movement> = []
  const seen: Array<Seen> = []
  let serial = 0
  const name = (kind: string) => `${kind}-${(serial += 1)}`
  const now = () => new Date().toISOString()

  const capture = (payment: Payment, key: string | null): Fields => {
    payment.capturedAt = now()
    if (payment.amount > 0) movements.push({ kind: "capture", order: payment.order, amount: payment.amount })
    return {
      ok: true,
      payment: payment.id,
      order: payment.order,
      capture: name("capture"),
      amount: String(payment.amount),
      at: payment.capturedAt,
      key
    }
  }
  const open = (body: Fields, givesKey: boolean): Payment => {
    const payment: Payment = {
      id: name("payment"),
      order: String(body["order"]),
      amount: Number(body["amount"]),
      givesKey,
      proof: null,
      capturedAt: null,
      refunded: 0
    }
    payments.set(payment.id, payment)
    return payment
  }

  const execute = (method: Method, body: Fields, account: string): Fields => {
    const payment = payments.get(String(body["payment"]))
    const key = keys.get(String(body["key"]))
    switch (method) {
      case "prepare": {
        const { id } = open(body, account === "recurring")
        const at = `http://127.0.0.1/checkout/${id}`
        const validUntil = new Date(Date.now() + windowMillis).toISOString()
        return { ok: true, payment: id, checkout: { desktop: at, phone: at, app: at }, validUntil }
      }
      case "approve": {
        if (payment === undefined) return refuse("too_late")
        if (payment.capturedAt !== null) return refuse("captured_already")
        if (payment.proof === null || payment.proof !== body["proof"]) return refuse("no_proof")
        const issued = payment.givesKey ? name("key") : null
        if (issued !== null) keys.set(issued, { isLive: true, lastCaptureAt: null })
        return capture(payment, issued)
      }
      case "charge": {
        if (key === undefined) return refuse("no_such_key")
        if (!key.isLive) return refuse("key_ended")
        const captured = capture(open(body, false), null)
        key.lastCaptureAt = String(captured["at"])
        return captured
      }
      case "refund": {
        if (payment === undefined) return refuse("no_such_payment")
        const amount = Number(body["amount"])
        if (payment.refunded + amount > payment.amount) return refuse("more_than_left")
        payment.refunded += amount
        movements.push({ kind: "refund", order: payment.order, amount })
        return { ok: true, payment: payment.id, refundedInAll: String(payment.refunded), at: now() }
      }
      case "deactivate": {
        if (key === undefined) return refuse("no_such_key")
        key.isLive = false
        return { ok: true, key: body["key"], state: "ended", lastCaptureAt: key.lastCaptureAt }
      }
      case "lookupPayment":
        if (payment === undefined) return refuse("no_such_payment")
        return {
          ok: true,
          payment: payment.id,
          order: payment.order,
          state: payment.capturedAt === null ? "open" : "captured",
          amount: String(payment.amount),
          refundedInAll: String(payment.refunded),
          capturedAt: payment.capturedAt
        }
      case "lookupBillingKey":
        if (key === undefined) return refuse("no_such_key")
        return {
          ok: true,
          key: body["key"],
          state: key.isLive ? "live" : "ended",
          lastCaptureAt: key.lastCaptureAt
        }
    }
  }

  // A success is answered again to the same key; a refusal is tried anew.
  const executeOnce = (method: Method, body: Fields, account: string, idempotencyKey: string | undefined): Fields => {
    const earlier = idempotencyKey === undefined ? undefined : answers.get(`${method} ${idempotencyKey}`)
    if (earlier !== undefined) return earlier
    const answer = execute(method, body, account)
    if (idempotencyKey !== undefined && answer["ok"] === true) answers.set(`${method} ${idempotencyKey}`, answer)
    return answer
  }

  const answer = (request: IncomingMessage, response: ServerResponse, body: Fields) => {
    const method = methods[request.url ?? ""]
    if (method === undefined) return response.writeHead(404).end()
    const header = (named: string) => {
      const value = request.headers[named]
      return typeof value === "string" ? value : undefined
    }
    const idempotencyKey = header("idempotency-key")
    seen.push({ method, idempotencyKey, authorization: header("authorization") })
    const trouble = troubles.get(method)
    troubles.delete(method)
    const run = () => executeOnce(method, body, header("x-account") ?? "", idempotencyKey)
    const say = (status: number, fields: Fields) => response.writeHead(status).end(JSON.stringify(fields))
    switch (trouble) {
      case undefined:
        return say(200, run())
      case "answerLost":
        return void run()
      case "requestLost":
        return
      case "answerGarbled":
        return response.writeHead(200).end(JSON.stringify(run()).slice(0, 10))
      case "cutAfter":
        run()
        return request.socket.resetAndDestroy()
      case "refusedSoftly":
        return say(200, refuse("insufficient_funds"))
      case "notTried":
        return say(503, refuse("closed_for_maintenance"))
      case "misconfigured":
        return say(403, refuse("bad_account"))
    }
  }

  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => answer(request, response, JSON.parse(Buffer.concat(chunks).toString("utf8"))))
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  )

  return {
    port,
    seen,
    failNext: (method: Method, trouble: Trouble) => Effect.sync(() => void troubles.set(method, trouble)),
    approve: (id: string) =>
      Effect.sync(() => {
        const proof = name("proof")
        const payment = payments.get(id)
        if (payment !== undefined) payment.proof = proof
        return proof
      }),
    endKey: (id: string) =>
      Effect.sync(() => {
        const key = keys.get(id)
        if (key !== undefined) key.isLive = false
      }),
    movementsOf: (order: string) => Effect.sync(() => movements.filter((each) => each.order === order))
  }
})
