import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Progress from "../src/internal/Progress.ts"

const wide = 200
const charged = { _tag: "Sent", result: "charged", isOurs: false } as const

describe("the bar", () => {
  it("says how far it is, how fast, and how long it will take", () => {
    assert.strictEqual(
      Progress.lineOf({ done: 500, total: 2_000, elapsedMillis: 10_000 }, wide),
      "██████░░░░░░░░░░░░░░░░░░ 25 %  500 of 2000  50/s  0:30 left"
    )
    assert.include(Progress.lineOf({ done: 10, total: 36_610, elapsedMillis: 1_000 }, wide), "1:01:00 left")
  })

  it("knows nothing of the time before the first, and is full without any", () => {
    assert.include(Progress.lineOf({ done: 0, total: 10, elapsedMillis: 0 }, wide), "0 of 10  0/s  ? left")
    assert.include(Progress.lineOf({ done: 0, total: 0, elapsedMillis: 0 }, wide), "100 %")
  })

  it("never says more than everything, when more came than was there at the start", () => {
    const line = Progress.lineOf({ done: 12, total: 10, elapsedMillis: 1_000 }, wide)
    assert.include(line, "100 %  12 of 10  12/s  0:00 left")
  })

  it("is no wider than the terminal", () => {
    for (const columns of [0, 1, 20, 40]) {
      assert.isAtMost([...Progress.lineOf({ done: 1, total: 2, elapsedMillis: 1 }, columns)].length, columns)
    }
  })
})

describe("a run's progress", () => {
  it.effect("is drawn at most ten times a second, and once more at the end", () =>
    Effect.gen(function* () {
      const drawn: Array<string> = []
      const progress = yield* Progress.make(100, { columns: wide, write: (text) => void drawn.push(text) })
      for (let cycle = 0; cycle < 99; cycle++) {
        yield* progress.note(charged)
        yield* TestClock.adjust("10 millis")
      }
      assert.strictEqual(drawn.length, 10)
      yield* progress.note(charged)
      assert.include(drawn.at(-1), "100 of 100")
      yield* progress.erase
      assert.strictEqual(drawn.at(-1), "\r\u001b[K")
    })
  )

  it.effect("does not count what is still owed", () =>
    Effect.gen(function* () {
      const drawn: Array<string> = []
      const progress = yield* Progress.make(2, { columns: wide, write: (text) => void drawn.push(text) })
      yield* progress.note({ _tag: "Postponed", reason: "", isOurs: false })
      yield* TestClock.adjust("1 second")
      yield* progress.note({ _tag: "NotDue", reason: "" })
      yield* TestClock.adjust("1 second")
      yield* progress.note({ _tag: "KeyLost" })
      assert.include(drawn.at(-1), "1 of 2")
    })
  )

  it.effect("is not drawn without a terminal", () =>
    Effect.gen(function* () {
      const progress = yield* Progress.make(1, null)
      yield* progress.note(charged)
      yield* progress.erase
    })
  )
})
