/**
 * The control API under `/control`: the same levers as the `Simulator` service, in JSON.
 *
 * Input that does not decode answers 400 and changes nothing. The API has no authentication: bind it to loopback.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { CallFilter } from "../CallLog.ts"
import { actions } from "../Customer.ts"
import { DeclineRule } from "../Declines.ts"
import { FaultRule } from "../Faults.ts"
import { endpoints } from "../Requests.ts"
import { type CustomerActionRejected, type LimitReached, Simulator, type UnknownBillingKey } from "../Simulator.ts"
import { SwitchesPatch } from "../Switches.ts"

const yearMillis = 366 * 24 * 60 * 60_000
const Millis = Schema.Int.check(Schema.isBetween({ minimum: -100 * yearMillis, maximum: 100 * yearMillis }))
const Text = Schema.NonEmptyString
const optionalText = Schema.optionalKey(Text)

const ClockBody = Schema.Struct({ offsetMillis: Schema.optionalKey(Millis), skewMillis: Schema.optionalKey(Millis) })
const SidBody = Schema.Struct({ sid: Text })
const Method = Schema.Literals(["CARD", "MONEY"])
const ChoiceBody = Schema.Struct({ method: Schema.optionalKey(Method) })
const KeyBody = Schema.Struct({
  partnerUserId: Text,
  cid: optionalText,
  method: Schema.optionalKey(Method),
  itemName: optionalText
})
const EmptyBody = Schema.Record(Schema.String, Schema.Never)
const Query = { tid: optionalText, sid: optionalText, partnerOrderId: optionalText, partnerUserId: optionalText }
const LedgerQuery = Schema.Struct(Query)
const CallsQuery = Schema.Struct({ ...Query, endpoint: Schema.optionalKey(Schema.Literals(endpoints)) })
const IdParams = Schema.Struct({ id: Text })
const CustomerParams = Schema.Struct({ tid: Text, action: Schema.Literals(actions) })

const strict = { onExcessProperty: "error" } as const

const json = (value: unknown, status = 200) =>
  HttpServerResponse.jsonUnsafe(value, { status, headers: { "cache-control": "no-store" } })

const problem = (status: number, error: string, detail: string) => json({ error, detail }, status)

/** Decodes a JSON body; an empty body counts as `{}`. */
const body = <A, I>(
  request: HttpServerRequest.HttpServerRequest,
  schema: Schema.Codec<A, I>
): Effect.Effect<A, BadRequest> =>
  request.text.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, controlBodySize),
    Effect.mapError(() => new BadRequest({ detail: "the body could not be read" })),
    Effect.flatMap((text) => decode(Schema.fromJsonString(schema), text === "" ? "{}" : text))
  )

class BadRequest extends Schema.TaggedError<BadRequest>("kakaopay-simulator/BadRequest")("BadRequest", {
  detail: Schema.String
}) {}

const controlBodySize = ByteSize.bytes(1_048_576)

const decode = <A, I>(schema: Schema.Codec<A, I>, input: unknown): Effect.Effect<A, BadRequest> =>
  Effect.mapError(
    Schema.decodeUnknownEffect(schema)(input, strict),
    (error) => new BadRequest({ detail: error.message })
  )

const query = <A, I>(schema: Schema.Codec<A, I>): Effect.Effect<A, BadRequest, HttpServerRequest.ParsedSearchParams> =>
  Effect.flatMap(HttpServerRequest.ParsedSearchParams, (params) => decode(schema, params))

const params = <A, I>(schema: Schema.Codec<A, I>) => Effect.flatMap(HttpRouter.params, (found) => decode(schema, found))

type Problem = BadRequest | CustomerActionRejected | LimitReached | UnknownBillingKey

const toResponse = (error: Problem) => {
  switch (error._tag) {
    case "BadRequest":
      return problem(400, "bad-request", error.detail)
    case "UnknownBillingKey":
      return problem(404, "unknown-billing-key", error.message)
    case "LimitReached":
      return problem(409, "limit-reached", error.message)
    case "CustomerActionRejected":
      return problem(error.reason === "unknown-payment" ? 404 : 409, error.reason, error.message)
  }
}

