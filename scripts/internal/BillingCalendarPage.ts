/**
 * `docs/reference/billing-calendar.md`, by running the functions of the domain on the fixtures of one story.
 *
 * Every situation is reached and every answer given by the functions themselves, so the page says what happens and not
 * what somebody meant to happen. Only titles and the sentences between the tables are written by hand.
 *
 * @since 0.1.0
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Result } from "effect"
import * as Attempt from "../../packages/domain/src/Attempt.ts"
import * as BillingCalendar from "../../packages/domain/src/BillingCalendar.ts"
import * as BillingCycle from "../../packages/domain/src/BillingCycle.ts"
import * as BillingKey from "../../packages/domain/src/BillingKey.ts"
import * as BusinessDate from "../../packages/domain/src/BusinessDate.ts"
import * as DunningPolicy from "../../packages/domain/src/DunningPolicy.ts"
import * as OwnerCommand from "../../packages/domain/src/OwnerCommand.ts"
import * as Renewal from "../../packages/domain/src/Renewal.ts"
import * as SubscriptionOrder from "../../packages/domain/src/SubscriptionOrder.ts"
import * as Fixtures from "../../packages/domain/src/testing/Fixtures.ts"
import { root } from "./Workspace.ts"

/** Where the page is. */
export const path = join(root, "docs/reference/billing-calendar.md")

const { day, timeOn } = Fixtures
const dueOn = "2026-02-14"

// -----------------------------------------------------------------------------
// the story
// -----------------------------------------------------------------------------

/** The rows of the one subscription; `cycles` in the order of their numbers. */
interface Story {
  readonly subscription: SubscriptionOrder.SubscriptionOrder
  readonly cycles: ReadonlyArray<BillingCycle.BillingCycle>
  readonly key: BillingKey.BillingKey
  readonly attempt: Attempt.Attempt | null
}

/** The rows that a decision changes; an absent one stays. */
interface Entries {
  readonly subscription?: SubscriptionOrder.SubscriptionOrder
  readonly cycle?: BillingCycle.BillingCycle
  readonly opened: ReadonlyArray<BillingCycle.BillingCycle>
  readonly key?: BillingKey.BillingKey
  readonly attempt?: Attempt.Attempt
}

const begun: Story = {
  subscription: Fixtures.subscription(),
  cycles: [Fixtures.dueCycle()],
  key: Fixtures.activeKey(),
  attempt: null
}

const written = (story: Story, entries: Entries): Story => ({
  subscription: entries.subscription ?? story.subscription,
  cycles: [
    ...story.cycles.map((cycle) => (cycle.number === entries.cycle?.number ? entries.cycle : cycle)),
    ...entries.opened
  ],
  key: entries.key ?? story.key,
  attempt: entries.attempt ?? story.attempt
})

const openOf = ({ cycles }: Story): BillingCycle.Open | null => cycles.find(BillingCycle.isOpen) ?? null

const mustBeOpen = (story: Story): BillingCycle.Open => {
  const open = openOf(story)
  if (open === null) throw new Error("the story has no open cycle")
  return open
}

/** The billing run of a date: sends the charge, or takes the last step of a ladder without a key; null when nothing is due. */
const bill = (story: Story, date: string, policy = DunningPolicy.standard): Story | null => {
  const cycle = openOf(story)
  const { key, subscription } = story
  if (cycle === null || !SubscriptionOrder.isChargeable(subscription)) return null
  if (cycle._tag === "AwaitingKey" && cycle.nextAttemptOn !== null && cycle.nextAttemptOn <= date) {
    const books = { cycle, subscription, key }
    return written(story, Result.getOrThrow(Renewal.giveUp(books, { at: timeOn(date), policy })))
  }
  if (!BillingCycle.isDue(cycle, day(date))) return null
  const at = timeOn(date)
  const attempt = Result.getOrThrow(
    Attempt.send(Fixtures.preparedAttempt({ id: Fixtures.anyAttemptId(date) }), {
      at,
      lease: Fixtures.lease(),
      baseline: null,
      approvalToken: null
    })
  )
  return written(story, {
    attempt,
    cycle: Result.getOrThrow(BillingCycle.send(cycle, attempt.id, BillingCycle.quantityOf(cycle, subscription))),
    key: Result.getOrThrow(BillingKey.hold(key, attempt.id)),
    opened: []
  })
}

