/**
 * Where a provider sends the customer's browser back to.
 *
 * @since 0.1.0
 */
import type { AttemptId } from "@pillivery/domain/Ids"
import { Context } from "effect"

/** The three ways back from a provider. */
export type Way = "approve" | "cancel" | "fail"

/** Makes the address for one attempt; at most 255 characters. */
export class CallbackUrls extends Context.Service<
  CallbackUrls,
  { readonly of: (attemptId: AttemptId, way: Way) => string }
>()("@pillivery/application/Payments/CallbackUrls") {}
