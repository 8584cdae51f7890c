/**
 * The breaker scenario: a provider that fails under load is left alone, and is used again once it has recovered.
 *
 * Users approve payments one after the other. The provider answers after a long delay, at first always with an approval;
 * after a number of calls three quarters of its answers are errors. The breaker opens; while it is open the provider
 * recovers; then trial calls close the breaker.
 *
 * All times of the options and of the protocol are published times: a clock that runs `factor` times as fast divides every
 * wait of the shop, and the provider's delay is divided here. Times measured are real ones.
 */
import * as CircuitState from "@pillivery/application/resilience/CircuitState"
import type { CircuitBreaker } from "@pillivery/application/resilience/CircuitBreaker"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { MoneyCalls } from "@pillivery/application/Payments/MoneyCalls"
import { Clock, Deferred, Effect, Stream } from "effect"
import * as Chart from "./Chart.ts"
import * as Provider from "./Provider.ts"
import { type Claim, quantile, type Row } from "./Report.ts"
import * as ScaledClock from "./ScaledClock.ts"
import * as Shop from "./Shop.ts"

/** What a run is made of; durations are published ones, in milliseconds. */
export interface Options {
  /** How many times as fast as published. */
  readonly factor: number
  readonly seed: number
  readonly users: number
  readonly paymentsPerUser: number
  readonly providerDelayMillis: number
  readonly pauseMillis: number
  /** Calls that the provider serves before it fails. */
  readonly healthyCalls: number
  /** The share of calls that fail then. */
  readonly failureRate: number
  /** How long the run goes on after the breaker has closed again. */
  readonly afterMillis: number
  /** How long an answer may take while the breaker is open: the 99th percentile, in real milliseconds. */
  readonly openP99MillisMax: number
}

/** The published scenario at twice its speed. */
export const optionsDefault: Options = {
  factor: 2,
  seed: 20_240_501,
  users: 100,
  paymentsPerUser: 12,
  providerDelayMillis: 5_000,
  pauseMillis: 100,
  healthyCalls: 150,
  failureRate: 0.75,
  afterMillis: 12_000,
  openP99MillisMax: 5
}

/** How a user's request was answered. `cutOff`: at once, by the breaker. */
type Outcome = "approved" | "unanswered" | "cutOff" | "full"

/** One request of a user, in real milliseconds since the start. */
interface Request {
  readonly attemptId: string
  readonly beganAt: number
  readonly endedAt: number
  readonly outcome: Outcome
}

/** A state of the breaker and when it was entered, in real milliseconds since the start. */
interface Entered {
  readonly state: string
  readonly at: number
}

/** What a run showed. */
export interface Result {
  readonly options: Options
  readonly states: ReadonlyArray<string>
  readonly openP99Millis: number
  readonly sentWhileOpen: number
  readonly claims: ReadonlyArray<Claim>
  readonly rows: ReadonlyArray<Row>
  readonly timeline: string
}

const statesExpected = ["closed", "open", "half-open", "closed"]
const millisPerSecond = 1_000
const runMillisMax = 180_000
/** Over how many of the provider's delays the users start, so that they do not come in step. */
const startsDelays = 2

/** Names a state as it is published. */
const nameOf = (tag: CircuitState.Tag): string => tag.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase()

/** Real time with a fraction, comparable with that of other processes. */
const realNow = (): number => performance.timeOrigin + performance.now()

/** When the shop was permitted to send each attempt: its claim begins right after the breaker's permit. */
const withClaimsNoted = (calls: MoneyCalls["Service"], noted: Map<string, number>): MoneyCalls["Service"] =>
  MoneyCalls.of({
    ...calls,
    dispatch: (call) =>
      calls.dispatch({
        ...call,
        claim: Effect.suspend(() => {
          const permittedAt = realNow()
          return Effect.tap(call.claim, (claimed) =>
            Effect.sync(() => {
              if (typeof claimed === "object" && claimed !== null && "id" in claimed) {
                noted.set(String(claimed.id), permittedAt)
              }
            })
          )
        })
      })
  })

const outcomeOf = (attemptId: Shop.AuthenticatedPayment["attemptId"], token: Shop.AuthenticatedPayment["token"]) =>
  approvePayment(attemptId, token).pipe(
    Effect.as<Outcome>("approved"),
    Effect.catchTags({
      PaymentInProgress: () => Effect.succeed<Outcome>("unanswered"),
      ProviderUnavailable: ({ detail }) => Effect.succeed<Outcome>(detail.includes("cut off") ? "cutOff" : "full")
    })
  )

