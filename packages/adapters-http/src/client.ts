/**
 * A typed client of the API.
 *
 * @since 0.1.0
 */
import { Effect, type Redacted } from "effect"
import { HttpClientRequest } from "effect/http"
import { HttpApiClient, HttpApiMiddleware } from "effect/http-api"
import { Api } from "./api/Api.ts"
import { Authentication } from "./api/Middleware.ts"

/** Where the API is, and who is calling; without a token only what needs none can be called. */
export interface Options {
  readonly baseUrl: string | URL
  readonly token?: Effect.Effect<Redacted.Redacted | null>
}

/** Makes a client over the `HttpClient` around it. */
export const make = ({ baseUrl, token = Effect.succeed(null) }: Options) =>
  HttpApiClient.make(Api, { baseUrl }).pipe(
    Effect.provide(
      HttpApiMiddleware.layerClient(Authentication, ({ next, request }) =>
        Effect.flatMap(token, (current) =>
          next(current === null ? request : HttpClientRequest.bearerToken(request, current))
        )
      )
    )
  )

/** The client that {@link make} makes. */
export type Client = Effect.Success<ReturnType<typeof make>>
