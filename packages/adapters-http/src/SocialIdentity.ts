/**
 * Google and Kakao by OAuth 2: authorization code, PKCE and state.
 *
 * @since 0.1.0
 */
import {
  SocialAccount,
  SocialIdentity,
  SocialLogInRejected,
  type SocialPerson,
  type SocialProvider,
  SocialProviderUnknown,
  SocialUnavailable
} from "@pillivery/application/ports/SocialIdentity"
import { Effect, Layer, Option, Redacted, Schema } from "effect"
import * as oauth from "oauth4webapi"

/** How long each answer of a service may take, in milliseconds. */
export const answerMillisMax = 10_000

/** Where a service answers, and what of an account is asked for. */
export interface Endpoints {
  readonly issuer: string
  readonly authorization: string
  readonly token: string
  readonly userInfo: string
  readonly scope: string
}

/** The services' own addresses. */
export const endpointsOf: Readonly<Record<SocialProvider, Endpoints>> = {
  google: {
    issuer: "https://accounts.google.com",
    authorization: "https://accounts.google.com/o/oauth2/v2/auth",
    token: "https://oauth2.googleapis.com/token",
    userInfo: "https://openidconnect.googleapis.com/v1/userinfo",
    scope: "openid email"
  },
  kakao: {
    issuer: "https://kauth.kakao.com",
    authorization: "https://kauth.kakao.com/oauth/authorize",
    token: "https://kauth.kakao.com/oauth/token",
    userInfo: "https://kapi.kakao.com/v2/user/me",
    scope: "account_email"
  }
}

/** What a service knows the shop by. */
export interface Credentials {
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted
}

/** The services that are set up, and where they send browsers back to. */
export interface Options {
  readonly credentials: Partial<Readonly<Record<SocialProvider, Credentials>>>
  readonly callbackUrl: (provider: SocialProvider) => string
  /** Replaces addresses; those that are not https are for tests on this machine. */
  readonly endpoints?: Partial<Readonly<Record<SocialProvider, Endpoints>>>
}

const Google = Schema.Struct({
  sub: Schema.NonEmptyString,
  email: Schema.optionalKey(Schema.String),
  email_verified: Schema.optionalKey(Schema.Boolean)
})

const Kakao = Schema.Struct({
  id: Schema.Int,
  kakao_account: Schema.optionalKey(
    Schema.Struct({
      email: Schema.optionalKey(Schema.String),
      is_email_valid: Schema.optionalKey(Schema.Boolean),
      is_email_verified: Schema.optionalKey(Schema.Boolean)
    })
  )
})

const decodeGoogle = Schema.decodeUnknownOption(Google)
const decodeKakao = Schema.decodeUnknownOption(Kakao)

/** Who a service says it is; an e-mail that nobody verified is not taken. */
const readPerson: Readonly<Record<SocialProvider, (body: unknown) => Option.Option<SocialPerson>>> = {
  google: (body) =>
    Option.map(decodeGoogle(body), ({ email, email_verified, sub }) => ({
      account: new SocialAccount({ provider: "google", subject: sub }),
      email: email_verified === true && email !== undefined ? email : null
    })),
  kakao: (body) =>
    Option.map(decodeKakao(body), ({ id, kakao_account: account = {} }) => ({
      account: new SocialAccount({ provider: "kakao", subject: String(id) }),
      email:
        account.is_email_valid === true && account.is_email_verified === true && account.email !== undefined
          ? account.email
          : null
    }))
}

// The service understood and said no; whatever else it answers is a fault of its own.
const isRefusal = (error: unknown): boolean => error instanceof oauth.ResponseBodyError

/** The services of the options. */
export const layer = ({ callbackUrl, credentials, endpoints: changed = {} }: Options): Layer.Layer<SocialIdentity> => {
  const serviceOf = (provider: SocialProvider) => {
    const known = credentials[provider]
    if (known === undefined) return Effect.fail(new SocialProviderUnknown({ provider }))
    const endpoints = changed[provider] ?? endpointsOf[provider]
    return Effect.succeed({
      endpoints,
      server: {
        issuer: endpoints.issuer,
        authorization_endpoint: endpoints.authorization,
        token_endpoint: endpoints.token,
        userinfo_endpoint: endpoints.userInfo
      },
      client: { client_id: known.clientId },
      proof: oauth.ClientSecretPost(Redacted.value(known.clientSecret))
    })
  }

  const begin = Effect.fn("SocialIdentity.begin")(function* (provider: SocialProvider) {
    const { client, endpoints } = yield* serviceOf(provider)
    const visit = {
      provider,
      state: oauth.generateRandomState(),
      verifier: oauth.generateRandomCodeVerifier()
    }
    const challenge = yield* Effect.promise(() => oauth.calculatePKCECodeChallenge(visit.verifier))
    const url = new URL(endpoints.authorization)
    url.search = new URLSearchParams({
      response_type: "code",
      client_id: client.client_id,
      redirect_uri: callbackUrl(provider),
      scope: endpoints.scope,
      state: visit.state,
      code_challenge: challenge,
      code_challenge_method: "S256"
    }).toString()
    return { url: url.href, visit }
  })

  const finish = Effect.fn("SocialIdentity.finish")(function* (
    { provider, state, verifier }: Parameters<SocialIdentity["Service"]["finish"]>[0],
    answer: URLSearchParams
  ) {
    const { client, endpoints, proof, server } = yield* serviceOf(provider)
    const options = () => ({
      signal: AbortSignal.timeout(answerMillisMax),
      [oauth.allowInsecureRequests]: !endpoints.token.startsWith("https:")
    })
    const ask = <A>(question: () => Promise<A>) =>
      Effect.tryPromise({
        try: question,
        catch: (cause) =>
          isRefusal(cause)
            ? new SocialLogInRejected({ reason: "notConfirmed" })
            : new SocialUnavailable({ provider, cause })
      })
    const parameters = yield* Effect.try({
      try: () => oauth.validateAuthResponse(server, client, answer, state),
      catch: (cause) =>
        new SocialLogInRejected({
          reason: cause instanceof oauth.AuthorizationResponseError ? "denied" : "notConfirmed"
        })
    })
    const token = yield* ask(async () =>
      oauth.processAuthorizationCodeResponse(
        server,
        client,
        await oauth.authorizationCodeGrantRequest(
          server,
          client,
          proof,
          parameters,
          callbackUrl(provider),
          verifier,
          options()
        )
      )
    )
    const body = yield* ask(async () => {
      const response = await oauth.userInfoRequest(server, client, token.access_token, options())
      if (!response.ok) throw new Error(`the service answered ${response.status}`)
      const body: unknown = await response.json()
      return body
    })
    const person = readPerson[provider](body)
    return Option.isSome(person) ? person.value : yield* new SocialLogInRejected({ reason: "notConfirmed" })
  })

  return Layer.succeed(SocialIdentity, { begin, finish })
}

/** No service is set up. */
export const layerNone = layer({ credentials: {}, callbackUrl: () => "" })
