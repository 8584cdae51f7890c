/**
 * The provider's dates: Korean wall-clock time, written without a zone.
 *
 * `2024-07-30T20:50:27` means 11:50:27 UTC, whatever zone this process runs in. Korea has kept UTC+9 without daylight
 * saving since 1988, so the offset is a constant and no time zone database is asked.
 *
 * @since 0.1.0
 */
import { DateTime, Schema, SchemaTransformation } from "effect"

const koreaOffset = "+09:00"
const koreaOffsetMillis = 9 * 60 * 60_000
const pattern = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?$/
const secondsTextLength = "2024-07-30T20:50:27".length

const koreanText = (epochMillis: number): string =>
  new Date(epochMillis + koreaOffsetMillis).toISOString().slice(0, secondsTextLength)

/** The instant a text names in milliseconds since 1970 UTC; null for anything that is not a date of the provider's. */
export const toEpochMillis = (text: string): number | null => {
  const seconds = pattern.exec(text)?.[1]
  if (seconds === undefined) return null
  const epochMillis = Date.parse(`${seconds}${koreaOffset}`)
  // February 30th parses as March 1st; only what reads back the same is a date.
  return Number.isFinite(epochMillis) && koreanText(epochMillis) === seconds ? epochMillis : null
}

const isKoreanTime = Schema.makeFilter((text: string) => toEpochMillis(text) !== null)

/** A date of the provider's as an instant of second precision. */
export const KoreanTime = Schema.String.check(isKoreanTime).pipe(
  Schema.decodeTo(
    Schema.DateTimeUtc,
    SchemaTransformation.transform({
      decode: (text) => DateTime.makeUnsafe(toEpochMillis(text) ?? Number.NaN),
      encode: (at) => koreanText(at.epochMilliseconds)
    })
  )
)
