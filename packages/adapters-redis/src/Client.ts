/**
 * One connection to Redis, as Effect's `Redis` service over ioredis.
 *
 * Redis only makes us fast, so a Redis that is gone must answer quickly too. A command is sent at most once, and never
 * after its caller gave up: it waits for the connection for a bounded time, fails at once while Redis is known to be
 * down, and is not sent again when the connection breaks under it. Reconnecting goes on in the background, so that a
 * Redis that is back serves the next command.
 *
 * @since 0.1.0
 */
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Config, Deferred, Effect, Exit, Layer, Redacted, Result, Schema, type Scope } from "effect"
import * as Redis from "effect/persistence/Redis"
import { Redis as IoRedis, type RedisOptions } from "ioredis"

/** How long to try to open a connection, and how long a command waits for one, in milliseconds. */
export const connectTimeoutMillisDefault = 1_000
/** How long a command that was sent waits for its answer, in milliseconds. */
export const commandTimeoutMillisDefault = 1_000
/** The longest pause between two tries to reconnect, in milliseconds: how soon a Redis that is back is noticed. */
export const reconnectDelayMillisMax = 500
/** How many commands may wait for a connection or an answer; one more fails at once instead of filling the memory. */
export const pendingCommandsMax = 10_000
/** Precedes every key unless told otherwise, so that a Redis can be shared. */
export const keyPrefixDefault = "pillivery:"

const reconnectDelayMillisMin = 50
const loadingPollMillis = 200
const portDefault = 6_379
/** The connection is given up when nothing at all arrives for this many command timeouts while answers are awaited. */
const silentTimeoutsMax = 2

/** Where Redis is and how long to wait for it. */
export interface Options {
  /** `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. */
  readonly url: Redacted.Redacted
  readonly connectTimeoutMillis?: number
  readonly commandTimeoutMillis?: number
}

/** The URL does not name a Redis. It may hold a password, so it is not repeated. */
export class RedisUrlInvalid extends Schema.TaggedError<RedisUrlInvalid>("@pillivery/adapters-redis/RedisUrlInvalid")(
  "RedisUrlInvalid",
  {}
) {
  override get message() {
    return "the Redis URL must look like redis://user:password@host:6379/0, with rediss:// for TLS"
  }
}

/** The command never left: there was no connection in time, or too many commands were waiting. */
export class NotSent extends Schema.TaggedError<NotSent>("@pillivery/adapters-redis/NotSent")("NotSent", {
  cause: Schema.Defect()
}) {
  override get message() {
    return "Redis cannot be reached"
  }
}

/** The command left and its answer never came: it may have been carried out. */
export class AnswerLost extends Schema.TaggedError<AnswerLost>("@pillivery/adapters-redis/AnswerLost")("AnswerLost", {
  reason: Schema.Literals(["timedOut", "disconnected"]),
  cause: Schema.Defect()
}) {
  override get message() {
    return this.reason === "timedOut" ? "Redis did not answer in time" : "the connection broke before Redis answered"
  }
}

/** Refusals of a Redis that is starting, failing over or out of disk: it did nothing and may do it a little later. */
const passingRefusals = ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "MISCONF"]

const storageReason = (cause: unknown, access: "read" | "write"): StorageError["reason"] => {
  if (cause instanceof NotSent) return "unavailable"
  if (cause instanceof AnswerLost) {
    if (access === "write") return "outcomeUnknown"
    return cause.reason === "timedOut" ? "timedOut" : "unavailable"
  }
  const refused = cause instanceof Error && passingRefusals.some((code) => cause.message.startsWith(`${code} `))
  return refused ? "unavailable" : "failed"
}

/**
 * Translates a failure of Redis for the ports that keep something in it.
 *
 * **Details**
 *
 * Redis gone is `unavailable`. A write whose answer was lost is `outcomeUnknown`: it may have happened.
 */
export const toStorageError =
  (operation: string, access: "read" | "write") =>
  (error: Redis.RedisError): StorageError =>
    new StorageError({ operation, reason: storageReason(error.cause, access), cause: error.cause })

const notSent = (cause: unknown): Redis.RedisError => new Redis.RedisError({ cause: new NotSent({ cause }) })

