/**
 * What waits for a person, in memory.
 *
 * @since 0.1.0
 */
import {
  type Decision,
  listedMax,
  ManualReviews,
  type Subject,
  type Waiting
} from "@pillivery/application/ports/ManualReviews"
import { Effect, Layer, Result } from "effect"
import { billingKeys } from "./BillingKeyRepository.ts"
import * as Table from "./internal/Table.ts"
import { attempts } from "./PaymentRepository.ts"
import { refunds } from "./RefundRepository.ts"
import { type Rows, Store } from "./Store.ts"

const decisions = Table.define<Decision>()({
  name: "operator decision",
  idOf: ({ id }) => id,
  indexes: { subject: ({ at, id, subjectId }) => `${subjectId}/${Table.timeKey(at)}/${id}` }
})

const waitingOf = (rows: Rows, subject: Subject): ReadonlyArray<Waiting> => {
  switch (subject) {
    case "attempt":
      return rows.all(attempts).flatMap((attempt): ReadonlyArray<Waiting> =>
        attempt._tag === "ManualReview"
          ? [
              {
                subject,
                id: attempt.id,
                userId: attempt.purpose.userId,
                amount: attempt.amount,
                since: attempt.reviewSince,
                detail: attempt.detail
              }
            ]
          : []
      )
    case "reference":
      return rows.all(attempts).flatMap((attempt): ReadonlyArray<Waiting> =>
        "reference" in attempt && attempt.reference._tag === "Awaiting"
          ? [
              {
                subject,
                id: attempt.id,
                userId: attempt.purpose.userId,
                amount: attempt.approved,
                since: attempt.settledAt,
                detail: attempt._tag
              }
            ]
          : []
      )
    case "refund":
      return rows.all(refunds).flatMap((refund): ReadonlyArray<Waiting> =>
        refund._tag === "ManualReview"
          ? [
              {
                subject,
                id: refund.id,
                userId: refund.userId,
                amount: refund.amount,
                since: refund.reviewSince,
                detail: refund.detail
              }
            ]
          : []
      )
    case "billingKey":
      return rows
        .all(billingKeys)
        .flatMap((key): ReadonlyArray<Waiting> =>
          key._tag === "Frozen"
            ? [{ subject, id: key.id, userId: key.userId, amount: null, since: null, detail: key._tag }]
            : []
        )
  }
}

/** What waits in one store. */
export const layer = Layer.effect(
  ManualReviews,
  Effect.map(Store, (store) =>
    ManualReviews.of({
      list: (subject, { after, limit }) =>
        store.read("ManualReviews.list", (rows) =>
          waitingOf(rows, subject)
            .filter(({ id }) => after === null || id > after)
            .toSorted((one, other) => (one.id < other.id ? -1 : 1))
            .slice(0, Math.min(limit, listedMax))
        ),
      record: (decision) =>
        store.write("ManualReviews.record", (rows) => Result.succeed(rows.put(decisions, decision))),
      decisionsOf: (subjectId) =>
        store.read("ManualReviews.decisionsOf", (rows) =>
          rows.list(decisions, "subject", { prefix: `${subjectId}/`, limit: listedMax })
        )
    })
  )
)
