/**
 * The verbs for events whose delivery was given up: look at them, and have them delivered again.
 *
 * A consumer takes an event once whatever is delivered again, so a retry never makes an effect twice.
 *
 * @since 0.1.0
 */
import { Consumer, type DeadDelivery, Outbox } from "@pillivery/application/ports/Outbox"
import { EventId } from "@pillivery/domain/Ids"
import { Console, DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as ExitCode from "../ExitCode.ts"
import { databaseLayer } from "../Root.ts"
import { json, say } from "./Output.ts"

/** Deliveries listed when nothing else is asked for. */
const listedDefault = 100
/** The most deliveries that are listed, or retried at once. */
const deliveriesMax = 1_000

const limit = Flag.Int("limit").pipe(
  Flag.withDescription(`Deliveries to list, 1 to ${deliveriesMax}`),
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: deliveriesMax }))),
  Flag.withDefault(listedDefault)
)

const inWords = ({ consumer, diedAt, error, eventId, tag, tries }: DeadDelivery): string =>
  `${DateTime.formatIso(diedAt)} ${tag} ${eventId} to ${consumer}, given up after ${tries} tries: ${error.replaceAll(/\s+/g, " ")}`

const listCommand = Command.make(
  "list",
  { json, limit },
  Effect.fnUntraced(function* (flags) {
    const outbox = yield* Outbox
    const counts = yield* outbox.counts
    const dead = yield* outbox.listDead(flags.limit)
    if (!flags.json) for (const delivery of dead) yield* Console.log(inWords(delivery))
    yield* say(flags.json, `${counts.pending} deliveries wait, ${counts.dead} were given up`, {
      ...counts,
      deliveries: dead.map(({ consumer, diedAt, error, eventId, tag, tries }) => ({
        eventId,
        event: tag,
        consumer,
        tries,
        error,
        diedAt: DateTime.formatIso(diedAt)
      }))
    })
  })
).pipe(
  Command.withDescription("List the deliveries of events that were given up, oldest first, and count those that wait"),
  Command.provide(databaseLayer)
)

const event = Argument.String("event").pipe(
  Argument.withDescription("The event's id, as `outbox list` shows it"),
  Argument.withSchema(EventId),
  Argument.optional
)

const all = Flag.Boolean("all").pipe(
  Flag.withDescription(`Every delivery that was given up, at most ${deliveriesMax} at once`),
  Flag.withDefault(false)
)

const retryCommand = Command.make(
  "retry",
  { all, event, json },
  Effect.fnUntraced(function* (flags) {
    if (flags.all === Option.isSome(flags.event)) {
      yield* Console.error("Name one event, or say --all.")
      return yield* new ExitCode.Ended({ code: 2 })
    }
    const outbox = yield* Outbox
    const { event } = flags
    const dead = Option.isSome(event)
      ? Consumer.literals.map((consumer) => ({ eventId: event.value, consumer }))
      : yield* outbox.listDead(deliveriesMax)
    const revived = yield* Effect.filter(dead, ({ consumer, eventId }) => outbox.revive(eventId, consumer))
    const counts = yield* outbox.counts
    yield* say(flags.json, `${revived.length} deliveries will be tried once more; ${counts.dead} are left given up`, {
      retried: revived.map(({ consumer, eventId }) => ({ eventId, consumer })),
      ...counts
    })
  })
).pipe(
  Command.withDescription(
    "Have an event tried once more for each consumer for which it was given up; repeating it is safe"
  ),
  Command.provide(databaseLayer)
)

/** Looks after events whose delivery was given up. */
export const outboxCommand = Command.make("outbox").pipe(
  Command.withDescription("Look after events whose delivery was given up"),
  Command.withSubcommands([listCommand, retryCommand])
)
