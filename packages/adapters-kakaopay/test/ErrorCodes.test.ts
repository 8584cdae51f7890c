import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ErrorCodes from "../src/ErrorCodes.ts"
import { ask, everywhere, nameOf, notKnown, ours } from "./Calls.ts"
import * as Provider from "./Provider.ts"

const isLookup = (call: ErrorCodes.Call) => call === "lookupPayment" || call === "lookupBillingKey"

type Expected = Partial<Record<ErrorCodes.Call, string>>
const approvals = (name: string): Expected => ({ approve: name, charge: name })
const amounts: Expected = { prepare: "ours", ...approvals("ours"), refund: "ours" }

/** Written down apart from the table under test. What is not named here must be Unknown. */
const expected: Readonly<Record<number, Expected>> = {
  [-1]: {},
  [-2]: ours,
  [-3]: ours,
  [-4]: ours,
  [-5]: ours,
  [-7]: {},
  [-10]: ours,
  [-301]: ours,
  [-401]: ours,
  [-402]: ours,
  [-403]: ours,
  [-603]: {},
  [-701]: { approve: "NotYet" },
  [-702]: {},
  [-703]: approvals("ours"),
  [-704]: approvals("ours"),
  [-705]: approvals("ours"),
  [-706]: approvals("ours"),
  [-707]: approvals("ours"),
  [-708]: { approve: "NotYet" },
  [-710]: { refund: "RefundRefused" },
  [-711]: { refund: "RefundRefused" },
  [-721]: { approve: "Expired", refund: "ours", lookupPayment: "PaymentMissing" },
  [-722]: amounts,
  [-723]: { approve: "Expired" },
  [-724]: amounts,
  [-725]: amounts,
  [-726]: amounts,
  [-730]: ours,
  [-731]: ours,
  [-732]: ours,
  [-733]: ours,
  [-750]: { charge: "Hard BillingKeyRevoked", lookupBillingKey: "BillingKeyMissing" },
  [-751]: { charge: "Hard BillingKeyRevoked", deactivate: "Deactivated" },
  [-752]: { charge: "Blocked MonthlyUsesExceeded" },
  [-753]: { charge: "ours" },
  [-761]: { prepare: "word", ...approvals("Hard AccountUnusable") },
  [-780]: approvals("Soft Refused"),
  [-781]: {},
  [-782]: approvals("Soft Refused"),
  [-783]: {},
  [-784]: {},
  [-785]: {},
  [-797]: { prepare: "word", ...approvals("Soft LimitExceeded") },
  [-798]: ours,
  [-799]: ours,
  [-9798]: everywhere("word", "LookupFailed")
}

const soft = {
  funds:
    "LACK_BALANCE NOT_ENOUGH_BALANCE BANK_ACCOUNT_NOT_FOUND 0174 3537 5039 5534 7983 8191 8323 8326 8521 8546 8602 9074 9305",
  limit: "LIMIT_ONE_TIME LIMIT_USE_PER_DAY LIMIT_BALANCE 0002 0016 0062 0159 0160 8311 8325",
  refused: "0126 1001 9505 9999"
}
const hard = {
  account:
    "INVALID_PAYMENT_KEY BANK_ACCOUNT_BLOCKED BANK_NOT_CONNECTED USER_NOT_FOUND PAY_USER_NOT_FOUND DEACTIVATED_USER_STATUS",
  card: "0001 0003 0004 0196 5005 8314 9077 0026 8350 8514 9071 9073 0027 0032 5015 8178 2028 3532 8324 8515 3535 3536 5012 5019 8019"
}
const transient =
  "USER_LOCKED BANK_FIRM_UNAVAILABLE UNDER_CONSTRUCTION INTERNAL_ERROR PAY_ACCOUNT_RESPONSE_ERROR TALK_USER_REQUEST_FAIL " +
  "TALK_USER_RESPONSE_ERROR 0121 0177 0182 0299 0570 0580 1003 1035 4801 5016 5017 7998 8245 8246 8247 8248 8249 8250 8251 " +
  "8252 8253 8254 8255 8256 8257 8258 8374 8523 8608 8712 8791 8971 8997 8998 9098 9100 9506"
const inDoubt =
  "BANK_FIRM_UNKNOWN BANK_FIRM_API_FAIL INVALID_CANCEL_STATUS 0010 0057 0290 0590 1007 1023 5034 8888 9085 0204 0504 8907 9091"
