import { assert, describe, it } from "vitest"
import { Clock, Duration, Effect } from "effect"
import { Chance } from "../Chance.ts"
import { VirtualTime } from "../VirtualTime.ts"

const begin = (seed = 1) => new VirtualTime(0, new Chance(seed, "test"))
const fork = <A, E>(time: VirtualTime, effect: Effect.Effect<A, E>) =>
  Effect.runFork(Effect.provideService(effect, Clock.Clock, time), { scheduler: time })

describe("VirtualTime", () => {
  it("wakes sleepers in the order of time, and those of one moment in the order they fell asleep", () => {
    const time = begin()
    const woken: Array<string> = []
    const sleep = (name: string, millis: number) =>
      fork(
        time,
        Effect.andThen(
          Effect.sleep(millis),
          Effect.sync(() => woken.push(`${name} at ${time.currentTimeMillisUnsafe()}`))
        )
      )
    for (const [name, millis] of [
      ["c", 30],
      ["a", 10],
      ["d", 30],
      ["b", 20],
      ["later", 500]
    ] as const)
      sleep(name, millis)
    time.runUntil(100)
    assert.deepStrictEqual(woken, ["a at 10", "b at 20", "c at 30", "d at 30"])
    assert.strictEqual(time.currentTimeMillisUnsafe(), 100)
  })

  it("forgets who was interrupted", () => {
    const time = begin()
    const fiber = fork(time, Effect.sleep("1 second"))
    fiber.interruptUnsafe()
    time.runUntil(0)
    assert.isDefined(fiber.pollUnsafe())
  })

  it("moves the wall clock at once, and the monotonic one not", () => {
    const time = begin()
    let wokenAt = 0
    fork(
      time,
      Effect.andThen(
        Effect.sleep(1_000),
        Effect.sync(() => (wokenAt = time.currentTimeMillisUnsafe()))
      )
    )
    time.runUntil(10)
    time.move(5_000)
    assert.strictEqual(time.currentTimeMillisUnsafe(), 5_010)
    assert.strictEqual(time.monotonicTimeNanosUnsafe(), 10_000_000n)
    time.runUntil(5_010)
    assert.strictEqual(wokenAt, 5_010)
  })

  it("draws the next task from the seed", () => {
    const orderOf = (seed: number): string => {
      const time = begin(seed)
      let order = ""
      for (const name of "abcdefgh")
        fork(
          time,
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => (order += name))
          )
        )
      time.runUntil(0)
      return order
    }
    assert.strictEqual(orderOf(1), orderOf(1))
    assert.strictEqual([...orderOf(1)].sort().join(""), "abcdefgh")
    assert.isAbove(new Set([1, 2, 3, 4, 5].map(orderOf)).size, 1)
  })

  it("lets an endless sleeper sleep", () => {
    const time = begin()
    const fiber = fork(time, Effect.sleep(Duration.infinity))
    time.runUntil(1_000_000_000)
    assert.isUndefined(fiber.pollUnsafe())
  })
})

describe("Chance", () => {
  it("draws the same row for the same seed and name, and another for another name", () => {
    const row = (seed: number, name: string) => {
      const chance = new Chance(seed, name)
      return Array.from({ length: 5 }, () => chance.below(1_000))
    }
    assert.deepStrictEqual(row(1, "a"), row(1, "a"))
    assert.notDeepEqual(row(1, "a"), row(1, "b"))
    assert.notDeepEqual(row(1, "a"), row(2, "a"))
  })

  it("stays within its bounds and reaches them", () => {
    const chance = new Chance(3, "bounds")
    const drawn = new Set(Array.from({ length: 500 }, () => chance.between(2, 5)))
    assert.deepStrictEqual([...drawn].sort(), [2, 3, 4, 5])
    const weighed = Array.from({ length: 1_000 }, () =>
      chance.weighed([
        [1, "rare"],
        [9, "often"]
      ] as const)
    )
    const rare = weighed.filter((name) => name === "rare").length
    assert.isTrue(rare > 50 && rare < 200, `${rare}`)
  })
})
