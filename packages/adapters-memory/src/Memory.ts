/**
 * Every port in memory, over one store.
 *
 * @since 0.1.0
 */
import { Layer } from "effect"
import * as Audit from "./Audit.ts"
import * as BillingKeyRepository from "./BillingKeyRepository.ts"
import * as BillingLedger from "./BillingLedger.ts"
import * as BusinessClock from "./BusinessClock.ts"
import * as CartStore from "./CartStore.ts"
import * as CatalogueChanges from "./CatalogueChanges.ts"
import * as DistributedLock from "./DistributedLock.ts"
import * as IdGenerator from "./IdGenerator.ts"
import * as IdempotencyStore from "./IdempotencyStore.ts"
import * as ItemRepository from "./ItemRepository.ts"
import * as ManualReviews from "./ManualReviews.ts"
import * as MessageQueue from "./MessageQueue.ts"
import * as NotificationRepository from "./NotificationRepository.ts"
import * as OrderRepository from "./OrderRepository.ts"
import * as Outbox from "./Outbox.ts"
import * as PaymentRepository from "./PaymentRepository.ts"
import * as RefundRepository from "./RefundRepository.ts"
import * as ReviewRepository from "./ReviewRepository.ts"
import * as SalesLedger from "./SalesLedger.ts"
import * as SocialAccounts from "./SocialAccounts.ts"
import * as Store from "./Store.ts"
import * as SubscriptionRepository from "./SubscriptionRepository.ts"
import * as TokenStore from "./TokenStore.ts"
import * as Transaction from "./Transaction.ts"
import * as UserRepository from "./UserRepository.ts"
import * as ViewCounter from "./ViewCounter.ts"
import * as WebhookEndpoints from "./WebhookEndpoints.ts"

/** Every port but the generator of ids, over the store around them. */
export const layerPorts = Layer.mergeAll(
  Audit.layer,
  BillingKeyRepository.layer,
  BillingLedger.layer,
  BusinessClock.layerMovable,
  CartStore.layer,
  CatalogueChanges.layer,
  DistributedLock.layer,
  IdempotencyStore.layer,
  ItemRepository.layer,
  ManualReviews.layer,
  MessageQueue.layer,
  NotificationRepository.layer,
  OrderRepository.layer,
  Outbox.layer,
  PaymentRepository.layer,
  RefundRepository.layer,
  ReviewRepository.layer,
  SalesLedger.layer,
  SocialAccounts.layer,
  SubscriptionRepository.layer,
  TokenStore.layer,
  Transaction.layer,
  UserRepository.layer,
  ViewCounter.layer,
  WebhookEndpoints.layer
)

/** Every port, over an empty store. */
export const layer = Layer.mergeAll(layerPorts, IdGenerator.layer).pipe(Layer.provideMerge(Store.layer))

/** Every port, over an empty store and with the same ids every time. */
export const layerSequential = (seed: number) =>
  Layer.mergeAll(layerPorts, IdGenerator.layerSequential(seed)).pipe(Layer.provideMerge(Store.layer))
