/**
 * What one would write by hand for the shop's busiest requests: Fastify, mysql2, ioredis and jose, the same queries, the
 * same JSON. It checks what must be checked to answer at all, and nothing else: no limits, no problems, no evidence, no
 * recovery.
 *
 * @since 0.1.0
 */
import Fastify, { type FastifyRequest } from "fastify"
import { Redis } from "ioredis"
import { jwtVerify } from "jose"
import mysql from "mysql2/promise"
import { randomUUID } from "node:crypto"

const poolSize = 20
const perMillePerPercent = 10
const millisPerMinute = 60_000
const paymentMinutes = 30

const secret = new TextEncoder().encode(process.env["PILLIVERY_JWT_SECRET"] ?? "")
const pool = mysql.createPool({
  uri: process.env["PILLIVERY_MYSQL_URL"] ?? "",
  connectionLimit: poolSize,
  timezone: "Z"
})
const redis = new Redis(process.env["PILLIVERY_REDIS_URL"] ?? "")
const provider = process.env["PILLIVERY_KAKAOPAY_URL"] ?? ""
const server = Fastify()

const toBytes = (id: string): Buffer => Buffer.from(id.replaceAll("-", ""), "hex")
const toText = (bytes: Buffer): string =>
  bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")

const userOf = async (request: FastifyRequest): Promise<string> => {
  const token = (request.headers.authorization ?? "").slice("Bearer ".length)
  const { payload } = await jwtVerify(token, secret, {
    algorithms: ["HS256"],
    issuer: "pillivery",
    audience: "pillivery-api"
  })
  return payload.sub ?? ""
}

// -----------------------------------------------------------------------------
// items
// -----------------------------------------------------------------------------

interface ItemRow extends mysql.RowDataPacket {
  readonly id: Buffer
  readonly product_name: string
  readonly brand: string
  readonly price_origin: number
  readonly price_rate: number
  readonly price_discount: number
  readonly price_real: number
  readonly thumbnail: string
  readonly views: number
  readonly sales: number
  readonly rating_sum: number
  readonly rating_count: number
}

const itemColumns = `item.id, product_name, brand, price_origin, price_rate, price_discount, price_real, thumbnail, views, sales,
  rating_sum, rating_count`

const categoriesOf = async (rows: ReadonlyArray<ItemRow>): Promise<Map<string, Array<string>>> => {
  const found = new Map<string, Array<string>>()
  if (rows.length === 0) return found
  const [categories] = await pool.query<Array<mysql.RowDataPacket>>(
    "SELECT item_id, category FROM item_category WHERE item_id IN (?) ORDER BY item_id, position",
    [rows.map(({ id }) => id)]
  )
  for (const row of categories) {
    const id = toText(row["item_id"])
    found.set(id, [...(found.get(id) ?? []), String(row["category"])])
  }
  return found
}

const summaryOf = (row: ItemRow, categories: Map<string, Array<string>>) => {
  const id = toText(row.id)
  return {
    id,
    name: row.product_name,
    brand: row.brand,
    price: {
      origin: row.price_origin,
      discountPercent: row.price_rate / perMillePerPercent,
      discount: row.price_discount,
      real: row.price_real
    },
    thumbnail: row.thumbnail,
    categories: categories.get(id) ?? [],
    sales: row.sales,
    views: row.views,
    rating: {
      average: row.rating_count === 0 ? 0 : Math.round((row.rating_sum / row.rating_count) * 10) / 10,
      count: row.rating_count
    }
  }
}

const sorts: Readonly<Record<string, string>> = {
  SALES: "item.sales DESC, item.id",
  PRICE_L: "item.price_real, item.id",
  DISCOUNT_RATE_H: "item.price_rate DESC, item.id"
}

interface Query {
  readonly keyword?: string
  readonly category?: string
  readonly priceMin?: string
  readonly priceMax?: string
  readonly sort?: string
  readonly page?: string
  readonly size?: string
}

