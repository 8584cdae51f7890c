/**
 * One HTTP call to the provider, made at most once, and told apart by whether its request was written.
 *
 * undici is used directly, since what matters about a failed money call is not how it failed but when: the handler's
 * `onRequestStart` runs right before the first byte of a request is handed to the socket, and Effect's `HttpClient` does
 * not show that moment. Whatever fails after it is `Lost`: money may have moved. Only what fails before it, and for a
 * cause of {@link unsentCauses}, is `NotSent`. The same moment checks the dispatch deadline.
 *
 * **Details**
 *
 * There are no retries and no redirects, and HTTP/2 is off, since its streams may be sent again by the driver. Each place
 * of a pool is one connection that carries one call at a time. A connection that failed in any way is destroyed. A money
 * call takes a connection only if it was idle for less than `moneyIdleMillisMax`, which is checked when it is taken:
 * timers alone would let a stale one through after the process was stopped and continued. Lookups have a pool of their
 * own.
 *
 * @since 0.1.0
 */
import { Client as Connection, type Dispatcher } from "@effect/platform-node/Undici"
import type { DispatchDeadline } from "@pillivery/domain/PaymentStrategy"
import { Clock, Effect, Redacted, Schema, type Scope } from "effect"
import { type Bodies, type Endpoint, paths } from "./wire/Requests.ts"

/** How long things may take and how large they may be. */
export interface Settings {
  /** Connections of each of the two pools. */
  readonly connectionsMax: number
  /** How long a call waits for a free connection. */
  readonly connectionWaitMillisMax: number
  /** How long name lookup, connecting and the TLS handshake may take together. */
  readonly connectMillisMax: number
  /** From the written request to the headers of its answer. */
  readonly headersMillisMax: number
  /** From the headers to the end of the answer. */
  readonly bodyMillisMax: number
  /** How long a connection may have been idle to carry a money call. */
  readonly moneyIdleMillisMax: number
  /** How long an idle connection for lookups is kept. */
  readonly lookupIdleMillisMax: number
  /** The largest body that is read, in bytes. */
  readonly responseBytesMax: number
}

/** The defaults. */
export const settingsDefault: Settings = {
  connectionsMax: 50,
  connectionWaitMillisMax: 3_000,
  connectMillisMax: 10_000,
  headersMillisMax: 30_000,
  bodyMillisMax: 25_000,
  moneyIdleMillisMax: 4_000,
  lookupIdleMillisMax: 30_000,
  responseBytesMax: 64 * 1_024
}

/** The provider, or something in front of it, answered. */
export interface Replied {
  readonly _tag: "Replied"
  readonly status: number
  readonly body: string
}

/** Provably not one byte of the request was written. `isOurFault`: it never can be, as it is. */
export interface NotSent {
  readonly _tag: "NotSent"
  readonly isOurFault: boolean
  readonly detail: string
}

/** The request was written, in part at least, and no whole answer came. */
export interface Lost {
  readonly _tag: "Lost"
  readonly detail: string
}

/** How a call ended. */
export type Reply = Replied | NotSent | Lost

/** A failure before anything was written, by the error's code and the system call that failed, if one did. */
export interface UnsentCause {
  readonly code: string | RegExp
  readonly syscall: string | null
  readonly note: string
}

/** Every cause that is believed; what is not listed is `Lost` even when nothing seems to have been written. */
export const unsentCauses: ReadonlyArray<UnsentCause> = [
  { code: "ECONNREFUSED", syscall: "connect", note: "nobody listens" },
  { code: "EHOSTUNREACH", syscall: "connect", note: "no way to the host" },
  { code: "ENETUNREACH", syscall: "connect", note: "no way to the network" },
  { code: "ETIMEDOUT", syscall: "connect", note: "the system gave up connecting" },
  { code: "UND_ERR_CONNECT_TIMEOUT", syscall: null, note: "we gave up connecting" },
  { code: "ECONNRESET", syscall: "connect", note: "reset before the system told us that we were connected" },
  { code: "ENOTFOUND", syscall: "getaddrinfo", note: "no such name" },
  { code: "EAI_AGAIN", syscall: "getaddrinfo", note: "the name could not be looked up" },
  {
    code: "ECONNRESET",
    syscall: null,
    note: "closed during the TLS handshake"
  },
  {
    code: "ECONNRESET",
    syscall: "read",
    note: "reset during the TLS handshake; nothing else is read before a request"
  },
  { code: "EPROTO", syscall: "write", note: "TLS handshake" },
  { code: /^ERR_(SSL|TLS)_/, syscall: null, note: "TLS handshake" },
  {
    code: /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_CERT_IN_CHAIN$|DEPTH_ZERO_SELF_SIGNED_CERT$|HOSTNAME_MISMATCH$|INVALID_CA$)/,
    syscall: null,
    note: "the certificate is not accepted"
  },
  { code: "UND_ERR_CLOSED", syscall: null, note: "this client is closing" },
  { code: "UND_ERR_DESTROYED", syscall: null, note: "this client is closed" }
]

