/**
 * The retry scenario: approvals that fail in the two ways that matter, and a provider's ledger without a double charge.
 *
 * First some calls go to a closed port. The connection is refused by the system, so nothing was sent, and the approval is
 * sent again as a new dispatch. Then some calls are executed and never answered. Nothing is sent again; the provider is
 * asked what happened.
 */
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { ProtocolSettings, settingsDefault } from "@pillivery/application/Payments/ProtocolSettings"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { ProviderClock } from "@pillivery/api-server/Provider"
import type { Attempt } from "@pillivery/domain/Attempt"
import type { UserId } from "@pillivery/domain/Ids"
import { PaymentStrategies, type PaymentStrategy } from "@pillivery/domain/PaymentStrategy"
import { Data, Duration, Effect, Option, type Scope } from "effect"
import { connect } from "node:net"
import * as Chart from "./Chart.ts"
import * as Provider from "./Provider.ts"
import type { Claim, Row } from "./Report.ts"
import * as Shop from "./Shop.ts"

/** What a run is made of. */
export interface Options {
  readonly seed: number
  readonly users: number
  /** Approvals of each of the two parts. */
  readonly approvals: number
  /** The share of calls that go wrong. */
  readonly failureRate: number
  /** How many times shorter than in production the pause between two tries is. */
  readonly retryFactor: number
  /** How long an answer may take; in production 30 s. */
  readonly responseMillisMax: number
  /** The share of approvals that may fail in the end. */
  readonly finalFailureRateMax: number
}

/** The published scenario. */
export const optionsDefault: Options = {
  seed: 20_240_501,
  users: 100,
  approvals: 25_000,
  failureRate: 0.2,
  retryFactor: 60,
  responseMillisMax: 600,
  finalFailureRateMax: 0.01
}

/** What a run showed. `attempts` and `finalFailureRate` are of the first part, the others of both. */
export interface Result {
  readonly options: Options
  readonly attempts: number
  readonly finalFailureRate: number
  readonly doubleCharges: number
  readonly unresolvedUnknown: number
  readonly claims: ReadonlyArray<Claim>
  readonly rows: ReadonlyArray<Row>
  readonly timeline: string
}

const millisPerSecond = 1_000
/** More than enough on a busy machine. */
const partMillisMax = 600_000
const startEveryMillis = 20
/** With lost answers only: what is measured there is what becomes of calls, so each payment must get to make one. */
const comeAgainCountMax = 60
const comeAgainAfter = "1 second"
/** Past the first time after which a lost answer is asked about. */
const askAfterMinutes = 6
/** Ports below those the system hands out: another program's outgoing connection can never be on one of them. */
const closedPorts = [1, 2, 3, 4, 5]

// -----------------------------------------------------------------------------
// what goes wrong
// -----------------------------------------------------------------------------

/** Every port that could have been used has a listener. */
class NoClosedPort extends Data.TaggedError("NoClosedPort")<{}> {
  override get message(): string {
    return `something listens on each of the ports ${closedPorts.join(", ")}`
  }
}

const refuses = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect({ host: "127.0.0.1", port })
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(false))
    })
    socket.once("error", (error) => resume(Effect.succeed("code" in error && error.code === "ECONNREFUSED")))
  })

/** An address of this machine that refuses connections, tried just now. */
const closedAddress = Effect.gen(function* () {
  for (const port of closedPorts) if (yield* refuses(port)) return new URL(`http://127.0.0.1:${port}`)
  return yield* new NoClosedPort()
})

/** Uniform numbers in [0, 1) from a seed: mulberry32. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** How often each way of approving was taken, and how many payments were prepared. */
interface Drawn {
  prepared: number
  refused: number
  reached: number
}

/** A strategy whose approvals take another way as often as `rate` says. */
const sometimes = (
  strategy: PaymentStrategy,
  other: PaymentStrategy,
  options: { readonly rate: number; readonly random: () => number; readonly drawn: Drawn }
): PaymentStrategy => ({
  ...strategy,
  prepare: (request) =>
    Effect.tap(strategy.prepare(request), (answer) =>
      Effect.sync(() => {
        if (answer._tag !== "NotExecuted" || answer.why !== "local") options.drawn.prepared++
      })
    ),
  approve: (request) =>
    Effect.suspend(() => {
      if (options.random() >= options.rate) {
        options.drawn.reached++
        return strategy.approve(request)
      }
      options.drawn.refused++
      return other.approve(request)
    })
})

