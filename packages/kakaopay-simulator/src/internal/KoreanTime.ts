/**
 * Korean wall-clock time, computed from an instant alone so that the zone of the process never matters.
 *
 * Korea has kept UTC+09:00 without daylight saving since 1988, so a fixed offset is exact for this purpose.
 *
 * @since 0.1.0
 */

const offsetMillis = 9 * 60 * 60_000
const dayMillis = 24 * 60 * 60_000

/** `yyyy-MM-dd'T'HH:mm:ss` in Korea: no zone, no fraction, as KakaoPay writes it. [C] */
export const stamp = (epochMillis: number): string => {
  const second = Math.floor(epochMillis / 1_000)
  if (second !== stampedSecond) {
    stamped = new Date(epochMillis + offsetMillis).toISOString().slice(0, 19)
    stampedSecond = second
  }
  return stamped
}

// One answer asks for the same second several times, and the next answer mostly for the same one again.
let stampedSecond = Number.NaN
let stamped = ""

/** The Korean calendar month of an instant, `yyyy-MM`. */
export const month = (epochMillis: number): string => stamp(epochMillis).slice(0, 7)

/** Minutes since Korean midnight, 0 to 1439. */
export const minuteOfDay = (epochMillis: number): number =>
  Math.floor(((((epochMillis + offsetMillis) % dayMillis) + dayMillis) % dayMillis) / 60_000)

const bankCheckFromMinute = 23 * 60 + 30
const bankCheckToMinute = 35

/** Whether Korean banks are in their nightly check, 23:30 to 00:35. [D] */
export const isBankCheck = (epochMillis: number): boolean => {
  const minute = minuteOfDay(epochMillis)
  return minute >= bankCheckFromMinute || minute < bankCheckToMinute
}
