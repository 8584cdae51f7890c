/**
 * How far a run is, for somebody who looks at it: a bar with rate and time left, drawn over itself on standard error.
 *
 * Without a terminal nothing is drawn; the run's lines say the same step by step.
 */
import type { CycleOutcome } from "@pillivery/application/Billing/ChargeGate"
import { Clock, Effect } from "effect"

/** Cells of the bar. */
export const cells = 24
/** How wide a terminal is that does not say so. */
const columnsDefault = 80
/** The least time between two drawings, in milliseconds. */
export const drawEveryMillis = 100

const millisPerSecond = 1_000
const secondsPerMinute = 60
const minutesPerHour = 60

/** How far a run is. */
export interface Reached {
  readonly done: number
  readonly total: number
  readonly elapsedMillis: number
}

const twoDigits = (value: number): string => String(value).padStart(2, "0")

// "4:05", "1:02:03"; unknown while nothing is done.
const timeLeft = ({ done, elapsedMillis, total }: Reached): string => {
  if (done === 0) return "?"
  const seconds = Math.ceil((Math.max(0, total - done) * elapsedMillis) / done / millisPerSecond)
  const minutes = Math.floor(seconds / secondsPerMinute)
  const hours = Math.floor(minutes / minutesPerHour)
  const rest = `${twoDigits(seconds % secondsPerMinute)}`
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${twoDigits(minutes % minutesPerHour)}:${rest}`
}

/** The bar as one line, no wider than `columns`. */
export const lineOf = (reached: Reached, columns: number): string => {
  const { done, elapsedMillis, total } = reached
  const part = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.floor(part * cells)
  const rate = elapsedMillis === 0 ? 0 : Math.round((done * millisPerSecond) / elapsedMillis)
  const text =
    `${"█".repeat(filled)}${"░".repeat(cells - filled)} ${Math.floor(part * 100)} %  ` +
    `${done} of ${total}  ${rate}/s  ${timeLeft(reached)} left`
  return [...text].slice(0, Math.max(0, columns)).join("")
}

/** Something to draw on: standard error, when it is a terminal. */
export interface Terminal {
  readonly columns: number
  readonly write: (text: string) => void
}

/** Standard error as a terminal; null when it is none. */
export const standardError = (): Terminal | null =>
  process.stderr.isTTY
    ? {
        columns: process.stderr.columns > 0 ? process.stderr.columns : columnsDefault,
        write: (text) => void process.stderr.write(text)
      }
    : null

const erase = "\r\u001b[K"

const isAnswered = (outcome: CycleOutcome): boolean => outcome._tag !== "NotDue" && outcome._tag !== "Postponed"

/** A bar of `total` cycles that begins now; without a terminal it draws nothing. */
export const make = Effect.fnUntraced(function* (total: number, terminal: Terminal | null) {
  const startedAt = yield* Clock.currentTimeMillis
  let done = 0
  let drawnAt = Number.NEGATIVE_INFINITY
  if (terminal === null) return { note: () => Effect.void, erase: Effect.void }
  return {
    note: (outcome: CycleOutcome) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (isAnswered(outcome)) done++
        if (now - drawnAt < drawEveryMillis && done < total) return
        drawnAt = now
        terminal.write(`${erase}${lineOf({ done, total, elapsedMillis: now - startedAt }, terminal.columns)}`)
      }),
    erase: Effect.sync(() => terminal.write(erase))
  }
})
