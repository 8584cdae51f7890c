/**
 * The origin under which browsers reach the server: the configured one, or the address it listens at.
 *
 * @since 0.1.0
 */
import { CallbackUrls } from "@pillivery/application/Payments/CallbackUrls"
import { Context, Effect, Layer, MutableRef } from "effect"

/** The origin; the server sets it once it listens, before it takes the first request. */
export class PublicUrl extends Context.Service<
  PublicUrl,
  { readonly current: () => string; readonly listensAt: (url: string) => void }
>()("@pillivery/api-server/PublicUrl") {}

/** A configured origin stays as it is; null follows the address. */
export const layer = (configured: string | null): Layer.Layer<PublicUrl> =>
  Layer.sync(PublicUrl, () => {
    const ref = MutableRef.make(configured ?? "")
    return PublicUrl.of({
      current: () => MutableRef.get(ref),
      listensAt: (url) => {
        if (configured === null) MutableRef.set(ref, url)
      }
    })
  })

/** Where the provider sends customers back to. */
export const layerCallbacks = Layer.effect(
  CallbackUrls,
  Effect.map(PublicUrl, (publicUrl) =>
    CallbackUrls.of({ of: (attemptId, way) => `${publicUrl.current()}/api/payments/${attemptId}/${way}` })
  )
)
