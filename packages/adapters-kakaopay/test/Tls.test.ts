/**
 * Real TLS: what breaks before the handshake is over was not sent, what breaks after it may have been.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { certificate } from "./certificate.ts"
import { answersOf } from "./Child.ts"
import * as Provider from "./Provider.ts"

const nothing = () => {}
const approvalText = JSON.stringify(Provider.approval({ sid: Provider.sid }))
const answering = (socket: Socket) => void socket.write(Provider.http("200 OK", approvalText))

/** Where the test's certificate is a file that a process can be told to trust. */
const trusted = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "pillivery-certificate-"))
    writeFileSync(join(folder, "certificate.pem"), certificate.cert)
    return folder
  }),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
).pipe(Effect.map((folder) => ({ NODE_EXTRA_CA_CERTS: join(folder, "certificate.pem") })))

describe("a certificate", () => {
  it.live("that nobody vouches for is not accepted: nothing is sent", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, { tls: certificate, onText: answering })
      const strategy = yield* Provider.makeStrategy(`https://127.0.0.1:${server.port}`)
      const answer = yield* Provider.charge(strategy)
      assert.strictEqual(answer._tag === "NotExecuted" ? answer.why : answer._tag, "local")
      assert.include(answer._tag === "NotExecuted" ? answer.detail : "", "DEPTH_ZERO_SELF_SIGNED_CERT")
      assert.strictEqual(server.text, "")
    })
  )

  it.live("that is trusted and names the host is accepted, and one for another host is not", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, { tls: certificate, onText: answering })
      const [named, other] = yield* answersOf(
        [`https://127.0.0.1:${server.port}`, `https://localhost:${server.port}`],
        yield* trusted
      )
      assert.strictEqual(named?.["charge"]?.["_tag"], "Approved")
      assert.deepInclude(other?.["charge"], { _tag: "NotExecuted", why: "local" })
      assert.include(server.text, "POST /online/v1/payment/subscription")
      assert.notInclude(server.text, "localhost")
    })
  )
})

describe("a server that refuses us", () => {
  // In version 1.3 the client ends its handshake before the server has judged it: the request is under way by then.
  for (const { version, expected } of [
    { version: "TLSv1.2", expected: { _tag: "NotExecuted", why: "local" } },
    { version: "TLSv1.3", expected: { _tag: "Unknown" } }
  ] as const) {
    it.live(`for want of a certificate of ours over ${version} is answered ${expected._tag}`, () =>
      Effect.gen(function* () {
        const server = yield* Provider.brokenServer(nothing, {
          tls: {
            ...certificate,
            requestCert: true,
            rejectUnauthorized: true,
            minVersion: version,
            maxVersion: version
          },
          onText: answering
        })
        const [answers] = yield* answersOf([`https://127.0.0.1:${server.port}`], yield* trusted)
        assert.deepInclude(answers?.["charge"], expected)
        assert.strictEqual(server.text, "")
      })
    )
  }

  it.live("right after the handshake leaves us in doubt", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer((socket) => socket.destroy(), { tls: certificate })
      const [answers] = yield* answersOf([`https://127.0.0.1:${server.port}`], yield* trusted)
      assert.deepInclude(answers?.["charge"], { _tag: "Unknown" })
    })
  )
})
