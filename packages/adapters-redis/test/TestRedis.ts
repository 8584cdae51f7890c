/**
 * The Redis servers of the tests: the shared one of the run, and private ones to stop, freeze and start again.
 */
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { Data, Effect, Layer, Redacted, Schedule, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Client from "../src/Client.ts"

const readyPollMillis = 25
const readyTriesMax = 400

const urlOfRun = process.env["PILLIVERY_TEST_REDIS_URL"] ?? ""
if (urlOfRun === "") {
  throw new Error(
    "PILLIVERY_TEST_REDIS_URL is not set: run `npm test`, which starts a Redis, or name one of your own, " +
      "e.g. PILLIVERY_TEST_REDIS_URL=redis://127.0.0.1:6379"
  )
}

/** The Redis of this run. */
export const url = Redacted.make(urlOfRun)

/** Keeps the keys of one test file of one run to themselves. */
export const keyPrefix = `pillivery-test:${randomUUID()}:`

/** A connection of its own to the Redis of this run. */
export const client = Layer.suspend(() => Client.layer({ url }))

/** Ids from which the contract suites make fresh data. */
export const ids = Layer.succeed(IdGenerator, { next: Effect.sync(() => randomUUID()) })

/** What went wrong with a server of a test. */
export class TestRedisError extends Data.TaggedError("TestRedisError")<{ readonly message: string }> {}

/** A Redis that belongs to one test. */
export interface PrivateRedis {
  readonly url: Redacted.Redacted
  /** Starts it on its port with the data it has, and waits until it answers. */
  readonly start: Effect.Effect<void, TestRedisError>
  /** Ends it politely and waits until its process is gone. */
  readonly stop: Effect.Effect<void>
  /** Ends it without asking. */
  readonly kill: Effect.Effect<void>
  /** Stops answering without closing anything, until `thaw`. */
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
}

const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(address === null || typeof address === "string" ? 0 : address.port)))
  })
})

const answers = (port: number) =>
  Effect.callback<boolean>((resume) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"))
    const finish = (isReady: boolean) => () => {
      socket.destroy()
      resume(Effect.succeed(isReady))
    }
    socket.once("error", finish(false))
    socket.once("close", finish(false))
    socket.once("data", (chunk) => finish(chunk.toString().startsWith("+PONG"))())
  })

const ended = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
  })

/** A stopped Redis with an append-only file in a temporary folder; its process and folder are gone after the scope. */
export const privateRedis: Effect.Effect<PrivateRedis, never, Scope.Scope> = Effect.gen(function* () {
  const port = yield* freePort
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "pillivery-redis-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  let child: ChildProcess | undefined
  const signal = (name: NodeJS.Signals) => Effect.sync(() => void child?.kill(name))
  const end = (name: NodeJS.Signals) =>
    Effect.suspend(() => {
      if (child === undefined) return Effect.void
      child.kill(name)
      // A frozen process ends only when it wakes up.
      child.kill("SIGCONT")
      return ended(child)
    })
  const stop = end("SIGTERM")
  yield* Effect.addFinalizer(() => stop)
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes"]
  const start = Effect.gen(function* () {
    const started = spawn("redis-server", args, { stdio: "ignore" })
    let failure: Error | undefined
    started.once("error", (error) => {
      failure = error
    })
    child = started
    process.once("exit", () => started.kill("SIGKILL"))
    for (let tries = 0; tries < readyTriesMax; tries++) {
      if (failure !== undefined) return yield* new TestRedisError({ message: `redis-server: ${failure.message}` })
      if (yield* answers(port)) return
      yield* Effect.sleep(readyPollMillis)
    }
    return yield* new TestRedisError({ message: "redis-server did not answer" })
  })
  return {
    url: Redacted.make(`redis://127.0.0.1:${port}`),
    start,
    stop,
    kill: end("SIGKILL"),
    freeze: signal("SIGSTOP"),
    thaw: signal("SIGCONT")
  }
})

/** A private Redis that is running. */
export const runningRedis = Effect.tap(privateRedis, (redis) => redis.start)

/** How an effect ended and how long that took. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const started = performance.now()
    const result = yield* Effect.result(effect)
    return { result, millis: performance.now() - started }
  })

/** Tries until the effect succeeds, for about five seconds. */
export const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { times: 100, schedule: Schedule.spaced("50 millis") })
