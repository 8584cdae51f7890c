/**
 * The flags that several verbs share, and how a verb says what it did.
 *
 * @since 0.1.0
 */
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Console, Effect } from "effect"
import { Flag } from "effect/cli"

/** `--json`. */
export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print one JSON object on the last line"),
  Flag.withDefault(false)
)

/** `--date`. */
export const date = Flag.String("date").pipe(
  Flag.withDescription("The business date, yyyy-mm-dd in Asia/Seoul; today when left out"),
  Flag.withSchema(BusinessDate.BusinessDate),
  Flag.optional
)

/** Prints a line for people, or one JSON object for machines. */
export const say = (isJson: boolean, line: string, value: object): Effect.Effect<void> =>
  Console.log(isJson ? JSON.stringify(value) : line)