/** What the provider says of a charge, by the words of the page. */
const outcomes = {
  approved: {
    _tag: "Approved",
    reference: Fixtures.knownReference(),
    amount: Fixtures.preparedAttempt().amount
  },
  "soft decline": { _tag: "Declined", reason: Fixtures.softDecline() },
  "hard decline": { _tag: "Declined", reason: Fixtures.hardDecline() },
  blocked: { _tag: "Declined", reason: Fixtures.blockedDecline() },
  "not executed": { _tag: "NotExecuted", why: "local", detail: "" },
  lost: { _tag: "Lost", nextAskAt: timeOn(dueOn), detail: "" },
  "evidence: not executed": { _tag: "NotExecuted", why: "inferred", detail: "" },
  "evidence: approved": {
    _tag: "Approved",
    reference: Fixtures.awaitingReference(),
    amount: Fixtures.preparedAttempt().amount
  }
} as const satisfies Readonly<Record<string, Renewal.Outcome>>
type OutcomeName = keyof typeof outcomes

/** Tells the story's last charge its outcome. */
const answer = (story: Story, outcome: OutcomeName, date: string, policy = DunningPolicy.standard): Story => {
  const { attempt, key, subscription } = story
  const cycle = story.cycles.findLast(({ openAttempt }) => openAttempt !== null && openAttempt === attempt?.id)
  if (attempt === null || cycle === undefined) throw new Error(`nothing was charged before ${date}`)
  const books = { attempt, cycle, subscription, key }
  return written(
    story,
    Result.getOrThrow(Renewal.settle(books, outcomes[outcome], { at: timeOn(date, 10, 1), policy }))
  )
}

/** The charge of a date, and what became of it. */
const charged = (story: Story, date: string, ...names: ReadonlyArray<OutcomeName>): Story => {
  const sent = bill(story, date)
  if (sent === null) throw new Error(`nothing is due on ${date}`)
  return names.reduce((next, name) => answer(next, name, date), sent)
}

const ownersOwn = (story: Story): OwnerCommand.Books => ({
  subscription: story.subscription,
  cycle: mustBeOpen(story)
})

const previousOf = (story: Story): BillingCycle.BillingCycle | null =>
  story.cycles.find(({ number }) => number === mustBeOpen(story).number - 1) ?? null

const paused = (story: Story, date: string): Story =>
  written(story, Result.getOrThrow(OwnerCommand.pause(ownersOwn(story), null, timeOn(date))))

const cancelled = (story: Story, date: string): Story => {
  const { key, subscription } = story
  const books = { subscription, cycle: openOf(story), key }
  return written(story, Result.getOrThrow(OwnerCommand.cancel(books, "owner", timeOn(date))))
}

const anotherKey = Fixtures.activeKey({ id: Fixtures.anyBillingKeyId("another"), liveUses: 0 })

const withAnotherKey = (
  story: Story,
  date: string,
  newKey: BillingKey.BillingKey = anotherKey
): ReturnType<typeof OwnerCommand.replaceKey> =>
  OwnerCommand.replaceKey(
    {
      ...ownersOwn(story),
      oldKey: story.subscription._tag === "AwaitingBillingKey" ? null : story.key,
      newKey
    },
    timeOn(date)
  )

// -----------------------------------------------------------------------------
// words
// -----------------------------------------------------------------------------

const code = (text: string): string => `\`${text}\``

