/**
 * Password hashes with Argon2id, as PHC text.
 *
 * The parameters stand in the text, so that a hash made with older ones is still verified with them. At most
 * {@link concurrency} hashes are computed at once: each takes {@link memoryKibibytes} of memory and a processor.
 *
 * @since 0.1.0
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { PasswordHasher } from "@pillivery/application/ports/PasswordHasher"
import { Effect, Layer, Redacted, Result, Semaphore } from "effect"
import * as Kdf from "effect/crypto/Kdf"
import * as Base64 from "effect/encoding/Base64"
import { randomBytes, timingSafeEqual } from "node:crypto"

/** The memory of one hash, in KiB (OWASP's first recommendation). */
export const memoryKibibytes = 19_456
/** How often the memory is passed over. */
export const passes = 2
/** Lanes of one hash. */
export const lanes = 1
/** Hashes computed at once in one process. */
export const concurrency = 2

const saltBytes = 16
const hashBytes = 32
// Nobody but us writes hashes; the bounds keep a damaged row from taking the machine down.
const memoryKibibytesMax = 262_144
const passesMax = 10
const lanesMax = 8

interface Phc {
  readonly memory: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{22,128})$/

const toBase64 = (bytes: Uint8Array): string => Base64.encode(bytes).replace(/=+$/, "")

const fromBase64 = (text: string): Uint8Array | null =>
  Result.getOrNull(Base64.decode(text.padEnd(Math.ceil(text.length / 4) * 4, "=")))

const format = (phc: Phc): string =>
  `$argon2id$v=19$m=${phc.memory},t=${phc.passes},p=${phc.lanes}$${toBase64(phc.salt)}$${toBase64(phc.hash)}`

const parse = (text: string): Phc | null => {
  const [, memory, times, parallelism, saltText, hashText] = phcPattern.exec(text) ?? []
  if (saltText === undefined || hashText === undefined) return null
  const salt = fromBase64(saltText)
  const hash = fromBase64(hashText)
  const phc = { memory: Number(memory), passes: Number(times), lanes: Number(parallelism) }
  return salt === null ||
    hash === null ||
    phc.memory > memoryKibibytesMax ||
    phc.passes > passesMax ||
    phc.lanes > lanesMax
    ? null
    : { ...phc, salt, hash }
}

const encoder = new TextEncoder()

/** Argon2id on `node:crypto`. */
export const layer: Layer.Layer<PasswordHasher> = Layer.effect(
  PasswordHasher,
  Effect.gen(function* () {
    const kdf = yield* Kdf.Kdf
    const permits = yield* Semaphore.make(concurrency)
    const derive = (password: Redacted.Redacted, phc: Omit<Phc, "hash">, length: number) =>
      kdf
        .derive(
          Kdf.argon2id({ memory: phc.memory, passes: phc.passes, parallelism: phc.lanes }),
          encoder.encode(Redacted.value(password)),
          { salt: phc.salt, length }
        )
        .pipe(permits.withPermit, Effect.orDie) // the parameters are ours and Node has Argon2id
    const current = () => ({ memory: memoryKibibytes, passes, lanes, salt: new Uint8Array(randomBytes(saltBytes)) })
    // Verified in place of a hash that is not there, so that an unknown user takes as long as a known one.
    const nobody: Phc = { ...current(), hash: new Uint8Array(randomBytes(hashBytes)) }

    return PasswordHasher.of({
      hash: Effect.fn("PasswordHasher.hash")(function* (password) {
        const phc = current()
        return Redacted.make(format({ ...phc, hash: yield* derive(password, phc, hashBytes) }))
      }),
      verify: Effect.fn("PasswordHasher.verify")(function* (password, hash) {
        const known = hash === null ? null : parse(Redacted.value(hash))
        const expected = known ?? nobody
        const derived = yield* derive(password, expected, expected.hash.length)
        return timingSafeEqual(derived, expected.hash) && known !== null
      })
    })
  })
).pipe(Layer.provide(NodeCrypto.layerKdf))
