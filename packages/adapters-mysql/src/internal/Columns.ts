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
    decode: SchemaGetter.transform((text) => fromInstantText(text)),
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
export const toBytes = (id: string): Uint8Array => {
  const bytes = Buffer.allocUnsafe(uuidBytes)
  let seen = 0
  let place = 0
  for (let at = 0; at < uuidBytes; at++, place += 2) {
    if (id.charCodeAt(place) === hyphen) place++
    const [high, low] = [digitOf(id, place), digitOf(id, place + 1)]
    seen |= high | low
    bytes[at] = (high << 4) | low
  }
  if (seen >= notADigit || place !== id.length) throw new Error(`not a UUID: ${id}`)
  return bytes
}

const hyphen = 45
const notADigit = 16
const digits = new Uint8Array(128).fill(notADigit)
for (const [value, digit] of [..."0123456789abcdef"].entries()) {
  digits[digit.charCodeAt(0)] = value
  digits[digit.toUpperCase().charCodeAt(0)] = value
}
const digitOf = (text: string, place: number): number => digits[text.charCodeAt(place)] ?? notADigit

/** The id that stands in 16 bytes. */
export const fromBytes = (bytes: Uint8Array): string => {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, uuidBytes).toString("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The text under which an instant is stored and sought; never rounds. */
export const toInstantText = (at: DateTime.Utc): string => {
  // What is decided at one moment is written into many rows.
  if (at.epochMilliseconds !== lastInstant.millis) {
    lastInstant = {
      millis: at.epochMilliseconds,
      text: new Date(at.epochMilliseconds).toISOString().slice(0, 23).replace("T", " ")
    }
  }
  return lastInstant.text
}

let lastInstant = { millis: 0, text: "1970-01-01 00:00:00.000" }

const fromInstantText = (text: string): DateTime.Utc => DateTime.makeUnsafe(`${text.replace(" ", "T")}Z`)

/** What a column does to a value, either way; what it does not know it lets through, `NULL` among it. */
interface Column {
  readonly toColumn: (value: unknown) => unknown
  readonly fromColumn: (stored: unknown) => unknown
}

const same = (value: unknown): unknown => value

// Rows are read and written by the thousand. What each of them stands for is checked by the domain's own schema, so that of
// the row's schema only what it does to a value is left to do.
const columns = new WeakMap<object, Column>([
  [Schema.String, { toColumn: same, fromColumn: same }],
  [Schema.Int, { toColumn: same, fromColumn: same }],
  [
    Uuid,
    {
      toColumn: (id) => (typeof id === "string" ? toBytes(id) : id),
      fromColumn: (bytes) => (bytes instanceof Uint8Array ? fromBytes(bytes) : bytes)
    }
  ],
  [
    Instant,
    {
      toColumn: (at) => (DateTime.isDateTime(at) ? toInstantText(DateTime.toUtc(at)) : at),
      fromColumn: (text) => (typeof text === "string" ? fromInstantText(text) : text)
    }
  ],
  [
    Flag,
    {
      toColumn: (isSet) => (typeof isSet === "boolean" ? Number(isSet) : isSet),
      fromColumn: (flag) => (flag === 0 || flag === 1 ? flag === 1 : flag)
    }
  ]
])

/** `NULL` or a value. */
export const nullOr = <S extends Schema.Constraint>(schema: S): Schema.NullOr<S> => {
  const nullable = Schema.NullOr(schema)
  columns.set(nullable, columnOf(schema))
  return nullable
}

type ColumnSchema = Schema.Codec<unknown, unknown>

// Whatever else a column holds is left to its schema.
const columnOf = (schema: object): Column => {
  const column = columns.get(schema)
  if (column !== undefined) return column
  if (!isColumnSchema(schema)) throw new Error("not a schema of a column")
  return { toColumn: Schema.encodeUnknownSync(schema), fromColumn: Schema.decodeUnknownSync(schema) }
}

const isColumnSchema = (schema: object): schema is ColumnSchema => Schema.isSchema(schema)

/** A row's fields. */
interface RowSchema<Row> {
  readonly fields: Readonly<Record<string, object>>
  readonly Type: Row
}

type Values = Readonly<Record<string, unknown>>

/** Writes rows as they stand in columns. */
export const rowWriter = <Row extends object>({ fields }: RowSchema<Row>): ((row: Row) => Values) => {
  const writers = Object.entries(fields)
    .map(([name, schema]) => [name, columnOf(schema).toColumn] as const)
    .filter(([, toColumn]) => toColumn !== same)
  return (row) => {
    // A copy keeps the shape of the row; an object that is built by name gets a slow one.
    const values: Record<string, unknown> = { ...Object(row) }
    for (const [name, toColumn] of writers) values[name] = toColumn(values[name])
    return values
  }
}

/** Reads the values of a row's columns; what they stand for is still to be decoded. */
export const rowReader = <Row>({ fields }: RowSchema<Row>): ((stored: Values) => Row) => {
  const readers = Object.entries(fields)
    .map(([name, schema]) => [name, columnOf(schema).fromColumn] as const)
    .filter(([, fromColumn]) => fromColumn !== same)
  return (stored) => {
    const row: Record<string, unknown> = { ...stored }
    for (const [name, fromColumn] of readers) row[name] = fromColumn(row[name])
    return Object(row)
  }
}

type KeyOf<A> = A extends unknown ? keyof A : never
type ValueOf<A, K extends PropertyKey> = A extends unknown ? (K extends keyof A ? A[K] : never) : never

/** The field of a state, or null when the state it is in has no such field. */
export const fieldOrNull = <A extends object, K extends KeyOf<A>>(self: A, key: K): ValueOf<A, K> | null =>
  key in self ? (self as { readonly [P in K]: ValueOf<A, P> })[key] : null
