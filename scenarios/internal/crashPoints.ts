/**
 * Kills its own process at a named point of the charging protocol; loaded before the program with `node --import`.
 *
 * Nothing of it is in the program: it looks at what passes through the database driver, and listens to what the HTTP
 * client tells on Node's diagnostics channels. `PILLIVERY_CRASH_POINT` names the point.
 *
 * **Details**
 *
 * The intent is what is written before the call that moves money, the record what is written after its answer. A signal
 * that cannot be caught ends the process inside the call that announces the point: nothing after it runs, and what was
 * handed to the kernel before it is still sent.
 *
 * @since 0.1.0
 */
import { channel } from "node:diagnostics_channel"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const wanted = process.env["PILLIVERY_CRASH_POINT"] ?? ""

/** How long the provider is let work before the process dies waiting, in milliseconds. */
const workingMillis = 300

const at = (point: string): void => {
  if (point === wanted) process.kill(process.pid, "SIGKILL")
}

const tables = "(?:attempt|billing_key|billing_cycle|orders|refund|subscription_order)"
/** A write of one row, or of several at once from a table of values. */
const moneyTables = new RegExp(
  `^\\s*(?:INSERT INTO|UPDATE)\\s+\`?${tables}\`?\\s|^\\s*UPDATE\\b[^]*\\bSTRAIGHT_JOIN ${tables} t\\b`,
  "i"
)
const moneyPaths = /\/(?:approve|subscription|cancel|inactive)(?:\?|$)/

let phase: "intent" | "record" | "over" = "intent"

/** What a connection has done since its transaction began. */
interface Work {
  isInTransaction: boolean
  writes: number
  /** Whether it sends something: an attempt, a refund, or a key that is to be retired. */
  isSending: boolean
  claimedEvents: number
}

const nothing = (): Work => ({ isInTransaction: false, writes: 0, isSending: false, claimedEvents: 0 })
const works = new WeakMap<object, Work>()
const workOf = (connection: object): Work => {
  const work = works.get(connection) ?? nothing()
  works.set(connection, work)
  return work
}

const affectedBy = (result: unknown): number =>
  typeof result === "object" && result !== null && "affectedRows" in result ? Number(result.affectedRows) : 0

const isPhase = ({ isSending, writes }: Work): boolean => (phase === "record" ? writes > 0 : isSending)

const started = (work: Work, query: string, values: ReadonlyArray<unknown>): void => {
  if (moneyTables.test(query)) {
    work.writes++
    if (values.includes("Sent") || values.includes("Retiring")) work.isSending = true
    if (phase !== "over" && work.writes === 1) at(`before the ${phase}`)
    if (phase !== "over" && work.writes === 2) at(`in the middle of the ${phase}`)
  }
  if (/^\s*COMMIT/i.test(query) && phase !== "over" && isPhase(work)) {
    const name = phase
    at(`before the ${name} is committed`)
    setImmediate(() => at(`while the ${name} is committed`))
  }
  if (/^\s*UPDATE outbox SET state = 'done'/i.test(query)) at("before a delivery is noted")
}

const committed = (work: Work): void => {
  if (work.claimedEvents > 0) at("after an event is claimed")
  if (phase === "over" || !isPhase(work)) return
  at(`after the ${phase} is committed`)
  if (phase === "record") phase = "over"
}

const ended = (connection: object, query: string, result: unknown): void => {
  const work = workOf(connection)
  if (/^\s*UPDATE outbox SET claim = \?/i.test(query)) work.claimedEvents += affectedBy(result)
  if (/^\s*UPDATE outbox SET state = 'done'/i.test(query)) at("after a delivery is noted")
  if (/^\s*BEGIN/i.test(query)) works.set(connection, { ...nothing(), isInTransaction: true })
  else if (/^\s*COMMIT/i.test(query) || !work.isInTransaction) {
    committed(work)
    works.set(connection, nothing())
  } else if (/^\s*ROLLBACK/i.test(query)) works.set(connection, nothing())
}

type Callback = (error: unknown, result: unknown, ...rest: ReadonlyArray<unknown>) => void
type Run = (this: object, ...args: Array<unknown>) => unknown

const textOf = (statement: unknown): string | null => {
  if (typeof statement === "string") return statement
  const isNamed = typeof statement === "object" && statement !== null && "sql" in statement
  return isNamed && typeof statement.sql === "string" ? statement.sql : null
}

// The pool passes an empty list beside a statement that brings its own values.
const valuesOf = ([statement, values]: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  if (Array.isArray(values) && values.length > 0) return values
  const isNamed = typeof statement === "object" && statement !== null && "values" in statement
  return isNamed && Array.isArray(statement.values) ? statement.values : []
}

// The driver's own announcements do not say on which connection a statement runs, so its two methods are wrapped.
const require = createRequire(import.meta.url)
const Connection = require(join(dirname(require.resolve("mysql2")), "lib/base/connection.js")) as {
  readonly prototype: Record<"execute" | "query", Run>
}
for (const method of ["execute", "query"] as const) {
  const run = Connection.prototype[method]
  Connection.prototype[method] = function (...args) {
    const text = textOf(args[0])
    const callback = args.at(-1)
    // What is asked for without a callback, to set a connection up for example, is passed on as it is.
    if (text === null || typeof callback !== "function") return run.apply(this, args)
    started(workOf(this), text, valuesOf(args))
    const noted: Callback = (error, result, ...rest) => {
      if (error === null || error === undefined) ended(this, text, result)
      callback(error, result, ...rest)
    }
    return run.apply(this, [...args.slice(0, -1), noted])
  }
}

const onMoneyCall = (name: string, act: () => void): void =>
  channel(name).subscribe((message) => {
    const { request } = message as { readonly request: { readonly path: string; readonly method: string } }
    if (request.method === "POST" && moneyPaths.test(request.path)) act()
  })

onMoneyCall("undici:client:sendHeaders", () => at("before the first byte of the request"))
onMoneyCall("undici:request:bodySent", () => {
  at("after the request is written")
  setTimeout(() => at("while the provider works"), workingMillis)
})
onMoneyCall("undici:request:headers", () => at("when the answer begins"))
onMoneyCall("undici:request:trailers", () => {
  at("when the answer is complete")
  phase = "record"
})