/** A cycle in a few words; its due date only where it is not its grid date. */
const cycleInWords = (cycle: BillingCycle.BillingCycle): string => {
  const head = `${cycle.number}:`
  switch (cycle._tag) {
    case "Charged":
      return `${head} ${code("Charged")}`
    case "Skipped":
    case "Abandoned":
      return `${head} ${code(cycle._tag)} (${cycle.reason})`
    case "InFlight":
    case "InDoubt":
      return `${head} ${code(cycle._tag)}`
    case "AwaitingKey":
      return cycle.nextAttemptOn === null
        ? `${head} ${code(cycle._tag)}, due ${cycle.dueDate}`
        : `${head} ${code(cycle._tag)} until ${cycle.nextAttemptOn}`
    default:
      return `${head} ${code(cycle._tag)} on ${cycle.nextAttemptOn}`
  }
}

const subscriptionInWords = (self: SubscriptionOrder.SubscriptionOrder): string =>
  self._tag === "Paused" && self.resumeOn !== null ? `${code("Paused")} until ${self.resumeOn}` : code(self._tag)

const table = (heads: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => [
  `| ${heads.join(" | ")} |`,
  `| ${heads.map(() => "---").join(" | ")} |`,
  ...rows.map((cells) => `| ${cells.join(" | ")} |`),
  ""
]

// -----------------------------------------------------------------------------
// where a subscription can stand
// -----------------------------------------------------------------------------

interface Situation {
  readonly how: string
  readonly today: string
  readonly story: Story
}

const keyless: Story = {
  ...begun,
  subscription: Fixtures.keylessSubscription(),
  cycles: [Fixtures.keylessCycle()]
}
const declined = charged(begun, dueOn, "soft decline")
const declinedHard = charged(begun, dueOn, "hard decline")
const blocked = charged(begun, dueOn, "blocked")
const givenBack = charged(begun, dueOn, "not executed")
const exhausted = ["2026-02-15", "2026-02-17", "2026-02-19"].reduce((story, date) => {
  const sent = bill(story, date)
  if (sent === null) throw new Error(`nothing is due on ${date}`)
  return answer(
    sent,
    "soft decline",
    date,
    DunningPolicy.DunningPolicy.make({ ladderDays: [1, 3, 5], finalAction: "pause" })
  )
}, declined)

const situations: ReadonlyArray<Situation> = [
  { how: "nothing was charged yet", today: "2026-02-10", story: begun },
  { how: `the charge of ${dueOn} was not executed`, today: dueOn, story: givenBack },
  { how: `blocked on ${dueOn}`, today: "2026-02-16", story: blocked },
  { how: "its charge was sent", today: dueOn, story: charged(begun, dueOn) },
  { how: "its answer was lost", today: "2026-02-15", story: charged(begun, dueOn, "lost") },
  { how: `declined softly on ${dueOn}`, today: dueOn, story: declined },
  { how: `declined hard on ${dueOn}`, today: "2026-02-16", story: declinedHard },
  {
    how: "declined softly, then blocked",
    today: "2026-02-16",
    story: charged(declined, "2026-02-15", "blocked")
  },
  { how: "declined softly; the retry was sent", today: "2026-02-15", story: charged(declined, "2026-02-15") },
  {
    how: "declined softly; the retry's answer was lost",
    today: "2026-02-16",
    story: charged(declined, "2026-02-15", "lost")
  },
  { how: "paused before its date", today: "2026-02-12", story: paused(begun, "2026-02-10") },
  { how: "paused before its date, which has passed", today: "2026-03-20", story: paused(begun, "2026-02-10") },
  { how: "paused after its charge was not executed", today: "2026-02-20", story: paused(givenBack, dueOn) },
  { how: "paused after a soft decline", today: "2026-02-20", story: paused(declined, dueOn) },
  { how: "paused while blocked", today: "2026-02-20", story: paused(blocked, "2026-02-16") },
  { how: "paused after a hard decline", today: "2026-02-20", story: paused(declinedHard, "2026-02-16") },
  { how: "paused by the policy when the ladder ended", today: "2026-02-20", story: exhausted },
  { how: "the first payment gave no billing key", today: "2026-02-10", story: keyless },
  { how: "cancelled, nothing in flight", today: "2026-02-11", story: cancelled(begun, "2026-02-10") },
  {
    how: "cancelled while its charge was in flight",
    today: "2026-02-14",
    story: cancelled(charged(begun, dueOn), dueOn)
  },
  {
    how: "cancelled while its charge was in doubt",
    today: "2026-02-15",
    story: cancelled(charged(begun, dueOn, "lost"), "2026-02-15")
  }
]

const letterOf = (index: number): string => "ABCDEFGHIJKLMNOPQRSTUVWXYZ".charAt(index)

const situationRows = situations.map(({ how, story, today }, index) => {
  const open = openOf(story)
  return [
    `**${letterOf(index)}**`,
    subscriptionInWords(story.subscription),
    open === null ? "none" : cycleInWords(open).replace(/^\d+: /, ""),
    how,
    today
  ]
})

// -----------------------------------------------------------------------------
// the owner's commands
// -----------------------------------------------------------------------------

type Decided = Result.Result<Entries, { readonly _tag: string; readonly message: string }>

interface OwnersCommand {
  /** The function, and how the page calls it. */
  readonly name: keyof typeof OwnerCommand
  readonly title: string
  readonly run: (story: Story, today: string) => Decided
  /** Refusals that do not depend on the situation: what is asked in A, and how it is put. */
  readonly limits?: ReadonlyArray<readonly [what: string, decided: Decided]>
}

const a = begun
const aToday = timeOn("2026-02-10")
const skippedTwice = [0, 1].reduce(
  (story) => written(story, Result.getOrThrow(OwnerCommand.skip(ownersOwn(story), aToday))),
  a
)

const commands: ReadonlyArray<OwnersCommand> = [
  {
    name: "skip",
    title: "skip",
    run: (story, today) => OwnerCommand.skip(ownersOwn(story), timeOn(today)),
    limits: [["a third time in a row", OwnerCommand.skip(ownersOwn(skippedTwice), aToday)]]
  },
  {
    name: "postpone",
    title: "postpone, by 7 days",
    run: (story, today) => OwnerCommand.postpone(ownersOwn(story), 7, timeOn(today)),
    limits: [
      [
        `by ${BillingCycle.postponeDaysMax + 1} days`,
        OwnerCommand.postpone(ownersOwn(a), BillingCycle.postponeDaysMax + 1, aToday)
      ],
      ["by 0 days", OwnerCommand.postpone(ownersOwn(a), 0, aToday)]
    ]
  },
  {
    name: "pause",
    title: "pause, until 2026-05-01",
    run: (story, today) => OwnerCommand.pause(ownersOwn(story), day("2026-05-01"), timeOn(today)),
    limits: [
      ["until the same day", OwnerCommand.pause(ownersOwn(a), day("2026-02-10"), aToday)],
      [
        `for ${SubscriptionOrder.pauseDaysMax + 1} days`,
        OwnerCommand.pause(
          ownersOwn(a),
          BusinessDate.addDays(day("2026-02-10"), SubscriptionOrder.pauseDaysMax + 1),
          aToday
        )
      ]
    ]
  },
  {
    name: "resume",
    title: "resume",
    run: (story, today) => OwnerCommand.resume(ownersOwn(story), timeOn(today))
  },
  {
    name: "changeQuantity",
    title: "change the quantity, to 5 units",
    run: (story, today) => OwnerCommand.changeQuantity(ownersOwn(story), Fixtures.quantity(5), timeOn(today))
  },
  {
    name: "changePeriod",
    title: "change the period, to 60 days",
    run: (story, today) =>
      OwnerCommand.changePeriod(
        { ...ownersOwn(story), previous: previousOf(story) },
        Fixtures.period(60),
        timeOn(today)
      )
  },
  {
    name: "replaceKey",
    title: "replace the billing key",
    run: (story, today) => withAnotherKey(story, today),
    limits: [["by the key in use", withAnotherKey(a, "2026-02-10", a.key)]]
  },
  {
    name: "cancel",
    title: "cancel",
    run: ({ cycles, key, subscription }, today) =>
      OwnerCommand.cancel(
        { subscription, cycle: cycles.find(BillingCycle.isOpen) ?? null, key },
        "owner",
        timeOn(today)
      )
  }
]

// A subscription without an open cycle has ended, and knows no command.
const decide = ({ run }: OwnersCommand, { story, today }: Situation): Decided =>
  openOf(story) === null
    ? Result.flatMap(SubscriptionOrder.cancel(story.subscription, "owner", timeOn(today)), () =>
        Result.succeed({ opened: [] })
      )
    : run(story, today)

/** What changed of the quantity that the open cycle delivers, for the one command that changes it. */
const quantityInWords = (story: Story): string => {
  const { subscription } = story
  const units = BillingCycle.quantityOf(mustBeOpen(story), subscription)
  return units === subscription.quantity ? `${units} units` : `${units} units; ${subscription.quantity} from the next`
}

const nextGridDateOf = (story: Story, today: string): string => {
  const open = mustBeOpen(story)
  const following = BillingCycle.following(open, {
    period: story.subscription.period,
    today: BusinessDate.max(day(today), open.dueDate),
    chargedOn: null,
    hasKey: true,
    reason: "outage"
  })
  return following.at(-1)?.gridDate ?? ""
}

const cyclesAfter = (command: OwnersCommand, before: Story, entries: Entries, today: string): string => {
  const story = written(before, entries)
  if (command.name === "changeQuantity") return quantityInWords(story)
  const changed = story.cycles.filter((cycle, index) => cycle !== before.cycles[index])
  const words =
    changed.length === 0 ? `${cycleInWords(mustBeOpen(story))}, as before` : changed.map(cycleInWords).join("<br>")
  return command.name === "changePeriod" || command.name === "postpone"
    ? `${words}<br>then ${nextGridDateOf(story, today)}`
    : words
}

const grouped = (rows: ReadonlyArray<readonly [letter: string, ...cells: ReadonlyArray<string>]>) => {
  const lettersByCells = new Map<string, Array<string>>()
  for (const [letter, ...cells] of rows) {
    const key = JSON.stringify(cells)
    lettersByCells.set(key, [...(lettersByCells.get(key) ?? []), letter])
  }
  return [...lettersByCells].map(([key, letters]): ReadonlyArray<string> => [letters.join(" "), ...JSON.parse(key)])
}

/** The limits that the functions' doc comments name, as the page puts them. */
const limits: Readonly<Record<string, number>> = {
  "SubscriptionOrder.skipsInARowMax": SubscriptionOrder.skipsInARowMax,
  "SubscriptionOrder.pauseDaysMax": SubscriptionOrder.pauseDaysMax,
  "BillingCycle.postponeDaysMax": BillingCycle.postponeDaysMax
}

const docOf = (name: string): string => {
  const source = readFileSync(join(root, "packages/domain/src/OwnerCommand.ts"), "utf8")
  const before = source.slice(0, source.indexOf(`export const ${name} =`))
  return before
    .slice(before.lastIndexOf("/**"))
    .replaceAll(/^\s*\/?\*+\/?\s?/gm, "")
    .replaceAll(/\s*\*\/\s*$/g, "")
    .replaceAll(/\{@link ([\w.]+)\}/g, (_, link: string) => String(limits[link] ?? code(link)))
    .replaceAll(/\s+/g, " ")
    .trim()
}

const commandSection = (command: OwnersCommand): ReadonlyArray<string> => {
  const decisions = situations.map((situation, index) => ({
    ...situation,
    letter: letterOf(index),
    decided: decide(command, situation)
  }))
  const accepted = grouped(
    decisions.flatMap(({ decided, letter, story, today }) =>
      Result.isSuccess(decided)
        ? [
            [
              letter,
              subscriptionInWords(decided.success.subscription ?? story.subscription),
              cyclesAfter(command, story, decided.success, today)
            ] as const
          ]
        : []
    )
  )
  const refused = grouped(
    decisions.flatMap(({ decided, letter }) =>
      Result.isFailure(decided) ? [[letter, decided.failure._tag] as const] : []
    )
  )
  const bounds = (command.limits ?? []).map(([what, decided]) => {
    if (Result.isSuccess(decided)) throw new Error(`${command.name} ${what} is not refused`)
    return `${code(decided.failure._tag)} ${what}`
  })
  return [
    `### ${command.title}`,
    "",
    docOf(command.name),
    "",
    ...table(
      ["In", "Subscription", command.name === "changeQuantity" ? "The open cycle delivers" : "Cycles"],
      accepted
    ),
    `Refused with ${[...refused.map(([letters, tag]) => `${code(tag ?? "")} in ${letters}`), ...bounds].join("; ")}.`,
    ""
  ]
}

// -----------------------------------------------------------------------------
// the ladder
// -----------------------------------------------------------------------------

interface Ladder {
  readonly title: string
  /** What the provider says, charge by charge; the last word for ever. A pair is a charge lost and what was found a day later. */
  readonly answers: ReadonlyArray<OutcomeName | readonly ["lost", OutcomeName]>
  /** The day on which the owner registers another key. */
  readonly newKeyOn?: string
}

const ladders: ReadonlyArray<Ladder> = [
  { title: "declined softly again and again", answers: ["soft decline"] },
  { title: "declined softly, then approved", answers: ["soft decline", "approved"] },
  { title: "declined hard, no other key", answers: ["hard decline"] },
  { title: "declined hard, another key on day 2", answers: ["hard decline", "approved"], newKeyOn: "2026-02-16" },
  { title: "declined hard, another key at once", answers: ["hard decline", "soft decline"], newKeyOn: dueOn },
  { title: "the retry is not executed", answers: ["soft decline", "not executed", "soft decline"] },
  {
    title: "the retry's answer is lost; it was not executed",
    answers: ["soft decline", ["lost", "evidence: not executed"], "soft decline"]
  },
  {
    title: "the retry's answer is lost; it was approved",
    answers: ["soft decline", ["lost", "evidence: approved"], "approved"]
  },
  { title: "blocked, then approved", answers: ["blocked", "approved"] },
  { title: "the retry is blocked, then declined softly", answers: ["soft decline", "blocked", "soft decline"] }
]

const ladderDates = [
  ...Array.from({ length: 6 }, (_, days) => BusinessDate.addDays(day(dueOn), days)),
  day("2026-03-01")
]

const endInWords = (story: Story, number: number): string => {
  const cycle = story.cycles.find((cycle) => cycle.number === number)
  if (cycle === undefined) return ""
  if (BillingCycle.isOpen(cycle)) return cycleInWords(cycle).replace(/^\d+: /, "")
  const open = openOf(story)
  const closed = `${cycleInWords(cycle).replace(/^\d+: /, "")}, ${subscriptionInWords(story.subscription)}`
  return open === null ? closed : `${closed}, next ${open.gridDate}`
}

const ladderRow = ({ answers, newKeyOn, title }: Ladder, policy = DunningPolicy.standard): ReadonlyArray<string> => {
  let story = begun
  let found: OutcomeName | null = null
  let charges = 0
  const cells = ladderDates.map((date) => {
    const words: Array<string> = []
    if (mustBeFirst(story) === null) return ""
    if (found !== null) {
      story = answer(story, found, date, policy)
      words.push(found, endInWords(story, 1))
      found = null
    }
    const sent = bill(story, date, policy)
    if (sent !== null && sent.attempt === story.attempt) {
      story = sent
      words.push("no charge", endInWords(story, 1))
    } else if (sent !== null) {
      const said = answers[Math.min(charges, answers.length - 1)] ?? "approved"
      charges += 1
      const [name, later] = typeof said === "string" ? [said, null] : said
      found = later
      story = answer(sent, name, date, policy)
      words.push(name, endInWords(story, 1))
    }
    if (date === newKeyOn) {
      story = written(story, Result.getOrThrow(withAnotherKey(story, date)))
      words.push("another key", endInWords(story, 1))
      // The run of the day is started again for what is still owed.
      const again = bill(story, date, policy)
      if (again !== null) {
        const said = answers[charges]
        charges += 1
        if (typeof said === "string") {
          story = answer(again, said, date, policy)
          words.push(said, endInWords(story, 1))
        }
      }
    }
    return pairs(words)
  })
  return [title, ...cells]
}

const mustBeFirst = (story: Story): BillingCycle.BillingCycle | null =>
  story.cycles.find((cycle) => cycle.number === 1 && BillingCycle.isOpen(cycle)) ?? null

const pairs = (words: ReadonlyArray<string>): string =>
  words.flatMap((word, index) => (index % 2 === 0 ? [`${word} → ${words[index + 1] ?? ""}`] : [])).join("<br>")

const finalActionRow = (finalAction: DunningPolicy.FinalAction): ReadonlyArray<string> => {
  const policy = DunningPolicy.DunningPolicy.make({ ladderDays: [1, 3, 5], finalAction })
  const story = [dueOn, "2026-02-15", "2026-02-17", "2026-02-19"].reduce((story, date) => {
    const sent = bill(story, date, policy)
    if (sent === null) throw new Error(`nothing is due on ${date}`)
    return answer(sent, "soft decline", date, policy)
  }, begun)
  return [code(finalAction), subscriptionInWords(story.subscription), story.cycles.map(cycleInWords).join("<br>")]
}

// -----------------------------------------------------------------------------
// catching up
// -----------------------------------------------------------------------------

const lateDays = [0, 1, 14, 15, 16, 29, 30, 44, 45, 46, 60, 100]

const passedInWords = (dates: ReadonlyArray<string>): string => (dates.length === 0 ? "—" : dates.join(", "))

const catchUpRow = (days: number): ReadonlyArray<string> => {
  const chargedOn = BusinessDate.addDays(day(dueOn), days)
  const { cycles } = charged(begun, chargedOn, "approved")
  const passed = cycles.filter(({ _tag }) => _tag === "Skipped").map(({ gridDate }) => gridDate)
  return [String(days), chargedOn, passedInWords(passed), cycles.at(-1)?.dueDate ?? ""]
}

const resumeRow = (date: string): ReadonlyArray<string> => {
  const story = paused(begun, "2026-02-10")
  const resumed = written(story, Result.getOrThrow(OwnerCommand.resume(ownersOwn(story), timeOn(date))))
  const left = resumed.cycles.filter(({ _tag }) => _tag === "Skipped").map(({ gridDate }) => gridDate)
  return [date, passedInWords(left), mustBeOpen(resumed).dueDate]
}

const grids: ReadonlyArray<readonly [what: string, anchor: string, days: number]> = [
  ["a leap day", "2028-01-30", 30],
  ["a February without one", "2027-01-30", 30],
  ["the end of the year", "2026-12-01", 30],
  ["a year from a leap day", "2028-02-29", 365],
  ["four months", "2026-09-30", 120]
]

const gridRow = ([what, anchor, days]: (typeof grids)[number]): ReadonlyArray<string> => {
  const period = Fixtures.period(days)
  const dates = [1, 2, 3].map((n) => BillingCalendar.gridDateAt(day(anchor), period, n))
  const [first = day(anchor)] = dates
  const chargedOn = BusinessDate.addDays(first, 20)
  const late = BillingCalendar.nextGridDate({ gridDate: first, period, today: chargedOn, chargedOn })
  return [what, anchor, String(days), dates.join(", "), chargedOn, late.gridDate]
}

// -----------------------------------------------------------------------------
// the page
// -----------------------------------------------------------------------------

const ladderHeads = ladderDates.map((date) => {
  const days = BusinessDate.daysUntil(day(dueOn), date)
  return days > 5 ? date.slice(5) : `Day ${days}, ${date.slice(5)}`
})

/** The page. */
export const generate = (): string =>
  [
    "<!-- Generated by scripts/internal/BillingCalendarPage.ts by running packages/domain/src. Do not edit. -->",
    "",
    "# Billing calendar",
    "",
    "What happens to a subscription on which day. The story is the same everywhere: 2 units were first paid on",
    `2026-01-15 and come every 30 days, so that cycle 1 is due on ${dueOn}, cycle 2 on 2026-03-16 and cycle 3 on`,
    "2026-04-15. Declined charges are tried again after 1, 3 and 5 days, then the subscription is cancelled. Dates are days",
    "in Korea. The meaning of each state is on the page of [state machines](state-machines.md).",
    "",
    "[Where a subscription can stand](#where-a-subscription-can-stand) · [The owner's commands](#the-owners-commands) ·",
    "[The ladder](#the-ladder) · [Catching up](#catching-up)",
    "",
    "## Where a subscription can stand",
    "",
    "The letters are used below. No other combination of the two states can be reached.",
    "",
    ...table(["", "Subscription", "Open cycle", "How it came about", "Today"], situationRows),
    "## The owner's commands",
    "",
    "A refused command changes nothing. While a charge is in flight or in doubt all but `cancel` are refused. A number names a",
    "cycle; cycles that are not named stay as they are.",
    "",
    ...commands.flatMap(commandSection),
    "After `cancel` in D, E, I and J the charge that is in flight closes the cycle as cancelled, whatever comes of it. Money that it",
    "turns out to have moved is given back in full.",
    "",
    "## The ladder",
    "",
    "Day 0 is the day of the first definite decline. After a soft decline the next day of the ladder that lies ahead is taken;",
    "what is not executed, unknown or blocked uses up no day, and days go by all the same. A hard decline waits for another",
    "billing key until the last day. Each row is one history; each cell says what the provider answered on that day, and what",
    "became of cycle 1. The billing run is made every day.",
    "",
    ...table(
      ["", ...ladderHeads],
      ladders.map((ladder) => ladderRow(ladder))
    ),
    "What the policy's final action makes of a cycle that was declined softly on all days:",
    "",
    ...table(["Final action", "Subscription", "Cycles"], DunningPolicy.FinalAction.literals.map(finalActionRow)),
    "## Catching up",
    "",
    "A late charge does not move the grid. The next cycle is on the first date of the grid that lies after the day of the",
    "charge and leaves half a period since it. Dates before that one are recorded as `Skipped` (outage) and never made up for.",
    "",
    ...table(["Days late", "Charged on", "Recorded as skipped", "Next due"], lateDays.map(catchUpRow)),
    "After a pause the dates that passed are recorded as `Skipped` (paused). Paused on 2026-02-10 and resumed on:",
    "",
    ...table(
      ["Resumed on", "Recorded as skipped", "Next due"],
      ["2026-02-13", "2026-02-14", "2026-03-15", "2026-03-16", "2026-04-20"].map(resumeRow)
    ),
    "A period is a number of days, not of months:",
    "",
    ...table(["", "First paid", "Every", "Next dates", "First one charged on", "Next due"], grids.map(gridRow))
  ].join("\n")
