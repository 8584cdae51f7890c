/**
 * All or nothing, in memory.
 *
 * There is one writer at a time, so that no transaction ever loses to rivals; it waits for them instead.
 *
 * @since 0.1.0
 */
import { Transaction } from "@pillivery/application/ports/Transaction"
import { Effect, Layer } from "effect"
import { Store } from "./Store.ts"

/** Transactions over the rows of one store. */
export const layer = Layer.effect(
  Transaction,
  Effect.map(Store, (store) => Transaction.of({ run: store.transaction, runShared: () => store.transaction }))
)
