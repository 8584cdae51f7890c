/**
 * What the provider's error codes mean for us: one table for the codes of the API, one for the codes of banks and cards.
 *
 * A class says what may be done next. `isDefinite` says that by this code alone no money moved; only definite rows are
 * ever declines. A code is a statement about one kind of call: where a call gets a code that does not belong to it, or
 * one that no row lists, the answer was not understood and is `Unknown`.
 *
 * **Details**
 *
 * `confidence` is that of the code's meaning: `documented` by the provider, `captured` from a real answer, `inferred` by
 * us. The class is our own reading of that meaning throughout. `sources` are the keys of {@link sources}.
 *
 * @since 0.1.0
 */

/** A call of the port. */
export type Call = "prepare" | "approve" | "charge" | "refund" | "deactivate" | "lookupPayment" | "lookupBillingKey"

/**
 * What an error answer means.
 *
 * **Details**
 *
 * The first seven are the kinds of a decline. `Word`: the provider says that it did not try. `Ours`: configuration, quota
 * or a bug of ours. `NotYet` and `Expired` are about the customer's transaction, `RefundRefused` about a refund,
 * `Missing` and `AlreadyInactive` about what was named in the call. `ByMethod`: the bank's or card's code decides.
 */
export type AnswerClass =
  | "InsufficientFunds"
  | "LimitExceeded"
  | "Refused"
  | "CardUnusable"
  | "AccountUnusable"
  | "BillingKeyRevoked"
  | "MonthlyUsesExceeded"
  | "Word"
  | "Ours"
  | "NotYet"
  | "Expired"
  | "RefundRefused"
  | "Missing"
  | "AlreadyInactive"
  | "ByMethod"
  | "Unknown"

/** How sure we are of what a code means. */
export type Confidence = "documented" | "captured" | "inferred"

/** Where codes and their meanings are known from. */
export const sources = {
  workbook: "KakaoPay's workbook of error codes, kakao-code-20180820.xlsx, sheet of API codes",
  workbookCards: "the same workbook, sheet of card codes",
  workbookMoney: "the same workbook, sheet of money codes",
  tables: "three later copies of the official table of API codes, as comments and constants of public code",
  laterTable: "the newest of these copies, which adds codes",
  platform: "Kakao's table of platform codes, which every one of its APIs may answer",
  integrations: "public code of integrators that acts on the code",
  capture: "a real answer that a developer published"
} as const

/** One of them. */
export type Source = keyof typeof sources

/** One code of the API, for the calls it belongs to. */
export interface ErrorCode {
  readonly code: number
  readonly calls: ReadonlyArray<Call>
  readonly class: AnswerClass
  readonly isDefinite: boolean
  readonly sources: ReadonlyArray<Source>
  readonly confidence: Confidence
  readonly note: string
}

/** One `method_result_code`: what the bank, the wallet or the card company said. */
export interface MethodResultCode {
  readonly code: string
  readonly method: "MONEY" | "CARD" | "any"
  readonly class: AnswerClass
  readonly isDefinite: boolean
  readonly sources: ReadonlyArray<Source>
  readonly confidence: Confidence
  readonly note: string
}

/** Every call. */
export const calls: ReadonlyArray<Call> = [
  "prepare",
  "approve",
  "charge",
  "refund",
  "deactivate",
  "lookupPayment",
  "lookupBillingKey"
]

// A provider's word that it did not try is no proof either: a bank's leg may commit minutes after it.
const indefinite: ReadonlySet<AnswerClass> = new Set(["Unknown", "ByMethod", "Word"])

const row = (
  code: number,
  answerClass: AnswerClass,
  on: ReadonlyArray<Call>,
  note: string,
  from: ReadonlyArray<Source> = ["workbook", "tables"],
  confidence: Confidence = "documented"
): ErrorCode => ({
  code,
  calls: on,
  class: answerClass,
  isDefinite: !indefinite.has(answerClass),
  sources: from,
  confidence,
  note
})

const money: ReadonlyArray<Call> = ["approve", "charge", "refund"]

