/**
 * The conformance kit proved: a strategy that breaks one promise of the port fails a law, and one that keeps them passes all.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DeclineReason from "@pillivery/domain/DeclineReason"
import * as Strategy from "@pillivery/domain/PaymentStrategy"
import * as Answer from "@pillivery/domain/ProviderAnswer"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won } from "@pillivery/domain/Won"
import { DateTime, Effect, Exit, Layer } from "effect"
import { laws, PaymentStrategyWorld } from "../../src/testing/PaymentStrategySuite.ts"
import { layerWorld } from "./MemoryWorld.ts"

type S = Strategy.PaymentStrategy

const never: Strategy.DispatchDeadline = {
  monotonicMillis: Number.MAX_SAFE_INTEGER,
  wallMillis: Number.MAX_SAFE_INTEGER
}
const declined = new Answer.Declined({ reason: Fixtures.softDecline() })
const notSent = new Answer.NotExecuted({ why: "local", detail: "" })
const word = new Answer.NotExecuted({ why: "word", detail: "" })
const refused = new Strategy.RefundRefused({ code: "no", detail: "" })

/** Changes one answer of a method. */
const when =
  <Request, A extends { readonly _tag: string }, Tag extends A["_tag"]>(
    method: (request: Request) => Effect.Effect<A>,
    tag: Tag,
    change: (answer: Extract<A, { readonly _tag: Tag }>, request: Request) => A | Effect.Effect<A>
  ) =>
  (request: Request): Effect.Effect<A> =>
    Effect.flatMap(method(request), (answer) => {
      if (answer._tag !== tag) return Effect.succeed(answer)
      const changed = change(answer as Extract<A, { readonly _tag: Tag }>, request)
      return Effect.isEffect(changed) ? changed : Effect.succeed(changed)
    })

const reasonless = (reason: DeclineReason.DeclineReason): DeclineReason.DeclineReason =>
  new DeclineReason.Hard({ kind: "CardUnusable", code: reason.code, message: reason.message })