/** An error reply is kept as it is, since `Redis.make` recognises NOSCRIPT in it. */
const afterSending = (cause: unknown): Redis.RedisError => {
  if (cause instanceof Error && cause.name === "ReplyError") return new Redis.RedisError({ cause })
  const reason = cause instanceof Error && cause.message === "Command timed out" ? "timedOut" : "disconnected"
  return new Redis.RedisError({ cause: new AnswerLost({ reason, cause }) })
}

const databaseOf = (pathname: string): number | undefined => {
  const digits = /^\/?(\d{0,4})$/.exec(pathname)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

const addressOf = (text: string): Result.Result<RedisOptions, RedisUrlInvalid> => {
  const url = URL.parse(text)
  const isTls = url?.protocol === "rediss:"
  const db = databaseOf(url?.pathname ?? "")
  if (url === null || !(isTls || url.protocol === "redis:") || url.hostname === "" || db === undefined) {
    return Result.fail(new RedisUrlInvalid())
  }
  if (url.search !== "" || url.hash !== "") return Result.fail(new RedisUrlInvalid())
  return Result.try({
    try: () => ({
      host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: url.port === "" ? portDefault : Number(url.port),
      db,
      ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
      ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
      ...(isTls ? { tls: {} } : {})
    }),
    catch: () => new RedisUrlInvalid()
  })
}

/** Options with replies as they have always been, which the library's types want to see. */
type ClientOptions = RedisOptions & { readonly replyMapping: "legacy" }

/** Spelled out where the library's own defaults would wait for minutes or send a command twice. */
const clientOptions = (address: RedisOptions, options: Required<Omit<Options, "url">>): ClientOptions => ({
  ...address,
  replyMapping: "legacy",
  lazyConnect: true,
  connectionName: "pillivery",
  connectTimeout: options.connectTimeoutMillis,
  disconnectTimeout: options.connectTimeoutMillis,
  commandTimeout: options.commandTimeoutMillis,
  socketTimeout: options.commandTimeoutMillis * silentTimeoutsMax,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  maxLoadingRetryTime: loadingPollMillis,
  retryStrategy: (times) => Math.min(reconnectDelayMillisMin * 2 ** (times - 1), reconnectDelayMillisMax),
  // After a failover the old primary refuses writes; a new connection finds the new one.
  reconnectOnError: (error) => error.message.startsWith("READONLY")
})

const close = (client: IoRedis) => Effect.sync(() => client.disconnect())

const open = (client: IoRedis) => Effect.tryPromise({ try: () => client.connect(), catch: notSent })

// What is sent in one turn of the event loop leaves as one packet.
const sendTogether = ({ stream }: IoRedis): void => {
  stream.cork()
  setImmediate(() => stream.uncork())
}

const isWritable = (client: IoRedis): boolean => client.status === "ready" && client.stream.writable

/** Sends on a connection of whatever state; `NotSent` when it cannot be written to. */
const sendNow =
  (client: IoRedis) =>
  <A = unknown>(command: string, ...args: ReadonlyArray<string>): Effect.Effect<A, Redis.RedisError> =>
    Effect.suspend(() => {
      if (!isWritable(client)) {
        return Effect.fail(notSent(new Error(`the connection is in state ${client.status}`)))
      }
      sendTogether(client)
      return Effect.tryPromise({ try: () => client.call(command, ...args) as Promise<A>, catch: afterSending })
    })

/** The connection that everybody shares, and an effect that waits until it can be used. */
const shared = Effect.fnUntraced(function* (options: ClientOptions, waitMillis: number) {
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  /** Done when the try to connect that is under way succeeds or fails. */
  let attempt = Deferred.makeUnsafe<void, Redis.RedisError>()
  /** Why the last try failed, while no connection has succeeded since. */
  let down: Redis.RedisError | undefined
  let lastError: unknown = new Error("connection closed")
  const client = new IoRedis(options)

  const onReady = () => {
    if (down !== undefined) runFork(Effect.logInfo("Redis is back"))
    down = undefined
    Deferred.doneUnsafe(attempt, Exit.void)
  }
  const onClose = () => {
    const error = notSent(lastError)
    const wasConnected = !Deferred.doneUnsafe(attempt, Exit.fail(error))
    if (!wasConnected && down === undefined) runFork(Effect.logWarning("Redis cannot be reached", lastError))
    if (!wasConnected) down = error
    attempt = Deferred.makeUnsafe()
  }
  client.on("error", (error) => {
    lastError = error
  })
  client.on("ready", onReady)
  client.on("close", onClose)

  yield* Effect.acquireRelease(
    // The first try goes on in the background: a server starts without Redis as well.
    Effect.sync(() => void client.connect().catch(() => undefined)),
    () =>
      Effect.sync(() => {
        down = notSent(new Error("the client is closed"))
        client.off("ready", onReady).off("close", onClose).disconnect()
        Deferred.doneUnsafe(attempt, Exit.fail(down))
      })
  )

  const awaitConnection = Effect.suspend(() => {
    if (isWritable(client)) return Effect.void
    if (down !== undefined) return Effect.fail(down)
    return Effect.timeoutOrElse(Deferred.await(attempt), {
      duration: waitMillis,
      orElse: () => Effect.fail(notSent(new Error(`no connection within ${waitMillis} ms`)))
    })
  })
  return { client, awaitConnection }
})

/** Sends on the shared connection once there is one; bounds how many commands wait. */
const sendBounded = (client: IoRedis, awaitConnection: Effect.Effect<void, Redis.RedisError>) => {
  let pending = 0
  const sendUnbounded = sendNow(client)
  return <A = unknown>(command: string, ...args: ReadonlyArray<string>): Effect.Effect<A, Redis.RedisError> =>
    Effect.suspend(() => {
      if (pending >= pendingCommandsMax) return Effect.fail(notSent(new Error(`${pending} commands are waiting`)))
      pending++
      return awaitConnection.pipe(
        Effect.andThen(sendUnbounded<A>(command, ...args)),
        Effect.ensuring(
          Effect.sync(() => {
            pending--
          })
        )
      )
    })
}

/** A connection of its own for blocking commands: no answer is late, and a broken one is not opened again. */
const reservable = (options: ClientOptions) =>
  Effect.suspend(() => {
    const client = new IoRedis({ ...options, commandTimeout: undefined, socketTimeout: undefined, retryStrategy: null })
    client.on("error", () => undefined)
    return open(client).pipe(
      Effect.as({ send: sendNow(client), close: close(client) }),
      Effect.onExit((exit) => (Exit.isFailure(exit) ? close(client) : Effect.void))
    )
  })

/** A connection of its own that subscribes again whenever it comes back. */
const subscribe = (options: ClientOptions) =>
  Effect.fnUntraced(function* (
    channel: string,
    onMessage: (message: Redis.RedisMessage) => void
  ): Effect.fn.Return<Effect.Effect<never>, Redis.RedisError, Scope.Scope> {
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => new IoRedis({ ...options, socketTimeout: undefined, autoResubscribe: true })),
      close
    )
    client.on("error", () => undefined)
    client.on("message", (from: string, message: string) => onMessage({ channel: from, message }))
    yield* open(client)
    yield* Effect.tryPromise({ try: () => client.subscribe(channel), catch: afterSending })
    return Effect.never
  })

