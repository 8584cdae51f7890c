/**
 * Who takes the money: KakaoPay, or its simulator in this process.
 *
 * @since 0.1.0
 */
import * as KakaoPay from "@pillivery/adapters-kakaopay/KakaoPay"
import type { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { type Config, Context, Duration, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, type HttpServerError } from "effect/http"
import { defaultSecretKey } from "kakaopay-simulator/Merchants"
import { Simulator } from "kakaopay-simulator/Simulator"
import * as SimulatorServer from "kakaopay-simulator/SimulatorServer"
import type { Settings } from "./Settings.ts"

/** Moves the provider's time along with ours, where that can be done. */
export class ProviderClock extends Context.Service<
  ProviderClock,
  {
    /** Where its control API is; null for a provider that is not simulated here. */
    readonly simulatorUrl: string | null
    readonly follow: (offset: Duration.Duration) => Effect.Effect<void>
  }
>()("@pillivery/api-server/ProviderClock") {}

const millisOf = (offset: Duration.Duration): number => Duration.toMillis(offset)

const kakaoPayAt = (settings: Settings, url: URL, secretKey: Redacted.Redacted): Layer.Layer<PaymentStrategies> =>
  KakaoPay.layer({
    ...KakaoPay.configDefault,
    baseUrl: url,
    secretKey,
    client: { ...KakaoPay.configDefault.client, headersMillisMax: settings.responseMillisMax }
  })

const simulated = (settings: Settings, port: number) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { url } = yield* SimulatorServer.SimulatorServer
      const simulator = yield* Simulator
      return Layer.mergeAll(
        kakaoPayAt(settings, new URL(url), Redacted.make(defaultSecretKey)),
        Layer.succeed(ProviderClock, {
          simulatorUrl: url,
          follow: (offset) => Effect.asVoid(simulator.clock.set({ offsetMillis: millisOf(offset) }))
        })
      )
    })
  ).pipe(Layer.provideMerge(SimulatorServer.layer({ port })))

// A simulator in another process on this machine: its control API moves its clock.
const layerRemoteClock = (url: URL) =>
  Layer.effect(
    ProviderClock,
    Effect.map(HttpClient.HttpClient, (client) =>
      ProviderClock.of({
        simulatorUrl: url.origin,
        follow: (offset) =>
          client
            .execute(
              HttpClientRequest.post(new URL("/control/clock", url)).pipe(
                HttpClientRequest.bodyJsonUnsafe({ offsetMillis: millisOf(offset) })
              )
            )
            .pipe(
              Effect.flatMap((response) => response.text),
              Effect.catch((error) => Effect.logWarning("The provider's clock could not be moved", error)),
              Effect.asVoid
            )
      })
    )
  ).pipe(Layer.provide(FetchHttpClient.layer))

const layerNoClock = Layer.succeed(ProviderClock, { simulatorUrl: null, follow: () => Effect.void })

/** The provider that the settings name. */
export const layer = (
  settings: Settings
): Layer.Layer<PaymentStrategies | ProviderClock, Config.ConfigError | HttpServerError.ServeError> =>
  settings.provider._tag === "Simulator"
    ? simulated(settings, settings.provider.port)
    : Layer.merge(KakaoPay.layerConfig, settings.isSandbox ? layerRemoteClock(settings.provider.url) : layerNoClock)
