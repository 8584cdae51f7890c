/**
 * The schema, as the list of statements that make it.
 *
 * Each entry is one statement that may be run again when it was done before, since a server may die after it and before
 * it is recorded; MySQL cannot add a column only where it is missing, so the runner takes one that is there for added. A
 * released entry is never changed: what comes later is a new entry, and it leaves the schema usable by
 * the release before.
 *
 * **Details**
 *
 * Ids are BINARY(16), instants DATETIME(3) in UTC, dates of business DATE, won BIGINT. Words of ours, such as states,
 * are ascii; words of providers are compared byte by byte. Generated columns carry the laws: they hold a value only
 * while a row claims something, and a unique key on them lets one row claim it.
 *
 * @since 0.1.0
 */

/** One step of the schema's history. */
export interface Migration {
  readonly id: number
  readonly name: string
  readonly statement: string
}

const tableOptions = "ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci"
/** Our own words. */
const word = (length: number) => `VARCHAR(${length}) CHARACTER SET ascii COLLATE ascii_bin`
/** Somebody else's words, which mean what their bytes are. */
const opaque = (length: number) => `VARCHAR(${length}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`

const receiverColumns = `
  receiver_name VARCHAR(50) NOT NULL,
  receiver_phone VARCHAR(20) NOT NULL,
  receiver_city VARCHAR(200) NOT NULL,
  receiver_detail VARCHAR(200) NOT NULL`

