/**
 * Servers that speak to the adapter, from polite to broken, and the adapter that speaks to them.
 */
import type * as Strategy from "@pillivery/domain/PaymentStrategy"
import {
  ApprovalToken,
  CustomerReference,
  MerchantAccount,
  ProviderBillingKey,
  TransactionId
} from "@pillivery/domain/Provider"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won } from "@pillivery/domain/Won"
import { Clock, Effect, Redacted } from "effect"
import { createServer as createHttpServer } from "node:http"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { createServer as createTlsServer, type TlsOptions } from "node:tls"
import * as Client from "../src/Client.ts"
import * as KakaoPay from "../src/KakaoPay.ts"

/** Appears nowhere but in the one header it is for. */
export const secretKey = "DEVthissecretmustappearnowhere0000000000"

export const attemptId = Fixtures.anyAttemptId()
export const refundId = Fixtures.anyRefundId()
export const tid = TransactionId.make("T6a8d38329fd342cdd38")
export const sid = ProviderBillingKey.make("S6a8d38329fd342cdd38")
export const price = Won.make(12_000)
export const customerReference = CustomerReference.make("customer-1")

/** Short enough for tests, long enough for a busy machine. */
export const settings: Client.Settings = {
  ...Client.settingsDefault,
  connectMillisMax: 1_000,
  headersMillisMax: 400,
  bodyMillisMax: 400
}

export const configOf = (baseUrl: string, changes: Partial<Client.Settings> = {}): KakaoPay.KakaoPayConfig => ({
  ...KakaoPay.configDefault,
  baseUrl: new URL(baseUrl),
  secretKey: Redacted.make(secretKey),
  client: { ...settings, ...changes }
})

export const makeStrategy = (baseUrl: string, changes?: Partial<Client.Settings>) =>
  KakaoPay.make(configOf(baseUrl, changes))

const nanosPerMilli = 1_000_000

/** A deadline this many milliseconds from now. */
export const deadlineIn = (millis: number): Effect.Effect<Strategy.DispatchDeadline> =>
  Effect.map(Clock.Clock, (clock) => ({
    monotonicMillis: Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli + millis,
    wallMillis: clock.currentTimeMillisUnsafe() + millis
  }))

export const oneTime = MerchantAccount.make("TC0ONETIME")
export const recurring = MerchantAccount.make("TCSUBSCRIP")

export const prepareRequest: Strategy.PrepareRequest = {
  attemptId,
  merchantAccount: oneTime,
  customerReference,
  itemName: "비타민 D",
  quantity: 1,
  amount: price,
  approvalUrl: "http://127.0.0.1/approve",
  cancelUrl: "http://127.0.0.1/cancel",
  failUrl: "http://127.0.0.1/fail"
}
export const approveRequest = (dispatchBefore: Strategy.DispatchDeadline): Strategy.ApproveRequest => ({
  attemptId,
  merchantAccount: oneTime,
  customerReference,
  transactionId: tid,
  approvalToken: ApprovalToken.make("token"),
  amount: price,
  dispatchBefore
})
export const chargeRequest = (dispatchBefore: Strategy.DispatchDeadline): Strategy.ChargeRequest => ({
  attemptId,
  merchantAccount: recurring,
  customerReference,
  billingKey: sid,
  itemName: "오메가-3",
  quantity: 1,
  amount: price,
  dispatchBefore
})
export const refundRequest = (dispatchBefore: Strategy.DispatchDeadline): Strategy.RefundRequest => ({
  refundId,
  merchantAccount: oneTime,
  transactionId: tid,
  amount: Won.make(5_000),
  approved: price,
  available: price,
  dispatchBefore
})
export const keyRequest: Strategy.BillingKeyLookup = { merchantAccount: recurring, billingKey: sid }
export const paymentRequest: Strategy.PaymentLookup = { merchantAccount: oneTime, transactionId: tid }

const patienceMillis = 60_000

/** Charges through a strategy with plenty of time. */
export const charge = (strategy: Strategy.PaymentStrategy) =>
  Effect.flatMap(deadlineIn(patienceMillis), (deadline) => strategy.charge(chargeRequest(deadline)))

const listen = (server: Server) =>
  Effect.callback<number>((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
  })

