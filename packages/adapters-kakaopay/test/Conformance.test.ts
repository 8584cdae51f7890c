import {
  type Method,
  PaymentStrategyWorld,
  suite,
  type Trouble
} from "@pillivery/application/testing/PaymentStrategySuite"
import { ApprovalToken } from "@pillivery/domain/Provider"
import { Effect, Layer, Redacted } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import * as SimulatorServer from "kakaopay-simulator/SimulatorServer"
import type { SwitchesPatch } from "kakaopay-simulator/Switches"
import * as KakaoPay from "../src/KakaoPay.ts"
import * as Provider from "./Provider.ts"

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1_000_000))
console.log(`adapters-kakaopay conformance: SEED=${seed}`)

const endpoints = {
  prepare: "ready",
  approve: "approve",
  charge: "subscription",
  refund: "cancel",
  deactivate: "inactive",
  lookupPayment: "order",
  lookupBillingKey: "status"
} as const satisfies Record<Method, string>

const wrongCid = -731

const world = Layer.effect(
  PaymentStrategyWorld,
  Effect.gen(function* () {
    const { url } = yield* SimulatorServer.SimulatorServer
    const simulator = yield* Simulator
    const strategy = yield* KakaoPay.make({
      ...Provider.configOf(url),
      secretKey: Redacted.make(Provider.secretKey)
    })
    const fault = (method: Method, trouble: Trouble) => {
      const rule = { endpoint: endpoints[method], times: 1 }
      switch (trouble) {
        case "answerLost":
          return simulator.faults.add({ ...rule, kind: "timeout-after" })
        case "requestLost":
          return simulator.faults.add({ ...rule, kind: "timeout-before" })
        case "answerGarbled":
          return simulator.faults.add({ ...rule, kind: "truncated-json" })
        case "cutAfter":
          return simulator.faults.add({ ...rule, kind: "reset-after" })
        case "notTried":
          return simulator.faults.add({ ...rule, kind: "maintenance" })
        case "misconfigured":
          return simulator.faults.add({ ...rule, kind: "error", error: { code: wrongCid } })
        case "refusedSoftly":
          return simulator.declines.add({ methodResultCode: "LACK_BALANCE", times: 1 })
      }
    }
    return PaymentStrategyWorld.of({
      strategy,
      approveAsCustomer: (transactionId) =>
        simulator.customers.approve(transactionId).pipe(
          Effect.map(({ redirectUrl }) =>
            ApprovalToken.make(new URL(redirectUrl ?? "").searchParams.get("pg_token") ?? "")
          ),
          Effect.orDie
        ),
      ledgerTotals: (attemptId) =>
        Effect.map(simulator.ledger.totals({ partnerOrderId: attemptId }), (totals) => ({
          captures: totals.captureCount,
          captured: totals.capturedAmount,
          refunds: totals.refundCount,
          refunded: totals.refundedAmount
        })),
      failNext: (method, trouble) => Effect.asVoid(Effect.orDie(fault(method, trouble))),
      revokeKey: (billingKey) => Effect.orDie(simulator.billingKeys.inactivate(billingKey))
    })
  })
)

const simulated = (switches: SwitchesPatch) =>
  world.pipe(Layer.provide(SimulatorServer.layer({ seed, secretKey: Provider.secretKey, switches })))

suite("KakaoPay", simulated({}))

// What is not known of the real provider is tried both ways.
suite(
  "KakaoPay, as it may also be",
  simulated({
    failuresAre500: true,
    totalMismatchCode: -722,
    repeatedInactive: "error",
    emptyLastApprovedAt: "empty",
    declinedApproveEndsPayment: false,
    defaultPaymentMethod: "CARD",
    approvedAtDriftRate: 1,
    extraKeysRate: 1,
    sparseActionRate: 1
  })
)