const answering = <R>(
  effect: Effect.Effect<HttpServerResponse.HttpServerResponse, Problem, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> =>
  Effect.catch(effect, (error) => Effect.succeed(toResponse(error)))

/** Adds the control API to the router. */
export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter | Simulator> = Layer.effectDiscard(
  Effect.gen(function* () {
    const simulator = yield* Simulator
    const router = (yield* HttpRouter.HttpRouter).prefixed("/control")
    const rowsMax = simulator.limits.controlRowsMax

    yield* router.add(
      "GET",
      "/ledger",
      answering(
        Effect.gen(function* () {
          const filter = yield* query(LedgerQuery)
          const entries = yield* simulator.ledger.entries(filter)
          const totals = yield* simulator.ledger.totals(filter)
          return json({ entries: entries.slice(-rowsMax), entryCount: entries.length, totals })
        })
      )
    )
    yield* router.add(
      "GET",
      "/calls",
      answering(
        Effect.gen(function* () {
          const filter: CallFilter = yield* query(CallsQuery)
          const calls = yield* simulator.calls.list(filter)
          const received = yield* simulator.calls.received
          return json({ calls: calls.slice(-rowsMax), callCount: calls.length, receivedCount: received })
        })
      )
    )

    const clock = Effect.gen(function* () {
      const settings = yield* simulator.clock.settings
      const nowMillis = yield* simulator.clock.nowMillis
      return json({ ...settings, nowMillis, now: new Date(nowMillis).toISOString() })
    })
    yield* router.add("GET", "/clock", clock)
    yield* router.add("POST", "/clock", (request) =>
      answering(
        Effect.gen(function* () {
          yield* simulator.clock.set(yield* body(request, ClockBody))
          return yield* clock
        })
      )
    )

    yield* router.add("GET", "/faults", () =>
      Effect.gen(function* () {
        const faults = yield* simulator.faults.list
        const lateCommitsPending = yield* simulator.faults.lateCommitsPending
        return json({ faults, lateCommitsPending })
      })
    )
    yield* router.add("POST", "/faults", (request) =>
      answering(
        Effect.gen(function* () {
          const rule = yield* body(request, FaultRule)
          return json({ id: yield* simulator.faults.add(rule) }, 201)
        })
      )
    )
    yield* router.add("DELETE", "/faults", () => Effect.as(simulator.faults.clear, HttpServerResponse.empty()))
    yield* router.add("DELETE", "/faults/:id", () =>
      answering(
        Effect.gen(function* () {
          const { id } = yield* params(IdParams)
          const removed = yield* simulator.faults.remove(id)
          return removed ? HttpServerResponse.empty() : problem(404, "unknown-fault", `There is no fault rule ${id}`)
        })
      )
    )

    yield* router.add("GET", "/declines", () =>
      Effect.map(simulator.declines.list, (declines) => json({ declines: declines.slice(0, rowsMax) }))
    )
    yield* router.add("POST", "/declines", (request) =>
      answering(
        Effect.gen(function* () {
          const rule = yield* body(request, DeclineRule)
          return json({ id: yield* simulator.declines.add(rule) }, 201)
        })
      )
    )
    yield* router.add("DELETE", "/declines/:id", () =>
      answering(
        Effect.gen(function* () {
          const { id } = yield* params(IdParams)
          const removed = yield* simulator.declines.remove(id)
          return removed
            ? HttpServerResponse.empty()
            : problem(404, "unknown-decline", `There is no decline rule ${id}`)
        })
      )
    )
    yield* router.add("DELETE", "/declines", () => Effect.as(simulator.declines.clear, HttpServerResponse.empty()))

    yield* router.add("POST", "/inactivate", (request) =>
      answering(
        Effect.gen(function* () {
          const { sid } = yield* body(request, SidBody)
          yield* simulator.billingKeys.inactivate(sid)
          return json({ sid })
        })
      )
    )
    yield* router.add("POST", "/keys", (request) =>
      answering(
        Effect.gen(function* () {
          const key = yield* body(request, KeyBody)
          return json({ sid: yield* simulator.billingKeys.issue(key) }, 201)
        })
      )
    )
    yield* router.add("POST", "/customers/:tid/:action", (request) =>
      answering(
        Effect.gen(function* () {
          const { action, tid } = yield* params(CustomerParams)
          const choice = yield* body(request, ChoiceBody)
          return json(yield* simulator.customers.act(tid, action, choice))
        })
      )
    )
    yield* router.add("GET", "/payments/:id", () =>
      answering(
        Effect.gen(function* () {
          const { id } = yield* params(IdParams)
          const payment = yield* simulator.payments.find(id)
          return Option.match(payment, {
            onNone: () => problem(404, "unknown-payment", `There is no payment ${id}`),
            onSome: (found) => json(found)
          })
        })
      )
    )

    yield* router.add("GET", "/switches", () => Effect.map(simulator.switches.get, (switches) => json(switches)))
    yield* router.add("POST", "/switches", (request) =>
      answering(
        Effect.gen(function* () {
          const patch = yield* body(request, SwitchesPatch)
          return json(yield* simulator.switches.set(patch))
        })
      )
    )
    yield* router.add("POST", "/reset", (request) =>
      answering(
        Effect.gen(function* () {
          yield* body(request, EmptyBody)
          yield* simulator.reset
          return HttpServerResponse.empty()
        })
      )
    )
    yield* router.add("*", "/*", problem(404, "unknown-route", "See the control API table in the README"))
  })
)
