/**
 * A client for the tests that shares nothing with the simulator but the documented wire.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type CustomerChoice, Simulator } from "../src/Simulator.ts"
import { type Options, SimulatorServer, layer } from "../src/SimulatorServer.ts"

/** Seed of every simulator in the tests; set SEED to repeat a run. */
export const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1_000_000))
console.log(`kakaopay-simulator tests: SEED=${seed}`)

export const secretKey = "DEVSIMULATOR0000000000000000000000000000"
export const oneTime = "TC0ONETIME"
export const recurring = "TCSUBSCRIP"

/** A simulator on a free port. */
export const simulator = (options: Options = {}) => layer({ seed, ...options })

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly text: string
  readonly json: Record<string, unknown>
}

const parse = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** The connection was cut or the time was over. */
export class NoAnswer extends Schema.TaggedError<NoAnswer>("kakaopay-simulator/test/NoAnswer")("NoAnswer", {
  reason: Schema.String
}) {}

/** Any HTTP request; fails with NoAnswer when the connection is cut or the time is over. */
export const send = (
  method: string,
  url: string,
  options: { readonly headers?: Record<string, string>; readonly body?: string; readonly timeoutMillis?: number } = {}
): Effect.Effect<Answer & { readonly location: string | null; readonly allow: string | null }, NoAnswer> =>
  Effect.tryPromise({
    try: async () => {
      const response = await fetch(url, {
        method,
        redirect: "manual",
        ...(options.headers === undefined ? {} : { headers: options.headers }),
        ...(options.body === undefined ? {} : { body: options.body }),
        signal: AbortSignal.timeout(options.timeoutMillis ?? 5_000)
      })
      const text = await response.text()
      return {
        status: response.status,
        contentType: response.headers.get("content-type") ?? "",
        location: response.headers.get("location"),
        allow: response.headers.get("allow"),
        text,
        json: parse(text)
      }
    },
    catch: (cause) => new NoAnswer({ reason: String(cause) })
  })

export const paths = {
  ready: "/online/v1/payment/ready",
  approve: "/online/v1/payment/approve",
  subscription: "/online/v1/payment/subscription",
  cancel: "/online/v1/payment/cancel",
  order: "/online/v1/payment/order",
  inactive: "/online/v1/payment/manage/subscription/inactive",
  status: "/online/v1/payment/manage/subscription/status"
} as const

/** One of the seven calls. */
export const call = (
  endpoint: keyof typeof paths,
  fields: Record<string, unknown>,
  options: { readonly timeoutMillis?: number; readonly key?: string } = {}
) =>
  Effect.gen(function* () {
    const { url } = yield* SimulatorServer
    return yield* send("POST", url + paths[endpoint], {
      headers: { authorization: `SECRET_KEY ${options.key ?? secretKey}`, "content-type": "application/json" },
      body: JSON.stringify(fields),
      ...(options.timeoutMillis === undefined ? {} : { timeoutMillis: options.timeoutMillis })
    })
  })

/** A control call. */
export const control = (method: string, path: string, body?: unknown) =>
  Effect.gen(function* () {
    const { url } = yield* SimulatorServer
    return yield* send(method, `${url}/control${path}`, {
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
    })
  })

export const readyFields = (more: Record<string, unknown> = {}) => ({
  cid: oneTime,
  partner_order_id: "order-1",
  partner_user_id: "user-1",
  item_name: "비타민 C",
  quantity: 1,
  total_amount: 11_000,
  tax_free_amount: 0,
  approval_url: "http://shop.example/approved?order=1",
  cancel_url: "http://shop.example/cancelled",
  fail_url: "http://shop.example/failed",
  ...more
})

export const textAt = (answer: Answer, name: string): string => {
  const value = answer.json[name]
  assert.isString(value, `${name} in ${answer.text}`)
  return String(value)
}

/** Opens a window and returns its tid. */
export const openWindow = (more: Record<string, unknown> = {}, key: string = secretKey) =>
  Effect.map(call("ready", readyFields(more), { key }), (answer) => {
    assert.strictEqual(answer.status, 200, answer.text)
    return textAt(answer, "tid")
  })

/** Lets the customer authenticate and returns the pg_token the merchant receives. */
export const authenticate = (tid: string, choice?: CustomerChoice) =>
  Effect.gen(function* () {
    const { customers } = yield* Simulator
    const { redirectUrl } = yield* customers.approve(tid, choice)
    return new URL(redirectUrl ?? "").searchParams.get("pg_token") ?? ""
  })

/** The approve that goes with `readyFields`. */
export const approve = (
  tid: string,
  pgToken: string,
  more: Record<string, unknown> = {},
  options: { readonly timeoutMillis?: number } = {}
) =>
  call(
    "approve",
    { cid: oneTime, tid, partner_order_id: "order-1", partner_user_id: "user-1", pg_token: pgToken, ...more },
    options
  )

/** Pays a one-time order and returns its tid. */
export const pay = (more: Record<string, unknown> = {}, choice?: CustomerChoice) =>
  Effect.gen(function* () {
    const tid = yield* openWindow(more)
    const token = yield* authenticate(tid, choice)
    const answer = yield* approve(tid, token, pick(more))
    assert.strictEqual(answer.status, 200, answer.text)
    return tid
  })

const pick = (more: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(more).filter(([name]) => ["cid", "partner_order_id", "partner_user_id"].includes(name))
  )

/** A billing key for user-1, issued by a first payment of 0 won. */
export const issueKey = (choice?: CustomerChoice) =>
  Effect.gen(function* () {
    const tid = yield* openWindow({ cid: recurring, total_amount: 0, partner_order_id: "registration" })
    const token = yield* authenticate(tid, choice)
    const answer = yield* approve(tid, token, { cid: recurring, partner_order_id: "registration" })
    return textAt(answer, "sid")
  })

/** A recurring charge for user-1. */
export const charge = (
  sid: string,
  more: Record<string, unknown> = {},
  options: { readonly timeoutMillis?: number } = {}
) =>
  call(
    "subscription",
    {
      cid: recurring,
      sid,
      partner_order_id: "cycle-1",
      partner_user_id: "user-1",
      item_name: "비타민 C",
      quantity: 1,
      total_amount: 12_900,
      tax_free_amount: 0,
      ...more
    },
    options
  )

/** Asserts a refusal. */
export const refused = (answer: Answer, code: number, methodResultCode?: string) => {
  assert.strictEqual(answer.json["error_code"], code, answer.text)
  const extras = answer.json["extras"]
  if (methodResultCode !== undefined) {
    assert.strictEqual(Reflect.get(Object(extras), "method_result_code"), methodResultCode, answer.text)
  }
}

/** The number inside one of the amount objects. */
export const amountAt = (answer: Answer, name: string, field = "total"): number =>
  Number(Reflect.get(Object(answer.json[name]), field))

/** A clock that stands still at a Korean wall time, e.g. `2026-03-02T10:00:00`. */
export const frozenAt = (koreanTime: string) => {
  const millis = Date.parse(`${koreanTime}+09:00`)
  return () => millis
}

/** The address of one of the seven calls. */
export const urlOf = (endpoint: keyof typeof paths) => Effect.map(SimulatorServer, ({ url }) => url + paths[endpoint])
