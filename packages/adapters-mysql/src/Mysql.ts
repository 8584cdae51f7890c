/**
 * Every port that this package offers, on one pool of connections.
 *
 * @since 0.1.0
 */
import type { MysqlClient } from "@effect/sql-mysql2"
import type { Audit as AuditPort } from "@pillivery/application/ports/Audit"
import type { BillingKeyRepository as BillingKeyRepositoryPort } from "@pillivery/application/ports/BillingKeyRepository"
import type { BillingLedger as BillingLedgerPort } from "@pillivery/application/ports/BillingLedger"
import type { BusinessClock as BusinessClockPort } from "@pillivery/application/ports/BusinessClock"
import type { IdempotencyStore as IdempotencyStorePort } from "@pillivery/application/ports/IdempotencyStore"
import type { ItemRepository as ItemRepositoryPort } from "@pillivery/application/ports/ItemRepository"
import type { ManualReviews as ManualReviewsPort } from "@pillivery/application/ports/ManualReviews"
import type { MessageQueue as MessageQueuePort } from "@pillivery/application/ports/MessageQueue"
import type { NotificationRepository as NotificationRepositoryPort } from "@pillivery/application/ports/NotificationRepository"
import type { OrderRepository as OrderRepositoryPort } from "@pillivery/application/ports/OrderRepository"
import type { Outbox as OutboxPort } from "@pillivery/application/ports/Outbox"
import type { PaymentRepository as PaymentRepositoryPort } from "@pillivery/application/ports/PaymentRepository"
import type { RefundRepository as RefundRepositoryPort } from "@pillivery/application/ports/RefundRepository"
import type { ReviewRepository as ReviewRepositoryPort } from "@pillivery/application/ports/ReviewRepository"
import type { SalesLedger as SalesLedgerPort } from "@pillivery/application/ports/SalesLedger"
import type { SocialAccounts as SocialAccountsPort } from "@pillivery/application/ports/SocialAccounts"
import type { SubscriptionRepository as SubscriptionRepositoryPort } from "@pillivery/application/ports/SubscriptionRepository"
import type { Transaction as TransactionPort } from "@pillivery/application/ports/Transaction"
import type { UserRepository as UserRepositoryPort } from "@pillivery/application/ports/UserRepository"
import type { ViewLedger as ViewLedgerPort } from "@pillivery/application/ports/ViewCounter"
import type { WebhookEndpoints as WebhookEndpointsPort } from "@pillivery/application/ports/WebhookEndpoints"
import { Layer } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Audit from "./Audit.ts"
import * as BillingKeyRepository from "./BillingKeyRepository.ts"
import * as BillingLedger from "./BillingLedger.ts"
import * as BusinessClock from "./BusinessClock.ts"
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
import * as SubscriptionRepository from "./SubscriptionRepository.ts"
import * as Transaction from "./Transaction.ts"
import * as UserRepository from "./UserRepository.ts"
import * as ViewLedger from "./ViewLedger.ts"
import * as WebhookEndpoints from "./WebhookEndpoints.ts"

/** The ports of this package. */
export type Ports =
  | AuditPort
  | BillingKeyRepositoryPort
  | BillingLedgerPort
  | BusinessClockPort
  | IdempotencyStorePort
  | ItemRepositoryPort
  | ManualReviewsPort
  | MessageQueuePort
  | NotificationRepositoryPort
  | OrderRepositoryPort
  | OutboxPort
  | PaymentRepositoryPort
  | RefundRepositoryPort
  | ReviewRepositoryPort
  | SalesLedgerPort
  | SocialAccountsPort
  | SubscriptionRepositoryPort
  | TransactionPort
  | UserRepositoryPort
  | ViewLedgerPort
  | WebhookEndpointsPort

/** How the ports behave. */
export interface Options extends Transaction.Options {
  /** Whether the business clock can be moved: tests and demos against a provider on this machine only. */
  readonly isClockMovable?: boolean
}

/** All ports on the pool of `Client.layer`. */
export const layerWith = (options: Options): Layer.Layer<Ports, never, SqlClient | MysqlClient.MysqlClient> =>
  Layer.mergeAll(
    Audit.layer,
    BillingKeyRepository.layer,
    BillingLedger.layer,
    options.isClockMovable === true ? BusinessClock.layerMovable : BusinessClock.layer,
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
    UserRepository.layer,
    ViewLedger.layer,
    WebhookEndpoints.layer
  ).pipe(Layer.provideMerge(Transaction.layerWith(options)))

/** All ports on the pool of `Client.layer`, with a clock that cannot be moved. */
export const layer = layerWith({})
