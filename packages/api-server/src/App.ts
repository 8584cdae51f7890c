/**
 * The whole server, from its settings: the only place, with the billing CLI, that names adapters.
 *
 * @since 0.1.0
 */
import * as PasswordHasher from "@pillivery/adapters-http/PasswordHasher"
import { TrustedProxies } from "@pillivery/adapters-http/ClientAddress"
import { RateLimits } from "@pillivery/adapters-http/RateLimits"
import * as RefreshTokens from "@pillivery/adapters-http/RefreshTokens"
import * as Sealer from "@pillivery/adapters-http/Sealer"
import * as SocialIdentity from "@pillivery/adapters-http/SocialIdentity"
import * as TokenSigner from "@pillivery/adapters-http/TokenSigner"
import * as WebhookSender from "@pillivery/adapters-http/WebhookSender"
import * as HotLists from "@pillivery/application/Catalogue/HotLists"
import * as Views from "@pillivery/application/Catalogue/Views"
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import { ProtocolSettings } from "@pillivery/application/Payments/ProtocolSettings"
import { Effect, Layer, Redacted, References } from "effect"
import { randomBytes } from "node:crypto"
import * as Background from "./Background.ts"
import * as Mail from "./Mail.ts"
import * as Operations from "./Operations.ts"
import * as Provider from "./Provider.ts"
import * as PublicUrl from "./PublicUrl.ts"
import * as Server from "./Server.ts"
import { owner, type Settings } from "./Settings.ts"
import * as Stores from "./Stores.ts"

const secretBytes = 32

const tokenKey = (settings: Settings): TokenSigner.Key => ({
  id: "1",
  secret: settings.tokenSecret ?? Redacted.make(randomBytes(secretBytes).toString("base64url"))
})

/** The shop without its HTTP server and its background work: the stores, the provider, and the gate between them. */
export const layerShop = (settings: Settings) =>
  Layer.merge(ChargeDirectly.layer, PublicUrl.layerCallbacks).pipe(
    Layer.provideMerge(MoneyCalls.layer),
    Layer.provideMerge(PublicUrl.layer(settings.publicUrl)),
    Layer.provideMerge(Provider.layer(settings)),
    Layer.provideMerge(Stores.layer(settings)),
    Layer.provideMerge(
      Layer.mergeAll(
        Layer.succeed(ProtocolSettings, { ...settings.protocol, owner }),
        // Nothing receives spans yet, and making them costs a fifth of a request.
        Layer.succeed(References.TracerEnabled, false)
      )
    )
  )

const layerSocial = ({ social }: Settings) =>
  Layer.unwrap(
    Effect.map(PublicUrl.PublicUrl, (publicUrl) =>
      SocialIdentity.layer({
        credentials: social,
        callbackUrl: (provider) => `${publicUrl.current()}/api/oauth2/${provider}/callback`
      })
    )
  )

/** Everything, listening. */
export const layer = (settings: Settings) => {
  const key = tokenKey(settings)
  return Server.layer(settings).pipe(
    Layer.provideMerge(Background.layer),
    Layer.provideMerge(Operations.layerReadiness),
    Layer.provideMerge(settings.isSandbox ? Operations.layerSandbox : Operations.layerNoSandbox),
    Layer.provideMerge(
      Layer.mergeAll(
        Operations.layerClockFollows,
        Operations.layerAccepting,
        PasswordHasher.layer,
        RefreshTokens.layer,
        Sealer.layer([key]),
        layerSocial(settings),
        WebhookSender.layer({ isLoopbackAllowed: settings.isSandbox }),
        Views.layer,
        settings.areListsKept ? HotLists.layer : HotLists.layerNone,
        Layer.succeed(TrustedProxies, settings.trustedProxies),
        Layer.succeed(RateLimits, settings.rateLimits),
        TokenSigner.layer([key])
      )
    ),
    Layer.provideMerge(layerShop(settings)),
    Layer.provideMerge(Mail.layer(settings))
  )
}