const make = Effect.fnUntraced(function* (options: Options) {
  const { url, ...rest } = options
  const timeouts = {
    connectTimeoutMillis: connectTimeoutMillisDefault,
    commandTimeoutMillis: commandTimeoutMillisDefault,
    ...rest
  }
  const address = yield* Effect.fromResult(addressOf(Redacted.value(url)))
  const forClients = clientOptions(address, timeouts)
  const { client, awaitConnection } = yield* shared(forClients, timeouts.connectTimeoutMillis)
  return yield* Redis.make({
    send: sendBounded(client, awaitConnection),
    connect: reservable(forClients),
    subscribe: subscribe(forClients)
  })
})

/**
 * Effect's `Redis` service on the Redis of the URL, until the scope ends.
 *
 * **Details**
 *
 * A command answers within the connect timeout plus the command timeout, whatever Redis does; at once while Redis is
 * known to be down. Building it does not need Redis to be there.
 */
export const layer = (options: Options): Layer.Layer<Redis.Redis, RedisUrlInvalid> =>
  Layer.effect(Redis.Redis, make(options))

/** `layer` with the URL of `PILLIVERY_REDIS_URL`. */
export const layerConfig: Layer.Layer<Redis.Redis, RedisUrlInvalid | Config.ConfigError> = Layer.unwrap(
  Effect.map(Config.Redacted("PILLIVERY_REDIS_URL"), (url) => layer({ url }))
)