const ErrorFields = Schema.Struct({
  code: Schema.optionalKey(Schema.String),
  syscall: Schema.optionalKey(Schema.String)
})
const decodeErrorFields = Schema.decodeUnknownOption(ErrorFields)

interface Cause {
  readonly code: string | null
  readonly syscall: string | null
}

// Never the message or the error itself: both may quote what was sent.
const causeOf = (error: unknown): Cause => {
  const decoded = decodeErrorFields(error)
  return decoded._tag === "Some"
    ? { code: decoded.value.code ?? null, syscall: decoded.value.syscall ?? null }
    : { code: null, syscall: null }
}

const isUnsentCause = (error: unknown): boolean => {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isUnsentCause)
  const { code, syscall } = causeOf(error)
  return (
    code !== null &&
    unsentCauses.some(
      (listed) =>
        listed.syscall === syscall && (typeof listed.code === "string" ? listed.code === code : listed.code.test(code))
    )
  )
}

const describe = (error: unknown): string => {
  const { code, syscall } = causeOf(error)
  const name = code ?? (error instanceof Error ? error.name : "unknown error")
  return syscall === null ? name : `${name} on ${syscall}`
}

const notSent = (detail: string, isOurFault = false): NotSent => ({ _tag: "NotSent", isOurFault, detail })
const lost = (detail: string): Lost => ({ _tag: "Lost", detail })

/** What a transport failure means. `isStarted`: the request had begun to be written. */
export const fromTransportError = (error: unknown, isStarted: boolean): NotSent | Lost => {
  const detail = describe(error)
  if (isStarted) return lost(`${detail} after the request was begun`)
  if (error instanceof DispatchDeadlinePassed) return notSent("the dispatch deadline had passed")
  if (causeOf(error).code === "UND_ERR_INVALID_ARG") return notSent("the request cannot be written as it is", true)
  return isUnsentCause(error) ? notSent(`${detail} before anything was sent`) : lost(detail)
}

/** The request reached its turn too late. */
class DispatchDeadlinePassed extends Error {
  override readonly name = "DispatchDeadlinePassed"
}

/** The answer took too long as a whole, however busily it arrived. */
class AnswerTooSlow extends Error {
  override readonly name = "AnswerTooSlow"
}

/** No headers came in time. */
class HeadersTooSlow extends Error {
  override readonly name = "HeadersTooSlow"
}

/** Nobody waits for the answer any more. */
class Unwanted extends Error {
  override readonly name = "Unwanted"
}

/** The driver began to write the same request again. */
class WrittenTwice extends Error {
  override readonly name = "WrittenTwice"
}

const isPassed = (clock: Clock.Clock, deadline: DispatchDeadline): boolean =>
  Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli >= deadline.monotonicMillis ||
  clock.currentTimeMillisUnsafe() >= deadline.wallMillis

const nanosPerMilli = 1_000_000

/** How much longer than it should connecting may take before the driver is no longer trusted to end it. */
const connectSlackMillis = 2_000

/** One place of a pool: at most one connection, carrying at most one call. */
interface Place {
  connection: Connection | null
  idleSince: Moment
}

// The monotonic clock stands still while the machine sleeps, the wall clock may be set back: whichever shows more is true.
interface Moment {
  readonly monotonicMillis: number
  readonly wallMillis: number
}
const moment = (): Moment => ({ monotonicMillis: performance.now(), wallMillis: Date.now() })
const millisSince = (past: Moment): number =>
  Math.max(performance.now() - past.monotonicMillis, Date.now() - past.wallMillis)