/** Every listed code of the API; a code has one row for each meaning it has. */
export const errorCodes: ReadonlyArray<ErrorCode> = [
  row(-1, "Unknown", calls, "internal error, not classified"),
  row(-2, "Ours", calls, "bad or missing parameter"),
  row(-3, "Ours", calls, "API is off for this application"),
  row(-4, "Ours", calls, "account sanctioned"),
  row(-5, "Ours", calls, "no permission", ["workbook", "tables", "platform"]),
  row(-7, "Unknown", calls, "service under maintenance, by a gateway that may have passed the call on"),
  row(-10, "Ours", calls, "request quota exceeded"),
  row(-301, "Ours", calls, "unknown application key"),
  row(-401, "Ours", calls, "bad token"),
  row(-402, "Ours", calls, "consent or scope missing", ["platform"]),
  row(-403, "Ours", calls, "unregistered site"),
  row(-603, "Unknown", calls, "timeout in the provider's internal processing", ["platform"]),
  row(-701, "NotYet", ["approve"], "approve before the customer finished"),
  row(-702, "Unknown", ["approve"], "already paid: ask by tid"),
  row(-703, "Ours", ["approve", "charge"], "wrong point amount"),
  row(-704, "Ours", ["approve", "charge"], "wrong amount of the original method"),
  row(-705, "Ours", ["approve", "charge"], "method not supported"),
  row(-706, "Ours", ["approve", "charge"], "partner_order_id does not match"),
  row(-707, "Ours", ["approve", "charge"], "partner_user_id does not match"),
  row(-708, "NotYet", ["approve"], "pg_token does not match: an anonymous request cannot end a payment"),
  row(-710, "RefundRefused", ["refund"], "more than is cancelable"),
  row(-711, "RefundRefused", ["refund"], "more than was approved", ["laterTable"]),
  row(-721, "Expired", ["approve"], "no such tid: it can never be approved"),
  row(-721, "Ours", ["refund"], "no such tid, though we hold an approval of it: wrong CID or key"),
  row(-721, "Missing", ["lookupPayment"], "no such tid, or one of another CID"),
  row(-722, "Ours", ["prepare", ...money], "wrong amounts"),
  row(-723, "Expired", ["approve"], "the payment's time is over"),
  row(-724, "Ours", ["prepare", ...money], "wrong single amount"),
  row(-725, "Ours", ["prepare", ...money], "wrong total amount"),
  row(-726, "Ours", ["prepare", ...money], "wrong order information"),
  row(-730, "Ours", calls, "wrong application"),
  row(-731, "Ours", calls, "wrong CID"),
  row(-732, "Ours", calls, "wrong GID"),
  row(-733, "Ours", calls, "wrong CID_SECRET"),
  row(-750, "BillingKeyRevoked", ["charge"], "no such SID"),
  row(-750, "Missing", ["lookupBillingKey"], "no such SID, or one of another CID"),
  row(-751, "BillingKeyRevoked", ["charge"], "the SID is inactive", ["workbook", "tables", "integrations"]),
  row(-751, "AlreadyInactive", ["deactivate"], "the SID is inactive already", ["integrations"], "inferred"),
  row(-752, "MonthlyUsesExceeded", ["charge"], "the SID was used as often as it may be this month"),
  row(-753, "Ours", ["charge"], "partner_user_id is not the one the SID was issued for"),
  row(-761, "AccountUnusable", ["prepare", "approve", "charge"], "the phone number is not on KakaoTalk"),
  row(-780, "ByMethod", ["approve", "charge"], "approve failed"),
  row(-781, "ByMethod", ["refund"], "cancel failed"),
  row(-782, "ByMethod", ["approve", "charge"], "subscription charge failed"),
  row(-783, "Unknown", ["approve", "charge"], "not in an approvable state: ask by tid"),
  row(-784, "Unknown", ["refund"], "not in a cancelable state: ask by tid"),
  row(-785, "Unknown", money, "requested in duplicate: another request is or was running"),
  row(-797, "LimitExceeded", ["prepare", "approve", "charge"], "above the limit of a single payment", ["tables"]),
  row(-798, "Ours", calls, "IP not allowed"),
  row(-799, "Ours", calls, "registered web domain differs (older host)"),
  row(-9798, "Word", calls, "service maintenance")
]

