/**
 * The verb that checks whether the books are right. It only reads.
 *
 * @since 0.1.0
 */
import {
  type Finding,
  type ProviderVerified,
  sampleDefault,
  shownDefault,
  type Verified,
  verify,
  verifyProvider
} from "@pillivery/application/Billing/Verify"
import { Console, Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as ExitCode from "../ExitCode.ts"
import { databaseLayer, providerLayer } from "../Root.ts"
import { json, say } from "./Output.ts"

/** The most rows shown of one broken rule. */
const shownMax = 1_000
/** The most payments that are looked up at the provider. */
const sampleMax = 1_000

const limit = Flag.Int("limit").pipe(
  Flag.withDescription(`Rows to show of each broken rule, 0 to ${shownMax}; all of them are counted`),
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: shownMax }))),
  Flag.withDefault(shownDefault)
)

const provider = Flag.Boolean("provider").pipe(
  Flag.withDescription("Also look up the latest approved payments and their billing keys at the provider"),
  Flag.withDefault(false)
)

const sample = Flag.Int("sample").pipe(
  Flag.withDescription(`Payments to look up with --provider, 1 to ${sampleMax}`),
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: sampleMax }))),
  Flag.withDefault(sampleDefault)
)

const nothingAsked: ProviderVerified = { compared: 0, notCompared: 0, broken: [] }

/** `verify`. */
export const verifyCommand = Command.make(
  "verify",
  { json, limit, provider, sample },
  Effect.fnUntraced(function* (flags) {
    const ours = yield* verify({ shown: flags.limit }).pipe(Effect.provide(databaseLayer))
    const theirs = flags.provider
      ? yield* verifyProvider({ sample: flags.sample, shown: flags.limit }).pipe(Effect.provide(providerLayer))
      : nothingAsked
    const broken = [...ours.broken, ...theirs.broken]
    if (!flags.json) for (const finding of broken) yield* tell(finding)
    yield* say(flags.json, inWords(ours, theirs, broken), {
      rows: ours.rows,
      rules: ours.rules,
      millis: ours.millis,
      provider: flags.provider ? { compared: theirs.compared, notCompared: theirs.notCompared } : null,
      broken
    })
    if (broken.length > 0) return yield* new ExitCode.Ended({ code: 1 })
  })
).pipe(
  Command.withDescription("Check that the rows agree with each other and, with --provider, with the provider's"),
  Command.withExamples([
    { command: "pillivery-billing verify", description: "Check every rule on every row" },
    { command: "pillivery-billing verify --provider --sample 200", description: "Ask the provider too" }
  ])
)

const tell = Effect.fnUntraced(function* ({ count, rows, rule, sentence }: Finding) {
  yield* Console.log(`${rule}: ${count} ${count === 1 ? "row breaks" : "rows break"} the rule. ${sentence}`)
  for (const { found, id, number } of rows) {
    yield* Console.log(`  ${number === null ? id : `${id}/${number}`}: ${found}`)
  }
  if (count > rows.length) yield* Console.log(`  and ${count - rows.length} more`)
})

const inWords = (ours: Verified, theirs: ProviderVerified, broken: ReadonlyArray<Finding>): string => {
  const rows = Object.values(ours.rows).reduce((sum, count) => sum + count, 0)
  const asked =
    theirs.compared + theirs.notCompared === 0
      ? ""
      : `; ${theirs.compared} compared with the provider's, ${theirs.notCompared} could not be`
  return `${rows} rows, ${ours.rules} rules: ${broken.length === 0 ? "none" : broken.length} broken${asked}`
}
