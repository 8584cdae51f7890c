import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { remembered, rememberedMax } from "../src/Remembered.ts"
import { law } from "./Laws.ts"

const isShort = (text: string) => text.length < 3

describe("remembered", () => {
  law("answers what the check itself answers, in whatever order", [fc.array(fc.string({ maxLength: 5 }))], (texts) => {
    const check = remembered(isShort)
    for (const text of [...texts, ...texts, "", ...texts.toReversed()]) assert.strictEqual(check(text), isShort(text))
  })

  it("does not ask again about a text it found valid, and always about one it did not", () => {
    let asked = 0
    const check = remembered((text) => {
      asked += 1
      return isShort(text)
    })
    for (const text of ["ab", "ab", "ab", "abc", "abc"]) check(text)
    assert.strictEqual(asked, 3)
  })

  it("has not seen the empty text before it was asked", () => {
    assert.isFalse(remembered((text) => text.length > 0)(""))
  })

  it("forgets the text whose place another one takes", () => {
    let asked = 0
    const check = remembered(() => {
      asked += 1
      return true
    })
    const alike = String.fromCharCode("a".charCodeAt(0) + rememberedMax)
    for (const text of ["a", alike, "a"]) check(text)
    assert.strictEqual(asked, 3)
  })
})