const cancelOnly = "INVALID_CANCEL_AMOUNT INVALID_CANCEL_STATUS_DEACTIVE"
const misconfigured =
  "CHANNEL_NOT_FOUND ITEM_NOT_FOUND NETWORK_ACL_ERROR DAILY_CROSSCHECK_INVALID_AUTH_KEY PAYMENT_KEY_EXISTS USER_DUPLICATION"

const methodExpected = new Map<string, { readonly charge: string; readonly refund: string }>()
const methods = (codes: string, charge: string, refund: string) => {
  for (const code of codes.split(" ")) methodExpected.set(code, { charge, refund })
}
methods(soft.funds, "Soft InsufficientFunds", "RefundRefused")
methods(soft.limit, "Soft LimitExceeded", "RefundRefused")
methods(soft.refused, "Soft Refused", "RefundRefused")
methods(hard.account, "Hard AccountUnusable", "RefundRefused")
methods(hard.card, "Hard CardUnusable", "RefundRefused")
methods(transient, "word", "word")
methods(inDoubt, "Unknown", "Unknown")
methods(cancelOnly, "Soft Refused", "RefundRefused")
methods(misconfigured, "ours", "ours")

const setUp = Effect.gen(function* () {
  const server = yield* Provider.scriptedServer
  const strategy = yield* Provider.makeStrategy(server.url, { headersMillisMax: 5_000 })
  return { server, strategy }
})

describe("every listed code of the API", () => {
  it("is listed here too", () => {
    assert.deepStrictEqual(
      new Set(ErrorCodes.errorCodes.map((row) => row.code)),
      new Set(Object.keys(expected).map(Number))
    )
  })

  it("has at most one meaning a call", () => {
    const meanings = ErrorCodes.errorCodes.flatMap((row) => row.calls.map((call) => `${row.code} ${call}`))
    assert.strictEqual(new Set(meanings).size, meanings.length)
  })

  for (const [code, byCall] of Object.entries(expected)) {
    it.live(`${code} means what it should to each call, at any status, with or without extras`, () =>
      Effect.gen(function* () {
        const { server, strategy } = yield* setUp
        for (const status of [400, 200, 500, 503]) {
          for (const call of ErrorCodes.calls) {
            server.answer(status, { error_code: Number(code), error_message: "said so" })
            const answer = yield* ask(strategy, call)
            assert.strictEqual(
              nameOf(answer),
              byCall[call] ?? (isLookup(call) ? "LookupFailed" : "Unknown"),
              `${code} ${call} ${status}`
            )
          }
        }
        // The older host's names, the code as a text, and extras that say nothing.
        for (const body of [
          { code: Number(code), msg: "said so" },
          { error_code: code },
          { error_code: code, error_message: null, extras: null },
          { error_code: Number(code), error_message: "", extras: {} },
          { error_code: Number(code), extras: "text" }
        ]) {
          server.answer(400, body)
          for (const call of ErrorCodes.calls) {
            assert.strictEqual(
              nameOf(yield* ask(strategy, call)),
              byCall[call] ?? (isLookup(call) ? "LookupFailed" : "Unknown"),
              `${JSON.stringify(body)} ${call}`
            )
          }
        }
      })
    )
  }
})

describe("every listed code of banks and cards", () => {
  it("is listed here too, once", () => {
    assert.deepStrictEqual(new Set(ErrorCodes.methodResultCodes.map((row) => row.code)), new Set(methodExpected.keys()))
    assert.strictEqual(methodExpected.size, ErrorCodes.methodResultCodes.length)
  })

  it.live("F19: means what it should to approvals, charges and refunds", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      for (const [code, names] of methodExpected) {
        const extras = { method_result_code: code, method_result_message: "그렇게 말했다" }
        for (const [call, top] of [
          ["approve", -780],
          ["charge", -782]
        ] as const) {
          server.answer(400, { error_code: top, error_message: "approval failure!", extras })
          assert.strictEqual(nameOf(yield* ask(strategy, call)), names.charge, `${call} ${code}`)
        }
        server.answer(400, { error_code: -781, error_message: "cancel failure!", extras })
        assert.strictEqual(nameOf(yield* ask(strategy, "refund")), names.refund, `refund ${code}`)
        // Codes above which nothing is decided by the bank.
        server.answer(400, { error_code: -701, extras })
        assert.strictEqual(nameOf(yield* ask(strategy, "approve")), "NotYet")
      }
    })
  )
})

