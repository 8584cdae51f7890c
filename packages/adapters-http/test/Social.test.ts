import { assert, describe, it } from "@effect/vitest"
import * as SocialIdentity from "@pillivery/adapters-http/SocialIdentity"
import { Context, Effect, Layer, Redacted } from "effect"
import * as OAuthServer from "./OAuthServer.ts"
import * as Shop from "./Shop.ts"

class Elsewhere extends Context.Service<Elsewhere, OAuthServer.OAuthServer>()("test/Elsewhere") {}

const credentials = { clientId: OAuthServer.clientId, clientSecret: Redacted.make(OAuthServer.clientSecret) }
const callbackUrl = (provider: string) => `http://shop.test/api/oauth2/${provider}/callback`

const layer = Shop.layerWith(
  Layer.unwrap(
    Effect.map(OAuthServer.start, (server) => {
      const endpoints = {
        issuer: server.url,
        authorization: `${server.url}/authorize`,
        token: `${server.url}/token`,
        userInfo: `${server.url}/me`,
        scope: "email"
      }
      return Layer.merge(
        Layer.succeed(Elsewhere, server),
        SocialIdentity.layer({
          credentials: { google: credentials, kakao: credentials },
          callbackUrl,
          endpoints: { google: endpoints, kakao: endpoints }
        })
      )
    })
  )
)

const minji = { sub: "g-1", email: "minji@example.com", email_verified: true }
const profile = {
  displayName: "민지",
  realName: "김민지",
  phone: "010-1234-5678",
  address: { city: "서울특별시 마포구", detail: "월드컵로 1" }
}

/** Sends a browser away and answers the address it comes back to, with the cookie it has. */
const visit = Effect.fnUntraced(function* (provider = "google") {
  const sent = yield* Shop.send("GET", `/api/oauth2/${provider}/authorize`)
  assert.strictEqual(sent.status, 302, sent.text)
  const cookie = sent.headers.get("set-cookie") ?? ""
  const there = yield* Effect.promise(() => fetch(sent.headers.get("location") ?? "", { redirect: "manual" }))
  const back = new URL(there.headers.get("location") ?? "")
  return { cookie, path: `${back.pathname}${back.search}`, sent }
})

const comeBack = ({ cookie, path }: { readonly cookie: string; readonly path: string }) =>
  Shop.send("GET", path, { headers: { cookie: cookie.split(";")[0] ?? "" } })

const logIn = (provider?: string) => Effect.flatMap(visit(provider), comeBack)

const register = Effect.fnUntraced(function* (person: unknown, changed: Record<string, unknown> = {}) {
  const elsewhere = yield* Elsewhere
  elsewhere.person = person
  const registrationToken = Shop.field(yield* logIn(), "registrationToken")
  return yield* Shop.send("POST", "/api/users/me/more-info", { body: { registrationToken, ...profile, ...changed } })
})

describe("logging in elsewhere", () => {
  it.live("makes a user once, who is known again by the service's own name for the account", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Elsewhere
      const made = yield* register(minji)
      assert.strictEqual(made.status, 201, made.text)
      const token = String(Shop.field(made, "accessToken"))
      const me = yield* Shop.send("GET", "/api/users/me", { token })
      assert.deepStrictEqual([Shop.field(me, "email"), Shop.field(me, "displayName")], ["minji@example.com", "민지"])
      elsewhere.person = { ...minji, email: "changed@example.com" }
      const again = yield* logIn()
      assert.deepStrictEqual([again.status, Shop.field(again, "userId")], [200, Shop.field(me, "id")])
    }).pipe(Effect.provide(layer))
  )

  it.live("FS4: is no second user, and no log-in, where two accounts show the same e-mail", () =>
    Effect.gen(function* () {
      yield* register(minji)
      const elsewhere = yield* Elsewhere
      elsewhere.person = { ...minji, sub: "g-2" }
      const other = yield* logIn()
      assert.deepStrictEqual([other.status, Shop.field(other, "email")], [202, "minji@example.com"])
      assert.isUndefined(Shop.field(other, "accessToken"))
      const refused = yield* register(elsewhere.person, { displayName: "다른 민지", phone: "010-9999-9999" })
      assert.deepStrictEqual(Shop.codeOf(refused), [409, "USER_EXISTS"])
    }).pipe(Effect.provide(layer))
  )

  it.live("FS1: completes nobody's profile but that of the account that has just logged in", () =>
    Effect.gen(function* () {
      const password = yield* Shop.logIn(1)
      for (const registrationToken of ["", "nonsense", password]) {
        const body = { registrationToken, ...profile, email: Shop.signUpBody(1).email }
        const refused = yield* Shop.send("POST", "/api/users/me/more-info", { body })
        assert.deepStrictEqual(Shop.codeOf(refused), [401, "REGISTRATION_REJECTED"])
      }
      const elsewhere = yield* Elsewhere
      elsewhere.person = minji
      const registrationToken = Shop.field(yield* logIn(), "registrationToken")
      const body = { registrationToken, ...profile }
      assert.strictEqual((yield* Shop.send("POST", "/api/users/me/more-info", { body })).status, 201)
      const repeated = yield* Shop.send("POST", "/api/users/me/more-info", {
        body: { ...body, displayName: "또", phone: "010-9999-9999" }
      })
      assert.include([409], repeated.status)
      // A registration token opens nothing else.
      assert.strictEqual((yield* Shop.send("GET", "/api/users/me", { token: String(registrationToken) })).status, 401)
    }).pipe(Effect.provide(layer))
  )

  it.live("asks for an e-mail that the service has not verified, and takes every other field by the rules", () =>
    Effect.gen(function* () {
      const unverified = { ...minji, email_verified: false }
      assert.deepStrictEqual(Shop.codeOf(yield* register(unverified)), [422, "SIGN_UP_INVALID"])
      assert.deepStrictEqual(Shop.codeOf(yield* register(unverified, { email: "minji@example.com", phone: "1" })), [
        422,
        "SIGN_UP_INVALID"
      ])
      assert.strictEqual((yield* register(unverified, { email: "typed@example.com" })).status, 201)
    }).pipe(Effect.provide(layer))
  )

  it.live("is Kakao's too, whose accounts are numbers and not Google's", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Elsewhere
      elsewhere.person = {
        id: 42,
        kakao_account: { email: "k@example.com", is_email_valid: true, is_email_verified: true }
      }
      const there = yield* logIn("kakao")
      assert.deepStrictEqual([there.status, Shop.field(there, "email")], [202, "k@example.com"])
      const body = { registrationToken: Shop.field(there, "registrationToken"), ...profile }
      yield* Shop.send("POST", "/api/users/me/more-info", { body })
      assert.strictEqual((yield* logIn("kakao")).status, 200)
      elsewhere.person = { sub: "42" }
      assert.strictEqual((yield* logIn("google")).status, 202)
    }).pipe(Effect.provide(layer))
  )

  it.live("links an account to a user who is logged in, once", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Elsewhere
      elsewhere.person = minji
      const token = yield* Shop.logIn(1)
      const registrationToken = Shop.field(yield* logIn(), "registrationToken")
      const link = (token: string) =>
        Shop.send("POST", "/api/users/me/social-accounts", { token, body: { registrationToken } })
      assert.strictEqual((yield* link(token)).status, 204)
      assert.deepStrictEqual(Shop.codeOf(yield* link(yield* Shop.logIn(2))), [409, "SOCIAL_ACCOUNT_TAKEN"])
      const me = yield* Shop.send("GET", "/api/users/me", { token })
      assert.strictEqual(Shop.field(yield* logIn(), "userId"), Shop.field(me, "id"))
      // Who leaves takes the link along.
      yield* Shop.send("DELETE", "/api/users/me", { token })
      assert.strictEqual((yield* logIn()).status, 202)
    }).pipe(Effect.provide(layer))
  )
})

