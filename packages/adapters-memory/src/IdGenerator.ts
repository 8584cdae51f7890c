/**
 * New identifiers, made in the process.
 *
 * @since 0.1.0
 */
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { Effect, Layer } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"

/** UUIDv7 texts in the order they were made, from the clock and secure randomness. */
export const layer: Layer.Layer<IdGenerator> = Layer.sync(IdGenerator, () =>
  IdGenerator.of({ next: SecureRandom.make(drawn()).uuidV7() })
)

/** How many random bytes are asked for at a time: asking takes longer than being given them. */
const drawnTogether = 4_096

// Each byte is handed out once.
const drawn = () => {
  const drawer = crypto.getRandomValues(new Uint8Array(drawnTogether))
  let next = 0
  return (size: number): Uint8Array<ArrayBuffer> => {
    if (next + size > drawnTogether) {
      crypto.getRandomValues(drawer)
      next = 0
    }
    next += size
    return drawer.slice(next - size, next)
  }
}

// 2025-01-01T00:00:00Z: a time at which nothing of ours happened, so that these ids are told from real ones.
const sequenceStartMillis = 1_735_689_600_000

/** The same valid UUIDv7 texts every time, another row of them for another seed; for tests alone. */
export const layerSequential = (seed: number): Layer.Layer<IdGenerator> =>
  Layer.sync(IdGenerator, () => {
    let count = 0
    return IdGenerator.of({ next: Effect.sync(() => uuidAt(seed, count++)) })
  })

const uuidAt = (seed: number, count: number): string => {
  const time = hex(sequenceStartMillis + count, 12)
  const high = hex(mixed(seed ^ count) >>> 20, 3)
  const low = hex(mixed(seed + 0x9e3779b9) & 0xfff, 3)
  const tail = hex(mixed(seed), 8) + hex(count & 0xffff, 4)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${high}-8${low}-${tail}`
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0").slice(-digits)

// The finalizer of MurmurHash3: neighbours become strangers.
const mixed = (value: number): number => {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
