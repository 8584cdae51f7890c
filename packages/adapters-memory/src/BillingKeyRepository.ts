/**
 * Billing keys in memory.
 *
 * @since 0.1.0
 */
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import type { BillingKey } from "@pillivery/domain/BillingKey"
import { Effect, Layer, Option } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

/** The table of billing keys. */
export const billingKeys = Table.define<BillingKey>()({
  name: "billing key",
  idOf: (key) => key.id,
  unique: {
    issued: (key) => ("billingKey" in key ? JSON.stringify([key.provider, key.merchantAccount, key.billingKey]) : null)
  }
})

/** Billing keys of one store. */
export const layer = Layer.effect(
  BillingKeyRepository,
  Effect.map(Store, (store) =>
    BillingKeyRepository.of({
      insert: (key) => store.write("BillingKeyRepository.insert", (rows) => rows.insert(billingKeys, key)),
      findById: (id) =>
        store.read("BillingKeyRepository.findById", (rows) => Option.fromUndefinedOr(rows.get(billingKeys, id))),
      update: (key) => store.write("BillingKeyRepository.update", (rows) => rows.update(billingKeys, key))
    })
  )
)