interface PoolOptions {
  readonly origin: string
  readonly settings: Settings
  readonly idleMillisMax: number
}

/** A fixed number of places, taken last in, first out, so that the warmest connection is reused. */
class Pool {
  readonly #options: PoolOptions
  readonly #free: Array<Place>
  readonly #places: ReadonlyArray<Place>
  readonly #waiting = new Set<(place: Place) => void>()
  #isClosed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#places = Array.from({ length: options.settings.connectionsMax }, () => ({
      connection: null,
      idleSince: moment()
    }))
    this.#free = [...this.#places]
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Gives a place at once or later; the returned function stops waiting. */
  take(use: (place: Place) => void): () => void {
    const free = this.#free.pop()
    if (free !== undefined) {
      use(free)
      return () => {}
    }
    this.#waiting.add(use)
    return () => void this.#waiting.delete(use)
  }

  give(place: Place, isSound: boolean): void {
    if (!isSound) this.#drop(place)
    place.idleSince = moment()
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      next(place)
      return
    }
    this.#free.push(place)
  }

  connectionOf(place: Place): Connection {
    const { idleMillisMax, origin, settings } = this.#options
    if (millisSince(place.idleSince) >= idleMillisMax) this.#drop(place)
    place.connection ??= new Connection(origin, {
      pipelining: 1,
      allowH2: false,
      connectTimeout: settings.connectMillisMax,
      // Ours, per exchange: the driver's timers tick twice a second, and all answers lost in between would end at one
      // moment. To a breaker that counts calls, such a row of failures looks like an outage.
      headersTimeout: 0,
      bodyTimeout: settings.bodyMillisMax,
      keepAliveTimeout: idleMillisMax,
      keepAliveMaxTimeout: idleMillisMax,
      maxResponseSize: settings.responseBytesMax
    })
    return place.connection
  }

  #drop(place: Place): void {
    const { connection } = place
    place.connection = null
    // Its own callbacks may still be on the stack.
    if (connection !== null) setImmediate(() => connection.destroy().catch(() => {}))
  }

  /** Waits for the calls in flight, which their timeouts bound, and closes every connection. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(
      this.#places.map(async (place) => {
        await place.connection?.close().catch(() => {})
      })
    )
  }
}

/** What a call needs besides its body. */
export interface CallOptions {
  /** Until when its request may begin to be written; null where money cannot move. */
  readonly dispatchBefore: DispatchDeadline | null
}

/** The provider's API as seven calls; none of them fails. */
export interface Client {
  /** Runs to its end even if the caller is interrupted: what was sent cannot be taken back. */
  readonly send: <E extends Exclude<Endpoint, "order" | "status">>(
    endpoint: E,
    body: Bodies[E],
    options: CallOptions
  ) => Effect.Effect<Reply>
  /** Moves nothing; an interrupted caller cuts the connection. */
  readonly look: <E extends "order" | "status">(endpoint: E, body: Bodies[E]) => Effect.Effect<Reply>
}

/** Where the API is and how we are known there. */
export interface Access {
  /** Such as `https://open-api.kakaopay.com`; a path in it is put before every call's. */
  readonly baseUrl: URL
  readonly secretKey: Redacted.Redacted
}

/** What stands in an answer where it quoted the secret key. */
const hidden = "<redacted>"

/** Follows one request through the driver and resumes its caller exactly once. */
class Exchange implements Dispatcher.DispatchHandler {
  #isStarted = false
  #isCut = false
  #status = 0
  #timer: ReturnType<typeof setTimeout>
  #headersTimer: ReturnType<typeof setTimeout> | undefined
  #controller: Dispatcher.DispatchController | undefined
  readonly #chunks: Array<Buffer> = []
  readonly #isTooLate: (() => boolean) | null
  readonly #settings: Settings
  readonly #end: (reply: Reply) => void

  constructor(options: {
    readonly isTooLate: (() => boolean) | null
    readonly settings: Settings
    /** Ends a request that never begins; the driver goes on connecting to a server that only hangs up. */
    readonly giveUp: () => void
    readonly end: (reply: Reply) => void
  }) {
    this.#isTooLate = options.isTooLate
    this.#settings = options.settings
    this.#timer = setTimeout(options.giveUp, options.settings.connectMillisMax + connectSlackMillis)
    this.#end = options.end
  }

