/**
 * KakaoPay as a `PaymentStrategy`.
 *
 * Each method makes one call and says what its answer means; `ErrorCodes` holds the meanings. An approval is believed
 * only if it names the transaction and attempt that were sent, so that an answer to somebody else's call is never taken
 * for ours.
 *
 * **Details**
 *
 * The attempt's id is the provider's `partner_order_id`, by which a settlement file is joined; a refund's id travels as
 * its `payload`. What we sell is taxable: nothing is tax free, and one eleventh is VAT. The VAT of a refund is what all
 * refunds up to it come to less that of those before it, as the domain's own books have it.
 *
 * @since 0.1.0
 */
import { RedirectUrls } from "@pillivery/domain/Attempt"
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
import * as Tax from "@pillivery/domain/Tax"
import { Won, zero } from "@pillivery/domain/Won"
import { Config, DateTime, Effect, Layer, Option, Redacted, Result, Schema, type Scope } from "effect"
import * as Answers from "./Answers.ts"
import * as Client from "./Client.ts"
import { orNull } from "./wire/Fields.ts"
import { itemNameLengthMax } from "./wire/Requests.ts"
import * as Wire from "./wire/Responses.ts"

/** The name under which payments made with this strategy are stored. */
export const providerName = ProviderName.make("kakaopay")

/** What the strategy is made from. */
export interface KakaoPayConfig {
  /** Where the API is; `https://open-api.kakaopay.com`, or a simulator. */
  readonly baseUrl: URL
  readonly secretKey: Redacted.Redacted
  /** The contract (CID) for single payments. */
  readonly oneTimeAccount: MerchantAccount
  /** The contract (CID) that issues billing keys. */
  readonly subscriptionAccount: MerchantAccount
  /** How long a customer may take to approve, in minutes after the transaction was opened. */
  readonly windowMinutes: number
  readonly client: Client.Settings
}

/** The real host. */
export const baseUrlDefault = "https://open-api.kakaopay.com"

/** Where everything but the secret key comes from when nothing else is said: the public test contracts. */
export const configDefault = {
  oneTimeAccount: MerchantAccount.make("TC0ONETIME"),
  subscriptionAccount: MerchantAccount.make("TCSUBSCRIP"),
  windowMinutes: 15,
  client: Client.settingsDefault
} as const satisfies Partial<KakaoPayConfig>

const methodUnnamed = "UNKNOWN"
const methodLengthMax = 32
const otherItems = / 외 \d{1,9}건$/

const characters = new Intl.Segmenter("ko", { granularity: "grapheme" })

/**
 * An item name as long as the provider takes it: cut between characters as people see them, keeping "and n more".
 *
 * **Details**
 *
 * A family emoji is one character of eleven UTF-16 units, and decomposed Hangul has one of up to three for a syllable: cut
 * within, they would be shown as something else. A first character that is too long alone is cut between code points.
 */
export const itemNameOf = (name: string): string => {
  if (name.length <= itemNameLengthMax) return name
  const suffix = otherItems.exec(name)?.[0] ?? ""
  const lengthMax = itemNameLengthMax - suffix.length
  // No character that begins after the cut can fit, and one that begins before it is read whole.
  const after = characters.segment(name.slice(0, name.length - suffix.length)).containing(lengthMax)
  const end = after?.index ?? name.length - suffix.length
  return (end === 0 ? Answers.cut(name, lengthMax) : name.slice(0, end)) + suffix
}

const amountsOf = ({ taxFree, total, vat }: Tax.Split) => ({
  total_amount: total,
  tax_free_amount: taxFree,
  vat_amount: vat
})

const cancelAmountsOf = ({ taxFree, total, vat }: Tax.Split) => ({
  cancel_amount: total,
  cancel_tax_free_amount: taxFree,
  cancel_vat_amount: vat
})

// A refund of more than is left is for the provider to refuse: it is sent, with the tax of its amount alone.
const taxOfRefund = ({ amount, approved, available }: Strategy.RefundRequest): Tax.Split => {
  const alone = Tax.allTaxable(amount)
  if (available > approved) return alone
  const taxable = (total: Won): Tax.Amounts => ({ total, taxFree: zero })
  const refunded = Won.make(approved - available)
  return Result.getOrElse(Tax.refundOf(taxable(approved), taxable(refunded), taxable(amount)), () => alone)
}

const unknown = (detail: string) => new Answer.Unknown({ detail })

