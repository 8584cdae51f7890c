/**
 * Sessions in Redis: one hash a user, one field a session.
 *
 * Only hashes of tokens are kept, and successors that are sealed: who reads Redis can log in nowhere.
 *
 * @since 0.1.0
 */
import {
  refreshTokenMillis,
  type Rotation,
  sessionMillisMax,
  sessionsMax,
  successorWindowMillis,
  TokenStore
} from "@pillivery/application/ports/TokenStore"
import type { UserId } from "@pillivery/domain/Ids"
import { Effect, Layer } from "effect"
import * as Redis from "effect/persistence/Redis"
import { keyPrefixDefault, toStorageError } from "./Client.ts"

/** What precedes the keys. */
export interface Options {
  readonly keyPrefix?: string
}

/** Takes out what is over and what is too much, and puts the new session in. */
const beginSession = Redis.script(
  (key: string, sessionId: string, hash: string, at: number) => [
    key,
    sessionId,
    hash,
    at,
    refreshTokenMillis,
    sessionMillisMax,
    sessionsMax
  ],
  {
    numberOfKeys: 1,
    lua: `
local at = tonumber(ARGV[3])
local living = {}
local fields = redis.call("HGETALL", KEYS[1])
for i = 1, #fields, 2 do
  local session = cjson.decode(fields[i + 1])
  if at >= session.endsAt or at >= session.usedAt + tonumber(ARGV[4]) then
    redis.call("HDEL", KEYS[1], fields[i])
  else
    table.insert(living, { id = fields[i], usedAt = session.usedAt })
  end
end
table.sort(living, function(one, two) return one.usedAt < two.usedAt end)
for i = 1, #living + 1 - tonumber(ARGV[6]) do redis.call("HDEL", KEYS[1], living[i].id) end
local session = { current = ARGV[2], usedAt = at, endsAt = at + tonumber(ARGV[5]) }
redis.call("HSET", KEYS[1], ARGV[1], cjson.encode(session))
redis.call("PEXPIRE", KEYS[1], ARGV[5])
return 1`
  }
).withReturnType<number>()

/** Answers what came of it, and for a repeated token the sealed successor. */
const rotateToken = Redis.script(
  (key: string, sessionId: string, presented: string, successor: string, sealed: string, at: number) => [
    key,
    sessionId,
    presented,
    successor,
    sealed,
    at,
    refreshTokenMillis,
    successorWindowMillis
  ],
  {
    numberOfKeys: 1,
    lua: `
local text = redis.call("HGET", KEYS[1], ARGV[1])
if not text then return { "Ended", "" } end
local at = tonumber(ARGV[5])
local session = cjson.decode(text)
if at >= session.endsAt or at >= session.usedAt + tonumber(ARGV[6]) then
  redis.call("HDEL", KEYS[1], ARGV[1])
  return { "Ended", "" }
end
if session.current == ARGV[2] then
  session.before = ARGV[2]
  session.sealed = ARGV[4]
  session.current = ARGV[3]
  session.usedAt = at
  redis.call("HSET", KEYS[1], ARGV[1], cjson.encode(session))
  return { "Rotated", "" }
end
if session.before == ARGV[2] and at <= session.usedAt + tonumber(ARGV[7]) then
  return { "Repeated", session.sealed }
end
redis.call("HDEL", KEYS[1], ARGV[1])
return { "Reused", "" }`
  }
).withReturnType<readonly [Rotation["_tag"], string]>()

/** Ends all but one session. */
const endOthers = Redis.script((key: string, except: string) => [key, except], {
  numberOfKeys: 1,
  lua: `
for _, id in ipairs(redis.call("HKEYS", KEYS[1])) do
  if id ~= ARGV[1] then redis.call("HDEL", KEYS[1], id) end
end
return 1`
}).withReturnType<number>()

const make = Effect.fnUntraced(function* ({ keyPrefix = keyPrefixDefault }: Options) {
  const redis = yield* Redis.Redis
  const evalBegin = redis.eval(beginSession)
  const evalRotate = redis.eval(rotateToken)
  const evalEndOthers = redis.eval(endOthers)
  const keyOf = (userId: UserId) => `${keyPrefix}sessions:{${userId}}`
  const orStorageError = (operation: string, access: "read" | "write") =>
    Effect.mapError(toStorageError(`TokenStore.${operation}`, access))

  return TokenStore.of({
    begin: ({ sessionId, userId }, hash, at) =>
      Effect.asVoid(evalBegin(keyOf(userId), sessionId, hash, at)).pipe(orStorageError("begin", "write")),
    rotate: ({ sessionId, userId }, { presented, successor }, at) =>
      evalRotate(keyOf(userId), sessionId, presented, successor.hash, successor.sealed, at).pipe(
        Effect.map(([_tag, sealed]): Rotation => (_tag === "Repeated" ? { _tag, sealed } : { _tag })),
        orStorageError("rotate", "write")
      ),
    isAlive: ({ sessionId, userId }) =>
      redis.send<number>("HEXISTS", keyOf(userId), sessionId).pipe(
        Effect.map((count) => count === 1),
        orStorageError("isAlive", "read")
      ),
    end: ({ sessionId, userId }) =>
      Effect.asVoid(redis.send("HDEL", keyOf(userId), sessionId)).pipe(orStorageError("end", "write")),
    endAll: (userId, except) =>
      Effect.asVoid(evalEndOthers(keyOf(userId), except ?? "")).pipe(orStorageError("endAll", "write"))
  })
})

/** `TokenStore` on Redis with these options. */
export const layerWith = (options: Options): Layer.Layer<TokenStore, never, Redis.Redis> =>
  Layer.effect(TokenStore, make(options))

/** `TokenStore` on Redis. */
export const layer: Layer.Layer<TokenStore, never, Redis.Redis> = layerWith({})
