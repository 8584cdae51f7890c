/**
 * The first look at the domain that packages/domain/README.md gives: amounts that refuse, dates that follow from a policy.
 *
 * @since 0.1.0
 */
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as DunningPolicy from "@pillivery/domain/DunningPolicy"
import * as Won from "@pillivery/domain/Won"
import * as Result from "effect/Result"
import assert from "node:assert/strict"

const price = Won.Won.make(30_000)
assert.equal(Result.getOrThrow(Won.multiply(price, 2)), 60_000)
assert.ok(Result.isFailure(Won.subtract(price, Won.Won.make(30_001))))

const policy = DunningPolicy.DunningPolicy.make({ ladderDays: [1, 3, 5], finalAction: "pause" })
const declinedOn = BusinessDate.BusinessDate.make("2026-11-23")
assert.deepEqual(DunningPolicy.nextRetry(policy, declinedOn, declinedOn), { on: "2026-11-24", step: 1 })
assert.equal(DunningPolicy.lastDay(policy, declinedOn), "2026-11-28")
