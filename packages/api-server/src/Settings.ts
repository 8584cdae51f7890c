/**
 * What the environment says.
 *
 * Nothing is required: without any variable the server runs embedded, on memory and with a simulated provider.
 *
 * @since 0.1.0
 */
import * as KakaoPay from "@pillivery/adapters-kakaopay/KakaoPay"
import { type Networks, parseNetworks } from "@pillivery/adapters-http/ClientAddress"
import { type Limits, ofAddressDefault, ofUserDefault } from "@pillivery/adapters-http/RateLimits"
import { tokenBytesMin as serviceTokenBytesMin } from "@pillivery/adapters-http/ServiceAccess"
import type * as SocialIdentity from "@pillivery/adapters-http/SocialIdentity"
import { secretBytesMin } from "@pillivery/adapters-http/TokenSigner"
import * as ProtocolConfig from "@pillivery/application/Payments/ProtocolConfig"
import * as ProtocolSettings from "@pillivery/application/Payments/ProtocolSettings"
import { Config, Effect, Redacted, Schema } from "effect"
import { isIP } from "node:net"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"

const ownerLengthMax = 40

/** Who this process is, in leases. */
export const owner = `${hostname().slice(0, ownerLengthMax)}:${process.pid}`

/** The port when none is named. */
export const portDefault = 8_080
/** The address when none is named: this machine only. */
export const hostDefault = "127.0.0.1"

/** Who may use the internal API when nobody is named: this machine only. */
export const internalAllowDefault = "127.0.0.0/8, ::1"

/** Where rows and carts are kept. */
export type Stores =
  | { readonly _tag: "Memory" }
  | { readonly _tag: "External"; readonly mysqlUrl: Redacted.Redacted; readonly redisUrl: Redacted.Redacted }

/** Who takes the money. */
export type Provider =
  | { readonly _tag: "Simulator"; readonly port: number }
  | { readonly _tag: "KakaoPay"; readonly url: URL }

/** How customers are told by e-mail. */
export type MailSettings =
  | { readonly _tag: "None" }
  | { readonly _tag: "Smtp"; readonly url: Redacted.Redacted; readonly from: string }
  /** Into a file, for developers. */
  | { readonly _tag: "File"; readonly path: string }

/** Who may use the internal API. */
export interface InternalAccess {
  readonly token: Redacted.Redacted
  readonly allowed: Networks
}

/** How the server is to run. */
export interface Settings {
  readonly port: number
  readonly host: string
  /** The origin under which browsers reach the server; null follows the port. */
  readonly publicUrl: string | null
  readonly stores: Stores
  readonly provider: Provider
  readonly mail: MailSettings
  /** Null: there is no internal API. */
  readonly internal: InternalAccess | null
  /** Whose word about the client's address is taken. */
  readonly trustedProxies: Networks
  /** The services with whose accounts users may log in. */
  readonly social: SocialIdentity.Options["credentials"]
  /** Whether hot lists of the catalogue are kept for a while. */
  readonly areListsKept: boolean
  /** How many requests one address and one user may make in a minute. */
  readonly rateLimits: Limits
  /** Null makes one that lasts as long as the process. */
  readonly tokenSecret: Redacted.Redacted | null
  /** Whether the business clock may be moved and the sandbox is there. */
  readonly isSandbox: boolean
  /** How long an answer of the provider may take. */
  readonly responseMillisMax: number
  /** How long the server answers "not ready" before it stops accepting. */
  readonly drainMillis: number
  /** Whether the walk-through is printed at the start. */
  readonly isTalkative: boolean
  /** The durations and counts of the charging protocol. */
  readonly protocol: ProtocolSettings.Settings
}

/** What the server runs with when nothing is said. */
export const settingsDefault: Settings = {
  port: portDefault,
  host: hostDefault,
  publicUrl: null,
  stores: { _tag: "Memory" },
  provider: { _tag: "Simulator", port: 0 },
  mail: { _tag: "None" },
  internal: null,
  trustedProxies: { has: () => false },
  social: {},
  areListsKept: true,
  rateLimits: { ofAddress: ofAddressDefault, ofUser: ofUserDefault },
  tokenSecret: null,
  isSandbox: true,
  responseMillisMax: 30_000,
  drainMillis: 0,
  isTalkative: false,
  protocol: ProtocolSettings.settingsDefault
}