server.get<{ Querystring: Query }>("/api/items/search", async ({ query }) => {
  const { category, keyword, page: pageText = "1", priceMax, priceMin, size: sizeText = "8", sort = "SALES" } = query
  const [page, size] = [Number(pageText), Number(sizeText)]
  const clauses: Array<string> = []
  const values: Array<unknown> = []
  if (keyword !== undefined) {
    const characters = [...keyword.normalize("NFC").toLowerCase()]
    const pairs = [...new Set(characters.slice(1).map((character, index) => (characters[index] ?? "") + character))]
    for (const pair of pairs.slice(0, 4)) {
      clauses.push("item.id IN (SELECT item_id FROM item_bigram WHERE bigram = ?)")
      values.push(Buffer.from(pair, "utf8"))
    }
    clauses.push("LOCATE(?, item.search_name) > 0")
    values.push(characters.join(""))
  }
  if (category !== undefined) {
    clauses.push("item.id IN (SELECT item_id FROM item_category WHERE category = ?)")
    values.push(category)
  }
  if (priceMin !== undefined) {
    clauses.push("item.price_real >= ?")
    values.push(Number(priceMin))
  }
  if (priceMax !== undefined) {
    clauses.push("item.price_real <= ?")
    values.push(Number(priceMax))
  }
  const where = clauses.length === 0 ? "" : `WHERE ${clauses.join(" AND ")}`
  const [totals] = await pool.query<Array<mysql.RowDataPacket>>(`SELECT COUNT(*) AS total FROM item ${where}`, values)
  const [rows] = await pool.query<Array<ItemRow>>(
    `SELECT ${itemColumns} FROM item ${where} ORDER BY ${sorts[sort] ?? sorts["SALES"]} LIMIT ? OFFSET ?`,
    [...values, size, (page - 1) * size]
  )
  const categories = await categoriesOf(rows)
  const totalElements = Number(totals[0]?.["total"])
  return {
    data: rows.map((row) => summaryOf(row, categories)),
    pageInfo: { page, size, totalElements, totalPages: Math.ceil(totalElements / size) }
  }
})

// -----------------------------------------------------------------------------
// carts
// -----------------------------------------------------------------------------

interface Line {
  readonly itemId: string
  readonly quantity: number
}

const itemsById = async (ids: ReadonlyArray<string>): Promise<Map<string, ItemRow>> => {
  const [rows] = await pool.query<Array<ItemRow>>(`SELECT ${itemColumns} FROM item WHERE item.id IN (?)`, [
    ids.map(toBytes)
  ])
  return new Map(rows.map((row) => [toText(row.id), row]))
}

const saveCart = `
if (redis.call("HGET", KEYS[1], "version") or "0") ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "version", ARGV[2], "cart", ARGV[3])
redis.call("PEXPIRE", KEYS[1], 7776000000)
return 1`

server.post<{ Body: Line }>("/api/carts/normal/items", async (request, reply) => {
  const userId = await userOf(request)
  const { itemId, quantity } = request.body
  if (!(await itemsById([itemId])).has(itemId)) return reply.code(404).send({ code: "ITEM_NOT_FOUND" })
  const key = `fastify:cart:{${userId}}:normal`
  for (;;) {
    const [version, text] = await redis.hmget(key, "version", "cart")
    const before: ReadonlyArray<Line> = text === null || text === undefined ? [] : JSON.parse(text)
    const others = before.filter((line) => line.itemId !== itemId)
    const there = before.find((line) => line.itemId === itemId)
    const lines = [...others, { itemId, quantity: (there?.quantity ?? 0) + quantity }]
    const items = await itemsById(lines.map((line) => line.itemId))
    const categories = await categoriesOf([...items.values()])
    const saved = await redis.eval(
      saveCart,
      1,
      key,
      version ?? "0",
      String(Number(version ?? 0) + 1),
      JSON.stringify(lines)
    )
    if (saved !== 1) continue
    const priced = lines.flatMap((line) => {
      const row = items.get(line.itemId)
      if (row === undefined) return []
      return [
        {
          itemId: line.itemId,
          quantity: line.quantity,
          period: null,
          item: summaryOf(row, categories),
          priceChanged: false,
          amount: row.price_real * line.quantity,
          discount: row.price_discount * line.quantity
        }
      ]
    })
    return {
      kind: "normal",
      lines: priced,
      quantityTotal: lines.reduce((sum, line) => sum + line.quantity, 0),
      total: priced.reduce((sum, line) => sum + line.amount, 0),
      discountTotal: priced.reduce((sum, line) => sum + line.discount, 0)
    }
  }
})

// -----------------------------------------------------------------------------
// orders
// -----------------------------------------------------------------------------

interface OrderRow extends mysql.RowDataPacket {
  readonly id: Buffer
  readonly user_id: Buffer
  readonly state: string
  readonly origin: string
  readonly total: number
  readonly discount_total: number
  readonly refunded_total: number | null
  readonly placed_at: Date
  readonly expires_at: Date | null
  readonly paid_at: Date | null
  readonly receiver_name: string
  readonly receiver_phone: string
  readonly receiver_city: string
  readonly receiver_detail: string
}