describe("only definite rows", () => {
  it("are refusals, and no row in doubt is", () => {
    for (const row of [...ErrorCodes.errorCodes, ...ErrorCodes.methodResultCodes]) {
      if (ErrorCodes.isDecline(row.class) || row.class === "RefundRefused") assert.isTrue(row.isDefinite)
      if (row.class === "Unknown") assert.isFalse(row.isDefinite)
    }
  })

  // Written down apart from the table. The provider's word that it did not try is weak: a bank may commit minutes later.
  it("are these codes of the API", () => {
    const notDefinite = [-1, -7, -603, -702, -780, -781, -782, -783, -784, -785, -9798]
    const isDefinite = new Map(ErrorCodes.errorCodes.map((row) => [row.code, row.isDefinite]))
    assert.deepStrictEqual(
      [...isDefinite].filter(([, definite]) => !definite).map(([code]) => code),
      notDefinite
    )
    for (const row of ErrorCodes.errorCodes) assert.strictEqual(row.isDefinite, isDefinite.get(row.code))
  })

  it("are these codes of banks and cards", () => {
    const definite = `${soft.funds} ${soft.limit} ${soft.refused} ${hard.account} ${hard.card} ${cancelOnly} ${misconfigured}`
    assert.deepStrictEqual(
      new Set(ErrorCodes.methodResultCodes.filter((row) => row.isDefinite).map((row) => row.code)),
      new Set(definite.split(" "))
    )
  })
})

describe("where a code is known from", () => {
  it("is said for every row, by sources that are described", () => {
    for (const row of [...ErrorCodes.errorCodes, ...ErrorCodes.methodResultCodes]) {
      assert.isAbove(row.sources.length, 0, String(row.code))
      for (const source of row.sources) assert.isAbove(ErrorCodes.sources[source].length, 0)
    }
    const used = new Set([...ErrorCodes.errorCodes, ...ErrorCodes.methodResultCodes].flatMap((row) => row.sources))
    assert.deepStrictEqual(used, new Set(Object.keys(ErrorCodes.sources)))
  })

  it("is a document for all codes but these", () => {
    const confidenceOf = (confidence: ErrorCodes.Confidence) =>
      [...ErrorCodes.errorCodes, ...ErrorCodes.methodResultCodes]
        .filter((row) => row.confidence === confidence)
        .map((row) => row.code)
    assert.deepStrictEqual(confidenceOf("captured"), ["9999"])
    assert.deepStrictEqual(
      confidenceOf("inferred"),
      // The second meaning of -751, and the cards' codes of which only one of two reasons can be true.
      [-751, ..."3537 5534 7983 8191 8326 8521 8602 9074 9305".split(" ")]
    )
  })
})

describe("a body that is not the provider's", () => {
  const approvalText = JSON.stringify(Provider.approval())
  const bodies: Readonly<Record<string, string>> = {
    nothing: "",
    space: " \r\n",
    "an HTML page": "<html><body>Bad Gateway</body></html>",
    "half of an error": '{"error_code": -782, "error_mess',
    "half of an approval": approvalText.slice(0, approvalText.length >> 1),
    "a JSON number": "-751",
    "a JSON text": '"-751"',
    "JSON null": "null",
    "a JSON list": '[{"error_code": -751}]',
    "an empty object": "{}",
    "another system's error": '{"timestamp":"2024-07-30T20:50:27","status":400,"error":"Bad Request","path":"/"}',
    "an error inside another object": '{"error":{"error_code":-751}}',
    "a code that is no number": '{"error_code":"INACTIVE","error_message":"no"}',
    "a code with a fraction": '{"error_code":-751.5,"error_message":"no"}',
    "a code that is true": '{"error_code":true}',
    "a code that is null": '{"error_code":null,"error_message":"no"}',
    "an old code without its message": '{"code":-751}',
    "two documents": '{"error_code":-751}{"error_code":-751}'
  }

  for (const [what, body] of Object.entries(bodies)) {
    it.live(`is not known for every call at every status but those of ours: ${what}`, () =>
      Effect.gen(function* () {
        const { server, strategy } = yield* setUp
        for (const status of [200, 204, 302, 400, 404, 405, 408, 409, 413, 415, 422, 500, 502, 503, 504]) {
          // A 204 has no body.
          if (status === 204 && body !== "") continue
          server.answer(status, body)
          for (const call of ErrorCodes.calls) {
            assert.strictEqual(nameOf(yield* ask(strategy, call)), notKnown[call], `${status} ${call}`)
          }
        }
        for (const status of [401, 403, 429]) {
          server.answer(status, body)
          for (const call of ErrorCodes.calls) {
            assert.strictEqual(nameOf(yield* ask(strategy, call)), ours[call], `${status} ${call}`)
          }
        }
      })
    )
  }
})

