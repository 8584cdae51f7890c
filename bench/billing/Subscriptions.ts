/**
 * Databases full of subscriptions that are due, for `npm run bench -- billing`.
 */
import { createConnection, type Connection } from "mysql2/promise"
import { randomBytes } from "node:crypto"

const rowsPerStatement = 1_000
const periodDays = 30
const price = 29_900

/** How the provider knows the customer with this number. */
export const customerOf = (n: number): string => `customer-${n}`

/** A UUIDv7-shaped id whose order is that of `n`, so that rows are inserted in the order of their keys. */
const idOf = (kind: number, n: number): Buffer => {
  const id = Buffer.alloc(16)
  id.writeUIntBE(0x0190_0000_0000 + n, 0, 6)
  id.writeUInt16BE(0x7000 + kind, 6)
  id.writeUInt16BE(0x8000, 8)
  randomBytes(6).copy(id, 10)
  return id
}

const receiver = ["홍길동", "01012345678", "서울특별시 중구 세종대로 110", "1층"]

const insert = async (
  connection: Connection,
  table: string,
  columns: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<unknown>>
): Promise<void> => {
  for (let at = 0; at < rows.length; at += rowsPerStatement) {
    await connection.query(`INSERT INTO ${table} (${columns.join(", ")}) VALUES ?`, [
      rows.slice(at, at + rowsPerStatement)
    ])
  }
}

/** The date so many days after the KST date of an instant. */
export const koreanDate = (at: Date, days: number): string =>
  new Date(at.getTime() + 9 * 3_600_000 + days * 86_400_000).toISOString().slice(0, 10)

/** One due cycle for each of the provider's keys, on a migrated database whose clock is `offsetMillis` ahead. */
export const fill = async (url: string, sids: ReadonlyArray<string>, offsetMillis: number): Promise<void> => {
  const connection = await createConnection({ uri: url, timezone: "Z" })
  try {
    const now = new Date(Date.now() + offsetMillis)
    const created = new Date(now.getTime() - periodDays * 86_400_000)
    const [due, anchor] = [koreanDate(now, 0), koreanDate(now, -periodDays)]
    const item = idOf(1, 0)
    await connection.query("INSERT INTO business_clock (id, offset_millis) VALUES (1, ?)", [offsetMillis])
    await connection.query("INSERT INTO item SET ?", [
      {
        id: item,
        product_name: "오메가3",
        search_name: "오메가3",
        brand: "필리버리",
        statement_number: "1",
        registered_date: "20200101",
        distribution_period: "24개월",
        appearance: "캡슐",
        serving_use: "1일 1회",
        preserve_period: "실온",
        intake: "주의",
        main_function: "혈행 개선",
        base_standard: "기준",
        price_origin: price,
        price_rate: 0,
        price_discount: 0,
        price_real: price,
        thumbnail: "https://example.com/1.png",
        description_image: "https://example.com/2.png",
        views: 0,
        sales: 0,
        rating_sum: 0,
        rating_count: 0,
        version: 0
      }
    ])
    await connection.query("INSERT INTO item_category (item_id, position, category) VALUES (?, 0, 'ETC')", [item])
    for (let from = 0; from < sids.length; from += rowsPerStatement) {
      const page = sids.slice(from, from + rowsPerStatement).map((sid, index) => {
        const n = from + index
        return {
          sid,
          n,
          user: idOf(2, n),
          key: idOf(3, n),
          subscription: idOf(4, n),
          line: idOf(5, n),
          order: idOf(6, n)
        }
      })
      await connection.beginTransaction()
      await insert(
        connection,
        "billing_key",
        [
          "id",
          "user_id",
          "state",
          "provider",
          "merchant_account",
          "customer_reference",
          "billing_key",
          "last_known_approval",
          "live_uses",
          "created_at",
          "version"
        ],
        page.map(({ key, n, sid, user }) => [
          key,
          user,
          "Active",
          "kakaopay",
          "TCSUBSCRIP",
          customerOf(n),
          sid,
          null,
          1,
          created,
          0
        ])
      )
      await insert(
        connection,
        "subscription_order",
        [
          "id",
          "user_id",
          "state",
          "order_id",
          "order_line_id",
          "item_id",
          "item_name",
          "unit_price",
          "quantity",
          "period_days",
          "anchor",
          "receiver_name",
          "receiver_phone",
          "receiver_city",
          "receiver_detail",
          "skips_in_a_row",
          "created_at",
          "version",
          "billing_key_id",
          "last_paid_due_date"
        ],
        page.map(({ key, line, order, subscription, user }) => [
          subscription,
          user,
          "Active",
          order,
          line,
          item,
          "오메가3",
          price,
          1,
          periodDays,
          anchor,
          ...receiver,
          0,
          created,
          0,
          key,
          anchor
        ])
      )
      await insert(
        connection,
        "billing_cycle",
        ["subscription_id", "number", "state", "grid_date", "due_date", "step", "next_attempt_on", "version"],
        page.map(({ subscription }) => [subscription, 2, "Due", due, due, 0, due, 0])
      )
      // Whoever is charged again has paid before.
      await insert(
        connection,
        "user_slot",
        ["provider", "customer_reference"],
        page.map(({ n }) => ["kakaopay", customerOf(n)])
      )
      await connection.commit()
    }
    await connection.query("ANALYZE TABLE billing_key, subscription_order, billing_cycle")
  } finally {
    await connection.end()
  }
}