const readReady = Answers.read("prepare", Wire.Ready)
const readApproved = Answers.read("approve", Wire.Approval)
const readCharged = Answers.read("charge", Wire.Approval)
const readCancel = Answers.read("refund", Wire.Cancel)
const readInactive = Answers.read("deactivate", Wire.Inactive)
const readOrder = Answers.read("lookupPayment", Wire.Order)
const readStatus = Answers.read("lookupBillingKey", Wire.Status)

const approved = (approval: Wire.Approval): Answer.Approved => {
  const sid = orNull(approval.sid)
  return new Answer.Approved({
    transactionId: TransactionId.make(approval.tid),
    approvalId: ApprovalId.make(approval.aid),
    amount: approval.amount.total,
    approvedAt: approval.approved_at,
    method: PaymentMethod.make(Answers.cut(orNull(approval.payment_method_type) ?? methodUnnamed, methodLengthMax)),
    billingKey: sid === null ? null : ProviderBillingKey.make(sid)
  })
}

/** What each of the provider's statuses says of a payment; a status that is not here says nothing. */
export const standings = {
  READY: "waiting",
  SEND_TMS: "waiting",
  OPEN_PAYMENT: "waiting",
  SELECT_METHOD: "waiting",
  ARS_WAITING: "waiting",
  AUTH_PASSWORD: "waiting",
  ISSUED_SID: "approved",
  SUCCESS_PAYMENT: "approved",
  PART_CANCEL_PAYMENT: "approved",
  CANCEL_PAYMENT: "approved",
  FAIL_AUTH_PASSWORD: "failed",
  QUIT_PAYMENT: "failed",
  FAIL_PAYMENT: "failed"
} as const satisfies Record<string, Strategy.PaymentFound["standing"]>

const standingOf = (status: string): Strategy.PaymentFound["standing"] | null =>
  Object.hasOwn(standings, status) ? standings[status as keyof typeof standings] : null

const refundedStatuses: ReadonlySet<string> = new Set(["PART_CANCEL_PAYMENT", "CANCEL_PAYMENT"])
const approvalActions: ReadonlySet<string> = new Set(["PAYMENT", "ISSUED_SID"])

const approvedAtOf = (order: Wire.Order): DateTime.Utc | null => {
  const at = orNull(order.approved_at)
  if (at !== null) return at
  const approval = orNull(order.payment_action_details)?.find((action) =>
    approvalActions.has(orNull(action.payment_action_type) ?? "")
  )
  return approval === undefined ? null : orNull(approval.approved_at)
}

const decodeAttemptId = Schema.decodeUnknownOption(AttemptId)
const lookupFailed = (detail: string) => new Strategy.LookupFailed({ isOurFault: false, detail })

const paymentOf = (order: Wire.Order): Strategy.PaymentLookupAnswer => {
  const standing = standingOf(order.status)
  if (standing === null) return lookupFailed(Answers.cut(`unknown status ${order.status}`, statusShownMax))
  const amount = orNull(order.amount)?.total ?? null
  const refunded = orNull(order.canceled_amount)?.total ?? null
  const approvedAt = approvedAtOf(order)
  if (standing === "approved") {
    if (amount === null) return lookupFailed(`${order.status} without an amount`)
    if (approvedAt === null) return lookupFailed(`${order.status} without the time of its approval`)
    if (refunded === null && refundedStatuses.has(order.status)) {
      return lookupFailed(`${order.status} without the amount given back`)
    }
  }
  return new Strategy.PaymentFound({
    standing,
    attemptId: Option.getOrNull(decodeAttemptId(order.partner_order_id)),
    amount: amount ?? zero,
    refundedTotal: refunded ?? zero,
    approvedAt: standing === "approved" ? approvedAt : null
  })
}

const statusShownMax = 100

const billingKeyOf = (status: Wire.Status): Strategy.BillingKeyLookupAnswer => {
  switch (status.status) {
    case "ACTIVE":
    case "INACTIVE":
      return new Strategy.BillingKeyFound({
        isActive: status.status === "ACTIVE",
        lastApprovedAt: orNull(status.last_approved_at)
      })
    default:
      return lookupFailed(Answers.cut(`unknown status ${status.status}`, statusShownMax))
  }
}