const play = Effect.fnUntraced(function* (options: Options, clock: ScaledClock.ScaledClock) {
  const provider = yield* Provider.start({ seed: options.seed })
  return yield* Effect.gen(function* () {
    const calls = yield* MoneyCalls
    const breaker = calls.breakers[0]
    if (breaker === undefined) return yield* Effect.die("the shop has no breaker")
    const permittedAt = new Map<string, number>()

    const payments = yield* Effect.forEach(
      Array.from({ length: options.users }, (_, user) => user),
      () =>
        Effect.flatMap(Shop.newUser, (userId) =>
          Effect.forEach(
            Array.from({ length: options.paymentsPerUser }, (_, payment) => payment),
            () => Shop.authenticatePayment(provider, userId)
          )
        ),
      { concurrency: 20 }
    )

    const delayMillis = options.providerDelayMillis / options.factor
    const overload = yield* provider.addFault({
      kind: "gateway-504",
      endpoint: "approve",
      skip: options.healthyCalls,
      rate: options.failureRate,
      seed: options.seed,
      delayMillis
    })
    yield* provider.addFault({ kind: "slow", endpoint: "approve", delayMillis })

    const startedAt = realNow()
    const entered: Array<Entered> = [{ state: nameOf((yield* breaker.state)._tag), at: 0 }]
    const recoveredAt = yield* Deferred.make<number, Provider.ProviderFailed>()
    const isOver = yield* Deferred.make<void>()
    yield* watch(breaker, (state, atMillis) => {
      entered.push({ state, at: clock.toRealMillis(atMillis) - startedAt })
      if (state === "open" && entered.length === 2) {
        return Effect.sleep(breaker.settings.openMillis / 2).pipe(
          Effect.andThen(provider.removeFault(overload)),
          Effect.andThen(Effect.sync(() => realNow() - startedAt)),
          Deferred.into(recoveredAt),
          Effect.forkChild,
          Effect.asVoid
        )
      }
      return state === "closed"
        ? Effect.sleep(options.afterMillis).pipe(
            Effect.andThen(Deferred.succeed(isOver, undefined)),
            Effect.forkChild,
            Effect.asVoid
          )
        : Effect.void
    })

    const requests: Array<Request> = []
    yield* Effect.forEach(payments, (own, user) => useShop(own, { user, options, requests, startedAt, isOver }), {
      concurrency: "unbounded",
      discard: true
    }).pipe(Effect.provideService(MoneyCalls, withClaimsNoted(calls, permittedAt)))
    const endedAt = realNow() - startedAt
    const received = yield* provider.calls("approve")
    return {
      startedAt,
      endedAt,
      entered,
      requests,
      recoveredAt: yield* Deferred.await(recoveredAt),
      received: received.map(({ fields, receivedAtMillis }) => ({
        attemptId: String(fields["partner_order_id"]),
        at: receivedAtMillis - startedAt
      })),
      permittedAt: new Map([...permittedAt].map(([attemptId, at]) => [attemptId, at - startedAt]))
    }
  }).pipe(Effect.provide(Shop.layer({ providerUrl: provider.url })))
})

// Runs until the scope closes; subscribed when it returns.
const watch = Effect.fnUntraced(function* (
  breaker: CircuitBreaker,
  onEnter: (state: string, atMillis: number) => Effect.Effect<void>
) {
  yield* breaker.transitions.pipe(
    Stream.runForEach(({ atMillis, to }) => onEnter(nameOf(to), atMillis)),
    Effect.forkScoped({ startImmediately: true })
  )
})

