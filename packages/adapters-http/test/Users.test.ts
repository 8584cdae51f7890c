import { assert, describe, it } from "@effect/vitest"
import { RateLimits } from "@pillivery/adapters-http/RateLimits"
import { requestMillisMax } from "@pillivery/adapters-http/Boundary"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { TokenStore } from "@pillivery/application/ports/TokenStore"
import { Deferred, Effect, Fiber, Layer } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { TestClock } from "effect/testing"
import * as Shop from "./Shop.ts"

const me = (token: string) => Effect.map(Shop.send("GET", "/api/users/me", { token }), ({ status }) => status)

const refresh = (refreshToken: string) => Shop.send("POST", "/api/users/auth/refresh", { body: { refreshToken } })

describe("a session over HTTP", () => {
  it.live("ends at once with its log-out, and leaves the other ones", () =>
    Effect.gen(function* () {
      const [here, there] = [yield* Shop.logIn(1), yield* Shop.logInAgain(1)]
      assert.strictEqual((yield* Shop.send("POST", "/api/users/logout", { token: here })).status, 204)
      const refused = yield* Shop.send("GET", "/api/users/me", { token: here })
      assert.deepStrictEqual(Shop.codeOf(refused), [401, "TOKEN_REJECTED"])
      assert.strictEqual(refused.headers.get("www-authenticate"), "Bearer")
      assert.strictEqual(yield* me(there), 200)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("ends everywhere when it is asked to, and its refresh tokens with it", () =>
    Effect.gen(function* () {
      const here = yield* Shop.logIn(1)
      const there = yield* Shop.beginSession(1)
      const stranger = yield* Shop.logIn(2)
      yield* Shop.send("POST", "/api/users/logout?everywhere=true", { token: here })
      assert.deepStrictEqual([yield* me(here), yield* me(there.accessToken), yield* me(stranger)], [401, 401, 200])
      assert.deepStrictEqual(Shop.codeOf(yield* refresh(there.refreshToken)), [401, "REFRESH_REJECTED"])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FS5: goes on with a refresh token alone, each of them once, and ends when one is stolen", () =>
    Effect.gen(function* () {
      yield* Shop.logIn(1)
      const first = yield* Shop.beginSession(1)
      const second = yield* refresh(first.refreshToken)
      assert.strictEqual(second.status, 200)
      const [accessToken, refreshToken] = ["accessToken", "refreshToken"].map((name) =>
        String(Shop.field(second, name))
      )
      assert.strictEqual(yield* me(accessToken ?? ""), 200)
      for (const other of [first.accessToken, accessToken, "nonsense", `${refreshToken}A`]) {
        assert.deepStrictEqual(Shop.codeOf(yield* refresh(other ?? "")), [401, "REFRESH_REJECTED"])
      }
      yield* refresh(refreshToken ?? "")
      // Two refreshes later there is no honest use of the first one.
      assert.deepStrictEqual(Shop.codeOf(yield* refresh(first.refreshToken)), [401, "REFRESH_REJECTED"])
      assert.strictEqual(yield* me(accessToken ?? ""), 401)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FS5: is not an access token that is used to refresh, nor the other way round", () =>
    Effect.gen(function* () {
      yield* Shop.logIn(1)
      const { accessToken, refreshToken } = yield* Shop.beginSession(1)
      assert.strictEqual(yield* me(refreshToken), 401)
      assert.strictEqual((yield* refresh(accessToken)).status, 401)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FO4: that nobody can look up lets reading go on, and nothing be changed", () =>
    Effect.gen(function* () {
      const { send } = yield* Shop.Shop
      const token = yield* Shop.logIn(1)
      assert.strictEqual((yield* send("GET", "/api/users/me", { token })).status, 200)
      const refused = yield* send("PATCH", "/api/users/me", { token, body: { displayName: "새 이름" } })
      assert.deepStrictEqual(Shop.codeOf(refused), [503, "STORAGE_UNAVAILABLE"])
      assert.isNotNull(refused.headers.get("retry-after"))
      assert.deepStrictEqual(Shop.field(yield* send("GET", "/api/users/me", { token }), "displayName"), "사용자1")
    }).pipe(
      Effect.provide(
        Shop.layerWith(
          Layer.effect(
            TokenStore,
            Effect.map(TokenStore, (store) => ({
              ...store,
              isAlive: () =>
                Effect.fail(
                  new StorageError({ operation: "isAlive", reason: "unavailable", cause: new Error("Redis is gone") })
                )
            }))
          )
        )
      )
    )
  )
})

describe("a profile", () => {
  it.live("is changed by its user, in part, and the new password logs in", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn(1)
      const { email, password } = Shop.signUpBody(1)
      const next = "battery-staple-8!"
      const changed = yield* Shop.send("PATCH", "/api/users/me", {
        token,
        body: { phone: "010-9999-8888", password: { current: password, next } }
      })
      assert.deepStrictEqual([changed.status, Shop.field(changed, "phone")], [200, "010-9999-8888"])
      assert.notInclude(changed.text, next)
      const logIn = (password: string) => Shop.send("POST", "/api/users/auth", { body: { email, password } })
      assert.deepStrictEqual([(yield* logIn(password)).status, (yield* logIn(next)).status], [401, 200])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("does not take the name of another, a wrong password, nothing, or what is not its user's to say", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn(1)
      yield* Shop.logIn(2)
      const change = (body: unknown) => Effect.map(Shop.send("PATCH", "/api/users/me", { token, body }), Shop.codeOf)
      assert.deepStrictEqual(yield* change({ displayName: "사용자2" }), [409, "USER_EXISTS"])
      assert.deepStrictEqual(yield* change({ password: { current: "wrong", next: "battery-staple-8!" } }), [
        422,
        "PASSWORD_REJECTED"
      ])
      assert.deepStrictEqual(yield* change({ phone: "1" }), [422, "SIGN_UP_INVALID"])
      for (const body of [{}, { role: "ADMIN" }, { email: "other@example.com" }, { userId: "1" }]) {
        assert.deepStrictEqual(yield* change(body), [400, "VALIDATION_FAILED"])
      }
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("withdrawal", () => {
  it.live("F23, FS9: ends subscriptions, sessions and carts, and keeps the orders without a name", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn(1)
      const orderId = yield* Shop.placeOrder(token, 30)
      yield* Shop.send("GET", (yield* Shop.approveAtProvider(token, orderId)).path)
      const other = yield* Shop.logInAgain(1)
      const again = yield* Shop.beginSession(1)
      assert.strictEqual((yield* Shop.send("DELETE", "/api/users/me", { token })).status, 204)
      assert.deepStrictEqual([yield* me(token), yield* me(other)], [401, 401])
      assert.strictEqual((yield* refresh(again.refreshToken)).status, 401)
      yield* Shop.deliver
      // Its e-mail, name and phone are free: somebody else who signs up with them owns nothing of this.
      const somebody = yield* Shop.logIn(1)
      const subscriptions = yield* Shop.send("GET", "/api/subscriptions", { token: somebody })
      assert.deepStrictEqual(Shop.field(subscriptions, "data"), [])
      assert.strictEqual((yield* Shop.send("GET", `/api/orders/${orderId}`, { token: somebody })).status, 404)
      assert.strictEqual(yield* Shop.subscriptionState(orderId), "Cancelled")
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("ends the subscription of a payment that was under way", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn(1)
      const orderId = yield* Shop.placeOrder(token, 30)
      const approval = yield* Shop.approveAtProvider(token, orderId)
      yield* Shop.send("DELETE", "/api/users/me", { token })
      yield* Shop.deliver
      assert.strictEqual((yield* Shop.send("GET", approval.path)).status, 200)
      assert.strictEqual(yield* Shop.subscriptionState(orderId), "Cancelled")
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("notifications", () => {
  it.live("are read by their user, once and for all", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn(1)
      const stranger = yield* Shop.logIn(2)
      yield* Shop.send("GET", (yield* Shop.approveAtProvider(token, yield* Shop.placeOrder(token, 30))).path)
      yield* Shop.deliver
      const list = Shop.send("GET", "/api/users/me/notifications", { token })
      const id = encodeURIComponent(String(Shop.field(yield* list, "data", 0, "id")))
      const read = (token: string) => Shop.send("POST", `/api/users/me/notifications/${id}/read`, { token })
      assert.isNull(Shop.field(yield* list, "data", 0, "readAt"))
      assert.deepStrictEqual(Shop.codeOf(yield* read(stranger)), [404, "NOTIFICATION_NOT_FOUND"])
      assert.strictEqual((yield* read(token)).status, 204)
      const readAt = Shop.field(yield* list, "data", 0, "readAt")
      assert.isString(readAt)
      yield* read(token)
      assert.strictEqual(Shop.field(yield* list, "data", 0, "readAt"), readAt)
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("limits", () => {
  const limits = (ofAddress: number | null, ofUser: number | null) =>
    Shop.layerWith(Layer.succeed(RateLimits, { ofAddress, ofUser }))

  it.live("FS8: tell what is left, and refuse what is more, for an address", () =>
    Effect.gen(function* () {
      const search = Shop.send("GET", "/api/items/search")
      const first = yield* search
      assert.deepStrictEqual(
        [first.headers.get("ratelimit-policy"), first.headers.get("ratelimit")],
        ['"address";q=3;w=60', '"address";r=2;t=20']
      )
      yield* search
      yield* search
      const refused = yield* search
      assert.deepStrictEqual(Shop.codeOf(refused), [429, "RATE_LIMITED"])
      assert.match(String(refused.headers.get("retry-after")), /^\d+$/)
      assert.match(String(refused.headers.get("ratelimit")), /^"address";r=0;t=\d+$/)
      assert.isNotNull(refused.headers.get("x-request-id"))
      assert.strictEqual((yield* Shop.send("GET", "/health/live")).status, 200)
    }).pipe(Effect.provide(limits(3, null)))
  )

  it.live("count each user for itself, beside the address", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* Shop.logIn(1), yield* Shop.logIn(2)]
      const list = (token: string) => Shop.send("GET", "/api/orders", { token })
      const answer = yield* list(one)
      assert.strictEqual(answer.headers.get("ratelimit-policy"), '"address";q=100;w=60, "user";q=2;w=60')
      yield* list(one)
      const refused = yield* list(one)
      assert.deepStrictEqual(Shop.codeOf(refused), [429, "RATE_LIMITED"])
      assert.strictEqual(Shop.field(refused, "retryAfterSeconds"), Number(refused.headers.get("retry-after")))
      assert.strictEqual((yield* list(two)).status, 200)
    }).pipe(Effect.provide(limits(100, 2)))
  )

  const broken = new RateLimiter.RateLimiterError({
    reason: new RateLimiter.RateLimitStoreError({ message: "the store is away" })
  })
  it.live("let everybody through while nobody can count", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn(1)
      for (let sent = 0; sent < 3; sent++) {
        const answer = yield* Shop.send("GET", "/api/orders", { token })
        assert.deepStrictEqual([answer.status, answer.headers.get("ratelimit")], [200, null])
      }
    }).pipe(
      Effect.provide(
        Shop.layerWith(
          Layer.merge(
            Layer.succeed(RateLimits, { ofAddress: 1, ofUser: 1 }),
            Layer.effect(
              RateLimiter.RateLimiter,
              Effect.map(RateLimiter.RateLimiter, (limiter) =>
                RateLimiter.RateLimiter.of({
                  ...limiter,
                  consume: (options) =>
                    /^\{(address|user):/.test(options.key) ? Effect.fail(broken) : limiter.consume(options)
                })
              )
            )
          )
        )
      )
    )
  )

  it.effect("end a request that takes too long", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const hanging = Layer.effect(
        ItemRepository,
        Effect.map(ItemRepository, (items) =>
          ItemRepository.of({
            ...items,
            findById: () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
          })
        )
      )
      yield* Effect.gen(function* () {
        const answer = yield* Effect.forkChild(Shop.send("GET", `/api/items/${Shop.vitamin.id}`))
        yield* Deferred.await(begun)
        yield* TestClock.adjust(requestMillisMax - 1)
        assert.isUndefined(answer.pollUnsafe())
        yield* TestClock.adjust(1)
        const ended = yield* Fiber.join(answer)
        assert.deepStrictEqual(Shop.codeOf(ended), [503, "TOOK_TOO_LONG"])
        assert.isNotNull(ended.headers.get("retry-after"))
      }).pipe(Effect.provide(Shop.layerWith(hanging)))
    })
  )
})
