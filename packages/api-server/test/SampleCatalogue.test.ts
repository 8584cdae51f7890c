import { assert, describe, it } from "@effect/vitest"
import { CategoryName } from "@pillivery/domain/Category"
import * as Item from "@pillivery/domain/Item"
import { Schema } from "effect"
import { sampleCatalogue } from "../src/SampleCatalogue.ts"

/** Enough of each kind for a page to be filled. */
const itemsMin = 60
const itemsOfCategoryMin = 5

describe("sampleCatalogue", () => {
  it("has enough items, and enough of every category", () => {
    assert.isAtLeast(sampleCatalogue.length, itemsMin)
    for (const name of CategoryName.literals) {
      const items = sampleCatalogue.filter((item) => item.categories.includes(name))
      assert.isAtLeast(items.length, itemsOfCategoryMin, name)
    }
  })

  it("has valid items, each with its own id and name", () => {
    assert.isTrue(sampleCatalogue.every(Schema.is(Item.Item)))
    assert.strictEqual(new Set(sampleCatalogue.map((item) => item.id)).size, sampleCatalogue.length)
    assert.strictEqual(
      new Set(sampleCatalogue.map((item) => item.information.productName)).size,
      sampleCatalogue.length
    )
  })

  it("keeps its ids, so that yesterday's orders name the same items today", () => {
    assert.strictEqual(sampleCatalogue[0]?.id, "01941f29-7c00-7000-8000-000000000001")
    assert.isTrue(sampleCatalogue.every((item) => Schema.is(Schema.String.check(Schema.isUUID(7)))(item.id)))
  })

  it("has a text for every field of the label", () => {
    for (const { information } of sampleCatalogue) {
      for (const [field, text] of Object.entries(information)) assert.match(String(text), /\S/, field)
    }
  })

  it("has items at a discount and items without one", () => {
    const onSale = sampleCatalogue.filter(Item.isOnSale).length
    assert.isTrue(onSale >= 20 && sampleCatalogue.length - onSale >= 10)
  })
})
