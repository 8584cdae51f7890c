/**
 * How values stand in columns: ids as 16 bytes, instants as UTC text with milliseconds, flags as 0 and 1.
 *
 * The driver hands DATETIME and DATE over as text (`dateStrings`), so that no time zone of a machine ever takes part.
 *
 * @since 0.1.0
 */
import { DateTime, Schema, SchemaGetter } from "effect"

const uuidBytes = 16

/** A UUID in BINARY(16). */
export const Uuid = Schema.Uint8Array.pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform((bytes) => fromBytes(bytes)),
    encode: SchemaGetter.transform((id) => toBytes(id))
  })
)

/** An instant in DATETIME(3), UTC. */
export const Instant = Schema.String.pipe(
  Schema.decodeTo(Schema.DateTimeUtc, {
    decode: SchemaGetter.transform((text) => DateTime.makeUnsafe(`${text.replace(" ", "T")}Z`)),
    encode: SchemaGetter.transform((at) => toInstantText(at))
  })
)

/** Yes or no in TINYINT. */
export const Flag = Schema.Literals([0, 1]).pipe(
  Schema.decodeTo(Schema.Boolean, {
    decode: SchemaGetter.transform((flag) => flag === 1),
    encode: SchemaGetter.transform((isSet) => (isSet ? (1 as const) : (0 as const)))
  })
)

/** The bytes under which an id is stored and sought. */
export const toBytes = (id: string): Uint8Array => Buffer.from(id.replaceAll("-", ""), "hex")

/** The id that stands in 16 bytes. */
export const fromBytes = (bytes: Uint8Array): string => {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, uuidBytes).toString("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The text under which an instant is stored and sought; never rounds. */
export const toInstantText = (at: DateTime.Utc): string => DateTime.formatIso(at).slice(0, 23).replace("T", " ")

/** `NULL` or a value. */
export const nullOr = <S extends Schema.Constraint>(schema: S): Schema.NullOr<S> => Schema.NullOr(schema)

type KeyOf<A> = A extends unknown ? keyof A : never
type ValueOf<A, K extends PropertyKey> = A extends unknown ? (K extends keyof A ? A[K] : never) : never

/** The field of a state, or null when the state it is in has no such field. */
export const fieldOrNull = <A extends object, K extends KeyOf<A>>(self: A, key: K): ValueOf<A, K> | null =>
  key in self ? (self as { readonly [P in K]: ValueOf<A, P> })[key] : null
