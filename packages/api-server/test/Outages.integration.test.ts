/** What the server does while MySQL or Redis is away: each is reached through a way that can be cut. */
import * as App from "@pillivery/api-server/App"
import { settingsDefault } from "@pillivery/api-server/Settings"
import { assert, it } from "@effect/vitest"
import { Config, Context, Duration, Effect, Layer, Redacted, References } from "effect"
import { connect, createServer, type Socket } from "node:net"
import { freshDatabase, send, type Sent, signUpBody } from "./TestShop.ts"

/** An answer that waited for nobody who is away; the limits of connecting and waiting are below. */
const soonMillisMax = 5_000
const backMillisMax = 20_000
const pollMillis = 100
const timeoutMillis = 60_000

/** A way to a server that can be cut and opened again. */
const wayTo = Effect.fnUntraced(function* (address: string) {
  const target = new URL(address)
  const sockets = new Set<Socket>()
  const way = createServer((socket) => {
    const onward = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [socket, onward],
      [onward, socket]
    ] as const) {
      sockets.add(one)
      one.on("error", () => other.destroy())
      one.on("close", () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  const listen = (port: number) =>
    Effect.promise(() => new Promise<void>((resolve) => void way.listen(port, "127.0.0.1", () => resolve())))
  const cut = Effect.promise(
    () =>
      new Promise<void>((resolve) => {
        way.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
  )
  yield* listen(0)
  yield* Effect.addFinalizer(() => (way.listening ? cut : Effect.void))
  const at = way.address()
  const port = at === null || typeof at === "string" ? 0 : at.port
  const url = new URL(address)
  url.port = String(port)
  return { url: url.href, cut, open: listen(port) }
})

type Way = Effect.Success<ReturnType<typeof wayTo>>

class Ways extends Context.Service<Ways, { readonly mysql: Way; readonly redis: Way }>()("test/Ways") {}

const layer = Layer.unwrap(
  Effect.gen(function* () {
    const ways = {
      mysql: yield* wayTo(yield* freshDatabase("outages")),
      redis: yield* wayTo(yield* Config.String("PILLIVERY_TEST_REDIS_URL"))
    }
    const app = App.layer({
      ...settingsDefault,
      port: 0,
      stores: { _tag: "External", mysqlUrl: Redacted.make(ways.mysql.url), redisUrl: Redacted.make(ways.redis.url) }
    })
    return Layer.merge(app, Layer.succeed(Ways, ways))
  })
).pipe(Layer.provide(Layer.succeed(References.MinimumLogLevel, "None")))

const sendSoon = (method: string, path: string, sent?: Sent) =>
  Effect.map(Effect.timed(send(method, path, sent)), ([took, answer]) => {
    assert.isBelow(Duration.toMillis(took), soonMillisMax, `${method} ${path}`)
    return answer
  })

const statusOf = (method: string, path: string, sent?: Sent) =>
  Effect.map(sendSoon(method, path, sent), ({ status }) => status)

const untilReady = Effect.gen(function* () {
  for (let waited = 0; (yield* statusOf("GET", "/health/ready")) !== 200; waited += pollMillis) {
    if (waited > backMillisMax) return assert.fail("it is not ready again")
    yield* Effect.sleep(pollMillis)
  }
})

const withoutIt = <E, R>(way: Way, effect: Effect.Effect<void, E, R>) =>
  Effect.andThen(
    Effect.acquireUseRelease(
      way.cut,
      () => effect,
      () => way.open
    ),
    untilReady
  )

const list = "/api/items/search?sort=SALES"

const customer = Effect.fnUntraced(function* (name: string) {
  const body = signUpBody(name)
  assert.strictEqual((yield* send("POST", "/api/users", { body })).status, 201)
  const { json } = yield* send("POST", "/api/users/auth", { body: { email: body.email, password: body.password } })
  const itemId = /"id":"([^"]+)"/.exec((yield* send("GET", list)).text)?.[1]
  const order = { token: String(json["accessToken"]), body: { lines: [{ itemId, quantity: 1 }] } }
  return { logIn: { body: { email: body.email, password: body.password } }, order, token: order.token, itemId }
})

it.layer(layer, { excludeTestServices: true, timeout: timeoutMillis })("an outage", (it) => {
  it.effect("of MySQL leaves the lists that are kept; all else is refused soon, and goes on when it is back", () =>
    Effect.gen(function* () {
      const { mysql } = yield* Ways
      const { itemId, logIn, order, token } = yield* customer("outage10000001")
      const kept = yield* send("GET", list)
      yield* withoutIt(
        mysql,
        Effect.gen(function* () {
          assert.strictEqual((yield* sendSoon("GET", list)).text, kept.text)
          for (const [method, path, sent] of [
            ["GET", `/api/items/${itemId}`, {}],
            ["GET", "/api/orders", { token }],
            ["POST", "/api/orders", order],
            ["POST", "/api/users", { body: signUpBody("outage10000002") }],
            ["POST", "/api/users/auth", logIn]
          ] as const) {
            const refused = yield* sendSoon(method, path, sent)
            assert.strictEqual(refused.status, 503, `${method} ${path}`)
            assert.isNotNull(refused.headers.get("retry-after"))
            assert.strictEqual(refused.headers.get("content-type"), "application/problem+json")
          }
          assert.strictEqual(yield* statusOf("GET", "/health/ready"), 503)
          assert.strictEqual(yield* statusOf("GET", "/health/live"), 200)
        })
      )
      assert.strictEqual(yield* statusOf("GET", `/api/items/${itemId}`), 200)
      assert.strictEqual(yield* statusOf("POST", "/api/orders", order), 201)
    })
  )

  it.effect("of Redis leaves what only reads, without limits; what changes something is refused soon", () =>
    Effect.gen(function* () {
      const { redis } = yield* Ways
      const { itemId, logIn, order, token } = yield* customer("outage10000003")
      assert.isNotNull((yield* send("GET", `/api/items/${itemId}`)).headers.get("ratelimit"))
      yield* withoutIt(
        redis,
        Effect.gen(function* () {
          const read = yield* sendSoon("GET", `/api/items/${itemId}`)
          assert.strictEqual(read.status, 200)
          assert.isNull(read.headers.get("ratelimit"))
          assert.strictEqual(yield* statusOf("GET", list), 200)
          assert.strictEqual(yield* statusOf("GET", "/api/orders", { token }), 200)
          assert.strictEqual(yield* statusOf("POST", "/api/orders", order), 503)
          assert.strictEqual(yield* statusOf("POST", "/api/users/auth", logIn), 503)
          assert.strictEqual(yield* statusOf("GET", "/api/carts/normal", { token }), 503)
          assert.strictEqual(yield* statusOf("GET", "/health/ready"), 503)
        })
      )
      assert.strictEqual(yield* statusOf("POST", "/api/orders", order), 201)
      assert.strictEqual(yield* statusOf("POST", "/api/users/auth", logIn), 200)
    })
  )
})
