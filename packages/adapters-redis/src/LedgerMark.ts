/**
 * The ledger's mark in Redis, one for each database.
 *
 * @since 0.1.0
 */
import { keptIn, LedgerMark, MarkUnavailable, type Place } from "@pillivery/application/ports/LedgerMark"
import { AttemptId } from "@pillivery/domain/Ids"
import { Effect, Layer, Option, Schema } from "effect"
import * as Redis from "effect/persistence/Redis"
import { keyPrefixDefault } from "./Client.ts"

/** Which database the mark is about, and what precedes the key. */
export interface Options {
  readonly database: string
  readonly keyPrefix?: string
}

// Ids are ordered as their texts are.
const keepNewer = Redis.script((key: string, id: string) => [key, id], {
  numberOfKeys: 1,
  lua: `
local kept = redis.call("GET", KEYS[1])
if kept and kept >= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[1])
return 1`
}).withReturnType<number>()

const decode = Schema.decodeUnknownOption(AttemptId)

/** The place in Redis. */
export const place = Effect.fnUntraced(function* ({ database, keyPrefix = keyPrefixDefault }: Options) {
  const redis = yield* Redis.Redis
  const evalKeep = redis.eval(keepNewer)
  const key = `${keyPrefix}ledger-mark:${database}`
  const unavailable = Effect.mapError((cause: unknown) => new MarkUnavailable({ place: "Redis", cause }))
  return {
    find: redis.send<string | null>("GET", key).pipe(
      unavailable,
      Effect.map((text) => (text === null ? Option.none() : decode(text)))
    ),
    keep: (id) => Effect.asVoid(unavailable(evalKeep(key, id))),
    forget: Effect.asVoid(unavailable(redis.send("DEL", key)))
  } satisfies Place
})

/** The mark of a database. */
export const layer = (options: Options) => Layer.effect(LedgerMark, Effect.flatMap(place(options), keptIn))
