/**
 * `npm run demo`: plays the shop's story over real HTTP and checks it against the provider's own ledger.
 *
 * ```text
 * npm run demo                                the server in one process, on memory
 * npm run demo -- --mysql URL --redis URL     server, provider and billing CLI as processes, on these stores
 * ```
 *
 * It exits 0 only when its own checks hold; the last line is one JSON object.
 *
 * @since 0.1.0
 */
import { randomUUID } from "node:crypto"
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Failure, runMain } from "./internal/Failure.ts"
import { freePort } from "./internal/Process.ts"
import { root } from "./internal/Workspace.ts"

const startMillisMax = 30_000
const pollMillis = 50
const millisPerMinute = 60_000
const minutesPerDay = 24 * 60
const minuteAtTen = 10 * 60
const kstOffsetMinutes = 9 * 60
const responseMillis = 1_500
const outputLinesMax = 20

// -----------------------------------------------------------------------------
// the stage: processes and HTTP
// -----------------------------------------------------------------------------

interface RunReport {
  readonly counts: { readonly charged: number; readonly declined: number; readonly unknown: number }
  readonly owed: { readonly due: number; readonly inFlight: number; readonly inDoubt: number }
}

/** The shop and its provider, running. */
interface Stage {
  readonly shop: string
  readonly provider: string
  readonly runBilling: () => Promise<RunReport>
}

const children: Array<ChildProcess> = []

/** The exit codes of a billing run that did its work: something may still be owed or in doubt. */
const billingExitCodes = [0, 1, 3]

const start = (
  file: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  exitCodes: ReadonlyArray<number | null> = [0, null]
): ChildProcess => {
  const child = spawn(process.execPath, ["--conditions=@pillivery/source", join(root, file), ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const lines: Array<string> = []
  const keep = (chunk: Buffer) => {
    lines.push(...String(chunk).split("\n"))
    lines.splice(0, lines.length - outputLinesMax)
  }
  child.stdout.on("data", keep)
  child.stderr.on("data", keep)
  child.once("exit", (code) => {
    if (!exitCodes.includes(code)) console.error(`${file} ended with ${code}:\n${lines.join("\n")}`)
  })
  children.push(child)
  return child
}

const stopAll = (): Promise<ReadonlyArray<void>> =>
  Promise.all(
    children.splice(0).map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null) return resolve()
          child.once("exit", () => resolve())
          child.kill("SIGTERM")
        })
    )
  )

const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  const startedAt = Date.now()
  while (Date.now() - startedAt < startMillisMax) {
    if (await holds().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, pollMillis))
  }
  throw new Failure(`${what} did not happen within ${startMillisMax / 1_000} s`)
}

const answers = (url: string) => until(`an answer of ${url}`, async () => (await fetch(url)).ok)