// -----------------------------------------------------------------------------
// one part
// -----------------------------------------------------------------------------

type Outcome = "approved" | "unavailable" | "inProgress"

interface Approval extends Shop.AuthenticatedPayment {
  /** Seconds since the part began. */
  readonly at: number
  readonly outcome: Outcome
}

interface Part {
  readonly approvals: ReadonlyArray<Approval>
  readonly attempts: ReadonlyArray<Attempt>
  readonly ledger: ReadonlyArray<Provider.LedgerEntry>
  readonly drawn: Drawn
  /** Approve calls that the provider received. */
  readonly received: number
  /** Visits of users who came again later. */
  readonly turnedAway: number
  /** How many were Unknown before the provider was asked. */
  readonly unknown: number
  /** Seconds since the part began. */
  readonly approvedUntil: number
  readonly settledUntil: number
}

interface PartOptions {
  readonly options: Options
  readonly kind: "refused" | "lost"
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / millisPerSecond

const outcomeOf = (payment: Shop.AuthenticatedPayment) =>
  approvePayment(payment.attemptId, payment.token).pipe(
    Effect.as<Outcome>("approved"),
    Effect.catchTags({
      ProviderUnavailable: () => Effect.succeed<Outcome>("unavailable"),
      PaymentInProgress: () => Effect.succeed<Outcome>("inProgress")
    })
  )

interface Run {
  readonly userId: UserId
  readonly startedAt: number
  readonly take: () => boolean
  readonly done: Array<Approval>
  /** How often a user who is turned away comes again. */
  readonly comeAgainMax: number
  readonly onTurnedAway: () => void
}

// Approvals one after the other, as long as there are some left for all users together.
const useShop = Effect.fnUntraced(function* (provider: Provider.Provider, run: Run) {
  while (run.take()) {
    const payment = yield* Shop.authenticatePayment(provider, run.userId)
    let outcome = yield* outcomeOf(payment)
    for (let visit = 0; outcome === "unavailable" && visit < run.comeAgainMax; visit++) {
      run.onTurnedAway()
      yield* Effect.sleep(comeAgainAfter)
      outcome = yield* outcomeOf(payment)
    }
    run.done.push({ ...payment, outcome, at: secondsSince(run.startedAt) })
  }
})

const attemptsOf = Effect.fnUntraced(function* (approvals: ReadonlyArray<Approval>) {
  const payments = yield* PaymentRepository
  return yield* Effect.forEach(approvals, ({ attemptId }) =>
    Effect.map(payments.findAttempt(attemptId), Option.getOrThrow)
  )
})

// Lets the time pass after which lost answers are asked about, for the shop and its provider, and asks.
const settle = Effect.gen(function* () {
  const clock = yield* BusinessClock
  const provider = yield* ProviderClock
  yield* clock.advance(Duration.minutes(askAfterMinutes))
  yield* provider.follow(yield* clock.offset)
  yield* reconcile()
})

const play = Effect.fnUntraced(function* ({ kind, options }: PartOptions) {
  const provider = yield* Provider.start({ seed: options.seed })
  const environment = {
    providerUrl: provider.url,
    ...(kind === "lost" ? { responseMillisMax: options.responseMillisMax } : {})
  }
  const drawn: Drawn = { prepared: 0, refused: 0, reached: 0 }
  if (kind === "lost") {
    yield* provider.addFault({
      kind: "timeout-after",
      endpoint: "approve",
      rate: options.failureRate,
      seed: options.seed
    })
  }
  const closed = yield* Shop.strategyAt(yield* closedAddress, environment)

  return yield* Effect.gen(function* () {
    const { preferred } = yield* PaymentStrategies
    const strategy = sometimes(preferred, closed, {
      rate: kind === "refused" ? options.failureRate : 0,
      random: randomFrom(options.seed),
      drawn
    })
    const startedAt = performance.now()
    const done: Array<Approval> = []
    let left = options.approvals
    let turnedAway = 0
    const onTurnedAway = (): void => void turnedAway++
    const comeAgainMax = kind === "lost" ? comeAgainCountMax : 0
    const take = (): boolean => left-- > 0
    yield* Effect.forEach(
      Array.from({ length: options.users }, () => undefined),
      (_, user) =>
        Effect.sleep(user * startEveryMillis).pipe(
          Effect.andThen(Shop.newUser),
          Effect.flatMap((userId) => useShop(provider, { userId, startedAt, take, done, comeAgainMax, onTurnedAway }))
        ),
      { concurrency: "unbounded", discard: true }
    ).pipe(
      Effect.provideService(PaymentStrategies, { find: () => strategy, preferred: strategy }),
      Effect.provideService(ProtocolSettings, settingsFor(options))
    )
    const approvedUntil = secondsSince(startedAt)
    const received = (yield* provider.receivedCount) - drawn.prepared
    const unknown = (yield* attemptsOf(done)).filter(({ _tag }) => _tag === "Unknown").length
    if (unknown > 0) yield* settle
    const part: Part = {
      approvals: done,
      attempts: yield* attemptsOf(done),
      ledger: yield* provider.ledger,
      drawn,
      received,
      turnedAway,
      unknown,
      approvedUntil,
      settledUntil: secondsSince(startedAt)
    }
    return part
  }).pipe(Effect.provide(Shop.layer(environment)))
})

const settingsFor = (options: Options) => {
  const { approveRetry } = settingsDefault
  if (approveRetry.backoff._tag !== "Fixed") throw new Error("the pause between two tries is not fixed")
  const delayMillis = approveRetry.backoff.delayMillis / options.retryFactor
  return { ...settingsDefault, approveRetry: { ...approveRetry, backoff: { ...approveRetry.backoff, delayMillis } } }
}

// -----------------------------------------------------------------------------
// what it showed
// -----------------------------------------------------------------------------

/** Our books beside the provider's ledger. */
const compare = (part: Part) => {
  const ordersByAttempt = new Map<string, string>(part.approvals.map(({ attemptId, orderId }) => [attemptId, orderId]))
  const capturesByOrder = new Map<string, number>()
  const capturedByAttempt = new Map<string, number>()
  for (const { amount, kind, partnerOrderId } of part.ledger) {
    if (kind !== "capture") continue
    const order = ordersByAttempt.get(partnerOrderId) ?? partnerOrderId
    capturesByOrder.set(order, (capturesByOrder.get(order) ?? 0) + 1)
    capturedByAttempt.set(partnerOrderId, (capturedByAttempt.get(partnerOrderId) ?? 0) + amount)
  }
  const approved = new Map(
    part.attempts.flatMap((attempt) => (attempt._tag === "Approved" ? [[attempt.id, attempt.approved] as const] : []))
  )
  return {
    captures: part.ledger.filter(({ kind }) => kind === "capture").length,
    approved: approved.size,
    doubleCharges: [...capturesByOrder.values()].filter((captures) => captures > 1).length,
    /** Money that moved and that our books do not explain, or the other way round. */
    unexplained:
      [...capturedByAttempt].filter(([attemptId, amount]) => amount !== approved.get(attemptId as never)).length +
      [...approved.keys()].filter((attemptId) => !capturedByAttempt.has(attemptId)).length,
    unsettled: part.attempts.filter(({ _tag }) => _tag === "Unknown" || _tag === "Sent" || _tag === "ManualReview")
      .length,
    dispatches: part.attempts.reduce((sum, attempt) => sum + ("dispatches" in attempt ? attempt.dispatches : 0), 0)
  }
}

const judge = (options: Options, refused: Part, lost: Part) => {
  const failed = refused.approvals.filter(({ outcome }) => outcome === "unavailable").length
  const booksOfRefused = compare(refused)
  const booksOfLost = compare(lost)
  return {
    failed,
    finalFailureRate: failed / refused.approvals.length,
    refused: booksOfRefused,
    lost: booksOfLost,
    failedOfLost: lost.approvals.filter(({ outcome }) => outcome === "unavailable").length,
    doubleCharges: booksOfRefused.doubleCharges + booksOfLost.doubleCharges,
    unresolvedUnknown: booksOfRefused.unsettled + booksOfLost.unsettled,
    unexplained: booksOfRefused.unexplained + booksOfLost.unexplained,
    triesOf: (tries: number): number =>
      refused.attempts.filter((attempt) => attempt._tag === "Approved" && attempt.dispatches === tries).length,
    expected: options.failureRate ** settingsDefault.approveRetry.triesMax
  }
}
type Judged = ReturnType<typeof judge>

const count = (value: number): string => value.toLocaleString("en-US")
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

const claimsOf = (options: Options, judged: Judged, refused: Part, lost: Part): ReadonlyArray<Claim> => [
  {
    what: `at most ${percent(options.finalFailureRateMax)} of the approvals fail in the end`,
    found: `${judged.failed} of ${refused.approvals.length}, ${percent(judged.finalFailureRate)}`,
    holds: judged.finalFailureRate <= options.finalFailureRateMax
  },
  {
    what: "each resend is a dispatch on the row, and no call is made below it",
    found: `${judged.refused.dispatches} dispatches, ${refused.drawn.refused} refused and ${refused.received} received; then ${judged.lost.dispatches} dispatches, ${lost.received} received`,
    holds:
      judged.refused.dispatches === refused.drawn.refused + refused.received &&
      refused.drawn.reached === refused.received &&
      judged.lost.dispatches === lost.received
  },
  {
    what: "connections were refused and answers were lost",
    found: `${refused.drawn.refused} refused, ${lost.unknown} lost`,
    holds: refused.drawn.refused > 0 && lost.unknown > 0 && refused.unknown === 0
  },
  {
    what: "no order is charged twice",
    found: `${judged.doubleCharges} of ${judged.refused.captures + judged.lost.captures} captures`,
    holds: judged.doubleCharges === 0
  },
  {
    what: "our books and the provider's ledger say the same of every attempt",
    found: `${judged.unexplained} differences`,
    holds: judged.unexplained === 0
  },
  {
    what: "every lost answer is found out",
    found: `${judged.unresolvedUnknown} of ${lost.unknown} left`,
    holds: judged.unresolvedUnknown === 0
  },
  {
    what: "a lost answer fails no approval",
    found: `${judged.lost.approved} of ${lost.approvals.length} approved, ${judged.failedOfLost} refused`,
    holds: judged.lost.approved === lost.approvals.length
  }
]

const rowsOf = (options: Options, judged: Judged, refused: Part, lost: Part): ReadonlyArray<Row> => {
  const settings = settingsFor(options)
  const delayMillis = settings.approveRetry.backoff._tag === "Fixed" ? settings.approveRetry.backoff.delayMillis : 0
  return [
    ["**refused connections**: approvals, by users at once", `${count(refused.approvals.length)}, ${options.users}`],
    [
      "dispatches; of these to a closed port",
      `${count(judged.refused.dispatches)}; ${count(refused.drawn.refused)}, ${percent(refused.drawn.refused / judged.refused.dispatches)}`
    ],
    [
      "approved with the first, second, third dispatch",
      [1, 2, 3].map((tries) => count(judged.triesOf(tries))).join(", ")
    ],
    [
      "failed in the end; expected",
      `${judged.failed}, ${percent(judged.finalFailureRate)}; ${percent(judged.expected)}`
    ],
    [
      "captures at the provider; orders charged twice",
      `${count(judged.refused.captures)}; ${judged.refused.doubleCharges}`
    ],
    ["pause between two tries", `${delayMillis} ms: production's, divided by ${options.retryFactor}`],
    [
      "time; approvals per second",
      `${refused.approvedUntil.toFixed(0)} s; ${count(Math.round(refused.approvals.length / refused.approvedUntil))}`
    ],
    ["**lost answers**: approvals, by users at once", `${count(lost.approvals.length)}, ${options.users}`],
    ["dispatches", count(judged.lost.dispatches)],
    ["answers lost", `${count(lost.unknown)}, ${percent(lost.unknown / judged.lost.dispatches)}`],
    ["of these found out by asking; left", `${count(lost.unknown - judged.lost.unsettled)}; ${judged.lost.unsettled}`],
    ["captures at the provider; orders charged twice", `${count(judged.lost.captures)}; ${judged.lost.doubleCharges}`],
    ["visits turned away while the breaker was open, and made again", count(lost.turnedAway)],
    ["how long an answer may take", `${options.responseMillisMax} ms, in production 30 s`],
    [
      "time; approvals per second; time of asking",
      `${lost.approvedUntil.toFixed(0)} s; ${count(Math.round(lost.approvals.length / lost.approvedUntil))}; ${(lost.settledUntil - lost.approvedUntil).toFixed(1)} s`
    ],
    ["seed", `${options.seed}`]
  ]
}

const timelineOf = (options: Options, judged: Judged, refused: Part, lost: Part): string => {
  const offset = refused.settledUntil
  const seconds = offset + lost.settledUntil
  const all = [...refused.approvals, ...lost.approvals.map((approval) => ({ ...approval, at: approval.at + offset }))]
  const rate = (outcomes: ReadonlyArray<Outcome>) =>
    Chart.ratePerSecond(
      all.filter(({ outcome }) => outcomes.includes(outcome)).map(({ at }) => at),
      {
        seconds,
        bucketSeconds: Math.max(1, Math.round(seconds / 120))
      }
    )
  const finalFailures: Array<readonly [number, number]> = []
  const step = Math.max(1, Math.ceil(refused.approvals.length / 400))
  const firstShown = refused.approvals.length / 50
  let failed = 0
  for (const [index, { at, outcome }] of refused.approvals.entries()) {
    if (outcome === "unavailable") failed++
    // A share of the first few says nothing.
    if (index >= firstShown && index % step === 0) finalFailures.push([at, (100 * failed) / (index + 1)])
  }
  let open = 0
  const unknown: Array<readonly [number, number]> = [[offset, 0]]
  for (const { at, outcome } of lost.approvals) {
    if (outcome !== "inProgress") continue
    open++
    if (open % step === 0) unknown.push([offset + at, open])
  }
  unknown.push([offset + lost.approvedUntil, lost.unknown], [seconds, judged.lost.unsettled])
  return Chart.render({
    title: `${options.users} users and calls that go wrong: retries, and lost answers`,
    description:
      "Approvals per second, the share that failed in the end, and payments whose outcome is not known, over time: first " +
      "with refused connections, then with lost answers, then while the provider is asked.",
    timeLabel: "time, seconds",
    seconds,
    bands: [
      { from: 0, to: offset, label: `${100 * options.failureRate} % of calls refused`, ink: "good" },
      {
        from: offset,
        to: offset + lost.approvedUntil,
        label: `${100 * options.failureRate} % of answers lost`,
        ink: "cut"
      },
      { from: offset + lost.approvedUntil, to: seconds, label: "asking", ink: "bad" }
    ],
    panels: [
      {
        label: "approvals per second",
        series: [
          { name: "answer lost", ink: "cut", points: rate(["inProgress"]) },
          { name: "approved", ink: "good", points: rate(["approved"]) }
        ]
      },
      {
        label: "failed in the end, % of all so far",
        series: [{ name: "failed", ink: "bad", points: finalFailures }],
        level: { value: 100 * judged.expected, label: `expected: ${percent(judged.expected)} of all` }
      },
      {
        label: "payments whose outcome is not known",
        series: [{ name: "unknown", ink: "cut", points: unknown }]
      }
    ]
  })
}

const runPart = (options: PartOptions): Promise<Part> =>
  play(options).pipe(
    Effect.timeout(partMillisMax),
    (effect: Effect.Effect<Part, unknown, Scope.Scope>) => Effect.scoped(effect),
    Effect.runPromise
  )

/** Runs the scenario, both parts. */
export const run = async (options: Options): Promise<Result> => {
  const refused = await runPart({ kind: "refused", options })
  const lost = await runPart({ kind: "lost", options })
  const judged = judge(options, refused, lost)
  return {
    options,
    attempts: refused.approvals.length,
    finalFailureRate: judged.finalFailureRate,
    doubleCharges: judged.doubleCharges,
    unresolvedUnknown: judged.unresolvedUnknown,
    claims: claimsOf(options, judged, refused, lost),
    rows: rowsOf(options, judged, refused, lost),
    timeline: timelineOf(options, judged, refused, lost)
  }
}