interface LineRow extends mysql.RowDataPacket {
  readonly id: Buffer
  readonly item_id: Buffer
  readonly item_name: string
  readonly origin_price: number
  readonly unit_price: number
  readonly quantity: number
  readonly period_days: number | null
  readonly refunded_quantity: number
}

const orderOf = (row: OrderRow, lines: ReadonlyArray<LineRow>) => ({
  id: toText(row.id),
  state: row.state,
  origin: { kind: "lines", cart: null, subscriptionId: null, cycleNumber: null },
  lines: lines.map((line) => ({
    id: toText(line.id),
    itemId: toText(line.item_id),
    itemName: line.item_name,
    originPrice: line.origin_price,
    unitPrice: line.unit_price,
    quantity: line.quantity,
    period: line.period_days,
    refundedQuantity: line.refunded_quantity
  })),
  receiver: {
    realName: row.receiver_name,
    phone: row.receiver_phone,
    address: { city: row.receiver_city, detail: row.receiver_detail }
  },
  total: row.total,
  discountTotal: row.discount_total,
  refundedTotal: row.refunded_total ?? 0,
  placedAt: row.placed_at.toISOString(),
  expiresAt: row.expires_at?.toISOString() ?? null,
  paidAt: row.paid_at?.toISOString() ?? null
})

const readOrder = async (connection: mysql.Pool | mysql.PoolConnection, id: Buffer) => {
  const [orders] = await connection.query<Array<OrderRow>>(
    `SELECT id, user_id, state, origin, total, discount_total, refunded_total, placed_at, expires_at, paid_at, receiver_name,
      receiver_phone, receiver_city, receiver_detail FROM orders WHERE id = ?`,
    [id]
  )
  const [lines] = await connection.query<Array<LineRow>>(
    `SELECT id, item_id, item_name, origin_price, unit_price, quantity, period_days, refunded_quantity FROM order_line
      WHERE order_id = ? ORDER BY position`,
    [id]
  )
  return { order: orders[0], lines }
}

server.get<{ Params: { orderId: string } }>("/api/orders/:orderId", async (request, reply) => {
  const userId = await userOf(request)
  const { lines, order } = await readOrder(pool, toBytes(request.params.orderId))
  if (order === undefined || toText(order.user_id) !== userId) return reply.code(404).send({ code: "ORDER_NOT_FOUND" })
  return orderOf(order, lines)
})

const inTransaction = async <A>(work: (connection: mysql.PoolConnection) => Promise<A>): Promise<A> => {
  const connection = await pool.getConnection()
  try {
    await connection.beginTransaction()
    const made = await work(connection)
    await connection.commit()
    return made
  } catch (error) {
    await connection.rollback()
    throw error
  } finally {
    connection.release()
  }
}

const bindKey = (connection: mysql.PoolConnection, userId: string, endpoint: string, key: string, id: Buffer) =>
  connection.query(
    `INSERT INTO idempotency_key (principal, endpoint, request_key, fingerprint, attempt_id, bound_at)
      VALUES (?, ?, ?, 'f', ?, UTC_TIMESTAMP(3))`,
    [Buffer.from(`fastify:${userId}`), Buffer.from(endpoint), Buffer.from(key), id]
  )

