import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { paths } from "../src/wire/Requests.ts"
import { answersOf } from "./Child.ts"
import * as Provider from "./Provider.ts"

/** The process's own idea of the instant that the provider calls 2024-07-30T20:51:00 would be another one in each of them. */
const zones = ["UTC", "Asia/Seoul", "America/New_York"]

describe("dates of the provider", () => {
  for (const zone of zones) {
    it.live(`are Korean in every answer to a process that lives in ${zone}`, () =>
      Effect.gen(function* () {
        const server = yield* Provider.scriptedServer
        server.answerAt(paths.ready, Provider.ready())
        server.answerAt(paths.approve, Provider.approval())
        server.answerAt(
          paths.subscription,
          Provider.approval({ sid: Provider.sid, approved_at: "2024-11-03T01:30:00" })
        )
        server.answerAt(paths.cancel, Provider.cancel())
        server.answerAt(paths.order, Provider.order())
        server.answerAt(paths.inactive, { sid: Provider.sid, status: "INACTIVE" })
        server.answerAt(paths.status, Provider.status({ last_approved_at: "2025-01-01T00:00:00" }))
        const [answers] = yield* answersOf([server.url], { TZ: zone })
        assert.deepStrictEqual(
          {
            expiresAt: answers?.["prepare"]?.["expiresAt"],
            approvedAt: answers?.["approve"]?.["approvedAt"],
            chargedAt: answers?.["charge"]?.["approvedAt"],
            refundedAt: answers?.["refund"]?.["at"],
            foundAt: answers?.["lookupPayment"]?.["approvedAt"],
            lastApprovedAt: answers?.["lookupBillingKey"]?.["lastApprovedAt"]
          },
          {
            expiresAt: "2024-07-30T12:05:27.000Z",
            approvedAt: "2024-07-30T11:51:00.000Z",
            chargedAt: "2024-11-02T16:30:00.000Z",
            refundedAt: "2024-07-30T12:03:45.000Z",
            foundAt: "2024-07-30T11:51:01.000Z",
            lastApprovedAt: "2024-12-31T15:00:00.000Z"
          }
        )
      })
    )
  }
})
