/** Other systems that are told of events: by administrators, over real sockets, with the signature their library checks. */
import { assert, describe, it } from "@effect/vitest"
import { sendMessages } from "@pillivery/application/Events/SendMessages"
import { endpointsMax } from "@pillivery/application/ports/WebhookEndpoints"
import { WebhookSender } from "@pillivery/application/ports/WebhookSender"
import { Deferred, Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import { Webhook } from "standardwebhooks"
import * as Sender from "../src/WebhookSender.ts"
import * as Shop from "./Shop.ts"

const nowhere = "01890a5d-ac96-774b-bcce-b302099a8057"
interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A system that is told of events. */
const receiver = Effect.fnUntraced(function* (respond: (response: ServerResponse) => void) {
  const received: Array<Received> = []
  const opened = { connections: 0 }
  const server = yield* Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const made = createServer((request, response) => {
            let body = ""
            request.setEncoding("utf8")
            request.on("data", (chunk: string) => (body += chunk))
            request.on("end", () => {
              received.push({ headers: request.headers, body })
              respond(response)
            })
          })
          made.on("connection", () => opened.connections++)
          made.listen(0, "127.0.0.1", () => resolve(made))
        })
    ),
    (made) =>
      Effect.promise(
        () =>
          new Promise((resolve) => {
            made.closeAllConnections()
            made.close(resolve)
          })
      )
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { received, opened, url: `http://127.0.0.1:${port}/hooks` }
})

const ok = (response: ServerResponse) => response.writeHead(204).end()

const verify = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, {
    "webhook-id": String(headers["webhook-id"]),
    "webhook-timestamp": String(headers["webhook-timestamp"]),
    "webhook-signature": String(headers["webhook-signature"])
  })

const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
const formerSecret = "whsec_OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEwOTg="
const call = { id: "event:OrderPaid", body: '{"type":"OrderPaid","text":"가"}', secrets: [Redacted.make(secret)] }

const sending = (url: string, options: Partial<Sender.Options> = {}) =>
  Effect.flatMap(WebhookSender, (sender) => sender.send({ ...call, url })).pipe(
    Effect.provide(Sender.layer({ isLoopbackAllowed: true, ...options }))
  )

describe("a call of an endpoint", () => {
  it.live("is signed with every secret, so that a receiver who knows one of them believes it", () =>
    Effect.gen(function* () {
      const { received, url } = yield* receiver(ok)
      yield* Effect.flatMap(WebhookSender, (sender) =>
        sender.send({ ...call, url, secrets: [Redacted.make(secret), Redacted.make(formerSecret)] })
      ).pipe(Effect.provide(Sender.layer({ isLoopbackAllowed: true })))
      const [message] = received
      assert.isDefined(message)
      assert.deepStrictEqual(verify(secret, message), JSON.parse(call.body))
      assert.deepStrictEqual(verify(formerSecret, message), JSON.parse(call.body))
      assert.throws(() => verify("whsec_c29tZWJvZHkgZWxzZQ==", message))
      assert.throws(() => verify(secret, { ...message, body: message.body.replace("가", "나") }))
      assert.strictEqual(message.headers["content-type"], "application/json")
      assert.strictEqual(message.headers["webhook-id"], call.id)
      // How we trace ourselves is nobody else's business.
      assert.notInclude(Object.keys(message.headers), "traceparent")
      assert.notInclude(Object.keys(message.headers), "b3")
    }).pipe(Effect.scoped)
  )

  it.live("has failed when the answer is not of 2xx, and for good when it is 410", () =>
    Effect.gen(function* () {
      for (const [status, isRetryable] of [
        [301, true],
        [400, true],
        [410, false],
        [503, true]
      ] as const) {
        const { received, url } = yield* receiver((response) =>
          response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("no")
        )
        const error = yield* Effect.flip(sending(url))
        assert.deepStrictEqual([error.isRetryable, error.detail], [isRetryable, `it answered with status ${status}`])
        assert.strictEqual(received.length, 1)
      }
    }).pipe(Effect.scoped)
  )

  it.live("ends when the answer does not come, or never ends", () =>
    Effect.gen(function* () {
      const silent = yield* receiver(() => undefined)
      const error = yield* Effect.flip(sending(silent.url, { answerMillisMax: 50 }))
      assert.deepStrictEqual([error.isRetryable, error.detail], [true, "it did not answer in time"])
      const hungUp = yield* Deferred.make<void>()
      const endless = yield* receiver((response) => {
        response.on("close", () => Deferred.doneUnsafe(hungUp, Effect.void))
        response.writeHead(200).write("x")
      })
      // While the sender lives, so that it is not its end that hangs up.
      yield* Effect.gen(function* () {
        yield* (yield* WebhookSender).send({ ...call, url: endless.url })
        yield* Deferred.await(hungUp).pipe(Effect.timeout("2 seconds"))
      }).pipe(Effect.provide(Sender.layer({ isLoopbackAllowed: true })))
      const gone = yield* Effect.flip(sending("http://127.0.0.1:1/"))
      assert.isTrue(gone.isRetryable)
    }).pipe(Effect.scoped)
  )

  it.live("never opens a connection into a private network, whatever the address looks like", () =>
    Effect.gen(function* () {
      const { opened, url } = yield* receiver(ok)
      const port = new URL(url).port
      for (const address of [
        url,
        `https://127.0.0.1:${port}/`,
        `https://localhost:${port}/`,
        `https://localhost.:${port}/`,
        // It leads to this machine, and is none of its names: only the connection knows.
        `https://0.0.0.0:${port}/`,
        `https://0x7f.1:${port}/`,
        `https://[::1]:${port}/`,
        `https://[::ffff:127.0.0.1]:${port}/`,
        "https://10.0.0.1/",
        "https://192.168.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://user:password@example.com/",
        "http://example.com/",
        "ftp://example.com/",
        "no address"
      ]) {
        const error = yield* Effect.flip(sending(address, { isLoopbackAllowed: false, answerMillisMax: 2_000 }))
        assert.notInclude(error.detail, "in time", address)
      }
      assert.strictEqual(opened.connections, 0)
    }).pipe(Effect.scoped)
  )
})