const methodRows = (
  method: MethodResultCode["method"],
  answerClass: AnswerClass,
  source: Source,
  notes: Readonly<Record<string, string>>,
  confidence: Confidence = "documented"
): ReadonlyArray<MethodResultCode> =>
  Object.entries(notes).map(([code, note]) => ({
    code,
    method,
    class: answerClass,
    isDefinite: !indefinite.has(answerClass),
    sources: [source],
    confidence,
    note
  }))

const same = (note: string, codes: string): Readonly<Record<string, string>> =>
  Object.fromEntries(codes.split(" ").map((code) => [code, note]))

/** Every listed code of banks, the wallet and cards. */
export const methodResultCodes: ReadonlyArray<MethodResultCode> = [
  ...methodRows("MONEY", "InsufficientFunds", "workbookMoney", {
    LACK_BALANCE: "balance short",
    NOT_ENOUGH_BALANCE: "balance short",
    BANK_ACCOUNT_NOT_FOUND: "balance short and no linked account, or a dormant one"
  }),
  ...methodRows("MONEY", "LimitExceeded", "workbookMoney", {
    LIMIT_ONE_TIME: "above the limit of one payment",
    LIMIT_USE_PER_DAY: "above the daily limit",
    LIMIT_BALANCE: "above the limit of the balance"
  }),
  ...methodRows("MONEY", "AccountUnusable", "workbookMoney", {
    INVALID_PAYMENT_KEY: "payment key not registered or expired",
    BANK_ACCOUNT_BLOCKED: "bank account blocked",
    BANK_NOT_CONNECTED: "no bank account connected",
    USER_NOT_FOUND: "no such user",
    PAY_USER_NOT_FOUND: "no such user of the wallet",
    DEACTIVATED_USER_STATUS: "the user is deactivated"
  }),
  ...methodRows("MONEY", "Word", "workbookMoney", {
    USER_LOCKED: "another transaction of the same user is in progress; which one, the protocol must judge",
    BANK_FIRM_UNAVAILABLE: "bank check, 23:30 to 00:35 in Korea",
    UNDER_CONSTRUCTION: "under maintenance",
    INTERNAL_ERROR: "error inside the wallet",
    PAY_ACCOUNT_RESPONSE_ERROR: "the account service answered wrongly",
    TALK_USER_REQUEST_FAIL: "the user service could not be asked",
    TALK_USER_RESPONSE_ERROR: "the user service answered wrongly"
  }),
  ...methodRows("MONEY", "Unknown", "workbookMoney", {
    BANK_FIRM_UNKNOWN: "a transaction with the bank is still open; it may land 20 minutes later",
    BANK_FIRM_API_FAIL: "the bank's interface failed",
    INVALID_CANCEL_STATUS: "duplicate cancel at the same time"
  }),
  ...methodRows("MONEY", "RefundRefused", "workbookMoney", {
    INVALID_CANCEL_AMOUNT: "wrong cancel amount",
    INVALID_CANCEL_STATUS_DEACTIVE: "the user left the wallet"
  }),
  ...methodRows("MONEY", "Ours", "workbookMoney", {
    CHANNEL_NOT_FOUND: "unknown channel",
    ITEM_NOT_FOUND: "unknown item",
    NETWORK_ACL_ERROR: "IP not allowed",
    DAILY_CROSSCHECK_INVALID_AUTH_KEY: "wrong key",
    PAYMENT_KEY_EXISTS: "payment key exists already",
    USER_DUPLICATION: "user exists already"
  }),
  ...methodRows("CARD", "InsufficientFunds", "workbookCards", {
    "0174": "funds short",
    "5039": "balance short",
    "8323": "balance short",
    "8546": "bank balance short"
  }),
  ...methodRows(
    "CARD",
    "InsufficientFunds",
    "workbookCards",
    same("funds or limit: the sheet does not tell which", "3537 5534 7983 8191 8326 8521 8602 9074 9305"),
    "inferred"
  ),
  ...methodRows("CARD", "LimitExceeded", "workbookCards", {
    "0002": "limit",
    "0016": "limit of one payment",
    "0062": "transfer limit",
    "0159": "limit of one payment",
    "0160": "daily limit",
    "8311": "daily limit",
    "8325": "monthly limit"
  }),
  ...methodRows("CARD", "CardUnusable", "workbookCards", {
    "0001": "restricted",
    "0003": "not registered",
    ...same("expired", "0004 0196 5005 8314 9077"),
    ...same("lost or stolen", "0026 8350 8514 9071 9073"),
    "0027": "unusable",
    ...same("overdue", "0032 5015 8178"),
    ...same("stopped", "2028 3532 8324 8515"),
    "3535": "member left",
    "3536": "replaced",
    "5012": "stopped for a time",
    ...same("cancelled", "5019 8019")
  }),
  ...methodRows("CARD", "Word", "workbookCards", {
    "0299": "the issuer is under maintenance",
    ...same(
      "maintenance window of check cards",
      "8245 8246 8247 8248 8249 8250 8251 8252 8253 8254 8255 8256 8257 8258"
    ),
    ...same(
      "system error or maintenance",
      "0121 0177 0182 0570 0580 1003 1035 4801 5016 5017 7998 8374 8523 8608 8712 8791 8971 8997 8998 9098 9100 9506"
    )
  }),
  ...methodRows("CARD", "Unknown", "workbookCards", {
    "0010": "timeout",
    "0057": "failed, or processed as a fault",
    "0290": "timeout at the network in between",
    "5034": "to be asked again",
    "8888": "being approved",
    ...same("timeout", "0590 1007 1023 9085"),
    ...same("duplicate", "0204 0504 8907 9091")
  }),
  ...methodRows("CARD", "Refused", "workbookCards", same("refused without a reason", "0126 1001 9505")),
  ...methodRows("any", "Refused", "capture", { "9999": "failed, retry later" }, "captured")
]

