/**
 * The catalogue.
 *
 * A keyword is found by the pairs of characters it is made of, which one table holds for every item, and then checked
 * exactly. Names and keywords are compared in one spelling, made here and not by a collation: so both servers agree.
 *
 * @since 0.1.0
 */
import {
  type ItemQuery,
  ItemRepository,
  type ItemSort,
  RatingRefused
} from "@pillivery/application/ports/ItemRepository"
import type { PageRequest } from "@pillivery/application/ports/Page"
import { Transaction } from "@pillivery/application/ports/Transaction"
import type { ItemId } from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import { starsMax, starsMin } from "@pillivery/domain/Rating"
import { Array as Arr, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import { rowReader, toBytes, Uuid } from "./internal/Columns.ts"
import {
  affectedRows,
  columnsOf,
  findsOf,
  insertRows,
  offsetOf,
  orExists,
  orStale,
  preparedIfOne,
  totalFrom,
  whereIn
} from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

/** How many pairs of a keyword narrow a search; the exact check does the rest. */
const bigramsSoughtMax = 4

/** How many items one statement reads by their ids. */
const idsPerStatementMax = 500

const ItemRow = Schema.Struct({
  id: Uuid,
  product_name: Schema.String,
  brand: Schema.String,
  statement_number: Schema.String,
  registered_date: Schema.String,
  distribution_period: Schema.String,
  appearance: Schema.String,
  serving_use: Schema.String,
  preserve_period: Schema.String,
  intake: Schema.String,
  main_function: Schema.String,
  base_standard: Schema.String,
  price_origin: Schema.Int,
  price_rate: Schema.Int,
  price_discount: Schema.Int,
  price_real: Schema.Int,
  thumbnail: Schema.String,
  description_image: Schema.String,
  views: Schema.Int,
  sales: Schema.Int,
  rating_sum: Schema.Int,
  rating_count: Schema.Int,
  version: Schema.Int
})

const CategoryRow = Schema.Struct({ item_id: Uuid, category: Schema.String })

const readItemRow = rowReader(ItemRow)
const readCategoryRow = rowReader(CategoryRow)
const decodeBrands = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ name: Schema.String, items: Schema.Int })))
const decodeItem = Schema.decodeUnknownSync(Item.Item)
const encodeItemRow = Schema.encodeSync(ItemRow)

const itemToRow = ({ images, information, price, statistics, ...item }: Item.Item): typeof ItemRow.Type => ({
  id: item.id,
  product_name: information.productName,
  brand: information.brand,
  statement_number: information.statementNumber,
  registered_date: information.registeredDate,
  distribution_period: information.distributionPeriod,
  appearance: information.appearance,
  serving_use: information.servingUse,
  preserve_period: information.preservePeriod,
  intake: information.intake,
  main_function: information.mainFunction,
  base_standard: information.baseStandard,
  price_origin: price.origin,
  price_rate: price.rate,
  price_discount: price.discount,
  price_real: price.real,
  thumbnail: images.thumbnail,
  description_image: images.description,
  views: statistics.views,
  sales: statistics.sales,
  rating_sum: statistics.ratingSum,
  rating_count: statistics.ratingCount,
  version: item.version
})

const rowToItem = (row: typeof ItemRow.Type, categories: ReadonlyArray<string>) => ({
  id: row.id,
  information: {
    productName: row.product_name,
    brand: row.brand,
    statementNumber: row.statement_number,
    registeredDate: row.registered_date,
    distributionPeriod: row.distribution_period,
    appearance: row.appearance,
    servingUse: row.serving_use,
    preservePeriod: row.preserve_period,
    intake: row.intake,
    mainFunction: row.main_function,
    baseStandard: row.base_standard
  },
  price: { origin: row.price_origin, rate: row.price_rate, discount: row.price_discount, real: row.price_real },
  images: { thumbnail: row.thumbnail, description: row.description_image },
  // Goods taken back may be counted before their sale is.
  statistics: {
    views: row.views,
    sales: Math.max(0, row.sales),
    ratingSum: row.rating_sum,
    ratingCount: row.rating_count
  },
  categories,
  version: row.version
})

/** Names and keywords as they are compared. */
const toSearchText = (text: string): string => text.normalize("NFC").toLowerCase()