describe("an error the table does not settle", () => {
  it.live("is Unknown when its code is unlisted, and ours when the status says so", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      for (const status of [400, 404, 500]) {
        server.answer(status, { error_code: -12_345, error_message: "new" })
        for (const call of ErrorCodes.calls) {
          assert.strictEqual(nameOf(yield* ask(strategy, call)), isLookup(call) ? "LookupFailed" : "Unknown")
        }
      }
      for (const status of [401, 403, 429]) {
        for (const body of ["<html>no</html>", "", { error_code: -12_345 }, { message: "forbidden" }]) {
          server.answer(status, body)
          for (const call of ErrorCodes.calls) {
            assert.strictEqual(nameOf(yield* ask(strategy, call)), isLookup(call) ? "LookupFailed ours" : "ours")
          }
        }
      }
      // The body decides first where it can: a full quota is ours, a limit of the customer's is not.
      server.answer(429, { error_code: -782, extras: { method_result_code: "LIMIT_USE_PER_DAY" } })
      assert.strictEqual(nameOf(yield* ask(strategy, "charge")), "Soft LimitExceeded")
    })
  )

  it.live("is ours at 401 and 403 whatever the body says, unless it says that money may have moved", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      for (const status of [401, 403]) {
        for (const [call, body] of [
          ["charge", { error_code: -751 }],
          ["charge", { error_code: -752 }],
          ["charge", { error_code: -782, extras: { method_result_code: "LACK_BALANCE" } }],
          ["approve", { error_code: -780 }],
          ["approve", { error_code: -701 }],
          ["approve", { error_code: -723 }],
          ["refund", { error_code: -710 }],
          ["deactivate", { error_code: -751 }],
          ["lookupPayment", { error_code: -721 }],
          ["lookupBillingKey", { error_code: -750 }],
          ["prepare", { error_code: -9798 }]
        ] as const) {
          server.answer(status, body)
          assert.strictEqual(nameOf(yield* ask(strategy, call)), ours[call], `${status} ${body.error_code} ${call}`)
        }
        for (const body of [
          { error_code: -1 },
          { error_code: -603 },
          { error_code: -702 },
          { error_code: -785 },
          { error_code: -782, extras: { method_result_code: "BANK_FIRM_UNKNOWN" } }
        ]) {
          server.answer(status, body)
          for (const call of ["approve", "charge"] as const) {
            assert.strictEqual(nameOf(yield* ask(strategy, call)), "Unknown", `${status} ${body.error_code} ${call}`)
          }
        }
      }
    })
  )

  it.live("F32: is soft under a known refusal with a new reason, which is kept", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      for (const code of ["A_NEW_REASON", "4321", 4_321, 7]) {
        server.answer(400, {
          error_code: -782,
          error_message: "subscription failure",
          extras: { method_result_code: code, method_result_message: "새 이유" }
        })
        const answer = yield* ask(strategy, "charge")
        if (answer._tag !== "Declined") return assert.fail(answer._tag)
        assert.strictEqual(answer.reason._tag, "Soft")
        assert.strictEqual(
          answer.reason.code,
          `-782/${typeof code === "number" ? String(code).padStart(4, "0") : code}`
        )
        assert.strictEqual(answer.reason.message, "새 이유")
        server.answer(400, { error_code: -781, extras: { method_result_code: code } })
        assert.strictEqual(nameOf(yield* ask(strategy, "refund")), "Unknown")
      }
    })
  )

  it.live("keeps very long words short", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* setUp
      const long = "😀".repeat(2_000)
      server.answer(400, { error_code: -782, extras: { method_result_code: long, method_result_message: `x${long}` } })
      const answer = yield* ask(strategy, "charge")
      if (answer._tag !== "Declined") return assert.fail(answer._tag)
      assert.isAtMost(answer.reason.code.length, 100)
      assert.isAtMost(answer.reason.message.length, 500)
      assert.isTrue(answer.reason.message.isWellFormed())
      server.answer(400, { error_code: -2, error_message: long })
      for (const call of ErrorCodes.calls) {
        assert.strictEqual(nameOf(yield* ask(strategy, call)), isLookup(call) ? "LookupFailed ours" : "ours")
      }
    })
  )
})
