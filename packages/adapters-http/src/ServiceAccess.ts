/**
 * Who may use the internal API: processes of ours, from addresses that were named, with the token both sides know.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { createHash, timingSafeEqual } from "node:crypto"
import { toProblem } from "./Answer.ts"
import { ServiceAccess } from "./api/Internal.ts"
import { clientAddress, type Networks } from "./ClientAddress.ts"

/** The least bytes of a service token. */
export const tokenBytesMin = 32

/** What the composition root says about the internal API. */
export class ServiceAccessSettings extends Context.Service<
  ServiceAccessSettings,
  {
    readonly token: Redacted.Redacted
    readonly allowed: Networks
    readonly trustedProxies: Networks
  }
>()("@pillivery/adapters-http/ServiceAccessSettings") {}

const rejected = { _tag: "ServiceTokenRejected", message: "" } as const
const notAllowed = { _tag: "AddressNotAllowedRequest", message: "" } as const

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest()

/** Lets in whom the settings name. */
export const layer = Layer.effect(
  ServiceAccess,
  Effect.gen(function* () {
    const { allowed, token, trustedProxies } = yield* ServiceAccessSettings
    const expected = digestOf(Redacted.value(token))
    const refuse = <E extends Parameters<typeof toProblem>[0]>(error: E) =>
      Effect.flatMap(toProblem(error), Effect.fail)
    return ServiceAccess.of({
      bearer: Effect.fnUntraced(function* (httpEffect, { credential }) {
        const address = clientAddress(yield* HttpServerRequest.HttpServerRequest, trustedProxies)
        if (address === null || !allowed.has(address)) return yield* refuse(notAllowed)
        // Digests are as long as each other, so that the time of the comparison tells nothing, not even the length.
        if (!timingSafeEqual(digestOf(Redacted.value(credential)), expected)) return yield* refuse(rejected)
        return yield* httpEffect
      })
    })
  })
)
