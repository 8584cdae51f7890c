/**
 * The shop of a scenario: the composition root's own wiring of use cases, protocol, breaker, bulkheads and KakaoPay
 * adapter, without the HTTP server in front, on stores in memory.
 */
import * as KakaoPay from "@pillivery/adapters-kakaopay/KakaoPay"
import * as App from "@pillivery/api-server/App"
import { sampleCatalogue } from "@pillivery/api-server/SampleCatalogue"
import { settingsDefault } from "@pillivery/api-server/Settings"
import { placeOrder } from "@pillivery/application/Checkout/PlaceOrder"
import { requestPayment } from "@pillivery/application/Payments/RequestPayment"
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { UserId } from "@pillivery/domain/Ids"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { ConfigProvider, Effect, Layer, Schedule } from "effect"
import { defaultSecretKey } from "kakaopay-simulator/Merchants"
import type { Provider } from "./Provider.ts"

/** How often a customer asks for a payment again when the provider does not answer in time. */
const requestsAgainMax = 60
const requestAgainAfter = "500 millis"

/** The environment under which the server would use this provider. */
export const environment = (options: { readonly providerUrl: string; readonly responseMillisMax?: number }) =>
  ConfigProvider.fromUnknown({
    PILLIVERY_KAKAOPAY_URL: options.providerUrl,
    PILLIVERY_KAKAOPAY_SECRET_KEY: defaultSecretKey,
    ...(options.responseMillisMax === undefined
      ? {}
      : { PILLIVERY_KAKAOPAY_RESPONSE_MILLIS: String(options.responseMillisMax) })
  })

/** Everything below the HTTP server, with the provider that {@link environment} names. */
export const layer = (options: Parameters<typeof environment>[0]) =>
  App.layerShop({
    ...settingsDefault,
    publicUrl: "http://shop.example",
    provider: { _tag: "KakaoPay", url: new URL(options.providerUrl) }
  }).pipe(Layer.provide(ConfigProvider.layer(environment(options))))

/** A second KakaoPay strategy that differs only in where it connects to. */
export const strategyAt = (url: URL, options: Parameters<typeof environment>[0]) =>
  Effect.gen(function* () {
    const config = yield* KakaoPay.config.parse(environment(options))
    return yield* KakaoPay.make({ ...config, baseUrl: url })
  })

/** A new customer. */
export const newUser = Effect.gen(function* () {
  return UserId.make(yield* (yield* IdGenerator).next)
})

/** A payment that its customer has approved at the provider: what is left is our own approval of it. */
export type AuthenticatedPayment = Effect.Success<ReturnType<typeof authenticatePayment>>

/** Places an order, asks for its payment, and approves it as the customer does at the provider. */
export const authenticatePayment = Effect.fnUntraced(function* (provider: Provider, userId: UserId) {
  const item = sampleCatalogue[0]
  if (item === undefined) return yield* Effect.die("the catalogue is empty")
  const order = yield* placeOrder({
    userId,
    wanted: { lines: [{ itemId: item.id, quantity: Quantity.make(1), period: null }] },
    receiver: Fixtures.receiver()
  })
  // A slow answer shows no transaction to anybody, so the customer asks again.
  const waiting = yield* requestPayment({ orderId: order.id, userId }).pipe(
    Effect.retry({
      while: ({ _tag }) => _tag === "ProviderUnavailable",
      times: requestsAgainMax,
      schedule: Schedule.spaced(requestAgainAfter)
    })
  )
  const token = yield* provider.approveAsCustomer(waiting.transactionId)
  return { attemptId: waiting.id, orderId: order.id, token }
})