/** The tables of the first release. */
const tables: ReadonlyArray<readonly [name: string, columns: string]> = [
  [
    "business_clock",
    `
  id TINYINT NOT NULL,
  offset_millis BIGINT NOT NULL,
  PRIMARY KEY (id)`
  ],

  [
    "app_user",
    `
  id BINARY(16) NOT NULL,
  state ${word(16)} NOT NULL,
  role ${word(16)} NOT NULL,
  email ${word(254)} NULL,
  password_hash ${word(255)} NULL,
  display_name VARCHAR(20) NULL,
  display_name_key ${opaque(400)} NULL,
  real_name VARCHAR(50) NULL,
  phone ${word(20)} NULL,
  city VARCHAR(200) NULL,
  detail VARCHAR(200) NULL,
  created_at DATETIME(3) NOT NULL,
  withdrawn_at DATETIME(3) NULL,
  version INT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY app_user_email (email),
  UNIQUE KEY app_user_display_name (display_name_key),
  UNIQUE KEY app_user_phone (phone)`
  ],

  [
    "item",
    `
  id BINARY(16) NOT NULL,
  product_name VARCHAR(200) NOT NULL,
  search_name ${opaque(400)} NOT NULL,
  brand ${opaque(200)} NOT NULL,
  statement_number TEXT NOT NULL,
  registered_date TEXT NOT NULL,
  distribution_period TEXT NOT NULL,
  appearance TEXT NOT NULL,
  serving_use TEXT NOT NULL,
  preserve_period TEXT NOT NULL,
  intake TEXT NOT NULL,
  main_function TEXT NOT NULL,
  base_standard TEXT NOT NULL,
  price_origin BIGINT NOT NULL,
  price_rate INT NOT NULL,
  price_discount BIGINT NOT NULL,
  price_real BIGINT NOT NULL,
  thumbnail TEXT NOT NULL,
  description_image TEXT NOT NULL,
  views BIGINT NOT NULL,
  sales BIGINT NOT NULL,
  rating_sum BIGINT NOT NULL,
  rating_count BIGINT NOT NULL,
  version INT NOT NULL,
  PRIMARY KEY (id),
  KEY item_by_sales (sales DESC, id),
  KEY item_by_price_high (price_real DESC, id),
  KEY item_by_price_low (price_real, id),
  KEY item_by_rate_high (price_rate DESC, id),
  KEY item_by_rate_low (price_rate, id),
  KEY item_by_reviews (rating_count DESC, id),
  KEY item_by_brand (brand, id)`
  ],

  [
    "item_category",
    `
  item_id BINARY(16) NOT NULL,
  position SMALLINT NOT NULL,
  category ${word(16)} NOT NULL,
  PRIMARY KEY (item_id, position),
  UNIQUE KEY item_category_items (category, item_id)`
  ],

  [
    "item_bigram",
    `
  bigram VARBINARY(8) NOT NULL,
  item_id BINARY(16) NOT NULL,
  PRIMARY KEY (bigram, item_id)`
  ],

  [
    "orders",
    `
  id BINARY(16) NOT NULL,
  user_id BINARY(16) NOT NULL,
  state ${word(24)} NOT NULL,
  origin ${word(16)} NOT NULL,
  origin_cart ${word(16)} NULL,
  origin_subscription_id BINARY(16) NULL,
  origin_cycle_number INT NULL,${receiverColumns},
  total BIGINT NOT NULL,
  discount_total BIGINT NOT NULL,
  placed_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NULL,
  approving_attempt BINARY(16) NULL,
  paid_by BINARY(16) NULL,
  paid_at DATETIME(3) NULL,
  refunded_total BIGINT NULL,
  expired_at DATETIME(3) NULL,
  failed_at DATETIME(3) NULL,
  version INT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY orders_one_per_cycle (origin_subscription_id, origin_cycle_number),
  KEY orders_by_user (user_id, placed_at, id),
  KEY orders_expirable (state, expires_at, id),
  CONSTRAINT orders_refund_bound CHECK (refunded_total IS NULL OR refunded_total BETWEEN 0 AND total)`
  ],

  [
    "order_line",
    `
  order_id BINARY(16) NOT NULL,
  position SMALLINT NOT NULL,
  id BINARY(16) NOT NULL,
  item_id BINARY(16) NOT NULL,
  item_name VARCHAR(200) NOT NULL,
  origin_price BIGINT NOT NULL,
  unit_price BIGINT NOT NULL,
  quantity INT NOT NULL,
  period_days INT NULL,
  refunded_quantity INT NOT NULL,
  PRIMARY KEY (order_id, position),
  UNIQUE KEY order_line_id (id),
  CONSTRAINT order_line_refund_bound CHECK (refunded_quantity BETWEEN 0 AND quantity)`
  ],

  [
    "payment",
    `
  id BINARY(16) NOT NULL,
  user_id BINARY(16) NOT NULL,
  subject ${word(24)} NOT NULL,
  order_id BINARY(16) NULL,
  subscription_id BINARY(16) NULL,
  cycle_number INT NULL,
  billing_key_id BINARY(16) NULL,
  amount BIGINT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY payment_one_per_order (order_id),
  UNIQUE KEY payment_one_per_cycle (subscription_id, cycle_number),
  UNIQUE KEY payment_one_per_registration (billing_key_id)`
  ],

  [
    "attempt",
    `
  id BINARY(16) NOT NULL,
  payment_id BINARY(16) NOT NULL,
  state ${word(24)} NOT NULL,
  purpose ${word(24)} NOT NULL,
  user_id BINARY(16) NOT NULL,
  order_id BINARY(16) NULL,
  issues_billing_key TINYINT NULL,
  subscription_id BINARY(16) NULL,
  cycle_number INT NULL,
  billing_key_id BINARY(16) NULL,
  billing_key ${opaque(64)} NULL,
  step INT NULL,
  provider ${opaque(32)} NOT NULL,
  merchant_account ${opaque(32)} NOT NULL,
  customer_reference ${opaque(100)} NOT NULL,
  amount BIGINT NOT NULL,
  item_name VARCHAR(100) NOT NULL,
  quantity INT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  version INT NOT NULL,
  lease_owner ${opaque(64)} NULL,
  lease_epoch BIGINT NULL,
  lease_expires_at DATETIME(3) NULL,
  sent_at DATETIME(3) NULL,
  baseline DATETIME(3) NULL,
  transaction_id ${opaque(64)} NULL,
  approval_token ${opaque(200)} NULL,
  expires_at DATETIME(3) NULL,
  redirect_pc ${opaque(2_000)} NULL,
  redirect_mobile ${opaque(2_000)} NULL,
  redirect_app ${opaque(2_000)} NULL,
  dispatches INT NULL,
  unknown_since DATETIME(3) NULL,
  asks INT NULL,
  next_ask_at DATETIME(3) NULL,
  review_since DATETIME(3) NULL,
  detail VARCHAR(500) NULL,
  reference ${word(16)} NULL,
  reference_transaction_id ${opaque(64)} NULL,
  reference_approval_id ${opaque(64)} NULL,
  reference_approved_at DATETIME(3) NULL,
  reference_method ${opaque(32)} NULL,
  approved BIGINT NULL,
  refunded BIGINT NULL,
  reserved BIGINT NULL,
  refund_in_flight BINARY(16) NULL,
  settled_at DATETIME(3) NULL,
  decline ${word(16)} NULL,
  decline_kind ${word(32)} NULL,
  decline_code VARCHAR(100) NULL,
  decline_message VARCHAR(500) NULL,
  not_executed_why ${word(16)} NULL,
  ended_at DATETIME(3) NULL,
  open_cycle BINARY(16) GENERATED ALWAYS AS (
    CASE WHEN state IN ('Prepared', 'Sent', 'Unknown') THEN subscription_id END
  ) STORED,
  PRIMARY KEY (id),
  UNIQUE KEY attempt_one_open_per_cycle (open_cycle, cycle_number),
  KEY attempt_by_payment (payment_id, created_at, id),
  KEY attempt_by_lease (state, lease_expires_at, id),
  KEY attempt_by_next_ask (state, next_ask_at, id),
  KEY attempt_by_expiry (state, expires_at, id),
  KEY attempt_by_transaction (transaction_id),
  CONSTRAINT attempt_refund_bound CHECK (
    approved IS NULL OR (refunded >= 0 AND reserved >= 0 AND refunded + reserved <= approved)
  )`
  ],

  [
    "user_slot",
    `
  provider ${opaque(32)} NOT NULL,
  customer_reference ${opaque(100)} NOT NULL,
  attempt_id BINARY(16) NULL,
  PRIMARY KEY (provider, customer_reference)`
  ],

  [
    "subscription_order",
    `
  id BINARY(16) NOT NULL,
  user_id BINARY(16) NOT NULL,
  state ${word(24)} NOT NULL,
  order_id BINARY(16) NOT NULL,
  order_line_id BINARY(16) NOT NULL,
  item_id BINARY(16) NOT NULL,
  item_name VARCHAR(200) NOT NULL,
  unit_price BIGINT NOT NULL,
  quantity INT NOT NULL,
  period_days INT NOT NULL,
  anchor DATE NOT NULL,${receiverColumns},
  skips_in_a_row INT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  version INT NOT NULL,
  billing_key_id BINARY(16) NULL,
  paused_by ${word(16)} NULL,
  resume_on DATE NULL,
  cancel_reason ${word(24)} NULL,
  cancelled_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY subscription_order_one_per_line (order_line_id),
  KEY subscription_order_by_user (user_id, created_at, id),
  KEY subscription_order_by_billing_key (billing_key_id, state, id)`
  ],

  [
    "billing_key",
    `
  id BINARY(16) NOT NULL,
  user_id BINARY(16) NOT NULL,
  state ${word(24)} NOT NULL,
  provider ${opaque(32)} NOT NULL,
  merchant_account ${opaque(32)} NOT NULL,
  customer_reference ${opaque(100)} NOT NULL,
  billing_key ${opaque(64)} NULL,
  in_flight BINARY(16) NULL,
  last_known_approval DATETIME(3) NULL,
  live_uses INT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  version INT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY billing_key_once (provider, merchant_account, billing_key),
  KEY billing_key_by_user (user_id, created_at, id),
  CONSTRAINT billing_key_uses CHECK (live_uses >= 0)`
  ],

  [
    "billing_cycle",
    `
  subscription_id BINARY(16) NOT NULL,
  number INT NOT NULL,
  state ${word(24)} NOT NULL,
  grid_date DATE NOT NULL,
  due_date DATE NOT NULL,
  ladder_start DATE NULL,
  step INT NOT NULL,
  answered_on DATE NULL,
  open_attempt BINARY(16) NULL,
  next_attempt_on DATE NULL,
  charged_by BINARY(16) NULL,
  charged_on DATE NULL,
  reason ${word(16)} NULL,
  version INT NOT NULL,
  open_key BINARY(16) GENERATED ALWAYS AS (
    CASE WHEN state IN ('Charged', 'Skipped', 'Abandoned') THEN NULL ELSE subscription_id END
  ) STORED,
  due_step INT GENERATED ALWAYS AS (
    CASE WHEN state IN ('Due', 'RetryDue', 'Blocked', 'AwaitingKey') AND open_attempt IS NULL
      AND next_attempt_on IS NOT NULL THEN step END
  ) STORED,
  PRIMARY KEY (subscription_id, number),
  UNIQUE KEY billing_cycle_one_open (open_key),
  KEY billing_cycle_due_by_key (due_step, subscription_id, number, next_attempt_on, answered_on),
  KEY billing_cycle_due_by_date (next_attempt_on, due_step, answered_on),
  KEY billing_cycle_by_state (state, next_attempt_on)`
  ],

  [
    "billing_job",
    `
  job ${opaque(64)} NOT NULL,
  changes BIGINT NOT NULL,
  PRIMARY KEY (job)`
  ],

  [
    "billing_run",
    `
  job ${opaque(64)} NOT NULL,
  run_date DATE NOT NULL,
  status ${word(16)} NOT NULL,
  started_at DATETIME(3) NOT NULL,
  finished_at DATETIME(3) NULL,
  charged INT NOT NULL,
  declined INT NOT NULL,
  not_executed INT NOT NULL,
  unknown INT NOT NULL,
  skipped INT NOT NULL,
  cancelled INT NOT NULL,
  PRIMARY KEY (job, run_date)`
  ],

  [
    "billing_run_worker",
    `
  job ${opaque(64)} NOT NULL,
  run_date DATE NOT NULL,
  worker ${opaque(190)} NOT NULL,
  lease_expires_at DATETIME(3) NOT NULL,
  PRIMARY KEY (job, run_date, worker)`
  ],

  [
    "refund",
    `
  id BINARY(16) NOT NULL,
  attempt_id BINARY(16) NOT NULL,
  order_id BINARY(16) NULL,
  user_id BINARY(16) NOT NULL,
  state ${word(24)} NOT NULL,
  amount BIGINT NOT NULL,
  refund_lines TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(200) NOT NULL,
  requested_at DATETIME(3) NOT NULL,
  dispatches INT NOT NULL,
  version INT NOT NULL,
  sent_at DATETIME(3) NULL,
  lease_expires_at DATETIME(3) NULL,
  refunded_before BIGINT NULL,
  unknown_since DATETIME(3) NULL,
  asks INT NULL,
  next_ask_at DATETIME(3) NULL,
  completed_at DATETIME(3) NULL,
  rejected_at DATETIME(3) NULL,
  review_since DATETIME(3) NULL,
  detail VARCHAR(500) NULL,
  open_attempt BINARY(16) GENERATED ALWAYS AS (CASE WHEN state IN ('Sent', 'Unknown') THEN attempt_id END) STORED,
  PRIMARY KEY (id),
  UNIQUE KEY refund_one_open_per_attempt (open_attempt),
  KEY refund_by_order (order_id, requested_at, id),
  KEY refund_by_attempt (attempt_id, requested_at, id),
  KEY refund_by_request (state, requested_at, id),
  KEY refund_by_lease (state, lease_expires_at, id),
  KEY refund_by_next_ask (state, next_ask_at, id)`
  ],

  [
    "outbox",
    `
  event_id ${opaque(190)} NOT NULL,
  consumer ${word(32)} NOT NULL,
  state ${word(16)} NOT NULL,
  tag ${word(64)} NOT NULL,
  event MEDIUMTEXT NOT NULL,
  due_at DATETIME(3) NOT NULL,
  tries INT NOT NULL,
  claim BINARY(16) NULL,
  owner ${opaque(190)} NULL,
  error VARCHAR(2000) NULL,
  published_at DATETIME(3) NOT NULL,
  ended_at DATETIME(3) NULL,
  PRIMARY KEY (event_id, consumer),
  KEY outbox_due (state, due_at, event_id, consumer),
  KEY outbox_by_claim (claim),
  KEY outbox_dead (state, ended_at, event_id, consumer)`
  ],

  [
    "inbox",
    `
  event_id ${opaque(190)} NOT NULL,
  consumer ${word(32)} NOT NULL,
  consumed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (event_id, consumer)`
  ],

  [
    "sales",
    `
  cause ${opaque(190)} NOT NULL,
  item_id BINARY(16) NOT NULL,
  quantity INT NOT NULL,
  recorded_at DATETIME(6) NOT NULL,
  folded_by BINARY(16) NULL,
  PRIMARY KEY (cause, item_id),
  KEY sales_unfolded (folded_by, recorded_at)`
  ],

  [
    "notification",
    `
  id ${opaque(190)} NOT NULL,
  user_id BINARY(16) NOT NULL,
  kind ${opaque(64)} NOT NULL,
  korean TEXT NOT NULL,
  english TEXT NOT NULL,
  sent_at DATETIME(3) NOT NULL,
  read_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  KEY notification_by_user (user_id, sent_at, id)`
  ]
]

