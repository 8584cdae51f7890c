/**
 * Refresh tokens of 256 random bits.
 *
 * A token is `user.session.secret` in base64url. What is stored is its SHA-256 hash, which for a secret that nobody can
 * guess needs no salt and no slow function. A successor is sealed with a mask that follows from the token before it.
 *
 * @since 0.1.0
 */
import { type ReadToken, RefreshTokens } from "@pillivery/application/ports/RefreshTokens"
import { SessionId, type SessionKey } from "@pillivery/application/ports/TokenStore"
import { UserId } from "@pillivery/domain/Ids"
import { Effect, Layer, Redacted } from "effect"
import { createHash, randomBytes } from "node:crypto"

const secretBytes = 32
const idBytes = 16
/** The length of a token, in characters. */
export const tokenLength = 89

const pattern = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/

const digest = (purpose: string, token: string): Buffer => createHash("sha256").update(`${purpose}\0${token}`).digest()

const fromUuid = (id: string): string => Buffer.from(id.replaceAll("-", ""), "hex").toString("base64url")

const toUuid = (text: string): string | null => {
  const bytes = Buffer.from(text, "base64url")
  if (bytes.length !== idBytes || bytes.toString("base64url") !== text) return null
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

const masked = (bytes: Buffer, under: ReadToken): Buffer => {
  const mask = digest("seal", Redacted.value(under.token))
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index] ?? 0)))
}

const withSecret = (session: SessionKey, secret: Buffer): ReadToken => {
  const text = [fromUuid(session.userId), fromUuid(session.sessionId), secret.toString("base64url")].join(".")
  return {
    userId: session.userId,
    sessionId: session.sessionId,
    token: Redacted.make(text),
    hash: digest("token", text).toString("base64url")
  }
}

const secretOf = (token: ReadToken): Buffer => Buffer.from(Redacted.value(token.token).split(".")[2] ?? "", "base64url")

/** Refresh tokens. */
export const layer = Layer.succeed(RefreshTokens, {
  make: (session) => Effect.sync(() => withSecret(session, randomBytes(secretBytes))),
  read: (text) => {
    const value = Redacted.value(text)
    if (value.length !== tokenLength) return null
    const [, user = "", session = "", secretText = ""] = pattern.exec(value) ?? []
    const [userId, sessionId] = [toUuid(user), toUuid(session)]
    const secret = Buffer.from(secretText, "base64url")
    // One spelling a token: its last character has bits to spare.
    if (userId === null || sessionId === null || secret.toString("base64url") !== secretText) return null
    return withSecret({ userId: UserId.make(userId), sessionId: SessionId.make(sessionId) }, secret)
  },
  seal: (token, under) => ({ hash: token.hash, sealed: masked(secretOf(token), under).toString("base64url") }),
  unseal: (sealed, under) => withSecret(under, masked(Buffer.from(sealed, "base64url"), under)).token
})
