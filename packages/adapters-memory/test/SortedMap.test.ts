import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as SortedMap from "../src/internal/SortedMap.ts"

const Change = Schema.Struct({
  key: Schema.Literals(["", "a", "aa", "ab", "b", "c", "ca", "d", "e", "f", "g", "h", "가", "나"]),
  value: Schema.Int,
  isRemoved: Schema.Boolean
})

const entriesOf = (map: SortedMap.SortedMap<number>, from = ""): Array<readonly [string, number]> => {
  const entries: Array<readonly [string, number]> = []
  SortedMap.forEachFrom(map, from, (value, key) => entries.push([key, value]) > 0)
  return entries
}

/** How deep the tree is. */
const depthOf = (map: SortedMap.SortedMap<number>): number =>
  map === null ? 0 : 1 + Math.max(depthOf(map.left), depthOf(map.right))

const apply = (changes: ReadonlyArray<typeof Change.Type>) => {
  let map: SortedMap.SortedMap<number> = null
  const model = new Map<string, number>()
  for (const { isRemoved, key, value } of changes) {
    map = isRemoved ? SortedMap.remove(map, key) : SortedMap.set(map, key, value)
    if (isRemoved) model.delete(key)
    else model.set(key, value)
  }
  return { map, sorted: [...model].sort(([self], [that]) => (self < that ? -1 : 1)) }
}

describe("SortedMap", () => {
  it.prop("holds what a map holds, in the order of its keys", [Schema.Array(Change)], ([changes]) => {
    const { map, sorted } = apply(changes)
    assert.deepStrictEqual(entriesOf(map), sorted)
    assert.strictEqual(SortedMap.size(map), sorted.length)
    for (const key of Change.fields.key.literals) {
      assert.strictEqual(SortedMap.get(map, key), new Map(sorted).get(key))
      assert.strictEqual(SortedMap.rank(map, key), sorted.filter(([other]) => other < key).length)
      assert.deepStrictEqual(
        entriesOf(map, key),
        sorted.filter(([other]) => other >= key)
      )
    }
    for (let position = -1; position <= sorted.length; position++) {
      assert.strictEqual(SortedMap.at(map, position), sorted[position]?.[1])
    }
  })

  it.prop("leaves the map it was made from as it was", [Schema.Array(Change), Change], ([changes, change]) => {
    const { map, sorted } = apply(changes)
    SortedMap.set(map, change.key, change.value)
    SortedMap.remove(map, change.key)
    assert.deepStrictEqual(entriesOf(map), sorted)
  })

  it("stops visiting when it is told to", () => {
    const { map } = apply(
      ["a", "b", "c", "d"].map((key) => ({ key, value: 1, isRemoved: false }) as typeof Change.Type)
    )
    const visited: Array<string> = []
    SortedMap.forEachFrom(map, "b", (_, key) => visited.push(key) < 2)
    assert.deepStrictEqual(visited, ["b", "c"])
  })

  it("stays flat while keys come and go in order", () => {
    const count = 20_000
    const keyOf = (index: number) => String(index).padStart(6, "0")
    let map: SortedMap.SortedMap<number> = null
    for (let index = 0; index < count; index++) map = SortedMap.set(map, keyOf(index), index)
    for (let index = 0; index < count - 1_000; index++) map = SortedMap.remove(map, keyOf(index))
    assert.strictEqual(SortedMap.size(map), 1_000)
    assert.isAtMost(depthOf(map), 25)
    assert.strictEqual(SortedMap.at(map, 0), count - 1_000)
  })
})
