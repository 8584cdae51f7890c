/** A small OAuth server: it asks nobody, and checks what a real one would: redirect URI, secret, code and PKCE. */
import { Effect } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { createServer } from "node:http"

/** What the shop is known by. */
export const clientId = "shop"
export const clientSecret = "shop-secret"

/** A running server. */
export interface OAuthServer {
  readonly url: string
  /** What it tells of whoever logs in next. */
  person: unknown
  /** Whether whoever logs in next says no. */
  isDenying: boolean
  /** Whether it answers with nonsense. */
  isBroken: boolean
  readonly tokensGiven: () => number
}

interface Grant {
  readonly challenge: string
  readonly redirectUri: string
}

/** Starts a server for as long as the scope lasts. */
export const start = Effect.acquireRelease(
  Effect.callback<OAuthServer & { readonly stop: () => void }>((resume) => {
    const grants = new Map<string, Grant>()
    const tokens = new Set<string>()
    let given = 0
    const state = { person: {} as unknown, isDenying: false, isBroken: false }
    const authorize = (query: URLSearchParams): string => {
      const back = new URL(query.get("redirect_uri") ?? "")
      back.searchParams.set("state", query.get("state") ?? "")
      if (state.isDenying) back.searchParams.set("error", "access_denied")
      else {
        const code = randomUUID()
        grants.set(code, { challenge: query.get("code_challenge") ?? "", redirectUri: query.get("redirect_uri") ?? "" })
        back.searchParams.set("code", code)
      }
      return back.href
    }
    const exchange = (form: URLSearchParams) => {
      const grant = grants.get(form.get("code") ?? "")
      grants.delete(form.get("code") ?? "")
      const proof = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url")
      const isRight =
        grant !== undefined &&
        grant.challenge === proof &&
        grant.redirectUri === form.get("redirect_uri") &&
        form.get("client_id") === clientId &&
        form.get("client_secret") === clientSecret
      if (!isRight) return null
      const token = randomUUID()
      tokens.add(token)
      given++
      return token
    }
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://localhost")
      const json = (status: number, body: unknown) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
      let text = ""
      request.on("data", (chunk) => (text += String(chunk)))
      request.on("end", () => {
        if (state.isBroken) return void response.writeHead(500).end("oops")
        if (url.pathname === "/authorize") {
          return void response.writeHead(302, { location: authorize(url.searchParams) }).end()
        }
        if (url.pathname === "/token") {
          const token = exchange(new URLSearchParams(text))
          return void (token === null
            ? json(400, { error: "invalid_grant" })
            : json(200, { access_token: token, token_type: "bearer" }))
        }
        const token = (request.headers.authorization ?? "").replace("Bearer ", "")
        return void (tokens.has(token) ? json(200, state.person) : json(401, { error: "invalid_token" }))
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(
        Effect.succeed(
          Object.assign(state, {
            url: `http://127.0.0.1:${port}`,
            tokensGiven: () => given,
            stop: () => server.close()
          })
        )
      )
    })
  }),
  ({ stop }) => Effect.sync(stop)
)
