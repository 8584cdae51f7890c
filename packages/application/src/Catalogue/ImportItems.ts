/**
 * Reading a whole catalogue in, line by line.
 *
 * Each line has a key of its writer's, from which the item's id follows: importing the same lines again changes nothing, so
 * that an import that was broken off is simply begun again. A bad line is told of and keeps no other from being read.
 *
 * @since 0.1.0
 */
import type { ItemId } from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import { Effect, Result, Schema, SchemaIssue, Stream } from "effect"
import { CatalogueChanges } from "../ports/CatalogueChanges.ts"
import { ItemRepository } from "../ports/ItemRepository.ts"
import { StaleWrite } from "../ports/StorageError.ts"
import { retryStale } from "../StaleRetry.ts"
import { emptyLabel, type ItemDraft, itemOf } from "./ChangeItems.ts"

/** The most lines of one import. */
export const linesMax = 100_000
/** Lines that are written in one transaction. */
export const linesTogether = 200
/** The most bad lines that are told of one by one. */
export const reportsMax = 1_000
/** How often a twin import may be first with the same lines. */
const twinsMax = 3
/** The longest key, in characters. */
export const keyLengthMax = 100

/** One line as it was read: a record of fields, or why it is none. */
export interface Line {
  /** From 1. */
  readonly number: number
  readonly record: Result.Result<unknown, string>
}

const numeric = Schema.Union([Schema.Finite, Schema.FiniteFromString])
const { productName, brand, ...label } = Item.Information.fields

/** What a line says. Texts that are missing are empty, a missing discount is none. */
export const ImportLine = Schema.Struct({
  key: Schema.String.check(
    Schema.isMaxLength(keyLengthMax),
    Schema.isPattern(/^\S(.*\S)?$/u, { expected: "a key without white space around it" })
  ),
  productName,
  brand,
  originPrice: numeric,
  discountPercent: Schema.optionalKey(numeric),
  thumbnail: Schema.optionalKey(Item.Images.fields.thumbnail),
  descriptionImage: Schema.optionalKey(Item.Images.fields.description),
  statementNumber: Schema.optionalKey(label.statementNumber),
  registeredDate: Schema.optionalKey(label.registeredDate),
  distributionPeriod: Schema.optionalKey(label.distributionPeriod),
  appearance: Schema.optionalKey(label.appearance),
  servingUse: Schema.optionalKey(label.servingUse),
  preservePeriod: Schema.optionalKey(label.preservePeriod),
  intake: Schema.optionalKey(label.intake),
  mainFunction: Schema.optionalKey(label.mainFunction),
  baseStandard: Schema.optionalKey(label.baseStandard)
})

/** What is wrong with a line; `field` is empty where it is not one field. */
export interface LineReport {
  readonly line: number
  readonly field: string
  readonly reason: string
}

/** What an import did; bad lines beyond `reportsMax` are counted only. */
export interface ImportReport {
  readonly lines: number
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  readonly refused: number
  readonly reports: ReadonlyArray<LineReport>
}

/** There are more lines than one import may have; those before were imported. */
export class ImportTooLong extends Schema.TaggedError<ImportTooLong>("@pillivery/application/Catalogue/ImportTooLong")(
  "ImportTooLong",
  {}
) {
  override get message() {
    return `an import has at most ${linesMax} lines`
  }
}

const decodeLine = Schema.decodeUnknownResult(ImportLine, { errors: "all" })
const standardIssues = SchemaIssue.makeFormatterStandardSchemaV1()

interface Wanted {
  readonly number: number
  readonly id: ItemId
  readonly draft: ItemDraft
}

const read = (
  { number, record }: Line,
  idOf: (key: string) => ItemId
): Result.Result<Wanted, ReadonlyArray<LineReport>> => {
  if (Result.isFailure(record)) return Result.fail([{ line: number, field: "", reason: record.failure }])
  const decoded = decodeLine(record.success)
  if (Result.isFailure(decoded)) {
    return Result.fail(
      standardIssues(decoded.failure.issue).issues.map(({ message, path = [] }) => ({
        line: number,
        field: path.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join("."),
        reason: message
      }))
    )
  }
  const {
    descriptionImage = "",
    discountPercent = 0,
    key,
    originPrice,
    thumbnail = "",
    ...information
  } = decoded.success
  return Result.succeed({
    number,
    id: idOf(key),
    draft: {
      information: new Item.Information({ ...emptyLabel, ...information }),
      origin: originPrice,
      discountPercent,
      images: new Item.Images({ thumbnail, description: descriptionImage })
    }
  })
}

const encodeItem = Schema.encodeSync(Schema.toCodecJson(Item.Item))
const isSame = (one: Item.Item, two: Item.Item): boolean =>
  JSON.stringify(encodeItem(one)) === JSON.stringify(encodeItem(two))

/** Imports lines; `idOf` gives the same id for the same key, and to each key its own. */
export const importItems = Effect.fn("importItems")(function* <E, R>(
  lines: Stream.Stream<Line, E, R>,
  idOf: (key: string) => ItemId
) {
  const items = yield* ItemRepository
  const counts = { lines: 0, created: 0, updated: 0, unchanged: 0, refused: 0 }
  const reports: Array<LineReport> = []
  const refuse = (found: ReadonlyArray<LineReport>) => {
    counts.refused++
    if (reports.length < reportsMax) reports.push(...found.slice(0, reportsMax - reports.length))
  }

  // The last of several lines with one key is the one that counts.
  const write = Effect.fnUntraced(function* (wanted: ReadonlyMap<ItemId, Wanted>) {
    const before = new Map((yield* items.findByIds([...wanted.keys()])).map((item) => [item.id, item]))
    const created: Array<Item.Item> = []
    const updated: Array<Item.Item> = []
    const bad: Array<LineReport> = []
    for (const { draft, id, number } of wanted.values()) {
      const there = before.get(id)
      const item = itemOf(draft, there ?? { id })
      if (Result.isFailure(item)) bad.push({ line: number, field: "originPrice", reason: item.failure.message })
      else if (there === undefined) created.push(item.success)
      else if (!isSame(item.success, there)) updated.push(item.success)
    }
    if (created.length > 0) yield* items.insert(created)
    yield* items.update(updated)
    return { created: created.length, updated: updated.length, bad, all: wanted.size }
  })

  yield* lines.pipe(
    Stream.grouped(linesTogether),
    Stream.runForEach(
      Effect.fnUntraced(function* (chunk) {
        counts.lines += chunk.length
        if (counts.lines > linesMax) return yield* new ImportTooLong()
        const wanted = new Map<ItemId, Wanted>()
        for (const line of chunk) {
          const result = read(line, idOf)
          if (Result.isFailure(result)) refuse(result.failure)
          else {
            if (wanted.delete(result.success.id)) counts.unchanged++
            wanted.set(result.success.id, result.success)
          }
        }
        const made = yield* retryStale(write(wanted)).pipe(
          // A twin import was first: what it wrote is read again.
          Effect.retry({ while: (error) => error._tag === "AlreadyExists", times: twinsMax }),
          Effect.catchTag("AlreadyExists", ({ entity, key }) => Effect.fail(new StaleWrite({ entity, id: key })))
        )
        for (const report of made.bad) refuse([report])
        counts.created += made.created
        counts.updated += made.updated
        counts.unchanged += made.all - made.created - made.updated - made.bad.length
      })
    ),
    // What was written before a failure is there.
    Effect.ensuring(Effect.flatMap(CatalogueChanges, ({ announce }) => announce))
  )
  return { ...counts, reports } satisfies ImportReport
})