// One user: payment after payment, a pause after each answer. A refused payment is tried again, one whose answer was lost is
// left to the reconciliation.
const useShop = Effect.fnUntraced(function* (
  payments: ReadonlyArray<Shop.AuthenticatedPayment>,
  run: {
    readonly user: number
    readonly options: Options
    readonly requests: Array<Request>
    readonly startedAt: number
    readonly isOver: Deferred.Deferred<void>
  }
) {
  const { options, requests, startedAt } = run
  yield* Effect.sleep((run.user / options.users) * startsDelays * options.providerDelayMillis)
  for (const { attemptId, token } of payments) {
    let outcome: Outcome | undefined
    while (outcome === undefined || outcome === "cutOff" || outcome === "full") {
      if (yield* Deferred.isDone(run.isOver)) return
      const beganAt = realNow() - startedAt
      outcome = yield* outcomeOf(attemptId, token)
      requests.push({ attemptId, beganAt, endedAt: realNow() - startedAt, outcome })
      yield* Effect.sleep(options.pauseMillis)
    }
  }
  return yield* Effect.die("a user has run out of payments before the end")
})

type Played = Effect.Success<ReturnType<typeof play>>

const within = ({ from, to }: { readonly from: number; readonly to: number }, at: number): boolean =>
  at >= from && at < to

const judge = (played: Played) => {
  const { entered, permittedAt, received, requests } = played
  const at = (index: number): number => entered[index]?.at ?? played.endedAt
  const open = { from: at(1), to: at(2) }
  const states = entered.map(({ state }) => state)

  const arrived = received.filter((call) => within(open, call.at))
  const permitted = (attemptId: string): number => permittedAt.get(attemptId) ?? Number.POSITIVE_INFINITY
  // Permitted by a closed breaker, and on its way when the breaker opened.
  const before = arrived.filter(({ attemptId }) => permitted(attemptId) <= open.from)
  const sentWhileOpen = arrived.length - before.length
  const lagMillisMax = Math.max(0, ...before.map((call) => call.at - permitted(call.attemptId)))

  // A request that began while it was open and was permitted later waited for its place until then.
  const openAnswers = requests.filter(
    (request) =>
      within(open, request.beganAt) && !(permitted(request.attemptId) >= open.to && request.outcome !== "cutOff")
  )
  const openMillis = openAnswers.map(({ beganAt, endedAt }) => endedAt - beganAt)
  return {
    states,
    open,
    arrivedAfterOpening: before.length,
    lagMillisMax,
    sentWhileOpen,
    openAnswers: openAnswers.length,
    openOthers: openAnswers.filter(({ outcome }) => outcome !== "cutOff").length,
    openP50Millis: quantile(openMillis, 0.5),
    openP99Millis: quantile(openMillis, 0.99),
    openMillisMax: Math.max(0, ...openMillis)
  }
}

const claimsOf = (options: Options, judged: ReturnType<typeof judge>, played: Played): ReadonlyArray<Claim> => [
  {
    what: "the breaker closes again by itself",
    found: judged.states.join(" → "),
    holds: judged.states.join() === statesExpected.join()
  },
  {
    what: `an answer while it is open takes under ${options.openP99MillisMax} ms (p99)`,
    found: `${judged.openP99Millis.toFixed(2)} ms, of ${judged.openAnswers} answers`,
    holds: judged.openAnswers > 0 && judged.openP99Millis < options.openP99MillisMax
  },
  {
    what: "every request that began while it was open was refused at once",
    found: `${judged.openAnswers - judged.openOthers} of ${judged.openAnswers}`,
    holds: judged.openOthers === 0
  },
  {
    what: "nothing is sent while it is open",
    found: `${judged.sentWhileOpen} calls (${judged.arrivedAfterOpening} were on their way when it opened)`,
    holds: judged.sentWhileOpen === 0
  },
  {
    what: "the provider recovered while it was open",
    found: `${((played.recoveredAt * options.factor) / millisPerSecond).toFixed(1)} s`,
    holds: within(judged.open, played.recoveredAt)
  }
]

const percent = (part: number, whole: number): string =>
  whole === 0 ? "none" : `${((100 * part) / whole).toFixed(1)} %`

