/**
 * The settings of the protocol that an operator may change, as configuration.
 *
 * What is not here decides what counts as evidence, and is not an operator's to change. Servers and billing processes
 * that share a database must be given the same values.
 *
 * @since 0.1.0
 */
import * as DunningPolicy from "@pillivery/domain/DunningPolicy"
import { Config, Schema, SchemaTransformation } from "effect"
import { type Settings, settingsDefault } from "./ProtocolSettings.ts"

/** One setting: its name, what it takes, and what holds when nothing is said. */
export interface Variable<A> {
  readonly name: string
  /** What its value looks like, in one word. */
  readonly shape: string
  /** The default, as it would be written. */
  readonly byDefault: string
  readonly meaning: string
  readonly config: Config.Config<A>
}

const minuteMillis = 60_000
const minutesPerHour = 60
const minutesPerDay = 24 * minutesPerHour
const askTimesMax = 16
const weekMinutes = 7 * minutesPerDay

interface Range {
  readonly minimum: number
  readonly maximum: number
}

const bounded = ({ maximum, minimum }: Range) =>
  Schema.NumberFromString.check(
    Schema.isInt({ expected: `a whole number, ${minimum} to ${maximum}` }),
    Schema.isBetween({ minimum, maximum }, { expected: `a whole number, ${minimum} to ${maximum}` })
  )

/** A whole number in a range. */
export const whole = (
  name: string,
  options: Range & { readonly shape: string; readonly byDefault: number; readonly meaning: string }
): Variable<number> => ({
  name,
  shape: options.shape,
  byDefault: String(options.byDefault),
  meaning: `${options.meaning}; ${options.minimum} to ${options.maximum}`,
  config: Config.schema(bounded(options), name).pipe(Config.withDefault(options.byDefault))
})

const listOf = (item: Range, options: { readonly lengthMax: number; readonly expected: string }) =>
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.Array(Schema.Int.check(Schema.isBetween(item, { expected: options.expected }))).check(
        Schema.isMinLength(1, { expected: options.expected }),
        Schema.isMaxLength(options.lengthMax, { expected: options.expected }),
        Schema.makeFilter((numbers: ReadonlyArray<number>) => numbers.every((n, i) => n > (numbers[i - 1] ?? 0)), {
          expected: options.expected
        })
      ),
      SchemaTransformation.transform({
        decode: (text: string): ReadonlyArray<number> =>
          text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part))),
        encode: (numbers: ReadonlyArray<number>) => numbers.join(",")
      })
    )
  )

const timeOfDay = (minute: number): string =>
  `${String(Math.trunc(minute / minutesPerHour)).padStart(2, "0")}:${String(minute % minutesPerHour).padStart(2, "0")}`

const windowText = ({ fromMinute, untilMinute }: Settings["bankCheck"]): string =>
  `${timeOfDay(fromMinute)}-${timeOfDay(untilMinute)}`

const minuteOf = (hours: string, minutes: string): number => Number(hours) * minutesPerHour + Number(minutes)

const WindowText = Schema.String.check(
  Schema.isPattern(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, { expected: "two times, such as 23:20-00:45" })
)

const day = { minimum: 1, maximum: 24 * 60 * minuteMillis }

const remindersMax = 10
const keyWaitDaysMaxMax = 90

