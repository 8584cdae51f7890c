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
import { parse } from "csv-parse"
import { Data, Effect, Schema, Stream } from "effect"
import { createReadStream } from "node:fs"

/** The longest line of a settlement file, in bytes. */
export const lineBytesMax = 10_000

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

const Parsed = Schema.Struct({
  record: Schema.Record(Schema.String, Schema.String),
  info: Schema.Struct({ lines: Schema.Int, columns: Schema.Unknown })
})

/** The lines of a settlement file, read as they are wanted. */
export const lines = (path: string): Stream.Stream<SettlementLine | InvalidLine, SettlementUnreadable> =>
  Stream.suspend(() => {
    const parser = parse({
      bom: true,
      columns: (names: ReadonlyArray<string>) => {
        const missing = columnsNeeded.filter((name) => !names.includes(name))
        if (missing.length > 0) throw new Error(`it has no column ${missing.join(", ")}`)
        return [...names]
      },
      info: true,
      max_record_size: lineBytesMax,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true
    })
    const file = createReadStream(path).on("error", (error) => parser.destroy(error))
    file.pipe(parser)
    return Stream.fromAsyncIterable(
      parser as AsyncIterable<unknown>,
      (error) => new SettlementUnreadable({ detail: error instanceof Error ? error.message : String(error) })
    ).pipe(Stream.mapEffect(lineOf))
  })

const lineOf = Effect.fnUntraced(function* (parsed: unknown) {
  const { info, record } = yield* Effect.orDie(Schema.decodeUnknownEffect(Parsed)(parsed)) // what the parser says it gives
  const line = info.lines
  return yield* decode(record, { errors: "all" }).pipe(
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
})

const inOneLine = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, detailLengthMax)
