/**
 * What no request may do, whatever is in it: every endpoint is sent its own request with parts of it replaced.
 *
 * `PILLIVERY_SEED=<seed>` sends the same ones again.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { customer, endpoints } from "./Contract.ts"
import * as Shop from "./Shop.ts"

const requestsCount = 600
const answerMillisMax = 5_000
const seed = Number(process.env["PILLIVERY_SEED"] ?? Date.now() % 2_147_483_647)

const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)])

const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    "",
    " ",
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    -(2 ** 63),
    "9".repeat(400),
    "\u0000",
    "\ud800",
    "\u202e가\u0300",
    "' OR 1=1 --",
    "../../etc/passwd",
    "<script>",
    "x".repeat(20_000),
    nested(200),
    { __proto__: { roles: ["ADMIN"] } },
    []
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: "binary", maxLength: 50 })
)

/** What is done to a request. */
const change = fc.oneof(
  fc.record({ kind: fc.constant("body" as const), value }),
  fc.record({ kind: fc.constant("raw" as const), text: fc.constantFrom("", "{", "null", "[1", "\u0000", '{"a":}') }),
  fc.record({ kind: fc.constant("field" as const), at: fc.nat(20), value }),
  fc.record({ kind: fc.constant("without" as const), at: fc.nat(20) }),
  fc.record({ kind: fc.constant("more" as const), name: fc.constantFrom("__proto__", "userId", "price", "x"), value }),
  fc.record({ kind: fc.constant("path" as const), value: fc.string({ unit: "binary", minLength: 1, maxLength: 60 }) }),
  fc.record({
    kind: fc.constant("query" as const),
    name: fc.constantFrom("page", "size", "keyword", "sort", "priceMin", "pg_token", "x"),
    values: fc.array(fc.oneof(fc.constantFrom("-1", "1e9", "0", "NaN", "", "%", "\u0000"), fc.string()), {
      minLength: 1,
      maxLength: 3
    })
  }),
  fc.record({
    kind: fc.constant("header" as const),
    name: fc.constantFrom("authorization", "content-type", "x-request-id", "accept", "content-length", "cookie"),
    value: fc.constantFrom(
      "",
      "Bearer",
      "Basic YTpi",
      "text/plain",
      "application/json; charset=x",
      "*",
      "1",
      "a".repeat(9_000)
    )
  })
)
type Change = typeof change extends fc.Arbitrary<infer A> ? A : never

const request = fc.record({
  endpoint: fc.constantFrom(
    ...endpoints.filter(({ guard, path }) => guard !== "service" && !path.startsWith("/embedded"))
  ),
  changes: fc.array(change, { minLength: 1, maxLength: 3 })
})

interface Draft {
  address: string
  body: unknown
  rawBody?: string
  headers: Record<string, string>
}

const isObject = (body: unknown): body is Record<string, unknown> =>
  typeof body === "object" && body !== null && !Array.isArray(body)

const apply = (draft: Draft, made: Change): Draft => {
  const { address, body } = draft
  switch (made.kind) {
    case "body":
      return { ...draft, body: made.value }
    case "raw":
      return { ...draft, rawBody: made.text }
    case "field":
    case "without": {
      if (!isObject(body)) return draft
      const names = Object.keys(body)
      const name = names[made.at % Math.max(1, names.length)] ?? "x"
      const { [name]: _, ...others } = body
      return { ...draft, body: made.kind === "field" ? { ...others, [name]: made.value } : others }
    }
    case "more":
      return isObject(body) ? { ...draft, body: { ...body, [made.name]: made.value } } : draft
    case "path": {
      const parts = address.split("/")
      return { ...draft, address: [...parts.slice(0, -1), encodeURIComponent(made.value.toWellFormed())].join("/") }
    }
    case "query": {
      const query = made.values.map((text) => `${made.name}=${encodeURIComponent(text.toWellFormed())}`).join("&")
      return { ...draft, address: `${address}${address.includes("?") ? "&" : "?"}${query}` }
    }
    case "header":
      return { ...draft, headers: { ...draft.headers, [made.name]: made.value } }
  }
}

const endsSessions: ReadonlySet<string> = new Set(["users.logOut", "users.withdraw"])
const strangersFrom = 100

describe("a hostile request", () => {
  console.log(`hostile requests: SEED=${seed}`)
  it.live(
    "is answered in time and without a fault of ours, and changes nothing that it is refused",
    () =>
      Effect.gen(function* () {
        const { addressOf, bodyOf, read, token } = yield* customer
        let before = yield* read
        for (const [index, { changes, endpoint }] of fc.sample(request, { numRuns: requestsCount, seed }).entries()) {
          // Who ends its own session is somebody else each time.
          const caller = endsSessions.has(endpoint.id) ? yield* Shop.logIn(strangersFrom + index) : token
          const start: Draft = { address: addressOf(endpoint), body: bodyOf(endpoint), headers: {} }
          const { address, body, headers, rawBody } = changes.reduce(apply, start)
          const hasBody = endpoint.method !== "GET"
          const told = JSON.stringify({ seed, id: endpoint.id, changes }).slice(0, 2_000)
          const answer = yield* Shop.send(endpoint.method, address, {
            token: caller,
            headers: { ...(rawBody === undefined ? {} : { "content-type": "application/json" }), ...headers },
            ...(hasBody && rawBody !== undefined ? { rawBody } : {}),
            ...(hasBody && rawBody === undefined && body !== undefined ? { body } : {})
          }).pipe(Effect.timeoutOrElse({ duration: answerMillisMax, orElse: () => Effect.die(`no answer to ${told}`) }))
          assert.isBelow(answer.status, 500, told)
          assert.notMatch(answer.text, /node_modules|\bat .*\.(ts|js):\d/, told)
          if (answer.status >= 400 && endpoint.method !== "HEAD") {
            assert.include(answer.headers.get("content-type"), "application/problem+json", told)
            assert.isString(answer.json["code"], told)
          }
          const after = yield* read
          if (answer.status >= 400) assert.deepStrictEqual(after, before, told)
          before = after
        }
      }).pipe(Effect.provide(Shop.layer)),
    120_000
  )
})