/** Opens the connections and gives the strategy; they close with the scope, after the calls in flight have ended. */
export const make = Effect.fn("KakaoPay.make")(function* (
  config: KakaoPayConfig
): Effect.fn.Return<Strategy.PaymentStrategy, never, Scope.Scope> {
  const client = yield* Client.make(config, config.client)

  const prepare = Effect.fn("KakaoPay.prepare")(function* (request: Strategy.PrepareRequest) {
    const reply = yield* client.send(
      "ready",
      {
        cid: request.merchantAccount,
        partner_order_id: request.attemptId,
        partner_user_id: request.customerReference,
        item_name: itemNameOf(request.itemName),
        quantity: request.quantity,
        ...amountsOf(Tax.allTaxable(request.amount)),
        approval_url: request.approvalUrl,
        cancel_url: request.cancelUrl,
        fail_url: request.failUrl
      },
      { dispatchBefore: null }
    )
    const reading = readReady(reply)
    if (reading._tag !== "Done") return Answers.toPrepareAnswer(reading)
    const ready = reading.value
    return new Strategy.Prepared({
      transactionId: TransactionId.make(ready.tid),
      redirectUrls: new RedirectUrls({
        pc: ready.next_redirect_pc_url,
        mobile: ready.next_redirect_mobile_url,
        app: ready.next_redirect_app_url
      }),
      expiresAt: DateTime.add(ready.created_at, { minutes: config.windowMinutes })
    })
  })

  const approve = Effect.fn("KakaoPay.approve")(function* (request: Strategy.ApproveRequest) {
    const reply = yield* client.send(
      "approve",
      {
        cid: request.merchantAccount,
        tid: request.transactionId,
        partner_order_id: request.attemptId,
        partner_user_id: request.customerReference,
        pg_token: request.approvalToken,
        total_amount: request.amount
      },
      { dispatchBefore: request.dispatchBefore }
    )
    const reading = readApproved(reply)
    if (reading._tag !== "Done") return Answers.toProviderAnswer(reading)
    const approval = reading.value
    return approval.tid === request.transactionId && approval.partner_order_id === request.attemptId
      ? approved(approval)
      : unknown("an approval of another transaction was answered")
  })

  const charge = Effect.fn("KakaoPay.charge")(function* (request: Strategy.ChargeRequest) {
    const reply = yield* client.send(
      "subscription",
      {
        cid: request.merchantAccount,
        sid: request.billingKey,
        partner_order_id: request.attemptId,
        partner_user_id: request.customerReference,
        item_name: itemNameOf(request.itemName),
        quantity: request.quantity,
        ...amountsOf(Tax.allTaxable(request.amount))
      },
      { dispatchBefore: request.dispatchBefore }
    )
    const reading = readCharged(reply)
    if (reading._tag !== "Done") return Answers.toProviderAnswer(reading)
    const approval = reading.value
    const sid = orNull(approval.sid)
    return approval.partner_order_id === request.attemptId && (sid === null || sid === request.billingKey)
      ? approved(approval)
      : unknown("an approval of another charge was answered")
  })

  const refund = Effect.fn("KakaoPay.refund")(function* (request: Strategy.RefundRequest) {
    const reply = yield* client.send(
      "cancel",
      {
        cid: request.merchantAccount,
        tid: request.transactionId,
        ...cancelAmountsOf(taxOfRefund(request)),
        cancel_available_amount: request.available,
        payload: request.refundId
      },
      { dispatchBefore: request.dispatchBefore }
    )
    const reading = readCancel(reply)
    if (reading._tag !== "Done") return Answers.toRefundAnswer(reading)
    const cancel = reading.value
    const payload = orNull(cancel.payload)
    return cancel.tid === request.transactionId && (payload === null || payload === request.refundId)
      ? new Strategy.RefundDone({ refundedTotal: cancel.canceled_amount.total, at: cancel.canceled_at })
      : unknown("another refund was answered")
  })

  const deactivate = Effect.fn("KakaoPay.deactivate")(function* (request: Strategy.BillingKeyLookup) {
    const reply = yield* client.send(
      "inactive",
      { cid: request.merchantAccount, sid: request.billingKey },
      { dispatchBefore: null }
    )
    const reading = readInactive(reply)
    if (reading._tag !== "Done") return Answers.toDeactivateAnswer(reading)
    return reading.value.sid === request.billingKey && reading.value.status === "INACTIVE"
      ? new Strategy.Deactivated({})
      : unknown("the billing key was not answered to be inactive")
  })

  const lookupPayment = Effect.fn("KakaoPay.lookupPayment")(function* (request: Strategy.PaymentLookup) {
    const reply = yield* client.look("order", { cid: request.merchantAccount, tid: request.transactionId })
    const reading = readOrder(reply)
    if (reading._tag !== "Done") return Answers.toPaymentLookupAnswer(reading)
    return reading.value.tid === request.transactionId
      ? paymentOf(reading.value)
      : lookupFailed("another transaction was answered")
  })

  const lookupBillingKey = Effect.fn("KakaoPay.lookupBillingKey")(function* (request: Strategy.BillingKeyLookup) {
    const reply = yield* client.look("status", { cid: request.merchantAccount, sid: request.billingKey })
    const reading = readStatus(reply)
    if (reading._tag !== "Done") return Answers.toBillingKeyLookupAnswer(reading)
    return reading.value.sid === request.billingKey
      ? billingKeyOf(reading.value)
      : lookupFailed("another billing key was answered")
  })

  return {
    provider: providerName,
    merchantAccountFor: (kind) => (kind === "oneTime" ? config.oneTimeAccount : config.subscriptionAccount),
    prepare,
    approve,
    charge,
    refund,
    deactivate,
    lookupPayment,
    lookupBillingKey
  }
})