  /** Nobody wants the answer any more: cuts the connection, now or when the request is about to begin. */
  cut(): void {
    this.#isCut = true
    this.#controller?.abort(new Unwanted())
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#isStarted) return controller.abort(new WrittenTwice())
    if (this.#isCut) return controller.abort(new Unwanted())
    if (this.#isTooLate?.() === true) return controller.abort(new DispatchDeadlinePassed())
    this.#isStarted = true
    this.#controller = controller
    const { bodyMillisMax, headersMillisMax } = this.#settings
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => controller.abort(new AnswerTooSlow()), headersMillisMax + bodyMillisMax)
    this.#headersTimer = setTimeout(() => controller.abort(new HeadersTooSlow()), headersMillisMax)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    clearTimeout(this.#headersTimer)
    this.#status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer)
    this.#end({ _tag: "Replied", status: this.#status, body: Buffer.concat(this.#chunks).toString("utf8") })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#headersTimer)
    this.#end(fromTransportError(error, this.#isStarted))
  }
}

/** Opens two pools for as long as the scope lives. */
export const make = (access: Access, settings: Settings = settingsDefault): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { origin } = access.baseUrl
    const secretKey = Redacted.value(access.secretKey)
    // Gateways quote requests in their error pages, and what an answer says is logged and stored.
    const withoutSecret = (reply: Reply): Reply =>
      reply._tag === "Replied" && secretKey !== ""
        ? { ...reply, body: reply.body.replaceAll(secretKey, hidden) }
        : reply
    const prefix = access.baseUrl.pathname.replace(/\/+$/, "")
    const openPool = (idleMillisMax: number) =>
      Effect.acquireRelease(
        Effect.sync(() => new Pool({ origin, settings, idleMillisMax })),
        (pool) => Effect.promise(() => pool.close())
      )
    const moneyPool = yield* openPool(settings.moneyIdleMillisMax)
    const lookupPool = yield* openPool(settings.lookupIdleMillisMax)

    const post = (pool: Pool, endpoint: Endpoint, body: unknown, { dispatchBefore }: CallOptions) =>
      Effect.flatMap(Clock.Clock, (clock) =>
        Effect.callback<Reply>((resume) => {
          const isTooLate = dispatchBefore === null ? null : () => isPassed(clock, dispatchBefore)
          if (isTooLate?.() === true) return resume(Effect.succeed(notSent("the dispatch deadline had passed")))
          let exchange: Exchange | undefined
          let waiting: ReturnType<typeof setTimeout> | undefined
          let isTaken = false
          const stopWaiting = pool.take((place) => {
            isTaken = true
            clearTimeout(waiting)
            if (pool.isClosed) {
              pool.give(place, true)
              return resume(Effect.succeed(notSent("this client is closed")))
            }
            const connection = pool.connectionOf(place)
            exchange = new Exchange({
              isTooLate,
              settings,
              giveUp: () => void connection.destroy().catch(() => {}),
              end: (reply) => {
                pool.give(place, reply._tag === "Replied")
                resume(Effect.succeed(withoutSecret(reply)))
              }
            })
            connection.dispatch(
              {
                method: "POST",
                path: `${prefix}${paths[endpoint]}`,
                headers: {
                  authorization: `SECRET_KEY ${secretKey}`,
                  "content-type": "application/json",
                  accept: "application/json"
                },
                body: JSON.stringify(body)
              },
              exchange
            )
          })
          if (!isTaken) {
            waiting = setTimeout(() => {
              stopWaiting()
              resume(Effect.succeed(notSent("no connection was free in time")))
            }, settings.connectionWaitMillisMax)
          }
          return Effect.sync(() => {
            clearTimeout(waiting)
            stopWaiting()
            exchange?.cut()
          })
        })
      )

    return {
      send: (endpoint, body, options) => Effect.uninterruptible(post(moneyPool, endpoint, body, options)),
      look: (endpoint, body) => post(lookupPool, endpoint, body, { dispatchBefore: null })
    }
  })
