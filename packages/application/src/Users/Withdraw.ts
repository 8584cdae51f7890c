/**
 * Leaving.
 *
 * What is personal is forgotten at once; orders and payments stay, as the law wants, and refer to the id alone. What is
 * left to do, ending subscriptions that began meanwhile, carts and sessions, follows the event, so that a crash forgets none
 * of it.
 *
 * @since 0.1.0
 */
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import type { UserId } from "@pillivery/domain/Ids"
import * as User from "@pillivery/domain/User"
import { Effect, Option } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { CartStore } from "../ports/CartStore.ts"
import { Outbox } from "../ports/Outbox.ts"
import { pageSizeMax } from "../ports/Page.ts"
import { SocialAccounts } from "../ports/SocialAccounts.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { TokenStore } from "../ports/TokenStore.ts"
import { Transaction } from "../ports/Transaction.ts"
import { UserRepository } from "../ports/UserRepository.ts"
import { retryStale } from "../StaleRetry.ts"
import { cancelSubscription } from "../Subscriptions/CancelSubscription.ts"
import { UserGone } from "./GetMe.ts"

/** The most pages of subscriptions that are gone through. */
export const pagesMax = 1_000

/** The user leaves: subscriptions end, nothing more is charged, and every session is over. */
export const withdraw = Effect.fn("withdraw")(function* (userId: UserId) {
  const users = yield* UserRepository
  const accounts = yield* SocialAccounts
  const outbox = yield* Outbox
  const clock = yield* BusinessClock
  const transaction = yield* Transaction

  yield* endSubscriptions(userId)
  yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const at = yield* clock.now
        const found = yield* users.findById(userId)
        const withdrawn = Option.isSome(found) ? User.withdraw(found.value, at) : null
        if (withdrawn?._tag !== "Success") return yield* new UserGone({ userId })
        yield* users.update(withdrawn.success).pipe(Effect.catchTag("UserExists", Effect.die)) // it has no names any more
        const eventId = DomainEvent.eventId(userId, "UserWithdrawn")
        yield* accounts.unlinkAll(userId)
        yield* outbox.publish([new DomainEvent.UserWithdrawn({ eventId, at, userId })])
      })
    )
  )
  // At once where it can be; the event does it again.
  yield* (yield* TokenStore)
    .endAll(userId)
    .pipe(Effect.catchTag("StorageError", (error) => Effect.logWarning("Sessions end a little later", error)))
})

/** Does for a user who left whatever is still to do; doing it again changes nothing. */
export const forgetUser = Effect.fn("forgetUser")(function* (userId: UserId) {
  yield* endSubscriptions(userId)
  yield* (yield* TokenStore).endAll(userId)
  yield* (yield* CartStore).remove(userId)
})

const endSubscriptions = Effect.fnUntraced(function* (userId: UserId) {
  const subscriptions = yield* SubscriptionRepository
  for (let page = 1; page <= pagesMax; page++) {
    const { data } = yield* subscriptions.listByUser(userId, { page, size: pageSizeMax })
    for (const { _tag, id } of data) {
      if (_tag === "Cancelled") continue
      yield* cancelSubscription({ subscriptionId: id, userId, reason: "withdrawal" }).pipe(
        Effect.catchTag("SubscriptionNotFound", Effect.die) // it was listed, and rows are never deleted
      )
    }
    if (data.length < pageSizeMax) return
  }
})
