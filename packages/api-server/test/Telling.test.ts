/** A purchase in the embedded shop is told to its customer by e-mail and to another system by a webhook. */
import { assert, it } from "@effect/vitest"
import * as Embedded from "@pillivery/api-server/Embedded"
import { registerEndpoint } from "@pillivery/application/Webhooks/Endpoints"
import { Effect, Layer, Redacted } from "effect"
import { createServer } from "node:http"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Webhook } from "standardwebhooks"
import { send, signUpBody } from "./TestShop.ts"

const folder = mkdtempSync(join(tmpdir(), "pillivery-telling-"))
const path = join(folder, "mail.txt")
const layer = Layer.merge(
  Embedded.layer({ mail: { _tag: "File", path } }),
  Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))))
)

it.layer(layer, { excludeTestServices: true, timeout: "30 seconds" })("a purchase", (it) => {
  it.effect("is told by e-mail and by a signed webhook", () =>
    Effect.gen(function* () {
      const received: Array<{ readonly headers: Record<string, string>; readonly body: string }> = []
      const server = yield* Effect.acquireRelease(
        Effect.promise(
          () =>
            new Promise<ReturnType<typeof createServer>>((resolve) => {
              const made = createServer((request, response) => {
                let body = ""
                request.on("data", (chunk) => (body += String(chunk)))
                request.on("end", () => {
                  const headers = Object.fromEntries(
                    Object.entries(request.headers).map(([name, value]) => [name, String(value)])
                  )
                  received.push({ headers, body })
                  response.writeHead(204).end()
                })
              })
              made.listen(0, "127.0.0.1", () => resolve(made))
            })
        ),
        (made) =>
          Effect.sync(() => {
            made.closeAllConnections()
            made.close()
          })
      )
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const endpoint = yield* registerEndpoint({
        url: `http://127.0.0.1:${port}/`,
        description: "",
        tags: ["OrderPaid"]
      })

      const body = signUpBody("told", "12345678")
      yield* send("POST", "/api/users", { body })
      const session = yield* send("POST", "/api/users/auth", { body: { email: body.email, password: body.password } })
      const token = String(session.json["accessToken"])
      const items = yield* send("GET", "/api/items/search?sort=PRICE_L&size=1")
      const itemId = /"id":"([^"]+)"/.exec(items.text)?.[1] ?? ""
      const order = yield* send("POST", "/api/orders", { token, body: { lines: [{ itemId, quantity: 1 }] } })
      const orderId = String(order.json["id"])
      const payment = yield* send("POST", `/api/orders/${orderId}/payments`, { token })
      const page = /"pc":"([^"]+)"/.exec(payment.text)?.[1] ?? ""
      yield* Effect.promise(async () => (await fetch(`${page}/approve`, { method: "POST" })).text())
      yield* send("POST", "/embedded/drain")

      for (let wait = 0; received.length === 0 && wait < 100; wait++) yield* Effect.sleep(50)
      const [message, ...others] = received
      assert.isDefined(message)
      assert.deepStrictEqual(others, [])
      const told = Object(new Webhook(Redacted.value(endpoint.secret)).verify(message.body, message.headers))
      assert.deepStrictEqual([told.type, told.data.orderId], ["OrderPaid", orderId])
      for (let wait = 0; wait < 100; wait++) {
        const mails = readFileSync(path, { encoding: "utf8", flag: "a+" })
        if (mails.includes("Your order was paid")) return assert.include(mails, `To: ${body.email}\n`)
        yield* Effect.sleep(50)
      }
      assert.fail("no e-mail was written")
    })
  )
})