/** One request; anything but the expected status ends the demo. */
const request = async <A>(
  method: string,
  url: string,
  options: { readonly token?: string; readonly body?: unknown; readonly status?: number } = {}
): Promise<A> => {
  const response = await fetch(url, {
    method,
    headers: {
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(method === "POST" ? { "idempotency-key": randomUUID() } : {})
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
  })
  const text = await response.text()
  const isExpected = options.status === undefined ? response.ok : response.status === options.status
  if (!isExpected) throw new Failure(`${method} ${url} answered ${response.status}: ${text.slice(0, 500)}`)
  return (text === "" ? undefined : JSON.parse(text)) as A
}

const openEmbedded = async (): Promise<Stage> => {
  const port = await freePort()
  const providerPort = await freePort()
  start("packages/api-server/src/main.ts", [], {
    PORT: String(port),
    PILLIVERY_SIMULATOR_PORT: String(providerPort),
    PILLIVERY_KAKAOPAY_RESPONSE_MILLIS: String(responseMillis)
  })
  const shop = `http://127.0.0.1:${port}`
  await answers(`${shop}/health/ready`)
  return {
    shop,
    provider: `http://127.0.0.1:${providerPort}`,
    runBilling: () => request<RunReport>("POST", `${shop}/embedded/billing/run`)
  }
}

const openStores = async (mysql: string, redis: string): Promise<Stage> => {
  const port = await freePort()
  const providerPort = await freePort()
  const provider = `http://127.0.0.1:${providerPort}`
  const env = {
    PILLIVERY_MYSQL_URL: mysql,
    PILLIVERY_REDIS_URL: redis,
    PILLIVERY_KAKAOPAY_URL: provider,
    PILLIVERY_KAKAOPAY_SECRET_KEY: `DEVSIMULATOR${"0".repeat(28)}`,
    PILLIVERY_KAKAOPAY_RESPONSE_MILLIS: String(responseMillis),
    PILLIVERY_TEST_CLOCK: "1"
  }
  start("packages/kakaopay-simulator/src/main.ts", ["--port", String(providerPort)], {})
  await answers(`${provider}/control/clock`)
  start("packages/api-server/src/main.ts", [], {
    ...env,
    PORT: String(port),
    PILLIVERY_JWT_SECRET: "a secret of the demo, at least thirty-two characters long"
  })
  const shop = `http://127.0.0.1:${port}`
  await answers(`${shop}/health/ready`)
  return {
    shop,
    provider,
    runBilling: async () => {
      const child = start("packages/batch-cli/src/main.ts", ["run", "--json"], env, billingExitCodes)
      let output = ""
      child.stdout?.on("data", (chunk) => (output += String(chunk)))
      await new Promise<void>((resolve) => child.once("close", () => resolve()))
      return JSON.parse(output.trim().split("\n").at(-1) ?? "{}") as RunReport
    }
  }
}

// -----------------------------------------------------------------------------
// the story
// -----------------------------------------------------------------------------

interface Customer {
  readonly name: string
  readonly userId: string
  readonly token: string
}

interface Item {
  readonly id: string
  readonly name: string
  readonly price: { readonly real: number }
}

interface OrderView {
  readonly id: string
  readonly state: string
  readonly origin: { readonly kind: string }
  readonly total: number
  readonly refundedTotal: number
  readonly paidAt: string | null
  readonly lines: ReadonlyArray<{ readonly id: string; readonly quantity: number; readonly unitPrice: number }>
}

interface SubscriptionView {
  readonly id: string
  readonly state: string
  readonly nextDueDate: string | null
}

interface CycleView {
  readonly number: number
  readonly state: string
  readonly paymentId: string | null
}

interface Listed<A> {
  readonly data: ReadonlyArray<A>
  readonly pageInfo: { readonly totalElements: number }
}

interface LedgerEntry {
  readonly kind: "capture" | "refund"
  readonly partnerOrderId: string
  readonly partnerUserId: string
  readonly amount: number
}

const say = (line: string) => console.log(line)

const won = (amount: number): string => `${amount.toLocaleString("en-US")} won`

/** The demo's steps on one stage. */
class Story {
  readonly #stage: Stage
  readonly customers: Array<Customer> = []
  #serial = 0

  constructor(stage: Stage) {
    this.#stage = stage
  }

  #shop<A>(
    method: string,
    path: string,
    options: { readonly token?: string; readonly body?: unknown } = {}
  ): Promise<A> {
    return request<A>(method, `${this.#stage.shop}${path}`, options)
  }

  #provider<A>(method: string, path: string, body?: unknown): Promise<A> {
    return request<A>(method, `${this.#stage.provider}/control${path}`, body === undefined ? {} : { body })
  }

  /** Lets minutes pass for the shop and its provider. */
  async passMinutes(minutes: number): Promise<void> {
    await this.#shop("POST", "/embedded/clock/advance", { body: { minutes } })
  }

  async passDays(days: number): Promise<void> {
    await this.passMinutes(days * minutesPerDay)
  }

  /** The banks check their books around midnight in Korea, so the story begins at ten in the morning there. */
  async waitForTen(): Promise<void> {
    const { now } = await this.#shop<{ readonly now: string }>("POST", "/embedded/clock/advance", {
      body: { minutes: 0 }
    })
    const minuteOfDay = (Math.floor(Date.parse(now) / millisPerMinute) + kstOffsetMinutes) % minutesPerDay
    await this.passMinutes(((minuteAtTen - minuteOfDay + minutesPerDay) % minutesPerDay) + 1)
  }

  drain(): Promise<unknown> {
    return this.#shop("POST", "/embedded/drain")
  }

  async runBilling(): Promise<RunReport> {
    const report = await this.#stage.runBilling()
    await this.drain()
    return report
  }

  async signUp(name: string): Promise<Customer> {
    const serial = `${Date.now() % 10_000_000}${++this.#serial}`.slice(-8).padStart(8, "0")
    const email = `demo${serial}@example.com`
    const password = "demo-Passw0rd!"
    const user = await this.#shop<{ readonly id: string }>("POST", "/api/users", {
      body: {
        email,
        password,
        displayName: `${name}${serial}`,
        realName: name,
        phone: `010-${serial.slice(0, 4)}-${serial.slice(4)}`,
        address: { city: "서울특별시 종로구", detail: "세종대로 1" }
      }
    })
    const session = await this.#shop<{ readonly accessToken: string }>("POST", "/api/users/auth", {
      body: { email, password }
    })
    const customer = { name, userId: user.id, token: session.accessToken }
    this.customers.push(customer)
    return customer
  }

  async items(count: number): Promise<ReadonlyArray<Item>> {
    const page = await this.#shop<{ readonly data: ReadonlyArray<Item> }>(
      "GET",
      `/api/items/search?sort=PRICE_L&page=1&size=${count}`
    )
    return page.data
  }

  readItem(item: Item): Promise<Item> {
    return this.#shop<Item>("GET", `/api/items/${item.id}`)
  }

  async addToCart(
    customer: Customer,
    kind: "normal" | "subscription",
    line: { readonly itemId: string; readonly quantity: number; readonly period?: number }
  ): Promise<void> {
    await this.#shop("POST", `/api/carts/${kind}/items`, { token: customer.token, body: line })
  }

  async cartLines(customer: Customer, kind: "normal" | "subscription"): Promise<number> {
    const cart = await this.#shop<{ readonly lines: ReadonlyArray<unknown> }>("GET", `/api/carts/${kind}`, {
      token: customer.token
    })
    return cart.lines.length
  }

  /** Orders what is in a cart, pays it at the provider's page and comes back. */
  async checkOut(customer: Customer, cart: "normal" | "subscription"): Promise<OrderView> {
    const { token } = customer
    const order = await this.#shop<OrderView>("POST", "/api/orders", {
      token,
      body: {
        cart,
        receiver: {
          realName: customer.name,
          phone: "010-1234-5678",
          address: { city: "서울특별시 종로구", detail: "세종대로 1" }
        }
      }
    })
    const payment = await this.#shop<{ readonly redirectUrls: { readonly pc: string } }>(
      "POST",
      `/api/orders/${order.id}/payments`,
      { token }
    )
    await this.approveInBrowser(payment.redirectUrls.pc)
    await this.drain()
    return this.order(customer, order.id)
  }

  /** Opens the provider's page, presses its button and follows the browser back to the shop. */
  async approveInBrowser(page: string): Promise<void> {
    const shown = await fetch(page)
    expect(shown.ok, `the provider's page opens, not with ${shown.status}`)
    const pressed = await fetch(`${page}/approve`, { method: "POST", redirect: "manual" })
    const back = pressed.headers.get("location")
    if (back === null) throw new Failure(`the provider's page answered ${pressed.status} without a way back`)
    await request("GET", back)
  }

  order(customer: Customer, orderId: string): Promise<OrderView> {
    return this.#shop<OrderView>("GET", `/api/orders/${orderId}`, { token: customer.token })
  }

  async refund(
    customer: Customer,
    order: OrderView,
    lines: ReadonlyArray<{ readonly lineId: string; readonly quantity: number }>
  ): Promise<OrderView> {
    await this.#shop("POST", `/api/orders/${order.id}/refunds`, {
      token: customer.token,
      body: { lines, reason: "단순 변심" }
    })
    await this.drain()
    return this.order(customer, order.id)
  }

  async subscribe(customer: Customer, item: Item): Promise<SubscriptionView> {
    await this.addToCart(customer, "subscription", { itemId: item.id, quantity: 1, period: 30 })
    await this.checkOut(customer, "subscription")
    const [subscription] = await this.subscriptions(customer)
    if (subscription === undefined) throw new Failure(`${customer.name} has no subscription`)
    return subscription
  }

  async subscriptions(customer: Customer): Promise<ReadonlyArray<SubscriptionView>> {
    const page = await this.#shop<{ readonly data: ReadonlyArray<SubscriptionView> }>(
      "GET",
      "/api/subscriptions?page=1&size=100",
      { token: customer.token }
    )
    return page.data
  }

  async state(customer: Customer): Promise<string> {
    return (await this.subscriptions(customer))[0]?.state ?? "none"
  }

  async decline(customer: Customer, times: number): Promise<void> {
    await this.#provider("POST", "/declines", {
      partnerUserId: customer.userId,
      methodResultCode: "LACK_BALANCE",
      times
    })
  }

  /** The next charge of this customer is executed, and its answer never comes. */
  async loseNextAnswer(customer: Customer): Promise<void> {
    await this.#provider("POST", "/faults", {
      kind: "timeout-after",
      endpoint: "subscription",
      match: { partnerUserId: customer.userId },
      times: 1
    })
  }

  async notifications(customer: Customer): Promise<number> {
    const page = await this.#shop<{ readonly pageInfo: { readonly totalElements: number } }>(
      "GET",
      "/api/users/me/notifications",
      { token: customer.token }
    )
    return page.pageInfo.totalElements
  }

  async #orders(customer: Customer): Promise<ReadonlyArray<OrderView>> {
    const { token } = customer
    const page = await this.#shop<Listed<{ readonly id: string }>>("GET", "/api/orders?page=1&size=100", { token })
    return Promise.all(page.data.map((order) => this.order(customer, order.id)))
  }

  /** The payments that our books say were approved: of orders, and of charged cycles. */
  async #approvedPayments(customer: Customer, orders: ReadonlyArray<OrderView>) {
    const { token } = customer
    const purchases: Array<string> = []
    for (const order of orders.filter(({ origin }) => origin.kind !== "renewal")) {
      const { payments } = await this.#shop<{
        readonly payments: ReadonlyArray<{ readonly paymentId: string; readonly state: string }>
      }>("GET", `/api/orders/${order.id}/payment`, { token })
      purchases.push(...payments.filter(({ state }) => state === "approved").map(({ paymentId }) => paymentId))
    }
    const renewals: Array<string> = []
    for (const subscription of await this.subscriptions(customer)) {
      const cycles = await this.#shop<Listed<CycleView>>(
        "GET",
        `/api/subscriptions/${subscription.id}/cycles?page=1&size=100`,
        { token }
      )
      const charged = cycles.data.filter(({ state }) => state === "Charged")
      renewals.push(...charged.map(({ paymentId }) => paymentId ?? "none"))
    }
    return { purchases, renewals }
  }

  /** Compares what the provider really captured and gave back with what our books say, customer by customer. */
  async audit(): Promise<Audit> {
    const { entries } = await this.#provider<{ readonly entries: ReadonlyArray<LedgerEntry> }>("GET", "/ledger")
    const audit = { purchases: 0, renewals: 0, doubleCharges: 0, lostCharges: 0 }
    const sum = (amounts: ReadonlyArray<number>) => amounts.reduce((total, amount) => total + amount, 0)
    for (const customer of this.customers) {
      const theirs = entries.filter((entry) => entry.partnerUserId === customer.userId)
      const captures = theirs.filter((entry) => entry.kind === "capture")
      const refunds = theirs.filter((entry) => entry.kind === "refund")
      const orders = await this.#orders(customer)
      const { purchases, renewals } = await this.#approvedPayments(customer, orders)
      const explained = new Set([...purchases, ...renewals])
      audit.purchases += purchases.length
      audit.renewals += renewals.length
      for (const payment of explained) {
        const count = captures.filter((entry) => entry.partnerOrderId === payment).length
        if (count === 0) audit.lostCharges++
        audit.doubleCharges += Math.max(0, count - 1)
      }
      audit.doubleCharges += captures.filter((entry) => !explained.has(entry.partnerOrderId)).length
      const paid = orders.filter((order) => order.paidAt !== null)
      const pairs = [
        [sum(captures.map((entry) => entry.amount)), sum(paid.map((order) => order.total))],
        [sum(refunds.map((entry) => entry.amount)), sum(orders.map((order) => order.refundedTotal))]
      ]
      for (const [provider, books] of pairs) {
        expect(provider === books, `the provider's ${provider} won of ${customer.name} are our books' ${books}`)
      }
    }
    return audit
  }
}

