/**
 * The request bodies of the seven calls, as documented.
 *
 * Integers may arrive as JSON numbers or as numeric strings [D]. An explicit null counts as absent.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as KakaoError from "./KakaoError.ts"

/** The seven calls by short name. */
export const endpoints = ["ready", "approve", "subscription", "cancel", "order", "inactive", "status"] as const

/** One of the seven. */
export type Endpoint = (typeof endpoints)[number]

/** Where each call lives. [D] */
export const paths = {
  ready: "/online/v1/payment/ready",
  approve: "/online/v1/payment/approve",
  subscription: "/online/v1/payment/subscription",
  cancel: "/online/v1/payment/cancel",
  order: "/online/v1/payment/order",
  inactive: "/online/v1/payment/manage/subscription/inactive",
  status: "/online/v1/payment/manage/subscription/status"
} as const satisfies Record<Endpoint, `/${string}`>

const wonMax = 1_000_000_000_000

const installMonthMax = 12

/** Cards a merchant may restrict a payment to. [D] */
const cards = [
  "SHINHAN",
  "KB",
  "HYUNDAI",
  "LOTTE",
  "SAMSUNG",
  "NH",
  "BC",
  "HANA",
  "CITI",
  "KAKAOBANK",
  "KAKAOPAY",
  "WOORIONLY"
] as const

const integer = (maximum: number) => {
  const range = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
  const numericText = Schema.String.check(Schema.isPattern(/^-?\d{1,15}$/)).pipe(
    Schema.decodeTo(range, SchemaTransformation.numberFromString)
  )
  return Schema.Union([range, numericText])
}
const Integer = integer(wonMax)
const text = (maximum: number) => Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(maximum))
const optionalText = (maximum: number) => Schema.optionalKey(Schema.String.check(Schema.isMaxLength(maximum)))
const OptionalInteger = Schema.optionalKey(Integer)

const common = { cid: text(10), cid_secret: optionalText(24) }
const parties = { partner_order_id: text(100), partner_user_id: text(100) }
const money = { quantity: Integer, total_amount: Integer, tax_free_amount: Integer, vat_amount: OptionalInteger }

/** Body of `ready`. */
export const Ready = Schema.Struct({
  ...common,
  ...parties,
  ...money,
  item_name: text(100),
  item_code: optionalText(100),
  green_deposit: OptionalInteger,
  approval_url: text(255),
  cancel_url: text(255),
  fail_url: text(255),
  available_cards: Schema.optionalKey(Schema.Array(Schema.Literals(cards))),
  payment_method_type: Schema.optionalKey(Schema.Literals(["CARD", "MONEY"])),
  install_month: Schema.optionalKey(integer(installMonthMax)),
  use_share_installment: Schema.optionalKey(Schema.Literals(["Y", "N"])),
  custom_json: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})
export type Ready = typeof Ready.Type

/** Body of `approve`. */
export const Approve = Schema.Struct({
  ...common,
  ...parties,
  tid: text(20),
  pg_token: text(255),
  payload: optionalText(200),
  total_amount: OptionalInteger
})
export type Approve = typeof Approve.Type

/** Body of `subscription`. */
export const Subscription = Schema.Struct({
  ...common,
  ...parties,
  ...money,
  sid: text(20),
  item_name: optionalText(100),
  item_code: optionalText(100),
  payload: optionalText(200)
})
export type Subscription = typeof Subscription.Type

/** Body of `cancel`. */
export const Cancel = Schema.Struct({
  ...common,
  tid: text(20),
  cancel_amount: Integer,
  cancel_tax_free_amount: Integer,
  cancel_vat_amount: OptionalInteger,
  cancel_available_amount: OptionalInteger,
  payload: optionalText(200)
})
export type Cancel = typeof Cancel.Type

/** Body of `order`. */
export const Order = Schema.Struct({ ...common, tid: text(20) })
export type Order = typeof Order.Type

/** Body of `inactive` and `status`. */
export const Key = Schema.Struct({ ...common, sid: text(20) })
export type Key = typeof Key.Type

/** A decoded call, ready to execute now or later. */
export type Command =
  | { readonly endpoint: "ready"; readonly request: Ready }
  | { readonly endpoint: "approve"; readonly request: Approve }
  | { readonly endpoint: "subscription"; readonly request: Subscription }
  | { readonly endpoint: "cancel"; readonly request: Cancel }
  | { readonly endpoint: "order"; readonly request: Order }
  | { readonly endpoint: "inactive"; readonly request: Key }
  | { readonly endpoint: "status"; readonly request: Key }

const decodeReady = Schema.decodeUnknownResult(Ready)
const decodeApprove = Schema.decodeUnknownResult(Approve)
const decodeSubscription = Schema.decodeUnknownResult(Subscription)
const decodeCancel = Schema.decodeUnknownResult(Cancel)
const decodeOrder = Schema.decodeUnknownResult(Order)
const decodeKey = Schema.decodeUnknownResult(Key)

const command = (endpoint: Endpoint, body: unknown): Result.Result<Command, Schema.SchemaError> => {
  switch (endpoint) {
    case "ready":
      return Result.map(decodeReady(body), (request) => ({ endpoint, request }))
    case "approve":
      return Result.map(decodeApprove(body), (request) => ({ endpoint, request }))
    case "subscription":
      return Result.map(decodeSubscription(body), (request) => ({ endpoint, request }))
    case "cancel":
      return Result.map(decodeCancel(body), (request) => ({ endpoint, request }))
    case "order":
      return Result.map(decodeOrder(body), (request) => ({ endpoint, request }))
    case "inactive":
    case "status":
      return Result.map(decodeKey(body), (request) => ({ endpoint, request }))
  }
}

/** Decodes a body, or answers -2 with what was wrong. */
export const decode = (
  endpoint: Endpoint,
  fields: Readonly<Record<string, unknown>>
): Result.Result<Command, KakaoError.KakaoError> =>
  Result.mapError(command(endpoint, fields), (error) =>
    KakaoError.make(-2, { message: `invalid parameter: ${error.message.replaceAll("\n", " ")}` })
  )

const notAnObject: Result.Result<never, KakaoError.KakaoError> = Result.fail(
  KakaoError.make(-2, { message: "invalid parameter: the body is not a JSON object" })
)

/** Parses the text of a body into its fields, without those that are null. */
export const parseFields = (body: string): Result.Result<Record<string, unknown>, KakaoError.KakaoError> => {
  const parsed = Result.try((): unknown => JSON.parse(body))
  if (Result.isFailure(parsed)) return notAnObject
  const value = parsed.success
  if (typeof value !== "object" || value === null || Array.isArray(value)) return notAnObject
  return Result.succeed(withoutNulls(value as Record<string, unknown>))
}

const withoutNulls = (fields: Record<string, unknown>): Record<string, unknown> => {
  for (const name in fields) {
    if (fields[name] === null) return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== null))
  }
  return fields
}
