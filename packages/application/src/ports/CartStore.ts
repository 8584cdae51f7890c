/**
 * Where carts live.
 *
 * @since 0.1.0
 */
import type { Cart, CartKind } from "@pillivery/domain/Cart"
import type { UserId } from "@pillivery/domain/Ids"
import { Context, type Effect } from "effect"
import type { StaleWrite, StorageError } from "./StorageError.ts"

/**
 * Carts, one of each kind a user.
 *
 * **Details**
 *
 * A user who has none has an empty one at version 0. `save` succeeds only at the version read and stores the next one;
 * an acknowledged change is seen by every server.
 */
export class CartStore extends Context.Service<
  CartStore,
  {
    readonly get: (userId: UserId, kind: CartKind) => Effect.Effect<Cart, StorageError>
    readonly save: (cart: Cart) => Effect.Effect<void, StorageError | StaleWrite>
    readonly remove: (userId: UserId) => Effect.Effect<void, StorageError>
  }
>()("@pillivery/application/CartStore") {}
