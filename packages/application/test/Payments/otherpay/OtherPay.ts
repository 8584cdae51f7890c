/**
 * A second payment provider, made up, written after `docs/how-to/add-a-payment-provider.md` and nothing else.
 *
 * It differs from KakaoPay wherever the port leaves room: an idempotency key for every call that moves money, answers 200
 * with a refusal in them, amounts as texts, times in UTC with fractions, refunds that are things of their own, and names of
 * any length. One file, since it is small; a package would keep its wire schemas apart.
 */
import { RedirectUrls } from "@pillivery/domain/Attempt"
import * as DeclineReason from "@pillivery/domain/DeclineReason"
import { AttemptId } from "@pillivery/domain/Ids"
import * as Strategy from "@pillivery/domain/PaymentStrategy"
import {
  ApprovalId,
  MerchantAccount,
  PaymentMethod,
  ProviderBillingKey,
  ProviderName,
  TransactionId
} from "@pillivery/domain/Provider"
import * as Answer from "@pillivery/domain/ProviderAnswer"
import { Won, zero } from "@pillivery/domain/Won"
import { Clock, DateTime, Effect, Option, Redacted, Schema } from "effect"
import { request as httpRequest } from "node:http"

// -----------------------------------------------------------------------------
// the wire: step 2 of the page
// -----------------------------------------------------------------------------

const Amount = Schema.String.check(Schema.isPattern(/^\d{1,11}$/))
const Failure = Schema.Struct({ ok: Schema.Literal(false), reason: Schema.String, text: Schema.String })
const Opened = Schema.Struct({
  ok: Schema.Literal(true),
  payment: Schema.NonEmptyString,
  checkout: Schema.Struct({ desktop: Schema.String, phone: Schema.String, app: Schema.String }),
  validUntil: Schema.DateTimeUtcFromString
})
const Captured = Schema.Struct({
  ok: Schema.Literal(true),
  payment: Schema.NonEmptyString,
  order: Schema.NonEmptyString,
  capture: Schema.NonEmptyString,
  amount: Amount,
  at: Schema.DateTimeUtcFromString,
  key: Schema.NullOr(Schema.NonEmptyString)
})
const Refunded = Schema.Struct({
  ok: Schema.Literal(true),
  payment: Schema.NonEmptyString,
  refundedInAll: Amount,
  at: Schema.DateTimeUtcFromString
})
const Payment = Schema.Struct({
  ok: Schema.Literal(true),
  payment: Schema.NonEmptyString,
  order: Schema.String,
  state: Schema.String,
  amount: Amount,
  refundedInAll: Amount,
  capturedAt: Schema.NullOr(Schema.DateTimeUtcFromString)
})
const Key = Schema.Struct({
  ok: Schema.Literal(true),
  key: Schema.NonEmptyString,
  state: Schema.String,
  lastCaptureAt: Schema.NullOr(Schema.DateTimeUtcFromString)
})

// -----------------------------------------------------------------------------
// the codes: step 3
// -----------------------------------------------------------------------------

type Method = "prepare" | "approve" | "charge" | "refund" | "deactivate" | "lookupPayment" | "lookupBillingKey"
type Class =
  | "InsufficientFunds"
  | "BillingKeyRevoked"
  | "word"
  | "ours"
  | "NotYet"
  | "Expired"
  | "RefundRefused"
  | "Missing"

interface Row {
  readonly reason: string
  readonly methods: ReadonlyArray<Method>
  readonly class: Class
}

const all: ReadonlyArray<Method> = [
  "prepare",
  "approve",
  "charge",
  "refund",
  "deactivate",
  "lookupPayment",
  "lookupBillingKey"
]

/** Every reason that is definite, by method; all from the made-up provider's manual. What is not here is `Unknown`. */
export const rows: ReadonlyArray<Row> = [
  { reason: "insufficient_funds", methods: ["approve", "charge"], class: "InsufficientFunds" },
  { reason: "key_ended", methods: ["charge"], class: "BillingKeyRevoked" },
  { reason: "closed_for_maintenance", methods: all, class: "word" },
  { reason: "bad_account", methods: all, class: "ours" },
  { reason: "no_proof", methods: ["approve"], class: "NotYet" },
  { reason: "too_late", methods: ["approve"], class: "Expired" },
  { reason: "more_than_left", methods: ["refund"], class: "RefundRefused" },
  { reason: "no_such_payment", methods: ["lookupPayment"], class: "Missing" },
  { reason: "no_such_key", methods: ["lookupBillingKey"], class: "Missing" }
]

