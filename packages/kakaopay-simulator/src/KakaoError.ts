/**
 * KakaoPay's error body and the codes the simulator speaks.
 *
 * Codes and their meaning are [D]. Most texts are [U], so clients must match on the code; the three known texts
 * (-780 [D], -701 and -702 [C]) are kept.
 *
 * @since 0.1.0
 */

/** What the provider says about one method of payment. */
export interface Extras {
  readonly method_result_code: string
  readonly method_result_message: string
}

/** An error answer before it is written to the wire. */
export interface KakaoError {
  readonly code: number
  readonly message: string
  readonly extras?: Extras
  /** Overrides the status that the code has by default. */
  readonly httpStatus?: number
}

const messages: Readonly<Record<number, string>> = {
  [-1]: "internal server error",
  [-2]: "invalid parameter",
  [-7]: "service is under maintenance",
  [-10]: "API quota exceeded",
  [-401]: "invalid secret key",
  [-603]: "internal processing timed out",
  [-701]: "authentication doesn't complete!",
  [-702]: "payment is already done!",
  [-706]: "partner_order_id does not match",
  [-707]: "partner_user_id does not match",
  [-708]: "pg_token does not match",
  [-710]: "cancel amount exceeds the cancelable amount",
  [-711]: "cancel amount exceeds the approved amount",
  [-721]: "tid does not exist",
  [-722]: "invalid amount info",
  [-723]: "payment expiry time passed",
  [-725]: "total amount does not match",
  [-731]: "invalid cid",
  [-733]: "invalid cid_secret",
  [-750]: "sid does not exist",
  [-751]: "sid is inactive",
  [-752]: "sid exceeded its monthly maximum uses",
  [-753]: "partner_user_id differs from the one that issued the sid",
  [-780]: "approval failure!",
  [-781]: "cancel failure!",
  [-782]: "subscription payment failure!",
  [-783]: "payment is not in an approvable state",
  [-784]: "payment is not in a cancelable state",
  [-785]: "duplicate payment or cancel request",
  [-9798]: "service is under maintenance"
}

const methodMessages: Readonly<Record<string, string>> = {
  USER_LOCKED: "진행중인 거래가 있습니다. 잠시 후 다시 시도해 주세요.",
  BANK_FIRM_UNAVAILABLE: "은행 점검 시간입니다. 잠시 후 다시 시도해 주세요.",
  BANK_FIRM_UNKNOWN: "은행과의 거래가 아직 처리중입니다. 20분 후 다시 시도해 주세요.",
  NOT_ENOUGH_BALANCE: "잔액이 부족합니다.",
  LACK_BALANCE: "잔액이 부족합니다.",
  LIMIT_USE_PER_DAY: "1일 사용 한도를 초과했습니다.",
  LIMIT_ONE_TIME: "1회 사용 한도를 초과했습니다.",
  INVALID_PAYMENT_KEY: "등록되지 않았거나 만료된 결제키입니다.",
  INVALID_CANCEL_AMOUNT: "취소 금액이 올바르지 않습니다.",
  "9999": "결제 실패. 잠시 후 재시도 바랍니다."
}

/** The extras of a method result; the text falls back to a generic one. */
export const extrasOf = (methodResultCode: string, message?: string): Extras => ({
  method_result_code: methodResultCode,
  method_result_message: message ?? methodMessages[methodResultCode] ?? "결제에 실패했습니다."
})

/** An error with its default text. */
export const make = (
  code: number,
  more?: { readonly message?: string; readonly extras?: Extras; readonly httpStatus?: number }
): KakaoError => ({ code, message: messages[code] ?? `error ${code}`, ...more })

/** The error for a full store: no real provider says this, but forgetting a payment would be a lie. */
export const capacityReached: KakaoError = {
  code: -1,
  message: "simulator capacity reached: reset it or raise its limits",
  httpStatus: 500
}

/** The status of a code: 400 for nearly everything [D]. */
export const httpStatus = (
  self: KakaoError,
  options: { readonly failuresAre500: boolean; readonly unauthorizedStatus: 401 | 403 }
): number => {
  if (self.httpStatus !== undefined) return self.httpStatus
  switch (self.code) {
    case -9798:
      return 503
    case -401:
      return options.unauthorizedStatus
    case -10:
      return 429
    case -780:
    case -781:
    case -782:
      return options.failuresAre500 ? 500 : 400
    default:
      return 400
  }
}