/** The settings that can be configured. */
export const variables = {
  leaseMillis: whole("PILLIVERY_LEASE_MILLIS", {
    ...day,
    shape: "MILLIS",
    byDefault: settingsDefault.leaseMillis,
    meaning: "how long a sent call may stay unanswered before others take its outcome for lost"
  }),
  workerLeaseMillis: whole("PILLIVERY_WORKER_LEASE_MILLIS", {
    ...day,
    shape: "MILLIS",
    byDefault: settingsDefault.workerLeaseMillis,
    meaning: "how long a worker of a billing run counts as alive without a sign"
  }),
  dispatchMillisMax: whole("PILLIVERY_DISPATCH_MILLIS", {
    minimum: 1,
    maximum: settingsDefault.dispatchMillisMax,
    shape: "MILLIS",
    byDefault: settingsDefault.dispatchMillisMax,
    meaning: "how long after the intent was written a request may begin to be sent"
  }),
  recordMillisMax: whole("PILLIVERY_RECORD_MILLIS", {
    minimum: 1,
    maximum: 60 * minuteMillis,
    shape: "MILLIS",
    byDefault: settingsDefault.recordMillisMax,
    meaning: "how long the recording of an answer is tried while the database fails"
  }),
  askAfterMinutes: {
    name: "PILLIVERY_ASK_AFTER_MINUTES",
    shape: "MINUTES",
    byDefault: settingsDefault.askAfterMinutes.join(","),
    meaning: `when the provider is asked after a lost answer; the last again and again; up to ${askTimesMax} rising numbers`,
    config: Config.schema(
      listOf(
        { minimum: 1, maximum: weekMinutes },
        { lengthMax: askTimesMax, expected: `rising whole numbers of minutes, 1 to ${weekMinutes}, with commas` }
      ),
      "PILLIVERY_ASK_AFTER_MINUTES"
    ).pipe(Config.withDefault(settingsDefault.askAfterMinutes))
  } satisfies Variable<ReadonlyArray<number>>,
  graceHours: whole("PILLIVERY_GRACE_HOURS", {
    minimum: 1,
    maximum: 168,
    shape: "HOURS",
    byDefault: settingsDefault.graceHours,
    meaning: "how long evidence that nothing was charged is not believed"
  }),
  clockSkewSecondsMax: whole("PILLIVERY_CLOCK_SKEW_SECONDS", {
    minimum: 1,
    maximum: 600,
    shape: "SECONDS",
    byDefault: settingsDefault.clockSkewSecondsMax,
    meaning: "how far the provider's clock may differ from ours"
  }),
  lookupFailingDaysMax: whole("PILLIVERY_LOOKUP_FAILING_DAYS", {
    minimum: 1,
    maximum: 30,
    shape: "DAYS",
    byDefault: settingsDefault.lookupFailingDaysMax,
    meaning: "how long lookups may fail before a person must decide"
  }),
  refundTryingDays: whole("PILLIVERY_REFUND_TRYING_DAYS", {
    minimum: 1,
    maximum: 30,
    shape: "DAYS",
    byDefault: settingsDefault.refundTryingDays,
    meaning: "how long a refund is tried before a person must decide"
  }),
  refundDispatchesMax: whole("PILLIVERY_REFUND_DISPATCHES", {
    minimum: 1,
    maximum: 100,
    shape: "COUNT",
    byDefault: settingsDefault.refundDispatchesMax,
    meaning: "dispatches of one refund after which a person must decide"
  }),
  keyUsesPerMonth: whole("PILLIVERY_KEY_USES_PER_MONTH", {
    minimum: 0,
    maximum: 1_000,
    shape: "COUNT",
    byDefault: 0,
    meaning:
      "charges of one billing key in a month, after which its cycles wait for the next; 0 leaves it to the provider"
  }),
  keyReminderDays: {
    name: "PILLIVERY_KEY_REMINDER_DAYS",
    shape: "DAYS",
    byDefault: settingsDefault.keyReminderDays.join(","),
    meaning: `days after the first payment on which a customer without a billing key is reminded; up to ${remindersMax} rising numbers`,
    config: Config.schema(
      listOf(
        { minimum: 1, maximum: keyWaitDaysMaxMax },
        { lengthMax: remindersMax, expected: `rising days, 1 to ${keyWaitDaysMaxMax}, with commas` }
      ),
      "PILLIVERY_KEY_REMINDER_DAYS"
    ).pipe(Config.withDefault(settingsDefault.keyReminderDays))
  } satisfies Variable<ReadonlyArray<number>>,
  keyWaitDaysMax: whole("PILLIVERY_KEY_WAIT_DAYS", {
    minimum: 1,
    maximum: keyWaitDaysMaxMax,
    shape: "DAYS",
    byDefault: settingsDefault.keyWaitDaysMax,
    meaning: "days after the first payment on which a subscription without a billing key ends"
  }),
  bankCheck: {
    name: "PILLIVERY_BANK_CHECK",
    shape: "WINDOW",
    byDefault: windowText(settingsDefault.bankCheck),
    meaning: "when nothing is charged, since banks check their books; times in Korea",
    config: Config.schema(WindowText, "PILLIVERY_BANK_CHECK").pipe(
      Config.withDefault(windowText(settingsDefault.bankCheck)),
      Config.map((text) => ({
        fromMinute: minuteOf(text.slice(0, 2), text.slice(3, 5)),
        untilMinute: minuteOf(text.slice(6, 8), text.slice(9, 11))
      }))
    )
  } satisfies Variable<Settings["bankCheck"]>,
  ladderDays: {
    name: "PILLIVERY_LADDER_DAYS",
    shape: "DAYS",
    byDefault: settingsDefault.dunningPolicy.ladderDays.join(","),
    meaning: `days after the first decline on which a charge is tried again; up to ${DunningPolicy.ladderLengthMax} rising numbers`,
    config: Config.schema(
      listOf(
        { minimum: 1, maximum: DunningPolicy.ladderDayMax },
        {
          lengthMax: DunningPolicy.ladderLengthMax,
          expected: `rising days, 1 to ${DunningPolicy.ladderDayMax}, with commas`
        }
      ),
      "PILLIVERY_LADDER_DAYS"
    ).pipe(Config.withDefault(settingsDefault.dunningPolicy.ladderDays))
  } satisfies Variable<ReadonlyArray<number>>,
  finalAction: {
    name: "PILLIVERY_FINAL_ACTION",
    shape: DunningPolicy.FinalAction.literals.join("|"),
    byDefault: settingsDefault.dunningPolicy.finalAction,
    meaning: "what ends a cycle that could not be charged to the end of the ladder",
    config: Config.schema(DunningPolicy.FinalAction, "PILLIVERY_FINAL_ACTION").pipe(
      Config.withDefault(settingsDefault.dunningPolicy.finalAction)
    )
  } satisfies Variable<DunningPolicy.FinalAction>
} as const