interface Audit {
  readonly purchases: number
  readonly renewals: number
  readonly doubleCharges: number
  readonly lostCharges: number
}

const expect = (holds: boolean, what: string): void => {
  if (!holds) throw new Failure(`the demo expected that ${what}`)
}

const play = async (stage: Stage): Promise<void> => {
  const story = new Story(stage)
  await story.waitForTen()

  say("1. Minji signs up, fills her cart and buys.")
  const minji = await story.signUp("김민지")
  const items = await story.items(6)
  const [first, second, third] = items
  if (first === undefined || second === undefined || third === undefined) throw new Failure("the catalogue is empty")
  await story.readItem(first)
  await story.addToCart(minji, "normal", { itemId: first.id, quantity: 3 })
  await story.addToCart(minji, "normal", { itemId: second.id, quantity: 1 })
  const order = await story.checkOut(minji, "normal")
  expect(order.state === "Paid", `the order is paid, not ${order.state}`)
  expect((await story.cartLines(minji, "normal")) === 0, "her cart is empty after paying")
  say(`   paid ${won(order.total)}; her cart is empty; ${await story.notifications(minji)} notification`)

  say("2. She gives one unit back.")
  const [line] = order.lines
  if (line === undefined) throw new Failure("the order has no line")
  const refunded = await story.refund(minji, order, [{ lineId: line.id, quantity: 1 }])
  expect(refunded.state === "PartiallyRefunded", `the order is partially refunded, not ${refunded.state}`)
  expect(refunded.refundedTotal === line.unitPrice, "one unit was given back")
  say(`   ${won(refunded.refundedTotal)} of ${won(order.total)} came back`)

  say("3. Four customers subscribe, every 30 days.")
  const [jiwoo, haneul, dohyun, seoyeon] = [
    await story.signUp("박지우"),
    await story.signUp("이하늘"),
    await story.signUp("최도현"),
    await story.signUp("정서연")
  ]
  for (const customer of [jiwoo, haneul, dohyun, seoyeon]) {
    const subscription = await story.subscribe(customer, third)
    say(`   ${customer.name}: ${won(third.price.real)}, next on ${subscription.nextDueDate ?? "?"}`)
  }

  say("4. Thirty days pass. One charge is declined, one will be declined to the end, one answer is lost.")
  await story.decline(haneul, 1)
  await story.decline(dohyun, 4)
  await story.loseNextAnswer(seoyeon)
  await story.passDays(30)
  const due = await story.runBilling()
  say(`   ${due.counts.charged} charged, ${due.counts.declined} declined, ${due.counts.unknown} unknown`)
  expect(due.counts.charged === 1 && due.counts.declined === 2 && due.counts.unknown === 1, "one of each came")
  expect((await story.state(haneul)) === "PastDue", "a declined subscription is past due")

  say("5. Six minutes later the provider is asked about the lost answer, not charged again.")
  await story.passMinutes(6)
  const asked = await story.runBilling()
  const unknownResolved = due.owed.inDoubt - asked.owed.inDoubt
  say(`   ${unknownResolved} resolved, ${asked.owed.inDoubt} still in doubt`)
  expect(unknownResolved === 1 && asked.owed.inDoubt === 0, "the lost charge was found")

  say("6. The next days: one retry succeeds, the other fails to the end of the ladder.")
  let declinesRecovered = 0
  for (const days of [1, 2, 2]) {
    await story.passDays(days)
    const report = await story.runBilling()
    declinesRecovered += report.counts.charged
    say(`   day +${days}: ${report.counts.charged} charged, ${report.counts.declined} declined`)
  }
  expect(declinesRecovered === 1 && (await story.state(haneul)) === "Active", "the declined charge was recovered")
  const cancelledAfterDunning = (await story.state(dohyun)) === "Cancelled" ? 1 : 0
  expect(cancelledAfterDunning === 1, "the subscription that was never paid is cancelled")

  say("7. Twenty-five days later the next renewals come.")
  await story.passDays(25)
  const next = await story.runBilling()
  say(`   ${next.counts.charged} charged`)
  expect(
    next.counts.charged === 3 && next.owed.due + next.owed.inFlight + next.owed.inDoubt === 0,
    "three renewals came"
  )

  const audit = await story.audit()
  expect(audit.doubleCharges === 0 && audit.lostCharges === 0, "nothing was charged twice or lost")
  console.log(
    JSON.stringify({
      purchases: audit.purchases,
      renewals: audit.renewals,
      declinesRecovered,
      cancelledAfterDunning,
      unknownResolved,
      doubleCharges: audit.doubleCharges,
      lostCharges: audit.lostCharges
    })
  )
}

await runMain(async () => {
  const { values } = parseArgs({ options: { mysql: { type: "string" }, redis: { type: "string" } } })
  if ((values.mysql === undefined) !== (values.redis === undefined)) {
    throw new Failure("usage: npm run demo -- [--mysql URL --redis URL]")
  }
  try {
    await play(
      values.mysql === undefined || values.redis === undefined
        ? await openEmbedded()
        : await openStores(values.mysql, values.redis)
    )
    return 0
  } finally {
    await stopAll()
  }
})
