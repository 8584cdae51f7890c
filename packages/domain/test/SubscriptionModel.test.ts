import { assert, describe, it } from "@effect/vitest"
import { type RunReport, runSubscriptionModel } from "../src/testing/SubscriptionModel.ts"
import { inJson, inMemory } from "./DomainSystem.ts"
import { mutants } from "./SubscriptionMutants.ts"

const inMemoryRuns = 500
const inJsonRuns = 200
const mutantRunsMax = 3_000
/** A fixed seed: whether a mutant is caught or a refusal is seen must not depend on the day. */
const fixedSeed = 20_260_115

const seed = process.env["PILLIVERY_SEED"]
const seeded = seed === undefined ? {} : { seed: Number(seed) }

const print = (what: string, { commands, runs, seed }: RunReport) =>
  console.log(`${what}: the model held in ${runs} random runs of ${commands} commands, seed ${seed}`)

describe("the domain does as the model", () => {
  it("with its rows in a variable", async () => {
    print("in memory", await runSubscriptionModel(inMemory(), { ...seeded, numRuns: inMemoryRuns }))
  })

  it("with nothing kept but the rows as JSON", async () => {
    print("in JSON", await runSubscriptionModel(inJson, { ...seeded, numRuns: inJsonRuns }))
  })

  it("through every command, carried out and refused", async () => {
    const report = await runSubscriptionModel(inMemory(), { seed: fixedSeed, numRuns: inMemoryRuns })
    print("in memory", report)
    const owners = ["skip", "postpone", "pause", "changeQuantity", "changePeriod", "replaceKey"]
    const expected = [
      ...owners.flatMap((name) =>
        ["accepted", "PaymentInProgress", "SubscriptionTransitionDenied"].map((answer) => `${name}: ${answer}`)
      ),
      ...["resume", "cancel"].flatMap((name) => [`${name}: accepted`, `${name}: SubscriptionTransitionDenied`]),
      ...["bill", "endPause"].flatMap((name) => [`${name}: accepted`, `${name}: NothingDue`]),
      ...["skip: SkipLimitReached", "postpone: PostponeInvalid", "postpone: CycleTransitionDenied"],
      ...["pause: PauseInvalid", "replaceKey: BillingKeyUnusable"],
      ...["answer: accepted", "answer: AttemptTransitionDenied"]
    ]
    assert.deepStrictEqual(Object.keys(report.answers).toSorted(), expected.toSorted())
  })
})

describe("the model catches it when", () => {
  for (const { name, perform, says } of mutants) {
    it(name, async () => {
      const caught = await runSubscriptionModel(inMemory(perform), { seed: fixedSeed, numRuns: mutantRunsMax }).then(
        () => assert.fail("the model held"),
        (error: unknown) => String(error)
      )
      assert.match(caught.split("\n")[0] ?? "", says)
    })
  }
})

describe("a run that fails", () => {
  it("says how to run it again, and fails again in the same way", async () => {
    const [mutant] = mutants
    const system = inMemory(mutant?.perform)
    const fails = (options: Parameters<typeof runSubscriptionModel>[1]) =>
      runSubscriptionModel(system, options).then(
        () => assert.fail("the model held"),
        (error: unknown) => (error instanceof Error ? error.message : "")
      )
    const first = await fails({ seed: fixedSeed })
    const path = /path: "([^"]+)"/.exec(first)?.[1] ?? ""
    const replayPath = /replayPath="([^"]+)"/.exec(first)?.[1] ?? ""
    const again = await fails({ seed: fixedSeed, path, replayPath })
    assert.strictEqual(again.split("\n")[0], first.split("\n")[0])
  })
})