/** The pairs of neighbouring characters of a text, each once. */
const bigramsOf = (text: string): ReadonlyArray<Uint8Array> => {
  const characters = [...text]
  const pairs = new Set(characters.slice(1).map((character, index) => (characters[index] ?? "") + character))
  return [...pairs].map((pair) => Buffer.from(pair, "utf8"))
}

/** What is written of items, in three tables. */
const rowsOf = (items: ReadonlyArray<Item.Item>) => {
  const rows = items.map((item) => ({
    ...encodeItemRow(itemToRow(item)),
    search_name: toSearchText(item.information.productName)
  }))
  return {
    rows,
    categories: items.flatMap(({ categories: names, id }) =>
      names.map((category, position) => ({ item_id: toBytes(id), position, category }))
    ),
    bigrams: rows.flatMap(({ id, search_name }) => bigramsOf(search_name).map((bigram) => ({ bigram, item_id: id })))
  }
}

/** The catalogue on MySQL. */
export const layer = Layer.effect(
  ItemRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, readTogether, write } = yield* Statements
    const { run } = yield* Transaction
    const columns = columnsOf(sql, ItemRow, "item")

    const itemsFrom = Effect.fnUntraced(function* <E>(statement: Effect.Effect<ReadonlyArray<unknown>, E>) {
      const rows = (yield* statement).map((row) => readItemRow(Object(row)))
      if (!Arr.isReadonlyArrayNonEmpty(rows)) return []
      const ids = Arr.map(rows, ({ id }) => toBytes(id))
      const categories = (yield* preparedIfOne(
        ids,
        sql`SELECT item_id, category FROM item_category WHERE ${whereIn(sql, "item_id", ids)} ORDER BY item_id, position`
      )).map((row) => readCategoryRow(Object(row)))
      const categoriesById = Arr.groupBy(categories, ({ item_id }) => item_id)
      return rows.map((row) =>
        decodeItem(
          rowToItem(
            row,
            (categoriesById[row.id] ?? []).map(({ category }) => category)
          )
        )
      )
    })

    const itemsByIds = (ids: ReadonlyArray<ItemId>) =>
      Effect.map(
        Effect.forEach(Arr.chunksOf(Arr.dedupe(ids), idsPerStatementMax), (chunk) => {
          const keys = Arr.map(chunk, toBytes)
          return itemsFrom(preparedIfOne(keys, sql`SELECT ${columns} FROM item WHERE ${whereIn(sql, "item.id", keys)}`))
        }),
        Arr.flatten
      )

    const whereKeyword = (keyword: string): ReadonlyArray<Fragment> => {
      const text = toSearchText(keyword)
      const pairs = bigramsOf(text).slice(0, bigramsSoughtMax)
      return [
        ...pairs.map((pair) => sql`item.id IN (SELECT item_id FROM item_bigram WHERE bigram = ${pair})`),
        sql`LOCATE(${text}, item.search_name) > 0`
      ]
    }

    const whereQuery = (query: ItemQuery): Fragment => {
      const { brand, category, keyword, onSale, priceMax, priceMin } = query
      const clauses = [
        ...(keyword === undefined || keyword === "" ? [] : whereKeyword(keyword)),
        ...(category === undefined
          ? []
          : [sql`item.id IN (SELECT item_id FROM item_category WHERE category = ${category})`]),
        ...(brand === undefined ? [] : [sql`item.brand = ${brand}`]),
        ...(onSale === undefined ? [] : [onSale ? sql`item.price_rate > 0` : sql`item.price_rate = 0`]),
        ...(priceMin === undefined ? [] : [sql`item.price_real >= ${priceMin}`]),
        ...(priceMax === undefined ? [] : [sql`item.price_real <= ${priceMax}`])
      ]
      return clauses.length === 0 ? sql.literal("") : sql`WHERE ${sql.and(clauses)}`
    }

    const orders: Readonly<Record<ItemSort, Fragment>> = {
      SALES: sql`item.sales DESC, item.id`,
      PRICE_H: sql`item.price_real DESC, item.id`,
      PRICE_L: sql`item.price_real, item.id`,
      DISCOUNT_RATE_H: sql`item.price_rate DESC, item.id`,
      DISCOUNT_RATE_L: sql`item.price_rate, item.id`,
      REVIEW_COUNT: sql`item.rating_count DESC, item.id`
    }

    return ItemRepository.of({
      insert: Effect.fn("ItemRepository.insert")(function* (items: ReadonlyArray<Item.Item>) {
        const { bigrams, categories, rows } = rowsOf(items)
        yield* run(
          write("ItemRepository.insert")(
            Effect.all([
              orExists(
                insertRows(sql, "item", rows),
                "item",
                items
                  .map(({ id }) => id)
                  .join(",")
                  .slice(0, 200)
              ),
              insertRows(sql, "item_category", categories),
              insertRows(sql, "item_bigram", bigrams)
            ])
          )
        )
      }),

      update: Effect.fn("ItemRepository.update")(function* (items: ReadonlyArray<Item.Item>) {
        if (items.length === 0) return
        const { bigrams, categories, rows } = rowsOf(items)
        const ids = sql.in(items.map(({ id }) => toBytes(id)))
        yield* run(
          write("ItemRepository.update")(
            Effect.gen(function* () {
              // In one order for all, so that two who change the same items wait for each other and do not deadlock.
              for (const row of rows.toSorted((one, two) => Buffer.compare(one.id, two.id))) {
                const { id, rating_count: _c, rating_sum: _s, sales: _sales, version, views: _v, ...label } = row
                yield* orStale(
                  sql`UPDATE item SET ${sql.update({ ...label, version: version + 1 })}
                    WHERE id = ${id} AND version = ${version}`,
                  "item",
                  Buffer.from(id).toString("hex")
                )
              }
              yield* sql`DELETE FROM item_category WHERE item_id IN ${ids}`
              yield* sql`DELETE FROM item_bigram WHERE item_id IN ${ids}`
              yield* insertRows(sql, "item_category", categories)
              yield* insertRows(sql, "item_bigram", bigrams)
            })
          )
        )
      }),

      // The most read row of the shop: no span and no stack of its own.
      findById: readTogether(
        "ItemRepository.findById",
        findsOf({ select: itemsByIds, keyOf: (id: ItemId) => id, keyOfEntity: (item) => item.id })
      ),

      findByIds: readTogether("ItemRepository.findByIds", {
        one: itemsByIds,
        many: (lists: ReadonlyArray<ReadonlyArray<ItemId>>) =>
          Effect.map(itemsByIds(lists.flat()), (items) => {
            const found = new Map(items.map((item) => [item.id, item]))
            return lists.map((ids) => Arr.dedupe(ids).flatMap((id) => found.get(id) ?? []))
          })
      }),

      search: Effect.fn("ItemRepository.search")(function* (query: ItemQuery, page: PageRequest) {
        const where = whereQuery(query)
        const totalElements = yield* read("ItemRepository.search")(
          totalFrom(sql`SELECT COUNT(*) AS total FROM item ${where}`)
        )
        const data = yield* read("ItemRepository.search")(
          itemsFrom(
            sql`SELECT ${columns} FROM item ${where} ORDER BY ${orders[query.sort]} LIMIT ${page.size} OFFSET ${offsetOf(page)}`
          )
        )
        return { data, totalElements }
      }),

      addRating: Effect.fn("ItemRepository.addRating")(function* (
        id: ItemId,
        by: { readonly sum: number; readonly count: number }
      ) {
        const [sum, count] = [sql`rating_sum + ${by.sum}`, sql`rating_count + ${by.count}`]
        const rows = yield* write("ItemRepository.addRating")(
          affectedRows(
            sql`UPDATE item SET rating_sum = ${sum}, rating_count = ${count}
              WHERE id = ${toBytes(id)} AND ${count} >= 0
              AND ${sum} BETWEEN (${count}) * ${starsMin} AND (${count}) * ${starsMax}`
          )
        )
        if (rows === 0) return yield* new RatingRefused({ itemId: id, ...by })
      }),

      listBrands: Effect.fn("ItemRepository.listBrands")(function* (page: PageRequest) {
        const totalElements = yield* read("ItemRepository.listBrands")(
          totalFrom(sql`SELECT COUNT(DISTINCT brand) AS total FROM item`)
        )
        const data = yield* read("ItemRepository.listBrands")(
          Effect.flatMap(
            sql`SELECT brand AS name, COUNT(*) AS items FROM item GROUP BY brand ORDER BY brand
              LIMIT ${page.size} OFFSET ${offsetOf(page)}`,
            decodeBrands
          )
        )
        return { data, totalElements }
      }),

      count: read("ItemRepository.count")(totalFrom(sql`SELECT COUNT(*) AS total FROM item`))
    })
  })
)
