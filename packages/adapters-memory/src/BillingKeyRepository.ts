/**
 * Billing keys in memory.
 *
 * @since 0.1.0
 */
import { BillingKeyRepository, neverCheckedOn } from "@pillivery/application/ports/BillingKeyRepository"
import type { BillingKey } from "@pillivery/domain/BillingKey"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import type { BillingKeyId } from "@pillivery/domain/Ids"
import { Effect, Layer, Option, Result } from "effect"
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

/** When a key was last compared with the provider. */
interface Check {
  readonly id: BillingKeyId
  readonly on: BusinessDate
}

const checks = Table.define<Check>()({ name: "billing key check", idOf: (check) => check.id })

/** Billing keys of one store. */
export const layer = Layer.effect(
  BillingKeyRepository,
  Effect.map(Store, (store) =>
    BillingKeyRepository.of({
      insert: (key) => store.write("BillingKeyRepository.insert", (rows) => rows.insert(billingKeys, key)),
      findById: (id) =>
        store.read("BillingKeyRepository.findById", (rows) => Option.fromUndefinedOr(rows.get(billingKeys, id))),
      update: (key) => store.write("BillingKeyRepository.update", (rows) => rows.update(billingKeys, key)),
      listUnchecked: ({ after, approvedBefore, limit, on }) =>
        store.read("BillingKeyRepository.listUnchecked", (rows) => {
          const orderOf = (key: { readonly id: string; readonly checkedOn: string }) => `${key.checkedOn}/${key.id}`
          const isWanted = ({ _tag, inFlight, lastKnownApproval }: BillingKey) =>
            _tag === "Active" &&
            inFlight === null &&
            (lastKnownApproval === null || lastKnownApproval.epochMilliseconds < approvedBefore.epochMilliseconds)
          return rows
            .all(billingKeys)
            .filter(isWanted)
            .map(({ id }) => ({ id, checkedOn: rows.get(checks, id)?.on ?? neverCheckedOn }))
            .filter((key) => key.checkedOn < on && (after === null || orderOf(key) > orderOf(after)))
            .sort((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1))
            .slice(0, limit)
        }),
      markChecked: (id, on) =>
        store.write("BillingKeyRepository.markChecked", (rows) => Result.succeed(rows.put(checks, { id, on }))),
      uncheckAll: store.write("BillingKeyRepository.uncheckAll", (rows) => {
        for (const { id } of rows.all(checks)) rows.remove(checks, id)
        return Result.succeed(undefined)
      })
    })
  )
)