describe("a browser that comes back", () => {
  it.live("from no visit of its own is not let in", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Elsewhere
      elsewhere.person = minji
      const [own, stolen] = [yield* visit(), yield* visit()]
      const rejected = [401, "SOCIAL_LOG_IN_REJECTED"]
      assert.deepStrictEqual(Shop.codeOf(yield* comeBack({ ...own, cookie: "" })), rejected)
      assert.deepStrictEqual(Shop.codeOf(yield* comeBack({ ...own, cookie: "pillivery-visit=nonsense" })), rejected)
      assert.deepStrictEqual(Shop.codeOf(yield* comeBack({ ...own, cookie: stolen.cookie })), rejected)
      assert.deepStrictEqual(
        Shop.codeOf(yield* comeBack({ ...own, path: own.path.replace("google", "kakao") })),
        rejected
      )
      assert.deepStrictEqual(
        Shop.codeOf(yield* comeBack({ ...own, path: own.path.replace("code=", "code=1") })),
        rejected
      )
      assert.strictEqual(elsewhere.tokensGiven(), 0)
      assert.strictEqual((yield* comeBack(own)).status, 202)
      // The code is good once.
      assert.deepStrictEqual(Shop.codeOf(yield* comeBack(own)), rejected)
    }).pipe(Effect.provide(layer))
  )

  it.live("having said no is told so, and one whose service fails is asked to come again", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Elsewhere
      elsewhere.isDenying = true
      assert.deepStrictEqual(Shop.codeOf(yield* logIn()), [401, "SOCIAL_LOG_IN_REJECTED"])
      elsewhere.isDenying = false
      const away = yield* visit()
      elsewhere.isBroken = true
      assert.deepStrictEqual(Shop.codeOf(yield* comeBack(away)), [503, "SOCIAL_UNAVAILABLE"])
    }).pipe(Effect.provide(layer))
  )

  it.live("carried nothing that pages or other sites could read, and loses it", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Elsewhere
      elsewhere.person = minji
      const away = yield* visit()
      assert.match(away.cookie, /; Max-Age=600; Path=\/api\/oauth2; HttpOnly; Secure; SameSite=Lax$/i)
      const sentTo = new URL(away.sent.headers.get("location") ?? "")
      assert.strictEqual(sentTo.searchParams.get("code_challenge_method"), "S256")
      assert.notInclude(away.cookie, sentTo.searchParams.get("state") ?? "none")
      const back = yield* comeBack(away)
      assert.match(back.headers.get("set-cookie") ?? "", /^pillivery-visit=; Max-Age=0/i)
      assert.notInclude(back.text, OAuthServer.clientSecret)
    }).pipe(Effect.provide(layer))
  )

  it.live("is not sent to a service that is not set up", () =>
    Effect.gen(function* () {
      const refused = yield* Shop.send("GET", "/api/oauth2/google/authorize")
      assert.deepStrictEqual(Shop.codeOf(refused), [404, "SOCIAL_PROVIDER_UNKNOWN"])
      assert.strictEqual((yield* Shop.send("GET", "/api/oauth2/naver/authorize")).status, 400)
    }).pipe(Effect.provide(Shop.layer))
  )
})
