import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result, Schema } from "effect"
import { afterEach } from "vitest"
import { KoreanTime } from "../src/wire/KoreanTime.ts"

const decode = Schema.decodeUnknownResult(KoreanTime)
const encode = Schema.encodeSync(KoreanTime)

const zone = process.env["TZ"]
afterEach(() => {
  if (zone === undefined) delete process.env["TZ"]
  else process.env["TZ"] = zone
})

const zones = ["UTC", "Asia/Seoul", "America/New_York", "Pacific/Apia", "Europe/Berlin"]

describe("KoreanTime", () => {
  for (const each of zones) {
    it(`is nine hours ahead of UTC in a process that lives in ${each}`, () => {
      process.env["TZ"] = each
      // The second and third do not exist or exist twice in Berlin and New York.
      for (const [text, utc] of [
        ["2024-07-30T20:50:27", "2024-07-30T11:50:27.000Z"],
        ["2024-03-31T02:30:00", "2024-03-30T17:30:00.000Z"],
        ["2024-11-03T01:30:00", "2024-11-02T16:30:00.000Z"],
        ["2025-01-01T00:00:00", "2024-12-31T15:00:00.000Z"],
        ["2024-02-29T23:59:59", "2024-02-29T14:59:59.000Z"]
      ] as const) {
        const at = Result.getOrThrow(decode(text))
        assert.strictEqual(DateTime.formatIso(at), utc)
        assert.strictEqual(encode(at), text)
      }
    })
  }

  it("has second precision, whatever follows", () => {
    assert.strictEqual(
      DateTime.formatIso(Result.getOrThrow(decode("2024-07-30T20:50:27.999"))),
      "2024-07-30T11:50:27.000Z"
    )
  })

  it("refuses what is no date of the provider's", () => {
    for (const text of [
      "",
      "2024-07-30",
      "2024-07-30 20:50:27",
      "2024-02-30T00:00:00",
      "2023-02-29T00:00:00",
      "2024-07-30T24:00:00",
      "2024-07-30T23:60:00",
      "2024-13-01T00:00:00",
      "2024-07-30T20:50:27Z",
      "2024-07-30T20:50:27+09:00",
      "１",
      20_240_730
    ]) {
      assert.isTrue(Result.isFailure(decode(text)), String(text))
    }
  })
})
