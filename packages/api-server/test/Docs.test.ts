/** The documentation, as a client developer uses it: in a browser, without a network. */
import * as Embedded from "@pillivery/api-server/Embedded"
import { Listening } from "@pillivery/api-server/Server"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { browse, Chromium } from "../../kakaopay-simulator/test/Browser.ts"

const desktop = { viewport: { width: 1_280, height: 900 }, locale: "en-US" }

it.layer(Layer.merge(Chromium.layer, Embedded.layer()), { excludeTestServices: true, timeout: "60 seconds" })(
  "the documentation",
  (it) => {
    it.effect("opens an operation and sends its request to this server", () =>
      Effect.gen(function* () {
        const { url } = yield* Listening
        const answered = yield* browse(async (page) => {
          const press = (name: string | RegExp) => page.getByRole("button", { name }).first().click()
          // The page tells how long it took; only what it complains of counts.
          await page.addInitScript("console.log = console.info = console.debug = () => undefined")
          await page.goto(`${url}/docs`)
          await press("Open Group items")
          await page.getByText("What sells best and what is most reduced").first().click()
          await press(/Test Request.*items\/main/)
          const answer = page.waitForResponse((response) => response.url().endsWith("/api/items/main"))
          await press(/Send get request/)
          const { best } = await (await answer).json()
          return { status: (await answer).status(), items: best.length }
        }, desktop)
        assert.deepStrictEqual(answered, { status: 200, items: 9 })
      })
    )
  }
)
