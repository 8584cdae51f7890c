/**
 * What one would write by hand for `GET /api/items/{id}`: Fastify and mysql2, the same queries, the same JSON.
 *
 * @since 0.1.0
 */
import Fastify from "fastify"
import mysql from "mysql2/promise"

const poolSize = 20

interface ItemRow extends mysql.RowDataPacket {
  readonly product_name: string
  readonly brand: string
  readonly statement_number: string
  readonly registered_date: string
  readonly distribution_period: string
  readonly appearance: string
  readonly serving_use: string
  readonly preserve_period: string
  readonly intake: string
  readonly main_function: string
  readonly base_standard: string
  readonly price_origin: number
  readonly price_rate: number
  readonly price_discount: number
  readonly price_real: number
  readonly thumbnail: string
  readonly description_image: string
  readonly views: number
  readonly sales: number
  readonly rating_sum: number
  readonly rating_count: number
}

interface CategoryRow extends mysql.RowDataPacket {
  readonly category: string
}

const url = new URL(process.env["PILLIVERY_MYSQL_URL"] ?? "")
const pool = mysql.createPool({
  host: url.hostname,
  port: Number(url.port),
  user: url.username,
  database: url.pathname.slice(1),
  connectionLimit: poolSize
})

const server = Fastify()

server.get<{ Params: { itemId: string } }>("/api/items/:itemId", async (request, reply) => {
  const { itemId } = request.params
  if (!/^[0-9a-f-]{36}$/.test(itemId)) return reply.code(400).send({ code: "bad_request" })
  const id = Buffer.from(itemId.replaceAll("-", ""), "hex")
  const [items] = await pool.execute<Array<ItemRow>>(
    `SELECT product_name, brand, statement_number, registered_date, distribution_period, appearance, serving_use,
      preserve_period, intake, main_function, base_standard, price_origin, price_rate, price_discount, price_real,
      thumbnail, description_image, views, sales, rating_sum, rating_count FROM item WHERE id = ?`,
    [id]
  )
  const item = items[0]
  if (item === undefined) return reply.code(404).send({ code: "item_not_found" })
  const [categories] = await pool.execute<Array<CategoryRow>>(
    "SELECT category FROM item_category WHERE item_id = ? ORDER BY position",
    [id]
  )
  return {
    id: itemId,
    name: item.product_name,
    brand: item.brand,
    price: {
      origin: item.price_origin,
      discountPercent: item.price_rate / 10,
      discount: item.price_discount,
      real: item.price_real
    },
    thumbnail: item.thumbnail,
    categories: categories.map((row) => row.category),
    sales: item.sales,
    views: item.views,
    rating: {
      average: item.rating_count === 0 ? 0 : item.rating_sum / item.rating_count,
      count: item.rating_count
    },
    descriptionImage: item.description_image,
    information: {
      statementNumber: item.statement_number,
      registeredDate: item.registered_date,
      distributionPeriod: item.distribution_period,
      appearance: item.appearance,
      servingUse: item.serving_use,
      preservePeriod: item.preserve_period,
      intake: item.intake,
      mainFunction: item.main_function,
      baseStandard: item.base_standard
    }
  }
})

await server.listen({ port: Number(process.env["PORT"]), host: "127.0.0.1" })
