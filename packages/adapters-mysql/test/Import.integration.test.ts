/** Reading a large catalogue in: in flat memory, and twice without a change. */
import { assert, it } from "@effect/vitest"
import { importItems, type Line } from "@pillivery/application/Catalogue/ImportItems"
import { CatalogueChanges } from "@pillivery/application/ports/CatalogueChanges"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { ItemId } from "@pillivery/domain/Ids"
import { Effect, Layer, Result, Stream } from "effect"
import { createHash } from "node:crypto"
import { layer } from "./TestDatabase.ts"

const linesCount = 5_000
const heapMebibytesMax = 96
const bytesPerMebibyte = 1_048_576

const quiet = Layer.succeed(CatalogueChanges, { announce: Effect.void, subscribe: Effect.succeed(Stream.never) })

const idOf = (key: string): ItemId =>
  ItemId.make(
    createHash("sha256")
      .update(key)
      .digest("hex")
      .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-8$3-8$4-$5")
  )

it.layer(Layer.merge(layer(), quiet), { excludeTestServices: true, timeout: "120 seconds" })(
  "a large catalogue",
  (it) => {
    it.effect(`of ${linesCount} lines is read in flat memory, and again without a change`, () =>
      Effect.gen(function* () {
        let highest = 0
        const start = process.memoryUsage().heapUsed
        const lines = Stream.range(1, linesCount).pipe(
          Stream.map((number): Line => {
            if (number % 1_000 === 0) highest = Math.max(highest, process.memoryUsage().heapUsed - start)
            const record = {
              key: `key ${number}`,
              productName: `루테인 지아잔틴 플러스 ${number}`,
              brand: `브랜드 ${number % 50}`,
              originPrice: 10_000 + number,
              mainFunction: "눈 건강에 도움을 줄 수 있음",
              intake: "섭취를 중단하고 전문가와 상담하십시오. ".repeat(20)
            }
            return { number, record: Result.succeed(record) }
          })
        )
        const counts = { lines: linesCount, updated: 0, refused: 0, reports: [] }
        assert.deepStrictEqual(yield* importItems(lines, idOf), { ...counts, created: linesCount, unchanged: 0 })
        assert.deepStrictEqual(yield* importItems(lines, idOf), { ...counts, created: 0, unchanged: linesCount })
        assert.strictEqual(yield* (yield* ItemRepository).count, linesCount)
        assert.isBelow(highest / bytesPerMebibyte, heapMebibytesMax)
      })
    )
  }
)