const byCode = new Map<number, ReadonlyArray<ErrorCode>>()
for (const each of errorCodes) byCode.set(each.code, [...(byCode.get(each.code) ?? []), each])
const byMethodCode = new Map(methodResultCodes.map((each) => [each.code, each]))

const declineClasses: ReadonlySet<AnswerClass> = new Set([
  "InsufficientFunds",
  "LimitExceeded",
  "Refused",
  "CardUnusable",
  "AccountUnusable",
  "BillingKeyRevoked",
  "MonthlyUsesExceeded"
])

/** Whether a class is a refusal for a reason of the customer's. */
export const isDecline = (
  answerClass: AnswerClass
): answerClass is
  | "InsufficientFunds"
  | "LimitExceeded"
  | "Refused"
  | "CardUnusable"
  | "AccountUnusable"
  | "BillingKeyRevoked"
  | "MonthlyUsesExceeded" => declineClasses.has(answerClass)

/** Whether any row lists a code, for whatever call. */
export const isListed = (code: number): boolean => byCode.has(code)

// A failed approval without a reason we know is a refusal, for the code above it is definite. A failed refund is not.
const classOfMethod = (call: Call, methodResultCode: string | null): AnswerClass => {
  const listed = methodResultCode === null ? undefined : byMethodCode.get(methodResultCode)
  if (call === "refund") {
    if (listed === undefined) return "Unknown"
    return isDecline(listed.class) ? "RefundRefused" : listed.class
  }
  return listed === undefined || listed.class === "RefundRefused" ? "Refused" : listed.class
}

/** What an error of the provider's means to the call that got it. */
export const classOf = (call: Call, code: number, methodResultCode: string | null): AnswerClass => {
  const found = byCode.get(code)?.find((each) => each.calls.includes(call))
  if (found === undefined) return "Unknown"
  return found.class === "ByMethod" ? classOfMethod(call, methodResultCode) : found.class
}
