/**
 * The verbs for what waits for a person: look at it, and decide it.
 *
 * A decision is written down with who made it and why. Where the provider can be asked, its word must agree.
 *
 * @since 0.1.0
 */
import {
  type AttemptVerdict,
  settleAttempt,
  settleBillingKey,
  settleRefund
} from "@pillivery/application/Payments/SettleManually"
import {
  byLengthMax,
  listedMax,
  ManualReviews,
  subjects,
  whyLengthMax
} from "@pillivery/application/ports/ManualReviews"
import { AttemptId, BillingKeyId, RefundId } from "@pillivery/domain/Ids"
import { TransactionId } from "@pillivery/domain/Provider"
import { Console, DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as ExitCode from "../ExitCode.ts"
import { databaseLayer, providerLayer } from "../Root.ts"
import { json, say } from "./Output.ts"

/** Rows listed of each kind when nothing else is asked for. */
const listedDefault = 100

const names = {
  attempt: "payment in review",
  reference: "approval without a name",
  refund: "refund in review",
  billingKey: "frozen billing key"
} as const

const limit = Flag.Int("limit").pipe(
  Flag.withDescription(`Rows to list of each kind, 1 to ${listedMax}`),
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: listedMax }))),
  Flag.withDefault(listedDefault)
)

const after = Flag.String("after").pipe(
  Flag.withDescription("List what comes after this id, the last one of the page before"),
  Flag.withSchema(Schema.String.check(Schema.isUUID())),
  Flag.optional
)

const listCommand = Command.make(
  "list",
  { after, json, limit },
  Effect.fnUntraced(function* (flags) {
    const reviews = yield* ManualReviews
    const page = { after: Option.getOrNull(flags.after), limit: flags.limit }
    const waiting = (yield* Effect.forEach(subjects, (subject) => reviews.list(subject, page))).flat()
    if (!flags.json) {
      for (const { amount, detail, id, since, subject, userId } of waiting) {
        const won = amount === null ? "" : `, ${amount} won`
        const from = since === null ? "" : `, since ${DateTime.formatIso(since)}`
        yield* Console.log(`${id} ${names[subject]}${won}, user ${userId}${from}: ${detail.replaceAll(/\s+/g, " ")}`)
      }
    }
    yield* say(flags.json, `${waiting.length} wait for a person`, {
      waiting: waiting.map(({ since, ...row }) => ({
        ...row,
        since: since === null ? null : DateTime.formatIso(since)
      }))
    })
  })
).pipe(
  Command.withDescription("List payments and refunds in review, approvals without a name and frozen billing keys"),
  Command.provide(databaseLayer)
)

const verdicts = [
  "approved",
  "declined",
  "not-executed",
  "completed",
  "rejected",
  "requested",
  "unfreeze",
  "revoke"
] as const

const id = Argument.String("id").pipe(
  Argument.withDescription("The id, as `review list` shows it"),
  Argument.withSchema(Schema.String.check(Schema.isUUID()))
)

const as = Flag.Literals("as", verdicts).pipe(
  Flag.withDescription(
    "A payment was approved, declined or not-executed; a refund was completed or rejected, or is requested again; a billing key is in order (unfreeze) or dead (revoke)"
  )
)

const written = (max: number) => Schema.String.check(Schema.isTrimmed(), Schema.isMinLength(1), Schema.isMaxLength(max))

const by = Flag.String("by").pipe(
  Flag.withDescription(`Who decides, at most ${byLengthMax} characters`),
  Flag.withSchema(written(byLengthMax))
)

const why = Flag.String("why").pipe(
  Flag.withDescription(`Why, at most ${whyLengthMax} characters`),
  Flag.withSchema(written(whyLengthMax))
)

const tid = Flag.String("tid").pipe(
  Flag.withDescription(
    "The provider's name of the payment; needed for approved, and taken only if the provider shows it for this payment"
  ),
  Flag.withSchema(TransactionId),
  Flag.optional
)

// Answers the state it is in then.
const settle = Effect.fnUntraced(function* (
  id: string,
  verdict: (typeof verdicts)[number],
  transactionId: TransactionId | null,
  responsible: { readonly by: string; readonly why: string }
) {
  const attempt = (said: AttemptVerdict) => settleAttempt(AttemptId.make(id), said, responsible)
  switch (verdict) {
    case "approved":
      if (transactionId === null) return yield* Effect.die("approved needs a name")
      return (yield* attempt({ _tag: "approved", transactionId }))._tag
    case "declined":
      return (yield* attempt({ _tag: "declined" }))._tag
    case "not-executed":
      return (yield* attempt({ _tag: "notExecuted" }))._tag
    case "completed":
    case "rejected":
    case "requested":
      return (yield* settleRefund(RefundId.make(id), verdict, responsible))._tag
    case "unfreeze":
    case "revoke":
      return (yield* settleBillingKey(BillingKeyId.make(id), verdict, responsible))._tag
  }
})

const settleCommand = Command.make(
  "settle",
  { as, by, id, json, tid, why },
  Effect.fnUntraced(function* (flags) {
    if (Option.isSome(flags.tid) !== (flags.as === "approved")) {
      yield* Console.error("approved needs --tid, and nothing else takes it.")
      return yield* new ExitCode.Ended({ code: 2 })
    }
    const state = yield* settle(flags.id, flags.as, Option.getOrNull(flags.tid), {
      by: flags.by,
      why: flags.why
    }).pipe(
      Effect.catchTags({
        NothingToDecide: ({ message }) => Effect.andThen(Console.error(message), new ExitCode.Ended({ code: 2 })),
        EvidenceMissing: ({ message }) => Effect.andThen(Console.error(message), new ExitCode.Ended({ code: 1 }))
      })
    )
    yield* say(flags.json, `${flags.id} is ${state} now`, { id: flags.id, state })
  })
).pipe(
  Command.withDescription("Decide what waits for a person, and write down who did and why"),
  Command.withExamples([
    {
      command: 'pillivery-billing review settle ID --as approved --tid T123 --by kim --why "found in the settlement"',
      description: "Give an approval its name"
    }
  ]),
  Command.provide(providerLayer)
)

/** Looks after what waits for a person. */
export const reviewCommand = Command.make("review").pipe(
  Command.withDescription("Look after what waits for a person"),
  Command.withSubcommands([listCommand, settleCommand])
)
