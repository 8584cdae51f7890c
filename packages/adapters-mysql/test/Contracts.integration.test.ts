/**
 * Every port keeps its contract on a real server.
 *
 * @since 0.1.0
 */
import { describe } from "@effect/vitest"
import * as AuditSuite from "@pillivery/application/testing/AuditSuite"
import * as BillingKeyRepositorySuite from "@pillivery/application/testing/BillingKeyRepositorySuite"
import * as BillingLedgerSuite from "@pillivery/application/testing/BillingLedgerSuite"
import * as BusinessClockSuite from "@pillivery/application/testing/BusinessClockSuite"
import * as ManualReviewsSuite from "@pillivery/application/testing/ManualReviewsSuite"
import * as IdempotencyStoreSuite from "@pillivery/application/testing/IdempotencyStoreSuite"
import * as ItemRepositorySuite from "@pillivery/application/testing/ItemRepositorySuite"
import { live } from "@pillivery/application/testing/Law"
import * as MessageQueueSuite from "@pillivery/application/testing/MessageQueueSuite"
import * as NotificationRepositorySuite from "@pillivery/application/testing/NotificationRepositorySuite"
import * as OrderRepositorySuite from "@pillivery/application/testing/OrderRepositorySuite"
import * as OutboxSuite from "@pillivery/application/testing/OutboxSuite"
import * as PaymentRepositorySuite from "@pillivery/application/testing/PaymentRepositorySuite"
import * as RefundRepositorySuite from "@pillivery/application/testing/RefundRepositorySuite"
import * as ReviewRepositorySuite from "@pillivery/application/testing/ReviewRepositorySuite"
import * as SalesLedgerSuite from "@pillivery/application/testing/SalesLedgerSuite"
import * as SocialAccountsSuite from "@pillivery/application/testing/SocialAccountsSuite"
import * as SubscriptionRepositorySuite from "@pillivery/application/testing/SubscriptionRepositorySuite"
import * as TransactionSuite from "@pillivery/application/testing/TransactionSuite"
import * as UserRepositorySuite from "@pillivery/application/testing/UserRepositorySuite"
import * as ViewCounterSuite from "@pillivery/application/testing/ViewCounterSuite"
import * as WebhookEndpointsSuite from "@pillivery/application/testing/WebhookEndpointsSuite"
import { layer, layerContract, layerContractWith } from "./TestDatabase.ts"

const name = "MySQL"

describe("contracts", () => {
  AuditSuite.suite(name, layerContract, live)
  BillingKeyRepositorySuite.suite(name, layerContract, live)
  BillingLedgerSuite.suite(name, layerContract, live)
  BusinessClockSuite.suite(name, layerContract, live)
  BusinessClockSuite.suiteFixed(name, layer({ isClockMovable: false }), live)
  IdempotencyStoreSuite.suite(name, layerContract, live)
  ManualReviewsSuite.suite(name, layerContract, live)
  ItemRepositorySuite.suite(name, layerContract, live)
  MessageQueueSuite.suite(name, layerContract, live)
  NotificationRepositorySuite.suite(name, layerContract, live)
  OrderRepositorySuite.suite(name, layerContract, live)
  OutboxSuite.suite(name, layerContract, live)
  PaymentRepositorySuite.suite(name, layerContract, live)
  RefundRepositorySuite.suite(name, layerContract, live)
  ReviewRepositorySuite.suite(name, layerContract, live)
  SalesLedgerSuite.suite(name, layerContract, live)
  SocialAccountsSuite.suite(name, layerContract, live)
  SubscriptionRepositorySuite.suite(name, layerContract, live)
  TransactionSuite.suite(name, layerContract, live)
  UserRepositorySuite.suite(name, layerContract, live)
  ViewCounterSuite.ledgerSuite(name, layerContract, live)
  WebhookEndpointsSuite.suite(name, layerContract, live)

  // The money path does not lean on what READ COMMITTED lets it see.
  const snapshots = layerContractWith({ isolation: "REPEATABLE READ" })
  BillingLedgerSuite.suite(`${name}, REPEATABLE READ`, snapshots, live)
  PaymentRepositorySuite.suite(`${name}, REPEATABLE READ`, snapshots, live)
  TransactionSuite.suite(`${name}, REPEATABLE READ`, snapshots, live)
})