const createTable = (name: string, columns: string) => ({
  name: `create_${name}`,
  statement: `CREATE TABLE IF NOT EXISTS ${name} (${columns}\n) ${tableOptions}`
})

/** A column that came later. It may be NULL or has a default: servers of the release before write rows without it. */
const addColumn = (table: string, column: string, type: string) => ({
  name: `add_${table}_${column}`,
  statement: `ALTER TABLE ${table} ADD COLUMN ${column} ${type}`
})

const addIndex = (table: string, name: string, columns: string) => ({
  name: `add_${name}`,
  statement: `ALTER TABLE ${table} ADD KEY ${name} (${columns})`
})

/** Every step of the schema's history, oldest first: what is new goes to the end. */
export const migrations: ReadonlyArray<Migration> = [
  ...tables.map(([name, columns]) => createTable(name, columns)),
  // NULL until a server that knows it wrote the row: then the anchor counts.
  addColumn("subscription_order", "last_paid_due_date", "DATE NULL"),
  addColumn("billing_cycle", "quantity", "INT NULL"),
  addColumn("billing_run_worker", "stop_asked", "TINYINT NOT NULL DEFAULT 0"),
  // The last cycle of the last page that a worker of the run took.
  addColumn("billing_run", "taken_step", "INT NULL"),
  addColumn("billing_run", "taken_subscription_id", "BINARY(16) NULL"),
  addColumn("billing_run", "taken_number", "INT NULL"),
  createTable(
    "idempotency_key",
    `
  principal VARBINARY(64) NOT NULL,
  endpoint VARBINARY(64) NOT NULL,
  request_key VARBINARY(200) NOT NULL,
  fingerprint ${word(200)} NOT NULL,
  attempt_id BINARY(16) NOT NULL,
  bound_at DATETIME(3) NOT NULL,
  PRIMARY KEY (principal, endpoint, request_key)`
  ),
  // The column and its index in one statement, so that there is never one without the other.
  addColumn(
    "attempt",
    "awaiting_reference",
    `BINARY(16) GENERATED ALWAYS AS (CASE WHEN reference = 'Awaiting' THEN id END) VIRTUAL,
    ADD KEY attempt_awaiting_reference (awaiting_reference)`
  ),
  createTable(
    "operator_decision",
    `
  id BINARY(16) NOT NULL,
  subject ${word(16)} NOT NULL,
  subject_id BINARY(16) NOT NULL,
  decision ${word(16)} NOT NULL,
  decided_by VARCHAR(100) NOT NULL,
  why VARCHAR(500) NOT NULL,
  transaction_id ${opaque(64)} NULL,
  decided_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  KEY operator_decision_by_subject (subject_id, decided_at, id)`
  ),
  // When the key was last compared with the provider; the first date that can be named stands for never.
  addColumn(
    "billing_key",
    "checked_on",
    "DATE NOT NULL DEFAULT '2000-01-01', ADD KEY billing_key_unchecked (state, checked_on, id)"
  ),
  addIndex("subscription_order", "subscription_order_by_state", "state, created_at, id"),
  addIndex("attempt", "attempt_by_billing_key", "billing_key_id, created_at"),
  addIndex("subscription_order", "subscription_order_to_resume", "state, resume_on, id"),
  createTable(
    "social_account",
    `
  provider ${word(16)} NOT NULL,
  subject VARBINARY(255) NOT NULL,
  user_id BINARY(16) NOT NULL,
  linked_at DATETIME(3) NOT NULL,
  PRIMARY KEY (provider, subject),
  KEY social_account_by_user (user_id)`
  ),
  createTable(
    "item_view",
    `
  view_date DATE NOT NULL,
  item_id BINARY(16) NOT NULL,
  views BIGINT NOT NULL,
  added_by BINARY(16) NOT NULL,
  PRIMARY KEY (view_date, item_id)`
  ),
  // An index for each order of a list, so that none is ever sorted; the oldest come from the one by item, read backwards.
  createTable(
    "review",
    `
  id BINARY(16) NOT NULL,
  user_id BINARY(16) NOT NULL,
  item_id BINARY(16) NOT NULL,
  order_id BINARY(16) NOT NULL,
  state ${word(16)} NOT NULL,
  stars TINYINT NOT NULL,
  content TEXT NOT NULL,
  written_at DATETIME(3) NOT NULL,
  changed_at DATETIME(3) NOT NULL,
  removed_at DATETIME(3) NULL,
  version INT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY review_one_per_user (user_id, item_id),
  KEY review_by_user (user_id, state, written_at DESC, id DESC),
  KEY review_by_item (item_id, state, written_at DESC, id DESC),
  KEY review_by_stars_high (item_id, state, stars DESC, written_at DESC, id DESC),
  KEY review_by_stars_low (item_id, state, stars, written_at DESC, id DESC),
  CONSTRAINT review_stars CHECK (stars BETWEEN 1 AND 5)`
  ),
  addIndex("orders", "orders_by_user_state", "user_id, state, placed_at, id"),
  addIndex("orders", "orders_by_paid_at", "paid_at, id, state"),
  createTable(
    "webhook_endpoint",
    `
  id BINARY(16) NOT NULL,
  url VARCHAR(2000) NOT NULL,
  description VARCHAR(200) NOT NULL,
  tags TEXT NOT NULL,
  is_active TINYINT NOT NULL,
  secret ${opaque(200)} NOT NULL,
  former_secret ${opaque(200)} NULL,
  former_secret_until DATETIME(3) NULL,
  created_at DATETIME(3) NOT NULL,
  version INT NOT NULL,
  PRIMARY KEY (id),
  KEY webhook_endpoint_by_age (created_at, id)`
  ),
  createTable(
    "message",
    `
  recipient ${word(36)} NOT NULL,
  event_id ${opaque(190)} NOT NULL,
  state ${word(16)} NOT NULL,
  tag ${word(64)} NOT NULL,
  event MEDIUMTEXT NOT NULL,
  due_at DATETIME(3) NOT NULL,
  tries INT NOT NULL,
  claim BINARY(16) NULL,
  owner ${opaque(190)} NULL,
  error VARCHAR(500) NULL,
  queued_at DATETIME(3) NOT NULL,
  ended_at DATETIME(3) NULL,
  PRIMARY KEY (recipient, event_id),
  KEY message_due (recipient, state, due_at, event_id),
  KEY message_by_claim (claim),
  KEY message_by_recipient (recipient, queued_at, event_id),
  KEY message_by_state (state, recipient),
  KEY message_by_age (queued_at)`
  )
].map((step, index) => ({ id: index + 1, ...step }))
