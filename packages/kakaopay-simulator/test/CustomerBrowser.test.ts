import { assert, it } from "@effect/vitest"
import axe from "axe-core"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import type { PaymentStatus } from "../src/PaymentStatus.ts"
import { Simulator } from "../src/Simulator.ts"
import { browse, Chromium, merchant, phone, waysBack } from "./Browser.ts"
import { approve, call, oneTime, readyFields, recurring, simulator, textAt } from "./support.ts"

const windowMillis = 15 * 60_000
const targetPixelsMin = 44
const desktop = { width: 1_280, height: 800 }

const open = (more: Record<string, unknown> = {}) =>
  Effect.gen(function* () {
    const shop = yield* merchant
    const ready = yield* call("ready", readyFields({ ...waysBack(shop), ...more }))
    assert.strictEqual(ready.status, 200, ready.text)
    return {
      shop,
      tid: textAt(ready, "tid"),
      mobile: textAt(ready, "next_redirect_mobile_url"),
      pc: textAt(ready, "next_redirect_pc_url")
    }
  })

const statusOf = (tid: string, cid = oneTime) =>
  Effect.map(call("order", { cid, tid }), (order) => order.json["status"] as PaymentStatus)

const press = (page: Page, name: string) => page.getByRole("button", { name }).click()

/** Waits for the page of this title: a click does not wait for what it leads to. */
const arrive = (page: Page, title: string) =>
  page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor()

/** The address behind the merchant's origin, with a token of any value. */
const anonymous = (visit: string) => visit.replace(/pg_token=[0-9a-f]{20}$/, "pg_token=…")
const tokenOf = (visit: string | undefined) => /pg_token=([0-9a-f]{20})$/.exec(visit ?? "")?.[1] ?? ""

/** The keyboard's way through the page: what has the focus after each Tab, until it leaves. */
const tabStops = async (page: Page, use: (page: Page) => Promise<string>): Promise<ReadonlyArray<string>> => {
  const stopsMax = 20
  const stops: Array<string> = []
  while (stops.length < stopsMax) {
    await page.keyboard.press("Tab")
    if (await page.evaluate(() => document.activeElement === document.body)) return stops
    stops.push(await use(page))
  }
  return assert.fail(`the focus does not leave the page: ${stops.join(", ")}`)
}

/** What axe finds fault with, as `rule: element`. */
const faults = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(axe.source)
  const results: axe.AxeResults = await page.evaluate("axe.run()")
  assert.includeMembers(
    results.passes.map(({ id }) => id),
    ["color-contrast", "html-has-lang", "document-title", "page-has-heading-one"]
  )
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