/** The variables contradict each other, or one of them is not usable. */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>("@pillivery/api-server/SettingsInvalid")(
  "SettingsInvalid",
  { detail: Schema.String }
) {
  override get message() {
    return this.detail
  }
}

const limitMax = 1_000_000
const portMax = 65_535
const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: portMax }))
const port = (name: string, byDefault: number) =>
  Config.String(name).pipe(
    Config.withDefault(String(byDefault)),
    Config.map((text) => ({ name, number: text.trim() === "" ? Number.NaN : Number(text) }))
  )
const optionalRedacted = (name: string) => Config.Redacted(name).pipe(Config.withDefault(null))
const optionalText = (name: string) => Config.String(name).pipe(Config.withDefault(null))
const millis = (name: string, byDefault: number) => Config.Int(name).pipe(Config.withDefault(byDefault))

const limit = (name: string, byDefault: number) =>
  Config.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: limitMax })), name).pipe(
    Config.withDefault(byDefault),
    Config.map((requests) => (requests === 0 ? null : requests))
  )

/** What a service knows the shop by: both variables, or neither. */
const credentials = Effect.fnUntraced(function* (name: string) {
  const clientId = yield* optionalText(`PILLIVERY_${name}_CLIENT_ID`)
  const clientSecret = yield* optionalRedacted(`PILLIVERY_${name}_CLIENT_SECRET`)
  if (clientId !== null && clientSecret !== null) return { clientId, clientSecret }
  return clientId === null && clientSecret === null
    ? null
    : yield* new SettingsInvalid({
        detail: `PILLIVERY_${name}_CLIENT_ID and PILLIVERY_${name}_CLIENT_SECRET go together`
      })
})

/** By a mail server, into a file, or, where nothing is said, into a file of its own in embedded mode and else not at all. */
const mail = Effect.fnUntraced(function* (stores: Stores) {
  const url = yield* optionalRedacted("PILLIVERY_SMTP_URL")
  const from = yield* optionalText("PILLIVERY_MAIL_FROM")
  const path = yield* optionalText("PILLIVERY_MAIL_FILE")
  if ((url === null) !== (from === null) || (url !== null && path !== null)) {
    return yield* new SettingsInvalid({
      detail: "PILLIVERY_SMTP_URL and PILLIVERY_MAIL_FROM go together, and PILLIVERY_MAIL_FILE goes without them"
    })
  }
  if (url !== null && from !== null) return { _tag: "Smtp", url, from } satisfies MailSettings
  if (path !== null) return { _tag: "File", path } satisfies MailSettings
  return stores._tag === "Memory"
    ? ({ _tag: "File", path: join(tmpdir(), `pillivery-mail-${process.pid}.txt`) } satisfies MailSettings)
    : ({ _tag: "None" } satisfies MailSettings)
})

const isPort = Schema.is(Port)

const toPort = ({ name, number }: { readonly name: string; readonly number: number }) =>
  isPort(number)
    ? Effect.succeed(number)
    : Effect.fail(new SettingsInvalid({ detail: `${name} must be a port, 0 to ${portMax}` }))

const toUrl = (name: string, text: string) => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "http:" || url.protocol === "https:")
    ? Effect.succeed(url)
    : Effect.fail(new SettingsInvalid({ detail: `${name} must be an address such as https://shop.example.com` }))
}

const toNetworks = (name: string, text: string) =>
  Effect.fromResult(parseNetworks(text)).pipe(
    Effect.mapError(({ message }) => new SettingsInvalid({ detail: `${name}: ${message}` }))
  )

/** Whether an address is this machine's own. */
export const isLoopback = ({ hostname }: URL): boolean =>
  hostname === "localhost" || hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."))

