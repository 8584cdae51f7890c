/**
 * The verbs for messages to the outside: see whom they do not reach, and have them sent once more.
 *
 * @since 0.1.0
 */
import { MessageQueue, Recipient, replayedMax } from "@pillivery/application/ports/MessageQueue"
import { EventId } from "@pillivery/domain/Ids"
import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as ExitCode from "../ExitCode.ts"
import { databaseLayer } from "../Root.ts"
import { json, say } from "./Output.ts"

const listCommand = Command.make(
  "list",
  { json },
  Effect.fnUntraced(function* (flags) {
    const counts = yield* (yield* MessageQueue).counts
    if (!flags.json) {
      for (const { failed, pending, recipient } of counts) {
        yield* Console.log(`${recipient}: ${pending} wait, ${failed} were given up`)
      }
    }
    const failed = counts.reduce((sum, count) => sum + count.failed, 0)
    yield* say(flags.json, `${counts.length} recipients have messages that wait or were given up`, {
      failed,
      recipients: counts
    })
  })
).pipe(
  Command.withDescription("Count the messages that wait or were given up, for e-mail and for each webhook endpoint"),
  Command.provide(databaseLayer)
)

const recipient = Argument.String("recipient").pipe(
  Argument.withDescription("`email`, or the id of a webhook endpoint"),
  Argument.withSchema(Recipient)
)

const event = Flag.String("event").pipe(
  Flag.withDescription("Only the message about this event, whatever became of it"),
  Flag.withSchema(EventId),
  Flag.optional
)

const since = Flag.String("since").pipe(
  Flag.withDescription("All messages queued since an instant such as 2026-11-24T00:00:00Z, those that were sent too"),
  Flag.withSchema(Schema.DateTimeUtcFromString),
  Flag.optional
)

const failed = Flag.Boolean("failed").pipe(
  Flag.withDescription("The messages that were given up"),
  Flag.withDefault(false)
)

const replayCommand = Command.make(
  "replay",
  { recipient, event, since, failed, json },
  Effect.fnUntraced(function* ({ event, failed, json, recipient, since }) {
    if (Number(failed) + Number(Option.isSome(event)) + Number(Option.isSome(since)) !== 1) {
      yield* Console.error("Say one of --event, --since and --failed.")
      return yield* new ExitCode.Ended({ code: 2 })
    }
    const replayed = yield* (yield* MessageQueue).replay(
      recipient,
      Option.isSome(event)
        ? { _tag: "One", eventId: event.value }
        : Option.isSome(since)
          ? { _tag: "Since", at: since.value }
          : { _tag: "Failed" }
    )
    yield* say(json, `${replayed} messages to ${recipient} will be sent once more`, { replayed })
  })
).pipe(
  Command.withDescription(
    `Have a server send messages once more, at most ${replayedMax} at a time; receivers know a repeat by its id`
  ),
  Command.provide(databaseLayer)
)

/** Looks after messages to the outside. */
export const messageCommand = Command.make("message").pipe(
  Command.withDescription("Look after e-mails and webhooks"),
  Command.withSubcommands([listCommand, replayCommand])
)
