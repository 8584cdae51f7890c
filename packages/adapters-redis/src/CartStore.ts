/**
 * Carts in Redis: one hash a cart.
 *
 * The hash holds the cart as JSON and, beside it, the version, so that the one script that writes can compare it
 * without reading JSON. Both carts of a user carry the hash tag `{userId}` and live on one node of a cluster.
 *
 * **Details**
 *
 * An acknowledged save is seen by every other connection at once. With `appendonly yes` and `appendfsync everysec` it
 * survives Redis too, except for the last second when the machine itself dies.
 *
 * @since 0.1.0
 */
import { CartStore } from "@pillivery/application/ports/CartStore"
import { StaleWrite } from "@pillivery/application/ports/StorageError"
import * as Cart from "@pillivery/domain/Cart"
import type { UserId } from "@pillivery/domain/Ids"
import { Effect, Layer, Schema } from "effect"
import * as Redis from "effect/persistence/Redis"
import { keyPrefixDefault, toStorageError } from "./Client.ts"

/** How long a cart that nobody changes is kept: 90 days. */
export const cartTtlMillis = 90 * 24 * 60 * 60 * 1_000

/** How carts are kept. */
export interface Options {
  readonly keyPrefix?: string
}

const CartJson = Schema.fromJsonString(Schema.toCodecJson(Cart.Cart))

/** Answers 1 when the version was the expected one and the cart is written, 0 when nothing was done. */
const saveAtVersion = Redis.script(
  (key: string, expected: number, next: number, cart: string) => [key, expected, next, cart, cartTtlMillis],
  {
    numberOfKeys: 1,
    lua: `
if (redis.call("HGET", KEYS[1], "version") or "0") ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "version", ARGV[2], "cart", ARGV[3])
redis.call("PEXPIRE", KEYS[1], ARGV[4])
return 1`
  }
).withReturnType<number>()

const make = Effect.fnUntraced(function* ({ keyPrefix = keyPrefixDefault }: Options) {
  const redis = yield* Redis.Redis
  const evalSave = redis.eval(saveAtVersion)
  const keyOf = (userId: UserId, kind: Cart.CartKind) => `${keyPrefix}cart:{${userId}}:${kind}`

  /** We wrote it: if it does not decode, or is another's, something is corrupt and nobody must shop on. */
  const decode = (key: string, userId: UserId, kind: Cart.CartKind, text: string) =>
    Schema.decodeEffect(CartJson)(text).pipe(
      Effect.catchTag("SchemaError", (error) =>
        Effect.die(new Error(`the cart at ${key} does not decode: ${error.message}`))
      ),
      Effect.tap((cart) =>
        cart.userId === userId && cart.kind === kind
          ? Effect.void
          : Effect.die(new Error(`the cart at ${key} is the ${cart.kind} cart of ${cart.userId}`))
      )
    )

  const get = Effect.fn("CartStore.get")(function* (userId: UserId, kind: Cart.CartKind) {
    const key = keyOf(userId, kind)
    const text = yield* redis
      .send<string | null>("HGET", key, "cart")
      .pipe(Effect.mapError(toStorageError("CartStore.get", "read")))
    return text === null ? Cart.empty(userId, kind) : yield* decode(key, userId, kind, text)
  })

  const save = Effect.fn("CartStore.save")(function* (cart: Cart.Cart) {
    const next = cart.version + 1
    // A cart that does not encode was not made by its constructor: a programmer's error.
    const text = yield* Effect.orDie(Schema.encodeEffect(CartJson)(new Cart.Cart({ ...cart, version: next })))
    const saved = yield* evalSave(keyOf(cart.userId, cart.kind), cart.version, next, text).pipe(
      Effect.mapError(toStorageError("CartStore.save", "write"))
    )
    if (saved !== 1) return yield* new StaleWrite({ entity: "cart", id: `${cart.userId}/${cart.kind}` })
  })

  const remove = Effect.fn("CartStore.remove")(function* (userId: UserId) {
    const keys = Cart.CartKind.literals.map((kind) => keyOf(userId, kind))
    yield* redis.send("DEL", ...keys).pipe(Effect.mapError(toStorageError("CartStore.remove", "write")))
  })

  return CartStore.of({ get, save, remove })
})

/** `CartStore` on Redis with these options. */
export const layerWith = (options: Options): Layer.Layer<CartStore, never, Redis.Redis> =>
  Layer.effect(CartStore, make(options))

/** `CartStore` on Redis. */
export const layer: Layer.Layer<CartStore, never, Redis.Redis> = layerWith({})
