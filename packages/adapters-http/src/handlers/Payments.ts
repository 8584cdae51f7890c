/**
 * Handlers of the ways back from the payment provider.
 *
 * @since 0.1.0
 */
import { approvePayment, leavePayment } from "@pillivery/application/Payments/ApprovePayment"
import type { Attempt } from "@pillivery/domain/Attempt"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import type { LeftPaymentDto } from "../api/Payments.ts"
import { captured } from "../internal/Captured.ts"
import { stateOf } from "./Orders.ts"

type Services = Effect.Services<ReturnType<typeof approvePayment>> | Effect.Services<ReturnType<typeof leavePayment>>

const toLeft = (attempt: Attempt): typeof LeftPaymentDto.Type => ({
  paymentId: attempt.id,
  orderId: attempt.purpose._tag === "ForOrder" ? attempt.purpose.orderId : null,
  state: stateOf(attempt)
})

/** The ways back. */
export const layer = HttpApiBuilder.group(
  Api,
  "payments",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<Services>()
    const leave = ({ params }: { readonly params: { readonly paymentId: Attempt["id"] } }) =>
      leavePayment(params.paymentId).pipe(Effect.map(toLeft), answer, provide)
    return handlers.handleAll({
      approve: ({ params, query }) =>
        approvePayment(params.paymentId, query.pg_token).pipe(
          Effect.map(({ amount, approvedAt, attemptId, orderId }) => ({
            paymentId: attemptId,
            orderId,
            state: "approved" as const,
            amount,
            approvedAt
          })),
          // Neither can be told to a customer: the books are wrong, and people of ours must look.
          Effect.catchTags({ AlreadyExists: Effect.die, BooksContradict: Effect.die }),
          answer,
          provide
        ),
      cancel: leave,
      fail: leave
    })
  })
)