// -----------------------------------------------------------------------------
// one call is one request: step 4, laws 2, 3, 4, 10 and 11
// -----------------------------------------------------------------------------

const responseBytesMax = 64 * 1_024
const detailLengthMax = 500
const nanosPerMilli = 1_000_000

/** Where the provider is, who we are, and how long things may take. */
export interface Options {
  readonly port: number
  readonly secret: Redacted.Redacted
  readonly connectMillisMax: number
  readonly answerMillisMax: number
}

type Reply =
  | { readonly _tag: "Replied"; readonly body: unknown }
  | { readonly _tag: "NotSent" | "Lost"; readonly detail: string }

interface Sending {
  readonly path: string
  readonly account: MerchantAccount
  readonly body: Readonly<Record<string, unknown>>
  /** Under which the provider does a thing once; null where repeating is harmless. */
  readonly idempotencyKey: string | null
  readonly dispatchBefore: Strategy.DispatchDeadline | null
}

/** The allow-list of law 2. */
const isUnsent = (error: NodeJS.ErrnoException): boolean =>
  (error.code === "ECONNREFUSED" && error.syscall === "connect") ||
  (error.code === "ENOTFOUND" && error.syscall === "getaddrinfo")

const isPassed = (clock: Clock.Clock, deadline: Strategy.DispatchDeadline): boolean =>
  Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli >= deadline.monotonicMillis ||
  clock.currentTimeMillisUnsafe() >= deadline.wallMillis

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const send = (options: Options, { account, body, dispatchBefore, idempotencyKey, path }: Sending) =>
  Effect.flatMap(Clock.Clock, (clock) =>
    Effect.callback<Reply>((resume) => {
      const text = JSON.stringify(body)
      let isStarted = false
      // A connection for each request, so that no answer is ever taken for another one's.
      const request = httpRequest({
        agent: false,
        host: "127.0.0.1",
        port: options.port,
        method: "POST",
        path,
        headers: {
          authorization: `Bearer ${Redacted.value(options.secret)}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(text),
          "x-account": account,
          ...(idempotencyKey === null ? {} : { "idempotency-key": idempotencyKey })
        }
      })
      let timer = setTimeout(() => end({ _tag: "NotSent", detail: "no connection in time" }), options.connectMillisMax)
      const end = (reply: Reply) => {
        clearTimeout(timer)
        request.destroy()
        resume(Effect.succeed(reply))
      }
      const lost = (detail: string) => end({ _tag: "Lost", detail })
      request.once("socket", (socket) =>
        socket.once("connect", () => {
          if (dispatchBefore !== null && isPassed(clock, dispatchBefore)) {
            return end({ _tag: "NotSent", detail: "its deadline had passed" })
          }
          clearTimeout(timer)
          timer = setTimeout(() => lost("no answer in time"), options.answerMillisMax)
          isStarted = true
          // Nothing of the request, not even its first line, is written before this.
          request.end(text)
        })
      )
      request.on("error", (error: NodeJS.ErrnoException) =>
        isStarted || !isUnsent(error)
          ? lost(error.code ?? error.name)
          : end({ _tag: "NotSent", detail: error.code ?? error.name })
      )
      request.once("response", (response) => {
        const chunks: Array<Buffer> = []
        let bytes = 0
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > responseBytesMax) lost("too long an answer")
          else chunks.push(chunk)
        })
        response.once("error", (error: NodeJS.ErrnoException) => lost(error.code ?? error.name))
        response.once("end", () => end({ _tag: "Replied", body: parsed(Buffer.concat(chunks).toString("utf8")) }))
      })
      return Effect.sync(() => {
        clearTimeout(timer)
        request.destroy()
      })
    })
  )

// -----------------------------------------------------------------------------
// what an answer means: law 1
// -----------------------------------------------------------------------------

interface Refusal {
  readonly _tag: "Refusal"
  readonly class: Class
  readonly reason: string
  readonly text: string
}
type Reading<A> = { readonly _tag: "Done"; readonly value: A } | Refusal | Exclude<Reply, { readonly _tag: "Replied" }>
type NotDone = Exclude<Reading<never>, { readonly _tag: "Done" }>

const decodeFailure = Schema.decodeUnknownOption(Failure)

const read = <S extends Schema.ConstraintDecoder<unknown>>(method: Method, schema: S) => {
  const decode = Schema.decodeUnknownOption(schema)
  return (reply: Reply): Reading<S["Type"]> => {
    if (reply._tag !== "Replied") return reply
    const done = decode(reply.body)
    if (Option.isSome(done)) return { _tag: "Done", value: done.value }
    const failure = Option.getOrNull(decodeFailure(reply.body))
    const row = rows.find((each) => each.reason === failure?.reason && each.methods.includes(method))
    if (failure === null || row === undefined) {
      return { _tag: "Lost", detail: failure === null ? "not understood" : `unlisted: ${failure.reason}` }
    }
    return { _tag: "Refusal", class: row.class, reason: failure.reason, text: failure.text }
  }
}

const detailOf = (self: NotDone): string =>
  (self._tag === "Refusal" ? `${self.reason} ${self.text}` : self.detail).slice(0, detailLengthMax)

const common = (self: NotDone): Answer.NotExecuted | Answer.Unknown => {
  const detail = detailOf(self)
  if (self._tag === "NotSent") return new Answer.NotExecuted({ why: "local", detail })
  if (self._tag === "Refusal" && (self.class === "word" || self.class === "ours")) {
    return new Answer.NotExecuted({ why: self.class, detail })
  }
  return new Answer.Unknown({ detail })
}

const providerAnswer = (self: NotDone): Answer.ProviderAnswer => {
  if (self._tag !== "Refusal") return common(self)
  const raw = { code: self.reason.slice(0, DeclineReason.codeLengthMax), message: self.text.slice(0, detailLengthMax) }
  switch (self.class) {
    case "InsufficientFunds":
      return new Answer.Declined({ reason: new DeclineReason.Soft({ kind: self.class, ...raw }) })
    case "BillingKeyRevoked":
      return new Answer.Declined({ reason: new DeclineReason.Hard({ kind: self.class, ...raw }) })
    case "NotYet":
      return new Answer.NotYet({ detail: detailOf(self) })
    case "Expired":
      return new Answer.Expired({ detail: detailOf(self) })
    default:
      return common(self)
  }
}

const lookupFailed = (self: NotDone) =>
  new Strategy.LookupFailed({ isOurFault: self._tag === "Refusal" && self.class === "ours", detail: detailOf(self) })
const isMissing = (self: NotDone): boolean => self._tag === "Refusal" && self.class === "Missing"
const unknown = (detail: string) => new Answer.Unknown({ detail })
const won = (text: string): Won => Won.make(Number(text))

const approved = (captured: typeof Captured.Type) =>
  new Answer.Approved({
    transactionId: TransactionId.make(captured.payment),
    approvalId: ApprovalId.make(captured.capture),
    amount: won(captured.amount),
    approvedAt: captured.at,
    method: PaymentMethod.make("OTHERPAY"),
    billingKey: captured.key === null ? null : ProviderBillingKey.make(captured.key)
  })

const readOpened = read("prepare", Opened)
const readApproved = read("approve", Captured)
const readCharged = read("charge", Captured)
const readRefunded = read("refund", Refunded)
const readEnded = read("deactivate", Key)
const readPayment = read("lookupPayment", Payment)
const readKey = read("lookupBillingKey", Key)

const standings: ReadonlyMap<string, Strategy.PaymentFound["standing"]> = new Map([
  ["open", "waiting"],
  ["captured", "approved"],
  ["abandoned", "failed"]
])
const decodeAttemptId = Schema.decodeUnknownOption(AttemptId)

/** OtherPay as a strategy. */
export const make = (options: Options): Strategy.PaymentStrategy => {
  // What was sent cannot be taken back, so a caller that goes away only stops waiting.
  const sendMoney = (sending: Sending) => Effect.uninterruptible(send(options, sending))

  return {
    provider: ProviderName.make("otherpay"),
    merchantAccountFor: (kind) => MerchantAccount.make(kind === "oneTime" ? "single" : "recurring"),

    prepare: Effect.fn("OtherPay.prepare")(function* (request) {
      const { amount, approvalUrl, attemptId, cancelUrl, customerReference, failUrl, itemName, quantity } = request
      const reading = readOpened(
        yield* sendMoney({
          path: "/payments",
          account: request.merchantAccount,
          body: {
            order: attemptId,
            customer: customerReference,
            title: itemName,
            quantity,
            amount: String(amount),
            returnTo: { approved: approvalUrl, cancelled: cancelUrl, failed: failUrl }
          },
          idempotencyKey: null,
          dispatchBefore: null
        })
      )
      if (reading._tag !== "Done") return common(reading)
      const { checkout, payment, validUntil } = reading.value
      return new Strategy.Prepared({
        transactionId: TransactionId.make(payment),
        redirectUrls: new RedirectUrls({ pc: checkout.desktop, mobile: checkout.phone, app: checkout.app }),
        expiresAt: validUntil
      })
    }),

    approve: Effect.fn("OtherPay.approve")(function* (request) {
      const reading = readApproved(
        yield* sendMoney({
          path: "/captures",
          account: request.merchantAccount,
          body: {
            payment: request.transactionId,
            order: request.attemptId,
            proof: request.approvalToken,
            amount: String(request.amount)
          },
          idempotencyKey: request.attemptId,
          dispatchBefore: request.dispatchBefore
        })
      )
      if (reading._tag !== "Done") return providerAnswer(reading)
      const { order, payment } = reading.value
      return payment === request.transactionId && order === request.attemptId
        ? approved(reading.value)
        : unknown("another payment was answered")
    }),

    charge: Effect.fn("OtherPay.charge")(function* (request) {
      const reading = readCharged(
        yield* sendMoney({
          path: "/charges",
          account: request.merchantAccount,
          body: {
            key: request.billingKey,
            order: request.attemptId,
            customer: request.customerReference,
            title: request.itemName,
            quantity: request.quantity,
            amount: String(request.amount)
          },
          idempotencyKey: request.attemptId,
          dispatchBefore: request.dispatchBefore
        })
      )
      if (reading._tag !== "Done") return providerAnswer(reading)
      return reading.value.order === request.attemptId
        ? approved(reading.value)
        : unknown("another charge was answered")
    }),

    refund: Effect.fn("OtherPay.refund")(function* (request) {
      const reading = readRefunded(
        yield* sendMoney({
          path: "/refunds",
          account: request.merchantAccount,
          body: { payment: request.transactionId, refund: request.refundId, amount: String(request.amount) },
          idempotencyKey: request.refundId,
          dispatchBefore: request.dispatchBefore
        })
      )
      if (reading._tag === "Refusal" && reading.class === "RefundRefused") {
        return new Strategy.RefundRefused({ code: reading.reason, detail: detailOf(reading) })
      }
      if (reading._tag !== "Done") return common(reading)
      return reading.value.payment === request.transactionId
        ? new Strategy.RefundDone({ refundedTotal: won(reading.value.refundedInAll), at: reading.value.at })
        : unknown("another refund was answered")
    }),

    deactivate: Effect.fn("OtherPay.deactivate")(function* (request) {
      const reading = readEnded(
        yield* sendMoney({
          path: "/keys/end",
          account: request.merchantAccount,
          body: { key: request.billingKey },
          idempotencyKey: null,
          dispatchBefore: null
        })
      )
      if (reading._tag !== "Done") return common(reading)
      return reading.value.state === "ended" ? new Strategy.Deactivated({}) : unknown("the key is not ended")
    }),

    lookupPayment: Effect.fn("OtherPay.lookupPayment")(function* (request) {
      const reading = readPayment(
        yield* send(options, {
          path: "/payments/show",
          account: request.merchantAccount,
          body: { payment: request.transactionId },
          idempotencyKey: null,
          dispatchBefore: null
        })
      )
      if (reading._tag !== "Done") {
        return isMissing(reading) ? new Strategy.PaymentMissing({ detail: detailOf(reading) }) : lookupFailed(reading)
      }
      const { amount, capturedAt, order, payment, refundedInAll, state } = reading.value
      const standing = standings.get(state)
      if (standing === undefined || payment !== request.transactionId) {
        return new Strategy.LookupFailed({ isOurFault: false, detail: "not understood" })
      }
      return new Strategy.PaymentFound({
        standing,
        attemptId: Option.getOrNull(decodeAttemptId(order)),
        amount: won(amount),
        refundedTotal: standing === "approved" ? won(refundedInAll) : zero,
        approvedAt: standing === "approved" ? capturedAt : null
      })
    }),

    lookupBillingKey: Effect.fn("OtherPay.lookupBillingKey")(function* (request) {
      const reading = readKey(
        yield* send(options, {
          path: "/keys/show",
          account: request.merchantAccount,
          body: { key: request.billingKey },
          idempotencyKey: null,
          dispatchBefore: null
        })
      )
      if (reading._tag !== "Done") {
        return isMissing(reading)
          ? new Strategy.BillingKeyMissing({ detail: detailOf(reading) })
          : lookupFailed(reading)
      }
      const { lastCaptureAt, state } = reading.value
      return new Strategy.BillingKeyFound({
        isActive: state === "live",
        // Rounded down to the second, which is what the provider promises.
        lastApprovedAt: lastCaptureAt === null ? null : DateTime.startOf(lastCaptureAt, "second")
      })
    })
  }
}
