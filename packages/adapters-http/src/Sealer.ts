/**
 * Texts that only servers of ours can read and make: encrypted and authenticated, for one purpose and a short time.
 *
 * @since 0.1.0
 */
import { registrationMinutes, RegistrationTokens } from "@pillivery/application/ports/RegistrationTokens"
import { SocialAccount, Visit } from "@pillivery/application/ports/SocialIdentity"
import { Clock, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { EncryptJWT, jwtDecrypt } from "jose"
import { hkdfSync } from "node:crypto"
import type { Key } from "./TokenSigner.ts"

/** How long a browser may be away to log in elsewhere, in minutes. */
export const visitMinutes = 10

const algorithm = "dir"
const encryption = "A256GCM"
const keyBytes = 32
const millisPerSecond = 1_000
const secondsPerMinute = 60

/** Seals and opens visits, which browsers carry in a cookie. */
export class VisitSealer extends Context.Service<
  VisitSealer,
  {
    readonly seal: (visit: Visit) => Effect.Effect<string>
    /** Null where the text is none of ours, or its time is over. */
    readonly open: (text: string) => Effect.Effect<Visit | null>
  }
>()("@pillivery/adapters-http/VisitSealer") {}

const Person = Schema.Struct({ account: SocialAccount, email: Schema.NullOr(Schema.String) })

const sealedAs = <A, I>(keys: ReadonlyArray<Key>, purpose: string, minutes: number, content: Schema.Codec<A, I>) => {
  const secrets = new Map(
    keys.map(({ id, secret }) => [
      id,
      new Uint8Array(hkdfSync("sha256", Redacted.value(secret), "", `pillivery ${purpose}`, keyBytes))
    ])
  )
  const encode = Schema.encodeSync(content)
  const decode = Schema.decodeUnknownOption(content)
  const [first] = secrets
  return {
    seal: Effect.fnUntraced(function* (value: A) {
      if (first === undefined) return yield* Effect.die(new Error("there is no key to seal with"))
      const [kid, secret] = first
      const issuedAt = Math.floor((yield* Clock.currentTimeMillis) / millisPerSecond)
      return yield* Effect.promise(() =>
        new EncryptJWT({ content: encode(value) })
          .setProtectedHeader({ alg: algorithm, enc: encryption, kid })
          .setAudience(purpose)
          .setIssuedAt(issuedAt)
          .setExpirationTime(issuedAt + minutes * secondsPerMinute)
          .encrypt(secret)
      )
    }),
    open: Effect.fnUntraced(function* (text: string) {
      const currentDate = new Date(yield* Clock.currentTimeMillis)
      const opened = yield* Effect.option(
        Effect.tryPromise(() =>
          jwtDecrypt(text, ({ kid = "" }) => secrets.get(kid) ?? Promise.reject(new Error("no such key")), {
            keyManagementAlgorithms: [algorithm],
            contentEncryptionAlgorithms: [encryption],
            audience: purpose,
            requiredClaims: ["exp", "iat"],
            currentDate
          })
        )
      )
      return Option.getOrNull(Option.flatMap(opened, ({ payload }) => decode(payload["content"])))
    })
  }
}

/** Visits and registration tokens, sealed with the keys of access tokens. */
export const layer = (keys: ReadonlyArray<Key>): Layer.Layer<VisitSealer | RegistrationTokens> => {
  const visits = sealedAs(keys, "visit", visitMinutes, Visit)
  const people = sealedAs(keys, "registration", registrationMinutes, Person)
  return Layer.mergeAll(
    Layer.succeed(VisitSealer, visits),
    Layer.succeed(RegistrationTokens, {
      make: (person) =>
        Effect.map(people.seal(person), (token) => ({
          token: Redacted.make(token),
          expiresInSeconds: registrationMinutes * secondsPerMinute
        })),
      read: (token) => people.open(Redacted.value(token))
    })
  )
}