it.layer(Chromium.layer, { excludeTestServices: true, timeout: "60 seconds" })("the page in Chromium", (it) => {
  it.effect("brings an approving customer back to the merchant, who can approve with the token", () =>
    Effect.gen(function* () {
      const { mobile, shop, tid } = yield* open()
      yield* browse(async (page) => {
        await page.goto(mobile)
        await page.getByText("신용·체크카드").click()
        await press(page, "11,000원 결제하기")
        await arrive(page, "가맹점")
        assert.strictEqual(await page.evaluate(() => document.referrer), "")
      })
      assert.deepStrictEqual(shop.visits.map(anonymous), ["GET /approved?order=1&pg_token=…"])
      const approved = yield* approve(tid, tokenOf(shop.visits[0]))
      assert.strictEqual(approved.json["payment_method_type"], "CARD", approved.text)
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("works without script and on the PC path", () =>
    Effect.gen(function* () {
      const { pc, shop, tid } = yield* open()
      yield* browse(
        async (page) => {
          await page.goto(pc)
          await press(page, "결제하기")
          await page.waitForURL(`${shop.url}/**`)
        },
        { javaScriptEnabled: false, viewport: desktop }
      )
      const approved = yield* approve(tid, tokenOf(shop.visits[0]))
      assert.strictEqual(approved.json["payment_method_type"], "MONEY", approved.text)
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("can be used by keyboard alone, in the order of reading", () =>
    Effect.gen(function* () {
      const { mobile, shop, tid } = yield* open()
      yield* browse(async (page) => {
        await page.goto(mobile)
        const stops = await tabStops(page, () =>
          page.evaluate(() => document.activeElement?.getAttribute("value") ?? document.activeElement?.className ?? "")
        )
        assert.deepStrictEqual(stops, ["MONEY", "approve", "cancel", "fail", "abandon", ""])
        await page.keyboard.press("Tab")
        await page.keyboard.press("ArrowDown")
        assert.isTrue(await page.getByRole("radio", { name: "신용·체크카드" }).isChecked())
        await page.keyboard.press("ArrowDown")
        assert.isTrue(await page.getByRole("radio", { name: "선불 머니" }).isChecked())
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.waitForURL(`${shop.url}/**`)
      })
      const approved = yield* approve(tid, tokenOf(shop.visits[0]))
      assert.strictEqual(approved.json["payment_method_type"], "CARD", approved.text)

      const cancelled = yield* open()
      const entered = yield* open()
      yield* browse(async (page) => {
        await page.goto(cancelled.mobile)
        for (const key of ["Tab", "Tab", "Tab", "Space"]) await page.keyboard.press(key)
        await page.waitForURL(`${cancelled.shop.url}/**`)
        await page.goto(entered.mobile)
        for (const key of ["Tab", "Enter"]) await page.keyboard.press(key)
        await page.waitForURL(`${entered.shop.url}/**`)
      })
      assert.deepStrictEqual(cancelled.shop.visits, ["GET /cancelled?order=1"])
      assert.deepStrictEqual(entered.shop.visits.map(anonymous), ["GET /approved?order=1&pg_token=…"])
    }).pipe(Effect.provide(simulator()))
  )

  it.effect(
    "sends a cancelling or failing customer to the other addresses, and does not let them change their mind",
    () =>
      Effect.gen(function* () {
        const cases = [
          {
            button: "결제 취소",
            visit: "GET /cancelled?order=1",
            status: "QUIT_PAYMENT",
            notice: "취소한 결제입니다"
          },
          {
            button: "인증 실패",
            visit: "GET /failed?order=1",
            status: "FAIL_AUTH_PASSWORD",
            notice: "인증에 실패한 결제입니다"
          }
        ]
        for (const { button, notice, status, visit } of cases) {
          const { mobile, shop, tid } = yield* open()
          yield* browse(async (page) => {
            await page.goto(mobile)
            await press(page, button)
            await arrive(page, "가맹점")
            assert.strictEqual((await page.goBack())?.status(), 409)
            await arrive(page, notice)
            assert.strictEqual(await page.getByRole("button").count(), 0)
          })
          assert.deepStrictEqual(shop.visits, [visit])
          assert.strictEqual(yield* statusOf(tid), status)
        }
      }).pipe(Effect.provide(simulator()))
  )

  it.effect("leaves an abandoning customer where they are, free to come back", () =>
    Effect.gen(function* () {
      const { mobile, shop, tid } = yield* open()
      yield* browse(async (page) => {
        await page.goto(mobile)
        await press(page, "창 닫기")
        await arrive(page, "결제창을 닫았습니다")
        assert.deepStrictEqual(shop.visits, [])
        await page.goto(page.url())
        assert.strictEqual(page.url(), mobile)
        await press(page, "창 닫기")
        await arrive(page, "결제창을 닫았습니다")
        await page.goBack()
        await press(page, "결제하기")
        await page.waitForURL(`${shop.url}/**`)
      })
      assert.strictEqual(yield* statusOf(tid), "AUTH_PASSWORD")
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("gives one token however often the button is pressed, and pays once", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const { mobile, shop, tid } = yield* open()
      yield* browse(async (page) => {
        await page.goto(mobile)
        await page.getByRole("button", { name: "결제하기" }).dblclick()
        await arrive(page, "가맹점")
        await page.reload()
        assert.strictEqual((await page.goto(mobile))?.status(), 409)
        await arrive(page, "이미 인증한 결제입니다")
        await page.goBack()
        await arrive(page, "가맹점")
      })
      const tokens = new Set(shop.visits.map(tokenOf))
      assert.isAtLeast(shop.visits.length, 2)
      assert.strictEqual(tokens.size, 1)
      const [token = ""] = tokens
      assert.strictEqual((yield* approve(tid, token)).status, 200)
      assert.strictEqual((yield* approve(tid, token)).json["error_code"], -702)
      assert.strictEqual((yield* ledger.totals({ tid })).captureCount, 1)
      yield* browse(async (page) => {
        assert.strictEqual((await page.goto(mobile))?.status(), 409)
        await arrive(page, "이미 끝난 결제입니다")
      })
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("takes nothing after 15 minutes, on a page that was open all the time too", () =>
    Effect.gen(function* () {
      const { clock } = yield* Simulator
      const { mobile, shop, tid } = yield* open()
      const advance = Effect.runPromiseWith(yield* Effect.context<never>())
      yield* browse(async (page) => {
        await page.goto(mobile)
        await advance(clock.advance(windowMillis))
        const answer = page.waitForResponse((response) => response.request().method() === "POST")
        await press(page, "결제하기")
        assert.strictEqual((await answer).status(), 410)
        await arrive(page, "결제 시간이 지났습니다")
        assert.strictEqual((await page.goto(mobile))?.status(), 410)
        assert.strictEqual((await page.goto(mobile.replace(/[0-9a-f]{64}$/, "0".repeat(64))))?.status(), 404)
        await arrive(page, "결제를 찾을 수 없습니다")
      })
      assert.deepStrictEqual(shop.visits, [])
      assert.strictEqual(yield* statusOf(tid), "OPEN_PAYMENT")
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("says what a subscriber agrees to, with and without a first charge", () =>
    Effect.gen(function* () {
      const first = yield* open({ cid: recurring, total_amount: 12_900 })
      const key = yield* open({ cid: recurring, total_amount: 0 })
      yield* browse(async (page) => {
        await page.goto(first.mobile)
        await arrive(page, "정기결제 시작하기")
        await page.getByText("오늘 12,900원을 결제하고 결제수단을 등록합니다.").waitFor()
        await page.getByText("이 결제수단으로 자동 결제됩니다.").waitFor()
        await page.getByRole("button", { name: "동의하고 12,900원 결제하기" }).waitFor()

        await page.goto(key.mobile)
        await arrive(page, "정기결제 등록하기")
        await page.getByText("오늘은 결제하지 않고 결제수단만 등록합니다.").waitFor()
        await press(page, "동의하고 등록하기")
        await page.waitForURL(`${key.shop.url}/**`)
      })
      const issued = yield* approve(key.tid, tokenOf(key.shop.visits[0]), { cid: recurring })
      assert.match(textAt(issued, "sid"), /^S[0-9a-f]{19}$/)
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("shows what merchants send as text, whatever it is", () =>
    Effect.gen(function* () {
      const { url } = yield* merchant
      const hostile = {
        item_name: `</title><script>alert(1)</script><img src=x onerror=alert(2)>"'&amp;\u202e비타민`,
        partner_order_id: `"><svg onload=alert(3)>'`,
        approval_url: `${url}/back?q="'><script>alert(4)</script>&상품=비타민#끝`,
        cancel_url: `${url}/"onmouseover="alert(5)`,
        fail_url: `${url}/취소`
      }
      const { mobile } = yield* open(hostile)
      yield* browse(async (page) => {
        await page.goto(mobile)
        await page.locator("summary").click()
        const shown = await page.locator("dd").allTextContents()
        assert.includeMembers(shown, Object.values(hostile))
        assert.strictEqual(await page.locator("script, img, svg, [onload], [onerror], [onmouseover]").count(), 0)
        await press(page, "결제하기")
        await page.waitForURL(`${url}/**`)
        const back = new URL(page.url())
        assert.strictEqual(back.searchParams.get("q"), `"'><script>alert(4)</script>`)
        assert.strictEqual(back.searchParams.get("상품"), "비타민")
        assert.match(back.searchParams.get("pg_token") ?? "", /^[0-9a-f]{20}$/)
        assert.strictEqual(decodeURIComponent(back.hash), "#끝")
      })
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("runs no script and loads nothing, even if something were smuggled in", () =>
    Effect.gen(function* () {
      const { mobile } = yield* open()
      yield* browse(async (page, { complaints }) => {
        await page.goto(mobile)
        const ran = await page.evaluate(async () => {
          const script = document.createElement("script")
          script.textContent = "window.smuggled = true"
          document.body.append(script)
          const image = document.createElement("img")
          const refused = new Promise((resolve) => image.addEventListener("error", resolve))
          image.src = "/pixel.png"
          document.body.append(image)
          document.body.setAttribute("style", "display:none")
          await refused
          return [Reflect.get(window, "smuggled") === true, getComputedStyle(document.body).display === "none"]
        })
        assert.deepStrictEqual(ran, [false, false])
        await page.waitForFunction(() => true)
        const objections = complaints.splice(0)
        assert.lengthOf(objections, 3)
        for (const objection of objections) assert.include(objection, "Content Security Policy")
      })
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("fits a small phone, with targets for thumbs and without scrolling to the button", () =>
    Effect.gen(function* () {
      const long = "가".repeat(50) + "W".repeat(50)
      const kinds = [{}, { cid: recurring }, { item_name: long, partner_order_id: "9".repeat(100) }]
      for (const more of kinds) {
        const { mobile, pc } = yield* open(more)
        yield* browse(
          async (page) => {
            await page.goto(mobile)
            if (!("item_name" in more)) {
              const button = await page.locator("button.approve").boundingBox()
              assert.isAtMost((button?.y ?? Infinity) + (button?.height ?? 0), phone.height)
            }
            await page.locator("summary").click()
            assert.strictEqual(await overflow(page), 0)
            const targets = await page.locator("button, .method, summary").all()
            assert.lengthOf(targets, 7)
            for (const target of targets) {
              const box = await target.boundingBox()
              assert.isAtLeast(Math.min(box?.width ?? 0, box?.height ?? 0), targetPixelsMin, await target.innerText())
            }
            await page.locator(".method", { hasText: "신용·체크카드" }).tap()
            assert.isTrue(await page.getByRole("radio", { name: "신용·체크카드" }).isChecked())

            await page.setViewportSize(desktop)
            await page.goto(pc)
            await page.locator("summary").click()
            assert.strictEqual(await overflow(page), 0)
            const what = await page.locator("main > div").boundingBox()
            const how = await page.locator("form").boundingBox()
            assert.isAtLeast(how?.x ?? 0, (what?.x ?? Infinity) + (what?.width ?? 0), "side by side")
          },
          { hasTouch: true, isMobile: true }
        )
      }
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("shows where the keyboard is, and moves only for who likes it", () =>
    Effect.gen(function* () {
      const { mobile } = yield* open()
      yield* browse(async (page) => {
        await page.goto(mobile)
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: "no-preference" })
          const outlines = await tabStops(page, () =>
            page.evaluate(() => {
              const focused = document.activeElement?.closest("label") ?? document.activeElement
              if (focused === null) return ""
              const { outlineStyle, outlineWidth } = getComputedStyle(focused)
              return `${outlineStyle} ${outlineWidth}`
            })
          )
          assert.deepStrictEqual(
            outlines,
            Array.from({ length: 6 }, () => "solid 3px")
          )
          const transition = () =>
            page.locator("button.approve").evaluate((button) => getComputedStyle(button).transitionDuration)
          assert.strictEqual(await transition(), "0.15s")
          await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
          assert.strictEqual(await transition(), "0s")
        }
      })
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("passes axe in light and dark, notices too", () =>
    Effect.gen(function* () {
      const { mobile } = yield* open()
      const subscription = yield* open({ cid: recurring })
      yield* browse(async (page) => {
        const passes = async () => {
          for (const colorScheme of ["light", "dark"] as const) {
            // With motion the colours would still be on their way.
            await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
            assert.deepStrictEqual(await faults(page), [])
          }
        }
        await page.goto(mobile)
        await page.locator("summary").click()
        await passes()
        await page.goto(subscription.mobile)
        await passes()
        await press(page, "창 닫기")
        await arrive(page, "결제창을 닫았습니다")
        await passes()
        await page.goto(`${mobile}0`)
        await passes()
      })
    }).pipe(Effect.provide(simulator()))
  )

  it.effect("is written in letters that this machine can draw", () =>
    Effect.gen(function* () {
      const { mobile } = yield* open()
      yield* browse(async (page) => {
        await page.goto(mobile)
        // A missing letter is drawn as the same box as a code point that no font has.
        const drawings = await page.evaluate(() => {
          const canvas = document.createElement("canvas")
          const pen = canvas.getContext("2d", { willReadFrequently: true })
          if (pen === null) return []
          pen.font = `32px ${getComputedStyle(document.body).fontFamily}`
          return ["결", "제", "힣", "\u{3fff0}"].map((letter) => {
            pen.clearRect(0, 0, 64, 64)
            pen.fillText(letter, 8, 40)
            return pen.getImageData(0, 0, 64, 64).data.join()
          })
        })
        assert.strictEqual(new Set(drawings).size, 4)

        const session = await page.context().newCDPSession(page)
        await session.send("DOM.enable")
        await session.send("CSS.enable")
        const { root } = await session.send("DOM.getDocument")
        const { nodeId } = await session.send("DOM.querySelector", { nodeId: root.nodeId, selector: "h1" })
        const { fonts } = await session.send("CSS.getPlatformFontsForNode", { nodeId })
        assert.isAbove(fonts.length, 0)
        assert.deepStrictEqual(
          fonts.filter(({ familyName }) => /DejaVu|Liberation|Last ?Resort/i.test(familyName)),
          []
        )
      })
    }).pipe(Effect.provide(simulator()))
  )
})
