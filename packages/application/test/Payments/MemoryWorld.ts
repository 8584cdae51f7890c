import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Layer } from "effect"
import { type AsideBehaviour, type Behaviour, layer, MemoryProvider } from "../../src/testing/MemoryProvider.ts"
import { type Method, PaymentStrategyWorld, type Trouble } from "../../src/testing/PaymentStrategySuite.ts"

/** What each trouble is for a provider without a wire: an answer that cannot be read is one that is lost. */
const behaviours = {
  answerLost: { _tag: "LoseAnswer" },
  requestLost: { _tag: "LoseRequest" },
  answerGarbled: { _tag: "LoseAnswer" },
  cutAfter: { _tag: "LoseAnswer" },
  refusedSoftly: { _tag: "Decline", reason: Fixtures.softDecline() },
  notTried: { _tag: "NotExecuted", why: "word" },
  misconfigured: { _tag: "NotExecuted", why: "ours" }
} as const satisfies Record<Trouble, Behaviour>

/** The same for calls that move no money, of which none is refused. */
const aside = { ...behaviours, refusedSoftly: behaviours.notTried } as const satisfies Record<Trouble, AsideBehaviour>

const isLookup = (method: Method): boolean => method === "lookupPayment" || method === "lookupBillingKey"

/** The memory strategy and its provider, as the conformance kit wants them. */
export const layerWorld = Layer.effect(
  PaymentStrategyWorld,
  Effect.map(MemoryProvider, (provider) =>
    PaymentStrategyWorld.of({
      strategy: provider.strategy,
      approveAsCustomer: provider.approveAsCustomer,
      ledgerTotals: (attemptId) =>
        Effect.map(provider.movements, (movements) => {
          const captures = movements.filter(({ cause, kind }) => kind === "capture" && cause === attemptId)
          const ids = new Set(captures.map(({ transactionId }) => transactionId))
          const refunds = movements.filter(({ kind, transactionId }) => kind === "refund" && ids.has(transactionId))
          return {
            captures: captures.length,
            captured: captures.reduce((sum, { amount }) => sum + amount, 0),
            refunds: refunds.length,
            refunded: refunds.reduce((sum, { amount }) => sum + amount, 0)
          }
        }),
      failNext: (method, trouble) => {
        if (isLookup(method)) return provider.failNextLookup(trouble === "misconfigured")
        return method === "prepare" || method === "deactivate"
          ? provider.nextAside(aside[trouble])
          : provider.next(behaviours[trouble])
      },
      revokeKey: provider.revokeKey
    })
  )
).pipe(Layer.provide(layer))
