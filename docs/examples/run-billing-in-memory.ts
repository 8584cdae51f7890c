/**
 * The first look at the use cases that packages/application/README.md gives: a billing run over an empty shop.
 *
 * @since 0.1.0
 */
import * as Memory from "@pillivery/adapters-memory/Memory"
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import { runBilling } from "@pillivery/application/Billing/RunBilling"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Effect, Layer } from "effect"
import assert from "node:assert/strict"

const shop = ChargeDirectly.layer.pipe(
  Layer.provideMerge(MoneyCalls.layer),
  Layer.provideMerge(Layer.mergeAll(Memory.layer, MemoryProvider.layer))
)

const report = await Effect.runPromise(
  runBilling({ date: BusinessDate.BusinessDate.make("2026-11-23"), worker: "one" }).pipe(Effect.provide(shop))
)
assert.deepEqual(report.owed, { due: 0, inFlight: 0, inDoubt: 0 })