/** Reads the settings; whoever runs them says who it is. */
export const config = (owner: string): Config.Config<Settings> =>
  Config.all({
    leaseMillis: variables.leaseMillis.config,
    workerLeaseMillis: variables.workerLeaseMillis.config,
    dispatchMillisMax: variables.dispatchMillisMax.config,
    recordMillisMax: variables.recordMillisMax.config,
    askAfterMinutes: variables.askAfterMinutes.config,
    graceHours: variables.graceHours.config,
    clockSkewSecondsMax: variables.clockSkewSecondsMax.config,
    lookupFailingDaysMax: variables.lookupFailingDaysMax.config,
    refundTryingDays: variables.refundTryingDays.config,
    refundDispatchesMax: variables.refundDispatchesMax.config,
    keyUsesPerMonth: variables.keyUsesPerMonth.config,
    keyReminderDays: variables.keyReminderDays.config,
    keyWaitDaysMax: variables.keyWaitDaysMax.config,
    bankCheck: variables.bankCheck.config,
    ladderDays: variables.ladderDays.config,
    finalAction: variables.finalAction.config
  }).pipe(
    Config.map(({ finalAction, keyUsesPerMonth, ladderDays, ...read }) => ({
      ...settingsDefault,
      ...read,
      owner,
      keyUsesPerMonthMax: keyUsesPerMonth === 0 ? null : keyUsesPerMonth,
      dunningPolicy: { ladderDays, finalAction }
    }))
  )