const strategiesOf = (strategy: Strategy.PaymentStrategy): Strategy.PaymentStrategies["Service"] => ({
  find: (name) => (name === strategy.provider ? strategy : null),
  preferred: strategy
})

/** The only payment strategy, also for new payments. */
export const layer = (config: KakaoPayConfig): Layer.Layer<Strategy.PaymentStrategies> =>
  Layer.effect(Strategy.PaymentStrategies, Effect.map(make(config), strategiesOf))

const isHttp = Schema.makeFilter(({ protocol }: URL) => protocol === "https:" || protocol === "http:", {
  expected: "an address that begins with https:// or http://"
})
const BaseUrl = Schema.URLFromString.check(isHttp)
const responseMillisMax = 10 * 60_000
// Zero would wait for ever.
const ResponseMillis = Schema.NumberFromString.check(
  Schema.isInt(),
  Schema.isBetween({ minimum: 1, maximum: responseMillisMax })
)
const cidLengthMax = 10
const Cid = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(cidLengthMax))
// What a header can carry: a stray line break from a file would otherwise fail every call.
const SecretKey = Schema.Redacted(Schema.String.check(Schema.isPattern(/^[\x21-\x7e]+$/)))

/** Each variable of the configuration by itself. */
export const variables = {
  baseUrl: Config.schema(BaseUrl, "PILLIVERY_KAKAOPAY_URL").pipe(Config.withDefault(new URL(baseUrlDefault))),
  secretKey: Config.schema(SecretKey, "PILLIVERY_KAKAOPAY_SECRET_KEY"),
  oneTimeAccount: Config.schema(Cid, "PILLIVERY_KAKAOPAY_CID").pipe(
    Config.map((cid) => MerchantAccount.make(cid)),
    Config.withDefault(configDefault.oneTimeAccount)
  ),
  subscriptionAccount: Config.schema(Cid, "PILLIVERY_KAKAOPAY_SUBSCRIPTION_CID").pipe(
    Config.map((cid) => MerchantAccount.make(cid)),
    Config.withDefault(configDefault.subscriptionAccount)
  ),
  headersMillisMax: Config.schema(ResponseMillis, "PILLIVERY_KAKAOPAY_RESPONSE_MILLIS").pipe(
    Config.withDefault(configDefault.client.headersMillisMax)
  )
} as const

/**
 * Reads the configuration.
 *
 * **Details**
 *
 * `PILLIVERY_KAKAOPAY_SECRET_KEY` is required. `PILLIVERY_KAKAOPAY_URL` is the real host by default,
 * `PILLIVERY_KAKAOPAY_CID` and `PILLIVERY_KAKAOPAY_SUBSCRIPTION_CID` are the public test contracts, and
 * `PILLIVERY_KAKAOPAY_RESPONSE_MILLIS`, how long an answer may take, is 30,000; it may be 1 to 600,000.
 */
export const config: Config.Config<KakaoPayConfig> = Config.all(variables).pipe(
  Config.map(({ headersMillisMax, ...read }) => ({
    ...read,
    windowMinutes: configDefault.windowMinutes,
    client: { ...configDefault.client, headersMillisMax }
  }))
)

/** The only payment strategy, configured by the environment. */
export const layerConfig: Layer.Layer<Strategy.PaymentStrategies, Config.ConfigError> = Layer.unwrap(
  Effect.map(config, layer)
)
