/**
 * A shop's worth of rows, the same for the same seed: items in every category, customers, and the orders they paid.
 *
 * Rows are what the application itself would have written, and obey every rule of the audit.
 *
 * @since 0.1.0
 */
import * as PasswordHasher from "@pillivery/adapters-http/PasswordHasher"
import * as MysqlClient from "@pillivery/adapters-mysql/Client"
import * as Mysql from "@pillivery/adapters-mysql/Mysql"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { PasswordHasher as PasswordHasherPort } from "@pillivery/application/ports/PasswordHasher"
import { ItemId } from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import { Rate } from "@pillivery/domain/Rate"
import { Won } from "@pillivery/domain/Won"
import { Effect, Layer, Redacted } from "effect"
import { type Connection, createConnection } from "mysql2/promise"

/** How much of everything. */
export interface Sizes {
  readonly items: number
  readonly users: number
  readonly orders: number
}

/** The data set that everybody compares with. */
export const sizesDefault: Sizes = { items: 40_000, users: 20_000, orders: 100_000 }
/** The password of every customer. */
export const password = "correct-horse-7!"

const itemsTogether = 500
const rowsTogether = 1_000
const linesMax = 10
const brandsCount = 200
const startMillis = Date.UTC(2026, 0, 1)
const millisPerOrder = 60_000