/** Reads the environment. */
export const read = Effect.gen(function* () {
  const mysqlUrl = yield* optionalRedacted("PILLIVERY_MYSQL_URL")
  const redisUrl = yield* optionalRedacted("PILLIVERY_REDIS_URL")
  const providerText = yield* optionalText("PILLIVERY_KAKAOPAY_URL")
  const publicText = yield* optionalText("PILLIVERY_PUBLIC_URL")
  const tokenSecret = yield* optionalRedacted("PILLIVERY_JWT_SECRET")
  const serviceToken = yield* optionalRedacted("PILLIVERY_SERVICE_TOKEN")
  const isTestClock = (yield* optionalText("PILLIVERY_TEST_CLOCK")) === "1"

  if ((mysqlUrl === null) !== (redisUrl === null)) {
    return yield* new SettingsInvalid({
      detail: "PILLIVERY_MYSQL_URL and PILLIVERY_REDIS_URL go together: set both, or neither to run on memory"
    })
  }
  if (tokenSecret !== null && Buffer.byteLength(Redacted.value(tokenSecret)) < secretBytesMin) {
    return yield* new SettingsInvalid({ detail: `PILLIVERY_JWT_SECRET must have at least ${secretBytesMin} bytes` })
  }
  if (serviceToken !== null && Buffer.byteLength(Redacted.value(serviceToken)) < serviceTokenBytesMin) {
    return yield* new SettingsInvalid({
      detail: `PILLIVERY_SERVICE_TOKEN must have at least ${serviceTokenBytesMin} bytes`
    })
  }
  const allowed = yield* toNetworks(
    "PILLIVERY_INTERNAL_ALLOW",
    yield* Config.String("PILLIVERY_INTERNAL_ALLOW").pipe(Config.withDefault(internalAllowDefault))
  )
  const google = yield* credentials("GOOGLE")
  const kakao = yield* credentials("KAKAO")
  const stores: Stores =
    mysqlUrl === null || redisUrl === null ? { _tag: "Memory" } : { _tag: "External", mysqlUrl, redisUrl }
  const providerUrl = providerText === null ? null : yield* toUrl("PILLIVERY_KAKAOPAY_URL", providerText)
  // A shop on real stores never sells through a simulator by accident.
  const isSimulated = providerUrl === null && (stores._tag === "Memory" || isTestClock)
  const realUrl = providerUrl ?? new URL(KakaoPay.baseUrlDefault)
  const provider: Provider = isSimulated
    ? { _tag: "Simulator", port: yield* toPort(yield* port("PILLIVERY_SIMULATOR_PORT", 0)) }
    : { _tag: "KakaoPay", url: realUrl }
  const isLocalProvider = isSimulated || isLoopback(realUrl)
  if (isTestClock && !isLocalProvider) {
    return yield* new SettingsInvalid({
      detail: "PILLIVERY_TEST_CLOCK=1 needs a provider on this machine: the real one's time cannot be moved"
    })
  }
  return {
    port: yield* toPort(yield* port("PORT", portDefault)),
    host: yield* Config.String("PILLIVERY_HOST").pipe(Config.withDefault(hostDefault)),
    publicUrl: publicText === null ? null : (yield* toUrl("PILLIVERY_PUBLIC_URL", publicText)).href.replace(/\/$/, ""),
    stores,
    provider,
    mail: yield* mail(stores),
    internal: serviceToken === null ? null : { token: serviceToken, allowed },
    trustedProxies: yield* toNetworks(
      "PILLIVERY_TRUSTED_PROXIES",
      yield* Config.String("PILLIVERY_TRUSTED_PROXIES").pipe(Config.withDefault(""))
    ),
    areListsKept: yield* Config.Boolean("PILLIVERY_CATALOGUE_CACHE").pipe(
      Config.withDefault(settingsDefault.areListsKept)
    ),
    social: { ...(google === null ? {} : { google }), ...(kakao === null ? {} : { kakao }) },
    rateLimits: {
      ofAddress: yield* limit("PILLIVERY_RATE_LIMIT_ADDRESS", ofAddressDefault),
      ofUser: yield* limit("PILLIVERY_RATE_LIMIT_USER", ofUserDefault)
    },
    tokenSecret,
    isSandbox: isTestClock || (stores._tag === "Memory" && isLocalProvider),
    responseMillisMax: yield* millis("PILLIVERY_KAKAOPAY_RESPONSE_MILLIS", settingsDefault.responseMillisMax),
    drainMillis: yield* millis("PILLIVERY_DRAIN_MILLIS", settingsDefault.drainMillis),
    isTalkative: true,
    protocol: yield* ProtocolConfig.config(owner)
  } satisfies Settings
})