const serving = (server: Server) =>
  Effect.acquireRelease(listen(server), () =>
    Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

/** What a broken server saw. */
export interface Seen {
  readonly port: number
  readonly sockets: Array<Socket>
  /** Everything that arrived, on all connections together. */
  text: string
  /** How many requests began to arrive. */
  readonly requests: () => number
}

/** A server below HTTP. `onConnection` does with the socket what it likes. */
export const brokenServer = (
  onConnection: (socket: Socket) => void,
  options: { readonly onText?: (socket: Socket, text: string) => void; readonly tls?: TlsOptions } = {}
) =>
  Effect.gen(function* () {
    const seen = {
      port: 0,
      sockets: new Array<Socket>(),
      text: "",
      requests: () => seen.text.split("POST /").length - 1
    }
    const accept = (socket: Socket) => {
      seen.sockets.push(socket)
      socket.on("error", () => {})
      if (options.onText !== undefined) {
        socket.on("data", (chunk) => {
          seen.text += chunk.toString("utf8")
          options.onText?.(socket, chunk.toString("utf8"))
        })
      }
      onConnection(socket)
    }
    const server = options.tls === undefined ? createServer(accept) : createTlsServer(options.tls, accept)
    seen.port = yield* serving(server)
    // Released before the server, which waits for its connections.
    yield* Effect.addFinalizer(() => Effect.sync(() => seen.sockets.forEach((socket) => socket.destroy())))
    return seen satisfies Seen
  })

/** An HTTP message as it goes over the wire. */
export const http = (status: string, body: string, headers: ReadonlyArray<string> = []): string =>
  [
    `HTTP/1.1 ${status}`,
    "content-type: application/json;charset=UTF-8",
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
    "",
    body
  ].join("\r\n")

/** What an honest server saw of one call. */
export interface Call {
  readonly path: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: unknown
}

/** A server that answers every call with what was set last. */
export const scriptedServer = Effect.gen(function* () {
  const calls: Array<Call> = []
  const script = { status: 200, body: "{}", contentType: "application/json" }
  const bodies = new Map<string, unknown>()
  const server = createHttpServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      calls.push({
        path: request.url ?? "",
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString("utf8"))
      })
      const own = bodies.get(request.url ?? "")
      response
        .writeHead(script.status, { "content-type": script.contentType })
        .end(own === undefined ? script.body : JSON.stringify(own))
    })
  })
  const port = yield* serving(server)
  yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    /** What one path answers from now on, whatever else is set. */
    answerAt: (path: string, body: unknown) => void bodies.set(path, body),
    answer: (status: number, body: unknown) => {
      script.status = status
      script.body = typeof body === "string" ? body : JSON.stringify(body)
    }
  }
})

/** A port nobody listens on. */
export const closedPort = Effect.scoped(serving(createServer()))

/** An approval as captured from the current host, for our ids. */
export const approval = (changes: Record<string, unknown> = {}) => ({
  aid: "A6a8d3a301d33ed2dc3c",
  tid,
  cid: "TC0ONETIME",
  sid: null,
  partner_order_id: attemptId,
  partner_user_id: customerReference,
  item_name: "비타민 D",
  item_code: null,
  payload: null,
  quantity: 1,
  amount: { total: price, tax_free: 0, vat: 1_091, point: 0, discount: 0, green_deposit: 0 },
  payment_method_type: "CARD",
  card_info: { kakaopay_purchase_corp: "신한", card_type: "신용", install_month: "00" },
  sequential_payment_methods: null,
  created_at: "2024-07-30T20:50:27",
  approved_at: "2024-07-30T20:51:00",
  ...changes
})

export const cancel = (changes: Record<string, unknown> = {}) => ({
  tid,
  cid: "TC0ONETIME",
  status: "PART_CANCEL_PAYMENT",
  partner_order_id: attemptId,
  aid: "A6a8d6a129fd342cdd3c",
  amount: { total: price },
  canceled_amount: { total: 5_000 },
  cancel_available_amount: { total: 7_000 },
  approved_cancel_amount: { total: 5_000 },
  created_at: "2024-07-30T20:50:27",
  approved_at: "2024-07-30T20:51:01",
  canceled_at: "2024-07-30T21:03:45",
  ...changes
})

export const order = (changes: Record<string, unknown> = {}) => ({
  tid,
  cid: "TC0ONETIME",
  status: "SUCCESS_PAYMENT",
  partner_order_id: attemptId,
  partner_user_id: customerReference,
  payment_method_type: "CARD",
  amount: { total: price },
  canceled_amount: { total: 0 },
  cancel_available_amount: { total: price },
  created_at: "2024-07-30T20:50:27",
  approved_at: "2024-07-30T20:51:01",
  payment_action_details: [
    {
      aid: "A6a8d3a301d33ed2dc3c",
      approved_at: "2024-07-30T20:51:01",
      point_amount: 0,
      discount_amount: 0,
      payment_action_type: "PAYMENT"
    }
  ],
  ...changes
})

export const ready = (changes: Record<string, unknown> = {}) => ({
  tid,
  tms_result: false,
  next_redirect_app_url: "https://online-payment.kakaopay.com/mockup/bridge/mobile-app/pg/one-time/payment/00",
  next_redirect_mobile_url: "https://online-payment.kakaopay.com/mockup/bridge/mobile-web/pg/one-time/payment/00",
  next_redirect_pc_url: "https://online-payment.kakaopay.com/mockup/bridge/pc/pg/one-time/payment/00",
  android_app_scheme: "kakaotalk://kakaopay/pg?url=x",
  ios_app_scheme: "kakaotalk://kakaopay/pg?url=x",
  created_at: "2024-07-30T20:50:27",
  ...changes
})

export const status = (changes: Record<string, unknown> = {}) => ({
  available: true,
  cid: "TCSUBSCRIP",
  sid,
  status: "ACTIVE",
  payment_method_type: "MONEY",
  item_name: "오메가-3",
  created_at: "2024-07-01T09:00:00",
  last_approved_at: "2024-07-30T20:51:00",
  use_point_status: "N",
  ...changes
})