describe("an endpoint for webhooks", () => {
  const layer = Shop.layerWith(Sender.layer({ isLoopbackAllowed: true }))

  it.effect("is told of what it asked for, until it takes it, and again when it is replayed", () =>
    Effect.gen(function* () {
      // Signatures are checked against the real time.
      yield* TestClock.setTime(Date.now())
      let isUp = false
      const { received, url } = yield* receiver((response) => (isUp ? ok(response) : response.writeHead(503).end()))
      const token = yield* Shop.asAdmin
      const made = yield* Shop.send("POST", "/api/admin/webhooks", {
        token,
        body: { url, events: ["OrderPaid", "OrderPaid"], description: "창고" }
      })
      assert.strictEqual(made.status, 201, made.text)
      const path = `/api/admin/webhooks/${String(Shop.field(made, "id"))}`
      const signedWith = String(Shop.field(made, "secret"))
      assert.deepStrictEqual(
        ["events", "description", "isActive"].map((name) => Shop.field(made, name)),
        [["OrderPaid"], "창고", true]
      )
      const send = sendMessages().pipe(Effect.provide(Sender.layer({ isLoopbackAllowed: true })))

      const orderId = yield* Shop.placeOrder(token)
      const approval = yield* Shop.approveAtProvider(token, orderId)
      yield* Shop.send("GET", approval.path)
      yield* Shop.deliver
      yield* send
      const messages = Effect.map(Shop.send("GET", `${path}/messages`, { token }), (page) => page)
      const failed = yield* messages
      assert.deepStrictEqual(
        ["event", "state", "tries", "error"].map((name) => Shop.field(failed, "data", 0, name)),
        ["OrderPaid", "pending", 1, "it answered with status 503"]
      )
      assert.strictEqual(Shop.field(failed, "pageInfo", "totalElements"), 1)

      isUp = true
      yield* TestClock.adjust("5 seconds")
      yield* send
      assert.strictEqual(Shop.field(yield* messages, "data", 0, "state"), "sent")
      assert.strictEqual(received.length, 2)
      const [first, second] = received
      assert.isDefined(first)
      assert.isDefined(second)
      assert.strictEqual(first.body, second.body)
      assert.strictEqual(first.headers["webhook-id"], second.headers["webhook-id"])
      const told = Object(verify(signedWith, second))
      assert.deepStrictEqual([told.type, told.data.orderId, told.data.amount], ["OrderPaid", orderId, 18_000])

      const eventId = Shop.field(yield* messages, "data", 0, "eventId")
      const replay = (body: unknown) =>
        Effect.map(Shop.send("POST", `${path}/replay`, { token, body }), (answer) => Shop.field(answer, "replayed"))
      assert.strictEqual(yield* replay({ failed: true }), 0)
      assert.strictEqual(yield* replay({ eventId }), 1)
      yield* send
      assert.strictEqual(yield* replay({ since: "2000-01-01T00:00:00Z" }), 1)
      yield* send
      assert.strictEqual(received.length, 4)
    }).pipe(Effect.provide(layer), Effect.scoped)
  )

  it.live("is changed, gets a new secret and is removed by administrators, and shows its secret no more", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const body = { url: "https://erp.example.com/hooks", events: ["CycleCharged"] }
      const made = yield* Shop.send("POST", "/api/admin/webhooks", { token, body })
      const path = `/api/admin/webhooks/${String(Shop.field(made, "id"))}`
      const changed = yield* Shop.send("PATCH", path, {
        token,
        body: { url: "https://erp.example.com/other", events: ["RefundCompleted"], isActive: false }
      })
      assert.deepStrictEqual(
        ["url", "events", "isActive"].map((name) => Shop.field(changed, name)),
        ["https://erp.example.com/other", ["RefundCompleted"], false]
      )
      const rotated = yield* Shop.send("POST", `${path}/secret`, { token })
      assert.match(String(Shop.field(rotated, "secret")), /^whsec_/)
      assert.notStrictEqual(Shop.field(rotated, "secret"), Shop.field(made, "secret"))
      const listed = yield* Shop.send("GET", "/api/admin/webhooks", { token })
      assert.strictEqual(Shop.field(listed, "data", 0, "url"), "https://erp.example.com/other")
      assert.notInclude(changed.text + listed.text, "whsec_")
      for (const body of [{}, { failed: false }, { failed: true, eventId: "e" }, { since: "yesterday" }]) {
        const answer = yield* Shop.send("POST", `${path}/replay`, { token, body })
        assert.strictEqual(answer.status, 400, JSON.stringify(body))
      }
      assert.strictEqual((yield* Shop.send("DELETE", path, { token })).status, 204)
      for (const [method, rest, sent] of [
        ["PATCH", "", { isActive: true }],
        ["DELETE", "", undefined],
        ["POST", "/secret", undefined],
        ["GET", "/messages", undefined],
        ["POST", "/replay", { failed: true }]
      ] as const) {
        const answer = yield* Shop.send(method, path + rest, { token, ...(sent === undefined ? {} : { body: sent }) })
        assert.deepStrictEqual(Shop.codeOf(answer), [404, "WEBHOOK_NOT_FOUND"], method + rest)
      }
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("is not taken at an address that leads inside, and there are not more than may be", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const events = ["OrderPaid"]
      const refused = [422, "WEBHOOK_URL_REFUSED"]
      for (const url of ["http://erp.example.com/", "https://localhost/", "https://a:b@erp.example.com/"]) {
        const answer = yield* Shop.send("POST", "/api/admin/webhooks", { token, body: { url, events } })
        assert.deepStrictEqual(Shop.codeOf(answer), refused, url)
      }
      for (const body of [
        { url: "https://erp.example.com/", events: [] },
        { url: "https://erp.example.com/", events: ["ReviewWritten"] },
        { url: "https://erp.example.com/" },
        { url: "javascript:alert(1)", events }
      ]) {
        assert.strictEqual((yield* Shop.send("POST", "/api/admin/webhooks", { token, body })).status, 400)
      }
      const listed = yield* Shop.send("GET", "/api/admin/webhooks", { token })
      assert.deepStrictEqual(Shop.field(listed, "data"), [])
      const body = { url: "https://erp.example.com/", events }
      for (let made = 0; made < endpointsMax; made++) {
        assert.strictEqual((yield* Shop.send("POST", "/api/admin/webhooks", { token, body })).status, 201)
      }
      assert.deepStrictEqual(Shop.codeOf(yield* Shop.send("POST", "/api/admin/webhooks", { token, body })), [
        422,
        "TOO_MANY_WEBHOOKS"
      ])
      const first = String(Shop.field(yield* Shop.send("GET", "/api/admin/webhooks", { token }), "data", 0, "id"))
      const inside = { url: "https://127.0.0.1/" }
      assert.deepStrictEqual(
        Shop.codeOf(yield* Shop.send("PATCH", `/api/admin/webhooks/${first}`, { token, body: inside })),
        refused
      )
      const nobody = yield* Shop.send("DELETE", `/api/admin/webhooks/${nowhere}`, { token })
      assert.strictEqual(nobody.status, 404)
    }).pipe(Effect.provide(Layer.fresh(Shop.layer)))
  )
})