/** Draws from a seed (mulberry32). */
const draws = (seed: number) => {
  let state = seed | 0
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

const kinds = { item: 1, user: 2, order: 3, line: 4, payment: 5, attempt: 6 } as const

/** An id in the shape of a UUIDv7 whose order is that of its number, as ids are in the order of time. */
const bytesOf = (kind: keyof typeof kinds, n: number): Buffer => {
  const id = Buffer.alloc(16)
  id.writeUIntBE(0x0190_0000_0000 + n, 0, 6)
  id.writeUInt16BE(0x7000 + kinds[kind], 6)
  id.writeUInt16BE(0x8000, 8)
  id.writeUIntBE(n, 10, 6)
  return id
}

const textOf = (bytes: Buffer): string =>
  bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")

/** What an ingredient is good for, in the words of labels; the categories follow from them. */
const ingredients: ReadonlyArray<readonly [name: string, mainFunction: string]> = [
  ["루테인", "눈 건강에 도움을 줄 수 있음"],
  ["지아잔틴", "노화로 인해 감소될 수 있는 황반색소밀도를 유지하여 눈 건강에 도움을 줌"],
  ["빌베리", "눈의 피로도 개선에 도움을 줄 수 있음"],
  ["칼슘", "뼈와 치아 형성에 필요, 골다공증 발생 위험 감소에 도움을 줌"],
  ["비타민D", "뼈의 형성과 유지에 필요"],
  ["포스파티딜세린", "두뇌 활동 및 인지력 개선에 도움을 줄 수 있음"],
  ["은행잎추출물", "두뇌 기억력 개선과 혈액순환 개선에 도움을 줄 수 있음"],
  ["프로바이오틱스", "유산균 증식 및 배변활동 원활에 도움을 줄 수 있음"],
  ["차전자피", "배변활동 원활에 도움을 줄 수 있음"],
  ["알로에겔", "장 건강에 도움을 줄 수 있음"],
  ["밀크씨슬", "간 건강에 도움을 줄 수 있음"],
  ["헛개나무", "알코올성 손상으로부터 간을 보호하는 데 도움을 줄 수 있음"],
  ["히알루론산", "피부 보습에 도움을 줄 수 있음"],
  ["콜라겐", "자외선에 의한 피부 손상으로부터 피부 건강 유지에 도움을 줄 수 있음"],
  ["코엔자임Q10", "항산화에 도움을 줄 수 있음"],
  ["비타민C", "결합조직 형성과 기능유지에 필요하며 항산화에 도움을 줌"],
  ["홍삼", "면역력 증진과 피로개선에 도움을 줄 수 있음"],
  ["비타민B", "에너지 생성에 필요하며 피로 회복을 돕는 영양소"],
  ["오메가3", "혈중 중성지질 개선, 혈액순환에 도움을 줄 수 있음"],
  ["마그네슘", "에너지 이용에 필요, 신경과 근육 기능 유지에 필요"]
]
const strengths = [
  "100",
  "250",
  "500",
  "1000",
  "2000",
  "플러스",
  "맥스",
  "프리미엄",
  "골드",
  "데일리",
  "포르테",
  "컴플렉스"
]
const forms = ["정", "캡슐", "츄어블", "젤리", "스틱", "앰플", "분말", "구미"]
const audiences = ["", "키즈", "우먼", "맨", "시니어", "패밀리", "액티브", "슬림", "바이탈", "내추럴"]
const brandHeads = [
  "온결",
  "해온",
  "다온",
  "새봄",
  "가온",
  "라온",
  "한빛",
  "푸른",
  "맑은",
  "건강한",
  "서울",
  "제주",
  "지리산",
  "하늘",
  "바른",
  "온새",
  "미르",
  "누리",
  "아람",
  "솔"
]
const brandTails = ["바이오", "제약", "헬스", "팜", "랩스", "메디", "웰니스", "내추럴", "뉴트리", "푸드"]

const pick = <A>(all: ReadonlyArray<A>, index: number): A => {
  const found = all[index % all.length]
  if (found === undefined) throw new Error("there is nothing to pick from")
  return found
}

const brandOf = (n: number): string => pick(brandHeads, n) + pick(brandTails, Math.floor(n / brandHeads.length))

const itemOf = (n: number, draw: (below: number) => number): Item.Item => {
  const [ingredient, mainFunction] = pick(ingredients, draw(ingredients.length))
  const name = [pick(audiences, draw(audiences.length)), ingredient, pick(strengths, draw(strengths.length))]
  const created = Item.create({
    id: ItemId.make(textOf(bytesOf("item", n))),
    information: new Item.Information({
      productName: [...name.filter((word) => word !== ""), pick(forms, draw(forms.length)), String(n)].join(" "),
      brand: brandOf(draw(brandsCount)),
      statementNumber: `2004${String(n).padStart(9, "0")}`,
      registeredDate: "20240115",
      distributionPeriod: "제조일로부터 24개월",
      appearance: "고유의 향미가 있고 이미·이취가 없는 제품",
      servingUse: "1일 1회, 1회 1정을 물과 함께 섭취하십시오.",
      preservePeriod: "직사광선을 피하고 서늘하고 건조한 곳에 보관하십시오.",
      intake: "이상 사례 발생 시 섭취를 중단하고 전문가와 상담하십시오.",
      mainFunction,
      baseStandard: "성상, 붕해시험, 대장균군 음성"
    }),
    origin: Won.make(5_000 + draw(95) * 1_000),
    rate: Rate.make(draw(4) === 0 ? (1 + draw(10)) * 50 : 0),
    images: new Item.Images({
      thumbnail: `https://images.example.com/items/${n}/thumbnail.webp`,
      description: `https://images.example.com/items/${n}/description.webp`
    })
  })
  const ratingCount = draw(200)
  const statistics = new Item.Statistics({
    views: draw(20_000),
    sales: 0,
    ratingSum: ratingCount * 3 + draw(ratingCount * 2 + 1),
    ratingCount
  })
  return new Item.Item({ ...created, statistics })
}

/** What a person at the terminal is told of. */
export type Tell = (line: string) => void

const insert = async (
  connection: Connection,
  table: string,
  columns: string,
  rows: ReadonlyArray<ReadonlyArray<unknown>>
): Promise<void> => {
  for (let at = 0; at < rows.length; at += rowsTogether) {
    await connection.query(`INSERT INTO ${table} (${columns}) VALUES ?`, [rows.slice(at, at + rowsTogether)])
  }
}

const receiver = ["김민지", "010-1234-5678", "서울특별시 마포구", "월드컵로 1, 101호"]

const insertUsers = async (connection: Connection, users: number, passwordHash: string): Promise<void> => {
  for (let from = 0; from < users; from += rowsTogether) {
    const rows = Array.from({ length: Math.min(rowsTogether, users - from) }, (_, index) => {
      const n = from + index
      const name = `회원${n}`
      const phone = `010-${String(Math.floor(n / 10_000)).padStart(4, "0")}-${String(n % 10_000).padStart(4, "0")}`
      return [
        bytesOf("user", n),
        "Active",
        "USER",
        `user${n}@example.com`,
        passwordHash,
        name,
        name.normalize("NFKC").toLowerCase(),
        "김민지",
        phone,
        "서울특별시 마포구",
        "월드컵로 1, 101호",
        new Date(startMillis),
        0
      ]
    })
    await insert(
      connection,
      "app_user",
      `id, state, role, email, password_hash, display_name, display_name_key, real_name, phone, city, detail, created_at,
        version`,
      rows
    )
  }
}

interface Sold {
  readonly price: Item.Price
  readonly name: string
}

const insertOrders = async (
  connection: Connection,
  sizes: Sizes,
  sold: ReadonlyArray<Sold>,
  draw: (below: number) => number
): Promise<void> => {
  let lineNumber = 0
  for (let from = 0; from < sizes.orders; from += rowsTogether) {
    const rows: Record<
      "orders" | "lines" | "payments" | "attempts" | "sales" | "outbox",
      Array<ReadonlyArray<unknown>>
    > = {
      orders: [],
      lines: [],
      payments: [],
      attempts: [],
      sales: [],
      outbox: []
    }
    for (let n = from; n < Math.min(from + rowsTogether, sizes.orders); n++) {
      const [order, user] = [bytesOf("order", n), bytesOf("user", draw(sizes.users))]
      const [payment, attempt] = [bytesOf("payment", n), bytesOf("attempt", n)]
      const at = new Date(startMillis + n * millisPerOrder)
      const count = 1 + (n % linesMax)
      const firstItem = draw(sizes.items)
      let [total, discount, units] = [0, 0, 0]
      for (let position = 0; position < count; position++) {
        const itemNumber = (firstItem + position * 7) % sizes.items
        const { name, price } = pick(sold, itemNumber)
        const [line, item, quantity] = [bytesOf("line", lineNumber++), bytesOf("item", itemNumber), 1 + draw(3)]
        total += price.real * quantity
        discount += price.discount * quantity
        units += quantity
        rows.lines.push([order, position, line, item, name, price.origin, price.real, quantity, null, 0])
        rows.sales.push([`${textOf(attempt)}/${textOf(line)}`, item, quantity, at])
      }
      const [name, transaction] = [pick(sold, firstItem).name, `T${n}`]
      rows.orders.push([order, user, "Paid", "FromLines", ...receiver, total, discount, at, attempt, at, 0, 2])
      rows.payments.push([payment, user, "OrderSubject", order, total, at])
      rows.attempts.push([
        attempt,
        payment,
        "Approved",
        "ForOrder",
        user,
        order,
        0,
        "kakaopay",
        "TC0ONETIME",
        textOf(user),
        total,
        name.slice(0, 100),
        units,
        at,
        3,
        at,
        transaction,
        1,
        "Known",
        transaction,
        at,
        total,
        0,
        0,
        at
      ])
      rows.outbox.push([`${textOf(attempt)}:OrderPaid`, "notification", "done", "OrderPaid", "{}", at, 1, at, at])
    }
    await connection.beginTransaction()
    await insert(
      connection,
      "orders",
      `id, user_id, state, origin, receiver_name, receiver_phone, receiver_city, receiver_detail, total, discount_total,
        placed_at, paid_by, paid_at, refunded_total, version`,
      rows.orders
    )
    await insert(
      connection,
      "order_line",
      "order_id, position, id, item_id, item_name, origin_price, unit_price, quantity, period_days, refunded_quantity",
      rows.lines
    )
    await insert(connection, "payment", "id, user_id, subject, order_id, amount, created_at", rows.payments)
    await insert(
      connection,
      "attempt",
      `id, payment_id, state, purpose, user_id, order_id, issues_billing_key, provider, merchant_account,
        customer_reference, amount, item_name, quantity, created_at, version, sent_at, transaction_id, dispatches, reference,
        reference_transaction_id, reference_approved_at, approved, refunded, reserved, settled_at`,
      rows.attempts
    )
    await insert(connection, "sales", "cause, item_id, quantity, recorded_at", rows.sales)
    await insert(
      connection,
      "outbox",
      "event_id, consumer, state, tag, event, due_at, tries, published_at, ended_at",
      rows.outbox
    )
    await connection.commit()
  }
}

/** Fills a migrated database; whatever is in it stays. */
export const fill = async (url: Redacted.Redacted, seed: number, sizes: Sizes, tell: Tell): Promise<void> => {
  const draw = draws(seed)
  const sold: Array<Sold> = []
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1_000).toFixed(1)} s`
  const items = Effect.gen(function* () {
    const repository = yield* ItemRepository
    for (let from = 0; from < sizes.items; from += itemsTogether) {
      const chunk = Array.from({ length: Math.min(itemsTogether, sizes.items - from) }, (_, index) =>
        itemOf(from + index, draw)
      )
      yield* repository.insert(chunk)
      for (const { information, price } of chunk) sold.push({ price, name: information.productName })
    }
  })
  await Effect.runPromise(Effect.provide(items, Mysql.layer.pipe(Layer.provideMerge(MysqlClient.layer({ url })))))
  tell(`${sizes.items} items (${seconds()})`)
  const passwordHash = await Effect.runPromise(
    Effect.flatMap(PasswordHasherPort, (hasher) => hasher.hash(Redacted.make(password))).pipe(
      Effect.provide(PasswordHasher.layer)
    )
  )
  const connection = await createConnection({ uri: Redacted.value(url).replace(/^mariadb:/, "mysql:"), timezone: "Z" })
  try {
    await insertUsers(connection, sizes.users, Redacted.value(passwordHash))
    tell(`${sizes.users} users (${seconds()})`)
    await insertOrders(connection, sizes, sold, draw)
    tell(`${sizes.orders} orders (${seconds()})`)
    // As the background work of the server would, at once.
    await connection.query(
      `UPDATE item JOIN (SELECT item_id, SUM(quantity) AS sold FROM sales WHERE folded_by IS NULL GROUP BY item_id) AS made
        ON made.item_id = item.id SET item.sales = item.sales + made.sold`
    )
    await connection.query("UPDATE sales SET folded_by = UNHEX(REPEAT('00', 16)) WHERE folded_by IS NULL")
    await connection.query("ANALYZE TABLE item, item_category, item_bigram, orders, order_line, app_user")
    tell(`sales added up (${seconds()})`)
  } finally {
    await connection.end()
  }
}
