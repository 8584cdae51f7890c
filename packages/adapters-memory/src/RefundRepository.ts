/**
 * Refunds in memory.
 *
 * @since 0.1.0
 */
import { RefundRepository, refundsListedMax } from "@pillivery/application/ports/RefundRepository"
import type { Refund } from "@pillivery/domain/Refund"
import { Effect, Layer, Option } from "effect"
import * as Table from "./internal/Table.ts"
import { type Rows, Store } from "./Store.ts"

/** The table of refunds. */
export const refunds = Table.define<Refund>()({
  name: "refund",
  idOf: (refund) => refund.id,
  unique: {
    // The provider's total tells the outcome of a lost refund only while there is one at a time.
    openAttempt: (refund) => (refund._tag === "Sent" || refund._tag === "Unknown" ? refund.attemptId : null)
  },
  indexes: {
    order: (refund) => (refund.orderId === null ? null : `${refund.orderId}/${Table.timeKey(refund.requestedAt)}`),
    attempt: (refund) => `${refund.attemptId}/${Table.timeKey(refund.requestedAt)}`,
    requested: (refund) => (refund._tag === "Requested" ? Table.timeKey(refund.requestedAt) : null),
    lease: (refund) => (refund._tag === "Sent" ? Table.timeKey(refund.leaseExpiresAt) : null),
    nextAsk: (refund) => (refund._tag === "Unknown" ? Table.timeKey(refund.nextAskAt) : null)
  }
})

/** Refunds of one store. */
export const layer = Layer.effect(
  RefundRepository,
  Effect.map(Store, (store) =>
    RefundRepository.of({
      insert: (refund) => store.write("RefundRepository.insert", (rows) => rows.insert(refunds, refund)),
      findById: (id) =>
        store.read("RefundRepository.findById", (rows) => Option.fromUndefinedOr(rows.get(refunds, id))),
      update: (refund) => store.write("RefundRepository.update", (rows) => rows.update(refunds, refund)),
      listByOrder: (id) =>
        store.read("RefundRepository.listByOrder", (rows) =>
          rows.list(refunds, "order", { prefix: `${id}/`, limit: refundsListedMax })
        ),
      listByAttempt: (id) =>
        store.read("RefundRepository.listByAttempt", (rows) =>
          rows.list(refunds, "attempt", { prefix: `${id}/`, limit: refundsListedMax })
        ),
      listRequested: (limit) =>
        store.read("RefundRepository.listRequested", (rows) => ids(rows, "requested", { limit })),
      listAbandonedBySender: (databaseNow, limit) =>
        store.read("RefundRepository.listAbandonedBySender", (rows) =>
          ids(rows, "lease", { until: Table.after(Table.timeKey(databaseNow)), limit })
        ),
      listToAskAbout: (at, limit) =>
        store.read("RefundRepository.listToAskAbout", (rows) =>
          ids(rows, "nextAsk", { until: Table.after(Table.timeKey(at)), limit })
        )
    })
  )
)

const ids = (
  rows: Rows,
  index: "requested" | "lease" | "nextAsk",
  options: { readonly until?: string; readonly limit: number }
) => rows.list(refunds, index, options).map((refund) => refund.id)