server.post<{ Body: { readonly lines: ReadonlyArray<Line> } }>("/api/orders", async (request, reply) => {
  const userId = await userOf(request)
  const { lines } = request.body
  const [users] = await pool.query<Array<mysql.RowDataPacket>>(
    "SELECT real_name, phone, city, detail FROM app_user WHERE id = ?",
    [toBytes(userId)]
  )
  const user = users[0]
  const items = await itemsById(lines.map((line) => line.itemId))
  const [id, placedAt] = [toBytes(randomUUID()), new Date()]
  const expiresAt = new Date(placedAt.getTime() + paymentMinutes * millisPerMinute)
  const priced = lines.map((line, position) => {
    const item = items.get(line.itemId)
    return [
      id,
      position,
      toBytes(randomUUID()),
      toBytes(line.itemId),
      item?.product_name,
      item?.price_origin,
      item?.price_real,
      line.quantity,
      null,
      0
    ]
  })
  const total = lines.reduce((sum, line) => sum + (items.get(line.itemId)?.price_real ?? 0) * line.quantity, 0)
  const discount = lines.reduce((sum, line) => sum + (items.get(line.itemId)?.price_discount ?? 0) * line.quantity, 0)
  await inTransaction(async (connection) => {
    await bindKey(connection, userId, "orders", String(request.headers["idempotency-key"]), id)
    await connection.query(
      `INSERT INTO orders (id, user_id, state, origin, receiver_name, receiver_phone, receiver_city, receiver_detail, total,
        discount_total, placed_at, expires_at, version) VALUES (?, ?, 'Placed', 'FromLines', ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
      [
        id,
        toBytes(userId),
        user?.["real_name"],
        user?.["phone"],
        user?.["city"],
        user?.["detail"],
        total,
        discount,
        placedAt,
        expiresAt
      ]
    )
    await connection.query(
      `INSERT INTO order_line (order_id, position, id, item_id, item_name, origin_price, unit_price, quantity, period_days,
        refunded_quantity) VALUES ?`,
      [priced]
    )
  })
  const made = await readOrder(pool, id)
  if (made.order === undefined) return reply.code(500).send()
  return reply.code(201).send(orderOf(made.order, made.lines))
})

server.post<{ Params: { orderId: string } }>("/api/orders/:orderId/payments", async (request, reply) => {
  const userId = await userOf(request)
  const { orderId } = request.params
  const [attemptId, paymentId] = [randomUUID(), randomUUID()]
  const prepared = await inTransaction(async (connection) => {
    const { lines, order } = await readOrder(connection, toBytes(orderId))
    if (order === undefined || toText(order.user_id) !== userId) return null
    const quantity = lines.reduce((sum, line) => sum + line.quantity, 0)
    const name = lines[0]?.item_name.slice(0, 100) ?? ""
    await connection.query("SELECT id FROM payment WHERE order_id = ?", [order.id])
    await connection.query(
      `INSERT INTO payment (id, user_id, subject, order_id, amount, created_at)
        VALUES (?, ?, 'OrderSubject', ?, ?, UTC_TIMESTAMP(3))`,
      [toBytes(paymentId), order.user_id, order.id, order.total]
    )
    await bindKey(connection, userId, "payments", String(request.headers["idempotency-key"]), toBytes(attemptId))
    await connection.query(
      `INSERT INTO attempt (id, payment_id, state, purpose, user_id, order_id, issues_billing_key, provider, merchant_account,
        customer_reference, amount, item_name, quantity, created_at, version)
        VALUES (?, ?, 'Prepared', 'ForOrder', ?, ?, 0, 'kakaopay', 'TC0ONETIME', ?, ?, ?, ?, UTC_TIMESTAMP(3), 0)`,
      [toBytes(attemptId), toBytes(paymentId), order.user_id, order.id, userId, order.total, name, quantity]
    )
    return { total: order.total, quantity, name }
  })
  if (prepared === null) return reply.code(404).send({ code: "ORDER_NOT_FOUND" })
  const back = (way: string) => `http://127.0.0.1/api/payments/${attemptId}/${way}`
  const answer = await fetch(`${provider}/online/v1/payment/ready`, {
    method: "POST",
    headers: {
      authorization: `SECRET_KEY ${process.env["PILLIVERY_KAKAOPAY_SECRET_KEY"] ?? ""}`,
      "content-type": "application/json"
    },
    body: JSON.stringify({
      cid: "TC0ONETIME",
      partner_order_id: attemptId,
      partner_user_id: userId,
      item_name: prepared.name,
      quantity: prepared.quantity,
      total_amount: prepared.total,
      tax_free_amount: 0,
      approval_url: back("approve"),
      cancel_url: back("cancel"),
      fail_url: back("fail")
    })
  })
  const opened: Record<string, unknown> = Object(await answer.json())
  if (!answer.ok) return reply.code(503).send(opened)
  const expiresAt = new Date(Date.now() + 15 * millisPerMinute)
  const urls = ["next_redirect_pc_url", "next_redirect_mobile_url", "next_redirect_app_url"].map((name) =>
    String(opened[name])
  )
  await pool.query(
    `UPDATE attempt SET state = 'AwaitingCustomer', transaction_id = ?, redirect_pc = ?, redirect_mobile = ?,
      redirect_app = ?, expires_at = ?, version = 1 WHERE id = ? AND version = 0`,
    [opened["tid"], ...urls, expiresAt, toBytes(attemptId)]
  )
  return reply.code(201).send({
    paymentId: attemptId,
    orderId,
    amount: prepared.total,
    redirectUrls: { pc: urls[0], mobile: urls[1], app: urls[2] },
    expiresAt: expiresAt.toISOString()
  })
})

server.get("/health/ready", () => ({ isReady: true }))

await server.listen({ port: Number(process.env["PORT"]), host: "127.0.0.1" })