/** Strategies that break one promise each. */
const mutants: Readonly<Record<string, (honest: S) => Partial<S>>> = {
  "sends a charge again when its answer is lost": (honest) => ({
    charge: when(honest.charge, "Unknown", (_answer, request) => honest.charge(request))
  }),
  "sends a refund again when its answer is lost": (honest) => ({
    refund: when(honest.refund, "Unknown", (_answer, request) => honest.refund(request))
  }),
  "calls a lost charge a refusal": (honest) => ({ charge: when(honest.charge, "Unknown", () => declined) }),
  "calls a lost charge unsent": (honest) => ({ charge: when(honest.charge, "Unknown", () => notSent) }),
  "calls a lost approval a refusal": (honest) => ({ approve: when(honest.approve, "Unknown", () => declined) }),
  "calls a lost approval unsent": (honest) => ({ approve: when(honest.approve, "Unknown", () => notSent) }),
  "calls a lost refund a refusal": (honest) => ({ refund: when(honest.refund, "Unknown", () => refused) }),
  "calls a lost transaction unsent": (honest) => ({ prepare: when(honest.prepare, "Unknown", () => notSent) }),
  "calls a lost ending of a key done": (honest) => ({
    deactivate: when(honest.deactivate, "Unknown", () => new Strategy.Deactivated({}))
  }),
  "begins a charge after its deadline": (honest) => ({
    charge: (request) => honest.charge({ ...request, dispatchBefore: never })
  }),
  "begins an approval after its deadline": (honest) => ({
    approve: (request) => honest.approve({ ...request, dispatchBefore: never })
  }),
  "begins a refund after its deadline": (honest) => ({
    refund: (request) => honest.refund({ ...request, dispatchBefore: never })
  }),
  "looks at one of the two clocks": (honest) => ({
    charge: (request) =>
      honest.charge({ ...request, dispatchBefore: { ...request.dispatchBefore, wallMillis: never.wallMillis } })
  }),
  "calls the provider's maintenance a refusal": (honest) => ({
    charge: when(honest.charge, "NotExecuted", (answer) => (answer.why === "word" ? declined : answer))
  }),
  "calls our mistakes the provider's word": (honest) => ({
    approve: when(honest.approve, "NotExecuted", (answer) => (answer.why === "ours" ? word : answer))
  }),
  "calls every refusal one that only the customer can mend": (honest) => ({
    charge: when(honest.charge, "Declined", ({ reason }) => new Answer.Declined({ reason: reasonless(reason) }))
  }),
  "lets an ended key be tried again on another day": (honest) => ({
    charge: when(honest.charge, "Declined", () => declined)
  }),
  "ends a payment when a stranger brings a token": (honest) => ({
    approve: when(honest.approve, "NotYet", ({ detail }) => new Answer.Expired({ detail }))
  }),
  "corrects an amount": (honest) => ({
    charge: (request) => honest.charge({ ...request, amount: Won.make(request.amount + 1) })
  }),
  "forgets the key that an approval issued": (honest) => ({
    approve: when(honest.approve, "Approved", (answer) => new Answer.Approved({ ...answer, billingKey: null }))
  }),
  "answers a refund alone instead of all": (honest) => ({
    refund: when(
      honest.refund,
      "RefundDone",
      (answer, { amount }) => new Strategy.RefundDone({ ...answer, refundedTotal: amount })
    )
  }),
  "does not know what a failed lookup asked for": (honest) => ({
    lookupPayment: when(honest.lookupPayment, "LookupFailed", () => new Strategy.PaymentMissing({ detail: "" }))
  }),
  "takes a payment nobody made for a failed lookup": (honest) => ({
    lookupPayment: when(
      honest.lookupPayment,
      "PaymentMissing",
      ({ detail }) => new Strategy.LookupFailed({ isOurFault: false, detail })
    )
  }),
  "takes a failed lookup of a key for a key without approvals": (honest) => ({
    lookupBillingKey: when(
      honest.lookupBillingKey,
      "LookupFailed",
      () => new Strategy.BillingKeyFound({ isActive: true, lastApprovedAt: null })
    )
  }),
  "takes a key nobody issued for an ended one": (honest) => ({
    lookupBillingKey: when(
      honest.lookupBillingKey,
      "BillingKeyMissing",
      () => new Strategy.BillingKeyFound({ isActive: false, lastApprovedAt: null })
    )
  }),
  "hides that a lookup fails by our fault": (honest) => ({
    lookupBillingKey: when(
      honest.lookupBillingKey,
      "LookupFailed",
      ({ detail }) => new Strategy.LookupFailed({ isOurFault: false, detail })
    )
  }),
  "calls a waiting payment failed": (honest) => ({
    lookupPayment: when(honest.lookupPayment, "PaymentFound", (answer) =>
      answer.standing === "waiting" ? new Strategy.PaymentFound({ ...answer, standing: "failed" }) : answer
    )
  }),
  "forgets for which attempt a payment was made": (honest) => ({
    lookupPayment: when(
      honest.lookupPayment,
      "PaymentFound",
      (answer) => new Strategy.PaymentFound({ ...answer, attemptId: null })
    )
  }),
  "forgets what was given back": (honest) => ({
    lookupPayment: when(
      honest.lookupPayment,
      "PaymentFound",
      (answer) => new Strategy.PaymentFound({ ...answer, refundedTotal: Won.make(0) })
    )
  }),
  "reads the provider's time in another zone": (honest) => ({
    lookupBillingKey: when(
      honest.lookupBillingKey,
      "BillingKeyFound",
      (answer) =>
        new Strategy.BillingKeyFound({
          ...answer,
          lastApprovedAt: answer.lastApprovedAt === null ? null : DateTime.add(answer.lastApprovedAt, { hours: 9 })
        })
    )
  }),
  "says that a key is ended and leaves it alive": () => ({
    deactivate: () => Effect.succeed(new Strategy.Deactivated({}))
  })
}

/** The laws that do not hold for a strategy, by name. */
const brokenLaws = (change: (honest: S) => Partial<S>) =>
  Effect.gen(function* () {
    const world = yield* PaymentStrategyWorld
    const strategy = { ...world.strategy, ...change(world.strategy) }
    const broken: Array<string> = []
    for (const { law, name } of laws()) {
      const exit = yield* Effect.exit(Effect.provideService(law, PaymentStrategyWorld, { ...world, strategy }))
      if (Exit.isFailure(exit)) broken.push(name)
    }
    return broken
  }).pipe(Effect.provide(Layer.fresh(layerWorld)))

describe("the conformance kit", () => {
  it.live("lets a strategy pass that keeps every promise", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* brokenLaws(() => ({})), [])
    })
  )

  for (const [name, mutant] of Object.entries(mutants)) {
    it.live(`rejects a strategy that ${name}`, () =>
      Effect.gen(function* () {
        assert.isNotEmpty(yield* brokenLaws(mutant))
      })
    )
  }
})
