/**
 * Settlement files: comma-separated values in UTF-8, one payment a line.
 *
 * The first line names the columns, in any order: `partner_order_id` (the attempt's id), `tid`, `amount` in won and
 * `approved_at` with its offset, and `aid` where there is one. Others are left out of account. A line that cannot be read
 * is told and does not stop the others.
 *
 * @since 0.1.0
 */
import { InvalidLine, type SettlementLine } from "@pillivery/application/Payments/ReconcileSettlement"
import { AttemptId } from "@pillivery/domain/Ids"
import { ApprovalId, TransactionId } from "@pillivery/domain/Provider"
import { Won } from "@pillivery/domain/Won"
import { parse } from "csv-parse/sync"
import { Data, Effect, Schema, Stream } from "effect"
import { createReadStream } from "node:fs"

/** The longest line of a settlement file, in characters. */
export const lineLengthMax = 10_000

const detailLengthMax = 400

/** The columns that every settlement file has. */
export const columnsNeeded = ["partner_order_id", "tid", "amount", "approved_at"] as const

/** The file cannot be read, or is no settlement file. */
export class SettlementUnreadable extends Data.TaggedError("SettlementUnreadable")<{ readonly detail: string }> {
  override get message() {
    return `the settlement file cannot be read: ${this.detail}`
  }
}

const Columns = Schema.Struct({
  partner_order_id: AttemptId,
  tid: TransactionId,
  amount: Schema.NumberFromString.pipe(Schema.decodeTo(Won)),
  approved_at: Schema.DateTimeUtcFromString,
  aid: Schema.optional(Schema.Union([Schema.Literal(""), ApprovalId]))
})

const decode = Schema.decodeUnknownEffect(Columns)

/** The lines of a settlement file, read as they are wanted; each is taken for itself, so that one never hides another. */
export const lines = (path: string): Stream.Stream<SettlementLine | InvalidLine, SettlementUnreadable> =>
  Stream.suspend(() => {
    let number = 0
    let names: ReadonlyArray<string> | null = null
    const read = Effect.fnUntraced(function* (text: string) {
      const line = ++number
      const fields = yield* fieldsOf(line === 1 ? text.replace(/^\uFEFF/, "") : text)
      if (names === null) {
        names = yield* headerOf(fields)
        return null
      }
      if (typeof fields === "string") return new InvalidLine({ line, detail: fields })
      return fields.length === 0 ? null : yield* lineOf(line, names, fields)
    })
    return Stream.fromAsyncIterable(
      createReadStream(path) as AsyncIterable<Uint8Array>,
      (error) => new SettlementUnreadable({ detail: error instanceof Error ? error.message : String(error) })
    ).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.mapEffect(read),
      Stream.filter((line) => line !== null)
    )
  })

// The fields of one line, or what is wrong with it.
const fieldsOf = (text: string): Effect.Effect<ReadonlyArray<string> | string> =>
  Effect.sync(() => {
    if (text.length > lineLengthMax) return `it is longer than ${lineLengthMax} characters`
    if (text.trim() === "") return []
    try {
      return parse(text, { relax_column_count: true, trim: true })[0] ?? []
    } catch (error) {
      return inOneLine(error instanceof Error ? error.message : String(error))
    }
  })

const headerOf = (fields: ReadonlyArray<string> | string) => {
  const missing = columnsNeeded.filter((name) => typeof fields === "string" || !fields.includes(name))
  return typeof fields === "string" || missing.length > 0
    ? Effect.fail(new SettlementUnreadable({ detail: `it has no column ${missing.join(", ")}` }))
    : Effect.succeed(fields)
}

const lineOf = (line: number, names: ReadonlyArray<string>, fields: ReadonlyArray<string>) =>
  decode(Object.fromEntries(names.map((name, index) => [name, fields[index] ?? ""])), { errors: "all" }).pipe(
    Effect.map((row): SettlementLine => ({
      line,
      attemptId: row.partner_order_id,
      transactionId: row.tid,
      approvalId: row.aid === undefined || row.aid === "" ? null : row.aid,
      amount: row.amount,
      approvedAt: row.approved_at
    })),
    Effect.catch((error) => Effect.succeed(new InvalidLine({ line, detail: inOneLine(error.message) })))
  )

const inOneLine = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, detailLengthMax)