const rowsOf = (options: Options, judged: ReturnType<typeof judge>, played: Played): ReadonlyArray<Row> => {
  const { factor } = options
  const at = (index: number): number => played.entered[index]?.at ?? played.endedAt
  const seconds = (millis: number): string => `${((millis * factor) / millisPerSecond).toFixed(1)} s`
  const answers = played.requests
    .filter(({ outcome }) => outcome === "approved" || outcome === "unanswered")
    .toSorted((a, b) => a.endedAt - b.endedAt)
  const approvedOf = (some: ReadonlyArray<Request>): string =>
    `${percent(some.filter(({ outcome }) => outcome === "approved").length, some.length)} of ${some.length}`
  const beforeOpening = answers.filter(({ endedAt }) => endedAt < at(1))
  return [
    ["states", judged.states.join(" → ")],
    ["how much faster than published it ran; durations below are published ones", `${factor} times`],
    ["opened after", seconds(at(1))],
    ["open for", seconds(at(2) - at(1))],
    ["half-open for", seconds(at(3) - at(2))],
    ["whole run", seconds(played.endedAt)],
    [
      "answers that were approvals: before the provider failed",
      approvedOf(beforeOpening.slice(0, options.healthyCalls))
    ],
    ["from then until the breaker opened", approvedOf(beforeOpening.slice(options.healthyCalls))],
    ["after it closed", approvedOf(answers.filter(({ endedAt }) => endedAt >= at(3)))],
    ["requests refused at once, all in all", `${played.requests.filter(({ outcome }) => outcome === "cutOff").length}`],
    ["requests that began while it was open", `${judged.openAnswers}`],
    [
      "time until they were refused, in real time: median, p99, longest",
      `${judged.openP50Millis.toFixed(2)} ms, ${judged.openP99Millis.toFixed(2)} ms, ${judged.openMillisMax.toFixed(2)} ms`
    ],
    ["calls sent while it was open", `${judged.sentWhileOpen}`],
    [
      "calls that were permitted before it opened and arrived after, and their longest way",
      `${judged.arrivedAfterOpening}, ${judged.lagMillisMax.toFixed(1)} ms`
    ],
    ["seed", `${options.seed}`]
  ]
}

const bandInks: Readonly<Record<string, Chart.Ink>> = { closed: "good", open: "bad", "half-open": "cut" }

const timelineOf = (options: Options, played: Played): string => {
  const { endedAt, entered, requests } = played
  const published = (millis: number): number => (millis * options.factor) / millisPerSecond
  const seconds = published(endedAt)
  const rate = (outcomes: ReadonlyArray<Outcome>) =>
    Chart.ratePerSecond(
      requests.filter(({ outcome }) => outcomes.includes(outcome)).map((request) => published(request.endedAt)),
      { seconds, bucketSeconds: 1 }
    )
  const slowest = Chart.ratePerSecond([], { seconds, bucketSeconds: 1 }).flatMap(([second]) => {
    const ended = requests.filter((request) => Math.abs(published(request.endedAt) - second) <= 0.5)
    const millis = ended.map((request) => request.endedAt - request.beganAt)
    return ended.length === 0 ? [] : [[second, published(quantile(millis, 0.99))] as const]
  })
  return Chart.render({
    title: `${options.users} users and a provider that fails: the circuit breaker`,
    description:
      "Answers per second over time. The breaker is closed, opens when most answers are errors, refuses requests at once " +
      "while the provider recovers, lets trial calls through and closes again.",
    timeLabel: "published time, seconds",
    seconds,
    bands: entered.map(({ at, state }, index) => ({
      from: published(at),
      to: published(entered[index + 1]?.at ?? endedAt),
      label: state,
      ink: bandInks[state] ?? "plain"
    })),
    panels: [
      {
        label: "the provider's answers per second",
        series: [
          { name: "errors", ink: "bad", points: rate(["unanswered"]) },
          { name: "approvals", ink: "good", points: rate(["approved"]) }
        ]
      },
      {
        label: "requests refused at once, per second",
        series: [{ name: "refused", ink: "cut", points: rate(["cutOff"]) }]
      },
      {
        label: "time until an answer, seconds (p99)",
        series: [{ name: "all requests", ink: "plain", points: slowest }]
      }
    ]
  })
}

/** Runs the scenario. */
export const run = (options: Options): Promise<Result> => {
  const clock = ScaledClock.make(options.factor)
  return play(options, clock).pipe(
    Effect.map((played): Result => {
      const judged = judge(played)
      return {
        options,
        states: judged.states,
        openP99Millis: judged.openP99Millis,
        sentWhileOpen: judged.sentWhileOpen,
        claims: claimsOf(options, judged, played),
        rows: rowsOf(options, judged, played),
        timeline: timelineOf(options, played)
      }
    }),
    Effect.timeout(runMillisMax * options.factor),
    Effect.scoped,
    Effect.provideService(Clock.Clock, clock),
    Effect.runPromise
  )
}
