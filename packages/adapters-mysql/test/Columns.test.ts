/**
 * How ids stand in columns.
 *
 * @since 0.1.0
 */
import { assert, describe, it } from "@effect/vitest"
import { randomUUID } from "node:crypto"
import { fromBytes, toBytes } from "../src/internal/Columns.ts"

describe("ids", () => {
  it("are read as they were written, whatever their digits", () => {
    for (const id of [
      ...Array.from({ length: 256 }, () => randomUUID()),
      `01234567-89ab-7cde-8f${"f".repeat(2)}-${"0".repeat(12)}`
    ]) {
      const bytes = toBytes(id)
      assert.strictEqual(Buffer.from(bytes).toString("hex"), id.replaceAll("-", ""))
      assert.strictEqual(fromBytes(bytes), id)
      assert.deepStrictEqual(toBytes(id.toUpperCase()), bytes)
    }
  })

  it("are refused when they are none, since they would name another row", () => {
    const id = randomUUID()
    const [head, tail] = [id.slice(0, -1), id.slice(1)]
    for (const wrong of ["", head, `${id}0`, `g${tail}`, `${head}-`, `${head}\u{ff10}`, `${head} `, "0".repeat(31)]) {
      assert.throws(() => toBytes(wrong), /not a UUID/)
    }
  })
})
