/**
 * The provider of a scenario: the KakaoPay simulator in a process of its own, reached over loopback, and its control API.
 *
 * Its ledger is the truth that a scenario is judged by.
 */
import { ApprovalToken, type TransactionId } from "@pillivery/domain/Provider"
import { Data, Effect, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { Agent, request } from "node:http"
import { join } from "node:path"
import { root } from "../../scripts/internal/Workspace.ts"

const startMillisMax = 30_000
const controlMillisMax = 30_000
const controlConnectionsMax = 50
const controlAgainMax = 3
const announcement = /listening on (http:\/\/\S+)/

/** The provider did not start, or its control API refused something. */
export class ProviderFailed extends Data.TaggedError("ProviderFailed")<{ readonly detail: string }> {
  override get message(): string {
    return this.detail
  }
}

const Customer = Schema.Struct({ pgToken: Schema.String })
const Added = Schema.Struct({ id: Schema.String })
const Received = Schema.Struct({ receivedCount: Schema.Int })

const Ledger = Schema.Struct({
  entries: Schema.Array(
    Schema.Struct({
      kind: Schema.Literals(["capture", "refund"]),
      partnerOrderId: Schema.String,
      amount: Schema.Int
    })
  ),
  entryCount: Schema.Int
})
/** Money that moved: `partnerOrderId` is the id of the attempt. */
export type LedgerEntry = (typeof Ledger.Type)["entries"][number]

const Calls = Schema.Struct({
  calls: Schema.Array(
    Schema.Struct({
      receivedAtMillis: Schema.Finite,
      fields: Schema.Record(Schema.String, Schema.Unknown),
      executed: Schema.Boolean
    })
  ),
  callCount: Schema.Int
})
/** A call that the provider received. */
export type Call = (typeof Calls.Type)["calls"][number]

/** What a fault does, as the control API takes it. */
export interface FaultRule {
  readonly kind: "slow" | "gateway-504" | "timeout-after"
  readonly endpoint: "approve"
  readonly skip?: number
  readonly rate?: number
  readonly seed?: number
  readonly delayMillis?: number
}

interface ControlCall {
  readonly agent: Agent
  readonly method: string
  readonly url: URL
  readonly body: string
}

// By `node:http` and not by `fetch`, which would take as much time as the approval that is measured.
const send = (call: ControlCall, again = controlAgainMax): Promise<string> =>
  new Promise((resolve, reject) => {
    const { agent, body, method, url } = call
    const sent = request(url, { agent, method, timeout: controlMillisMax }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => (text += chunk))
      response.once("error", reject)
      response.once("end", () => {
        const { statusCode = 0 } = response
        if (statusCode >= 200 && statusCode < 300) resolve(text)
        else reject(new Error(`${method} ${url.pathname} answered ${statusCode}: ${text}`))
      })
    })
    sent.once("timeout", () => sent.destroy(new Error(`${method} ${url.pathname} took too long`)))
    sent.once("error", (error) => {
      // An idle connection that the server closed just before it was used again: nothing was read from it.
      const isClosedIdle = sent.reusedSocket && "code" in error && error.code === "ECONNRESET"
      if (isClosedIdle && again > 0) resolve(send(call, again - 1))
      else reject(error)
    })
    sent.end(body)
  })

const urlOf = (child: ChildProcess): Effect.Effect<string, ProviderFailed> =>
  Effect.callback<string, ProviderFailed>((resume) => {
    let output = ""
    child.stdout?.on("data", (chunk: Buffer) => {
      output += String(chunk)
      const url = announcement.exec(output)?.[1]
      if (url !== undefined) resume(Effect.succeed(url))
    })
    child.once("exit", (code) =>
      resume(Effect.fail(new ProviderFailed({ detail: `the simulator ended with ${code}` })))
    )
  }).pipe(
    Effect.timeoutOrElse({
      duration: startMillisMax,
      orElse: () => Effect.fail(new ProviderFailed({ detail: "the simulator did not start in time" }))
    })
  )

const stop = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGTERM")
  })

/** Starts the simulator; it stops with the scope. */
export const start = Effect.fn("Provider.start")(function* (options: { readonly seed: number }) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(
        process.execPath,
        [
          "--conditions=@pillivery/source",
          join(root, "packages/kakaopay-simulator/src/main.ts"),
          "--port",
          "0",
          "--seed",
          String(options.seed)
        ],
        { env: { PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "pipe", "inherit"] }
      )
    ),
    stop
  )
  const url = yield* urlOf(child)
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Agent({ keepAlive: true, maxSockets: controlConnectionsMax })),
    (open) => Effect.sync(() => open.destroy())
  )

  const control = <A, I>(schema: Schema.Codec<A, I>, method: string, path: string, body?: unknown) =>
    Effect.tryPromise({
      try: async () => {
        const text = await send({
          agent,
          method,
          url: new URL(`/control${path}`, url),
          body: JSON.stringify(body) ?? ""
        })
        return text === "" ? null : JSON.parse(text)
      },
      catch: (cause) => new ProviderFailed({ detail: String(cause) })
    }).pipe(
      Effect.flatMap((answer: unknown) => Schema.decodeUnknownEffect(schema)(answer)),
      Effect.catchTag("SchemaError", (error) => Effect.fail(new ProviderFailed({ detail: error.message })))
    )

  return {
    url,
    /** Does at the provider what the customer does there; answers what the browser brings back. */
    approveAsCustomer: (transactionId: TransactionId) =>
      control(Customer, "POST", `/customers/${transactionId}/approve`).pipe(
        Effect.map(({ pgToken }) => ApprovalToken.make(pgToken))
      ),
    addFault: (rule: FaultRule) => Effect.map(control(Added, "POST", "/faults", rule), ({ id }) => id),
    removeFault: (id: string) => control(Schema.Null, "DELETE", `/faults/${id}`),
    /** Every call of an endpoint, oldest first; the scenario must make fewer than the simulator keeps. */
    calls: (endpoint: "approve") =>
      Effect.map(control(Calls, "GET", `/calls?endpoint=${endpoint}`), ({ calls }) => calls),
    /** How many calls of any endpoint there were. */
    receivedCount: Effect.map(control(Received, "GET", "/calls?tid=none"), ({ receivedCount }) => receivedCount),
    ledger: Effect.flatMap(control(Ledger, "GET", "/ledger"), ({ entries, entryCount }) =>
      entries.length === entryCount
        ? Effect.succeed(entries)
        : Effect.fail(new ProviderFailed({ detail: `the ledger shows ${entries.length} of ${entryCount} entries` }))
    )
  }
})
/** The running simulator. */
export type Provider = Effect.Success<ReturnType<typeof start>>
