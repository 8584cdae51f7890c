/**
 * A customer with a real browser, and a merchant who writes down where browsers come back to.
 */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"

const launchTimeoutMillis = 20_000
const actionTimeoutMillis = 10_000
const closeTimeoutMillis = 5_000

/** A small phone. */
export const phone = { width: 360, height: 740 }

const launch = Effect.promise(() => {
  const executablePath = process.env["PILLIVERY_TEST_CHROMIUM"]
  if (executablePath === undefined) throw new Error("no browser: run `npm test`, or set PILLIVERY_TEST_CHROMIUM")
  return chromium.launch({
    executablePath,
    timeout: launchTimeoutMillis,
    args: [
      // Its own sandbox does not start for root, and every page it sees is ours.
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-dev-shm-usage",
      "--disable-gpu",
      // No name but loopback's can be resolved.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    ]
  })
})

/** Chromium, closed with its scope. */
export class Chromium extends Context.Service<Chromium, Browser>()("kakaopay-simulator/test/Chromium") {
  static readonly layer: Layer.Layer<Chromium> = Layer.effect(
    Chromium,
    Effect.acquireRelease(launch, (browser) =>
      Effect.promise(() => browser.close()).pipe(
        Effect.timeoutOrElse({ duration: closeTimeoutMillis, orElse: () => Effect.void })
      )
    )
  )
}

/** What a browser did and said while somebody used it. */
export interface Seen {
  /** Addresses asked for. */
  readonly requests: Array<string>
  /** Objections of the content security policy, errors of scripts, and dialogs. */
  readonly complaints: Array<string>
}

const loopback = "127.0.0.1"

const watch = (page: Page): Seen => {
  const seen: Seen = { requests: [], complaints: [] }
  page.context().on("request", (request) => seen.requests.push(request.url()))
  page.on("console", (message) => {
    // A notice comes with its status, and Chromium says so of every 404, 409 and 410.
    if (!message.text().startsWith("Failed to load resource: the server responded with a status of 4")) {
      seen.complaints.push(message.text())
    }
  })
  page.on("pageerror", (error) => seen.complaints.push(error.message))
  page.on("dialog", (dialog) => {
    seen.complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return seen
}

/**
 * Opens a window on a small phone with touch, and closes it after use. In the end no request has left loopback and
 * nothing was complained about; who expects complaints takes them out.
 */
export const browse = <A>(
  use: (page: Page, seen: Seen) => Promise<A>,
  options: BrowserContextOptions = {}
): Effect.Effect<A, never, Chromium> =>
  Effect.gen(function* () {
    const browser = yield* Chromium
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext({ viewport: phone, locale: "ko-KR", ...options })),
      (opened) =>
        Effect.promise(() => opened.close()).pipe(
          Effect.timeoutOrElse({ duration: closeTimeoutMillis, orElse: () => Effect.void })
        )
    )
    context.setDefaultTimeout(actionTimeoutMillis)
    const page = yield* Effect.promise(() => context.newPage())
    const seen = watch(page)
    const answer = yield* Effect.promise(() => use(page, seen))
    assert.isAbove(seen.requests.length, 0)
    assert.deepStrictEqual(
      seen.requests.filter((url) => new URL(url).hostname !== loopback),
      []
    )
    assert.deepStrictEqual(seen.complaints, [])
    return answer
  }).pipe(Effect.scoped)

/** A shop that answers every address with a page of its own. */
export interface Merchant {
  readonly url: string
  /** `GET /path?query` of every visit, oldest first. */
  readonly visits: Array<string>
}

const thanks = `<!doctype html><html lang="ko"><meta charset="utf-8"><title>가맹점</title><h1>가맹점</h1></html>`

/** Such a shop on a free port. */
export const merchant = Effect.acquireRelease(
  Effect.callback<Merchant & { readonly close: () => void }>((resume) => {
    const visits: Array<string> = []
    const server = createServer((request, response) => {
      const isVisit = request.url !== "/favicon.ico"
      if (isVisit) visits.push(`${request.method} ${request.url}`)
      response.writeHead(isVisit ? 200 : 404, { "content-type": "text/html; charset=utf-8" }).end(isVisit ? thanks : "")
    })
    server.listen(0, loopback, () => {
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      const close = () => {
        server.close()
        server.closeAllConnections()
      }
      resume(Effect.succeed({ url: `http://${loopback}:${port}`, visits, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** The fields of `ready` that lead back to a merchant. */
export const waysBack = ({ url }: Merchant) => ({
  approval_url: `${url}/approved?order=1`,
  cancel_url: `${url}/cancelled?order=1`,
  fail_url: `${url}/failed?order=1`
})
