/**
 * Calendar dates of business: days in Asia/Seoul.
 *
 * Whatever is due is due on a Korean calendar date, wherever the server stands. Korea has kept +09:00 without summer
 * time since 1988, so the conversion is a fixed offset and needs no time zone data. Dates order as their text does.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { remembered } from "./Remembered.ts"

const millisPerDay = 86_400_000
const kstOffsetMillis = 9 * 3_600_000

/** The first date that can be named. */
export const dateMin = "2000-01-01"
/** The last date that can be named. */
export const dateMax = "2199-12-31"

const shape = /^\d{4}-\d{2}-\d{2}$/

const isCalendarDate = remembered((text) => {
  if (!shape.test(text) || text < dateMin || text > dateMax) return false
  const month = digitsAt(text, 5)
  const day = digitsAt(text, 8)
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(yearOf(text), month)
})

/** A date of the Gregorian calendar in Asia/Seoul, `yyyy-mm-dd`, from {@link dateMin} to {@link dateMax}. */
export const BusinessDate = Schema.String.check(
  Schema.makeFilter(isCalendarDate, { expected: "a calendar date yyyy-mm-dd between 2000-01-01 and 2199-12-31" })
).pipe(Schema.brand("BusinessDate"))
export type BusinessDate = typeof BusinessDate.Type

/** A date outside {@link dateMin} to {@link dateMax}; `date` says which. */
export class BusinessDateOutOfRange extends Schema.TaggedError<BusinessDateOutOfRange>(
  "@pillivery/domain/BusinessDate/BusinessDateOutOfRange"
)("BusinessDateOutOfRange", { date: Schema.String }) {
  override get message() {
    return `${this.date} is not between ${dateMin} and ${dateMax}`
  }
}

/** The Korean date at an instant; clamped to {@link dateMin} and {@link dateMax}. */
export const fromInstant = (at: DateTime.Utc): BusinessDate =>
  clamped(Math.floor((at.epochMilliseconds + kstOffsetMillis) / millisPerDay))

/** The instant at which a date begins in Korea, plus `minutes` into the day. */
export const instantAt = (date: BusinessDate, minutes = 0): DateTime.Utc =>
  DateTime.makeUnsafe(toDayNumber(date) * millisPerDay - kstOffsetMillis + minutes * 60_000)

/** Minutes since midnight in Korea at an instant, 0 to 1439. */
export const minuteOfDay = (at: DateTime.Utc): number => {
  const millis = at.epochMilliseconds + kstOffsetMillis
  return Math.floor((millis - Math.floor(millis / millisPerDay) * millisPerDay) / 60_000)
}

/** The date `days` later, earlier when negative, which is a whole number of days; clamped to {@link dateMin} and {@link dateMax}. */
export const addDays = (self: BusinessDate, days: number): BusinessDate => clamped(toDayNumber(self) + days)

/** Days from `self` to `that`; negative when `that` is earlier. */
export const daysUntil = (self: BusinessDate, that: BusinessDate): number => toDayNumber(that) - toDayNumber(self)

/** The first day of the month `self` lies in. */
export const firstOfMonth = (self: BusinessDate): BusinessDate =>
  clamped(dayNumberOf(yearOf(self), digitsAt(self, 5), 1))

/** The first day of the month after the one `self` lies in. */
export const firstOfNextMonth = (self: BusinessDate): BusinessDate => {
  const year = yearOf(self)
  const month = digitsAt(self, 5)
  const first = month === 12 ? dayNumberOf(year + 1, 1, 1) : dayNumberOf(year, month + 1, 1)
  return clamped(first)
}

/** The later of two dates. */
export const max = (self: BusinessDate, that: BusinessDate): BusinessDate => (self < that ? that : self)

/** Reads a date, refusing what names no day. */
export const parse = (text: string): Result.Result<BusinessDate, BusinessDateOutOfRange> =>
  isCalendarDate(text)
    ? Result.succeed(text as BusinessDate)
    : Result.fail(new BusinessDateOutOfRange({ date: text.slice(0, 40) }))

// Days since 1970-01-01 of a proleptic Gregorian date, and back, by whole-number arithmetic on 400-year eras.
function dayNumberOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function toDayNumber(date: BusinessDate): number {
  return dayNumberOf(yearOf(date), digitsAt(date, 5), digitsAt(date, 8))
}

// The number written with two digits at `index`. Dates are read and written far more often than anything else here.
function digitsAt(text: string, index: number): number {
  return text.charCodeAt(index) * 10 + text.charCodeAt(index + 1) - 528
}

function yearOf(text: string): number {
  return digitsAt(text, 0) * 100 + digitsAt(text, 2)
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function clamped(dayNumber: number): BusinessDate {
  return fromDayNumber(Math.min(dayNumberMax, Math.max(dayNumberMin, dayNumber))) as BusinessDate
}

function fromDayNumber(dayNumber: number): string {
  const shifted = dayNumber + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${year}-${month < 10 ? "0" : ""}${month}-${day < 10 ? "0" : ""}${day}`
}

const dayNumberMin = dayNumberOf(2000, 1, 1)
const dayNumberMax = dayNumberOf(2199, 12, 31)
