/**
 * Calls other systems.
 *
 * @since 0.1.0
 */
import { Context, type Effect, type Redacted, Schema } from "effect"

/**
 * An endpoint did not take a message, or nobody knows whether it did; `isRetryable` is false when sending the same again
 * is not wanted.
 */
export class WebhookFailed extends Schema.TaggedError<WebhookFailed>("@pillivery/application/WebhookFailed")(
  "WebhookFailed",
  { detail: Schema.String, isRetryable: Schema.Boolean }
) {
  override get message() {
    return this.detail
  }
}

/** An address to which nothing is ever sent. */
export class WebhookUrlRefused extends Schema.TaggedError<WebhookUrlRefused>(
  "@pillivery/application/WebhookUrlRefused"
)("WebhookUrlRefused", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** One call. `id` is the same each time the same message is sent, so that the receiver may recognise a repeat. */
export interface WebhookCall {
  readonly url: string
  readonly id: string
  readonly body: string
  /** The body is signed with each of them. */
  readonly secrets: ReadonlyArray<Redacted.Redacted>
}

/** Calls other systems, which are strangers: their addresses are not trusted, nor are their answers. */
export class WebhookSender extends Context.Service<
  WebhookSender,
  {
    /** Refuses an address that can be seen to lead inside; one that only turns out to do so is refused when it is called. */
    readonly check: (url: string) => Effect.Effect<void, WebhookUrlRefused>
    /** Ends when the endpoint said that it has the message. */
    readonly send: (call: WebhookCall) => Effect.Effect<void, WebhookFailed>
    /** A new secret that nobody can guess. */
    readonly newSecret: Effect.Effect<Redacted.Redacted>
  }
>()("@pillivery/application/WebhookSender") {}
