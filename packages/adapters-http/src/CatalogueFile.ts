/**
 * Reading a catalogue from the bytes of a request: NDJSON, or CSV with a header line.
 *
 * One line is in memory at a time, and none may be longer than {@link lineBytesMax}.
 *
 * @since 0.1.0
 */
import { type Line, linesTogether } from "@pillivery/application/Catalogue/ImportItems"
import { ItemId } from "@pillivery/domain/Ids"
import { parse } from "csv-parse"
import { Effect, Result, Schema, Stream } from "effect"
import { createHash } from "node:crypto"
import { pipeline, Readable } from "node:stream"

/** The longest line, in bytes. */
export const lineBytesMax = 65_536

/** The bytes are not of a kind that is understood. */
export class FileUnreadable extends Schema.TaggedError<FileUnreadable>("@pillivery/adapters-http/FileUnreadable")(
  "FileUnreadable",
  { detail: Schema.String }
) {
  override get message() {
    return this.detail
  }
}

/** The kinds that are understood. */
export type Kind = "ndjson" | "csv"

/** The kind a content type names; null where it is none. */
export const kindOf = (contentType: string | undefined): Kind | null => {
  const type = (contentType ?? "").split(";")[0]?.trim().toLowerCase()
  return type === "application/x-ndjson" || type === "application/jsonl" ? "ndjson" : type === "text/csv" ? "csv" : null
}

const hexDigits = 32

/** The id of the item that a key names: 128 bits of its SHA-256 hash, marked as a UUID of version 8. */
export const idOf = (key: string): ItemId => {
  const hash = createHash("sha256")
    .update(`pillivery item\0${key.normalize("NFC")}`)
    .digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = hash.toString("hex").slice(0, hexDigits)
  return ItemId.make(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"))
}

const parseJson = (text: string): Result.Result<unknown, string> =>
  Result.try({ try: (): unknown => JSON.parse(text), catch: () => "this is not JSON" })

const fromNdjson = <E>(bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<Line, E | FileUnreadable> =>
  bytes.pipe(
    Stream.decodeText,
    withBoundedLines,
    Stream.splitLines,
    Stream.zipWithIndex,
    Stream.filter(([text]) => text.trim() !== ""),
    Stream.map(([text, index]) => ({ number: index + 1, record: parseJson(text) }))
  )

// A line without an end would be gathered until the memory is full.
const withBoundedLines = <E>(texts: Stream.Stream<string, E>): Stream.Stream<string, E | FileUnreadable> =>
  Stream.suspend(() => {
    let open = 0
    return Stream.mapEffect(texts, (text) => {
      const last = text.lastIndexOf("\n")
      const first = text.indexOf("\n")
      const longest = last === -1 ? open + text.length : Math.max(open + first, text.length - last - 1)
      open = last === -1 ? open + text.length : text.length - last - 1
      return longest > lineBytesMax ? Effect.fail(tooLong) : Effect.succeed(text)
    })
  })

const tooLong = new FileUnreadable({ detail: `a line has at most ${lineBytesMax} bytes` })

const fromCsv = <E>(bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<Line, E | FileUnreadable> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const parser = parse({
        bom: true,
        columns: true,
        info: true,
        skip_empty_lines: true,
        relax_column_count: true,
        max_record_size: lineBytesMax
      })
      // What breaks the source breaks the parser, and is told by its iteration.
      pipeline(Readable.from(yield* Stream.toAsyncIterableEffect(bytes)), parser, () => undefined)
      return Stream.fromAsyncIterable(parser, (cause) => new FileUnreadable({ detail: String(cause) })).pipe(
        Stream.map(toLine)
      )
    })
  )

const CsvRecord = Schema.Struct({
  record: Schema.Record(Schema.String, Schema.String),
  info: Schema.Struct({ lines: Schema.Int })
})
const decodeCsv = Schema.decodeUnknownSync(CsvRecord)

// An empty cell says nothing.
const toLine = (parsed: unknown): Line => {
  const { info, record } = decodeCsv(parsed)
  const said = Object.entries(record).filter(([, text]) => text !== "")
  return { number: info.lines, record: Result.succeed(Object.fromEntries(said)) }
}

/** The lines of a file, in order. */
export const linesOf = <E>(kind: Kind, bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<Line, E | FileUnreadable> =>
  (kind === "csv" ? fromCsv(bytes) : fromNdjson(bytes)).pipe(Stream.rechunk(linesTogether))
