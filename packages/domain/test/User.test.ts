import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as DisplayName from "../src/DisplayName.ts"
import * as Email from "../src/Email.ts"
import * as Password from "../src/Password.ts"
import * as Phone from "../src/Phone.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { admin, later, receiver, user, withdrawnUser } from "../src/testing/Fixtures.ts"
import * as User from "../src/User.ts"
import { law, machineLaws, rejected, succeeded } from "./Laws.ts"

// Tests of refusals hide from the compiler which state they give: it would refuse first.
const wide = (self: User.User): User.User => self

describe("User", () => {
  machineLaws<User.User>({
    transitions: User.transitions,
    state: Arbitraries.user,
    command: Arbitraries.userCommand,
    is: Schema.is(User.User)
  })

  it("begins as a customer, in one spelling", () => {
    const registered = User.register({
      id: user().id,
      email: user().email,
      displayName: DisplayName.DisplayName.make("민지"),
      realName: ` ${"김민지".normalize("NFD")} `,
      phone: Phone.Phone.make("01012345678"),
      address: receiver().address,
      at: later(0)
    })
    assert.deepStrictEqual(
      [registered.role, registered.realName, registered.phone],
      ["USER", "김민지", Phone.Phone.make("010-1234-5678")]
    )
  })

  it("refuses a phone in another spelling than the one that is unique", () => {
    assert.throws(() => new User.Active({ ...user(), phone: Phone.Phone.make("01012345678") }))
    assert.throws(() => new User.Active({ ...user(), realName: "  " }))
    assert.throws(() => new User.Active({ ...user(), realName: "김민지".normalize("NFD") }))
  })

  law(
    "survives being written and read",
    [Arbitraries.user],
    (self) => {
      const codec = Schema.toCodecJson(User.User)
      assert.deepStrictEqual(
        Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
        self
      )
    },
    100
  )
})

describe("User.changeProfile", () => {
  it("changes what is told and nothing else", () => {
    const changed = succeeded(User.changeProfile(user(), { phone: Phone.Phone.make("0119876543") }))
    assert.deepStrictEqual(changed, new User.Active({ ...user(), phone: Phone.Phone.make("011-987-6543") }))
  })
})

describe("User.grant", () => {
  it("gives and takes the right to run the shop", () => {
    assert.strictEqual(succeeded(User.grant(user(), "ADMIN")).role, "ADMIN")
    assert.strictEqual(succeeded(User.grant(admin(), "USER")).role, "USER")
  })
})

describe("User.withdraw", () => {
  it("forgets everything personal, and every right", () => {
    const withdrawn = succeeded(User.withdraw(admin(), later(60)))
    assert.sameMembers(Object.keys(withdrawn), ["_tag", "id", "role", "createdAt", "version", "withdrawnAt"])
    assert.strictEqual(withdrawn.role, "USER")
    assert.strictEqual(withdrawn.id, admin().id)
  })

  it("is for good", () => {
    const denial = rejected(User.withdraw(wide(withdrawnUser()), later(61)), "UserTransitionDenied")
    assert.include(denial.message, "is Withdrawn and does not allow withdraw")
    rejected(User.changeProfile(wide(withdrawnUser()), {}), "UserTransitionDenied")
    rejected(User.grant(wide(withdrawnUser()), "ADMIN"), "UserTransitionDenied")
  })
})

describe("Email", () => {
  it("is trimmed and in lower case", () => {
    assert.deepStrictEqual(
      Email.parse("  Minji.Kim+shop@Example.CO.KR\n"),
      Result.succeed(Email.Email.make("minji.kim+shop@example.co.kr"))
    )
    assert.isFalse(Schema.is(Email.Email)("Minji@example.com"))
    assert.isFalse(Schema.is(Email.Email)(" minji@example.com"))
  })

  it("refuses what is no address", () => {
    const wrong = [
      "",
      "minji",
      "@example.com",
      "minji@",
      "minji@example",
      "a b@example.com",
      "a@b@example.com",
      "a..b@example.com",
      ".a@example.com",
      "a.@example.com",
      "a@-example.com",
      "a@example-.com",
      "a@exa_mple.com",
      "민지@example.com",
      "a@example.com\u0000",
      "a@[127.0.0.1]"
    ]
    for (const text of wrong) {
      const rejection = rejected(Email.parse(text), "EmailInvalid")
      assert.strictEqual(rejection.reason, "malformed", text)
      assert.strictEqual(rejection.message, "this is not an e-mail address")
    }
  })

  it("refuses more than 254 characters, or 64 before the @", () => {
    const host = `${"a".repeat(60)}.`.repeat(4)
    const longest = `${"b".repeat(254 - host.length - 4)}@${host}com`
    assert.strictEqual(longest.length, Email.emailLengthMax)
    assert.isTrue(Result.isSuccess(Email.parse(longest)))
    const rejection = rejected(Email.parse(`b${longest}`), "EmailInvalid")
    assert.deepStrictEqual([rejection.reason, rejection.length], ["tooLong", 255])
    assert.include(rejection.message, "at most 254 characters, not 255")
    assert.isTrue(Result.isSuccess(Email.parse(`${"a".repeat(64)}@example.com`)))
    rejected(Email.parse(`${"a".repeat(65)}@example.com`), "EmailInvalid")
  })

  it("answers at once for a long text without an end", () => {
    const started = performance.now()
    rejected(Email.parse(`${"a.".repeat(50_000)}@`), "EmailInvalid")
    rejected(Email.parse(`a@${"a-".repeat(120)}`), "EmailInvalid")
    assert.isBelow(performance.now() - started, 200)
  })

  law("has one spelling", [Arbitraries.email], (email) => {
    assert.deepStrictEqual(Email.parse(` ${email.toUpperCase()} `), Result.succeed(email))
    assert.isTrue(Schema.is(Email.Email)(email))
  })

  law("accepts exactly what its schema accepts once normalized", [fc.oneof(fc.string(), fc.emailAddress())], (text) => {
    assert.strictEqual(Result.isSuccess(Email.parse(text)), Schema.is(Email.Email)(Email.normalize(text)))
  })
})

describe("Password.check", () => {
  it("accepts what keeps every rule", () => {
    for (const text of [
      "abcd-123",
      "비밀번호입니다1!",
      `aA1!${"x".repeat(60)}`,
      "correct horse 1 battery?",
      "😀😀😀😀😀a1!"
    ]) {
      assert.isTrue(Result.isSuccess(Password.check(text)), text)
      assert.isTrue(Schema.is(Password.Password)(text.normalize("NFC")), text)
    }
  })

  it("names every rule that is broken, and only those", () => {
    const cases: ReadonlyArray<[string, ReadonlyArray<Password.RuleName>]> = [
      ["", ["lengthMin", "letter", "digit", "special"]],
      ["abcdefgh", ["digit", "special"]],
      ["12345678", ["letter", "special"]],
      ["!!!!!!!!", ["letter", "digit"]],
      ["ab-1", ["lengthMin"]],
      [`a1!${"x".repeat(62)}`, ["lengthMax"]],
      ["abcd-123\u0000", ["printable"]],
      ["abcd-123\n", ["printable"]]
    ]
    for (const [text, failed] of cases) {
      assert.deepStrictEqual([...rejected(Password.check(text), "PasswordTooWeak").failed], failed, text)
      assert.isFalse(Schema.is(Password.Password)(text))
    }
  })

  it("takes each special character of the original", () => {
    for (const sign of "!@#$%^+=-") assert.isTrue(Result.isSuccess(Password.check(`abcdef1${sign}`)), sign)
  })

  it("says what is wrong without repeating the password", () => {
    const { message } = rejected(Password.check("secretly"), "PasswordTooWeak")
    assert.strictEqual(message, "a password has a digit, and has a special character")
  })

  it("counts characters, not units, up to 64", () => {
    assert.isTrue(Result.isSuccess(Password.check(`a1!${"😀".repeat(61)}`)))
    assert.deepStrictEqual(
      [...rejected(Password.check(`a1!${"😀".repeat(62)}`), "PasswordTooWeak").failed],
      ["lengthMax"]
    )
  })

  law(
    "gives one password one spelling",
    [fc.constantFrom("비밀번호1!가나", "pässwörd-1é")],
    (text) => {
      assert.deepStrictEqual(Password.check(text.normalize("NFD")), Password.check(text.normalize("NFC")))
    },
    10
  )

  law(
    "accepts exactly what keeps every rule",
    [fc.string({ unit: "grapheme", maxLength: 80 })],
    (text) => {
      assert.strictEqual(
        Result.isSuccess(Password.check(text)),
        Password.rules.every((rule) => rule.isKept(Password.normalize(text)))
      )
    },
    500
  )
})

describe("DisplayName.parse", () => {
  it("takes 1 to 20 visible characters, in one spelling", () => {
    assert.deepStrictEqual(DisplayName.parse("  김 \t 민지 "), Result.succeed(DisplayName.DisplayName.make("김 민지")))
    assert.deepStrictEqual(
      DisplayName.parse("민지".normalize("NFD")),
      Result.succeed(DisplayName.DisplayName.make("민지"))
    )
    assert.isTrue(Result.isSuccess(DisplayName.parse("가".repeat(20))))
    assert.isTrue(Result.isSuccess(DisplayName.parse("😀".repeat(20))))
    assert.isTrue(Result.isSuccess(DisplayName.parse("x")))
  })

  it("refuses what is blank, too long or invisible", () => {
    const cases: ReadonlyArray<[string, DisplayName.DisplayNameInvalid["reason"]]> = [
      ["", "blank"],
      ["   ", "blank"],
      ["\u3164", "blank"],
      ["\u2800\u2800", "blank"],
      ["가".repeat(21), "tooLong"],
      ["a\u0000b", "unprintable"],
      ["a\nb", "unprintable"],
      ["a\u200Bb", "unprintable"],
      ["a\u202Eb", "unprintable"],
      ["a\u2028b", "unprintable"]
    ]
    for (const [text, reason] of cases) {
      assert.strictEqual(rejected(DisplayName.parse(text), "DisplayNameInvalid").reason, reason, JSON.stringify(text))
    }
  })

  it("says why", () => {
    const why = (text: string) => rejected(DisplayName.parse(text), "DisplayNameInvalid").message
    assert.deepStrictEqual(
      [why(""), why("x".repeat(21)), why("a\u200Bb")],
      [
        "a display name is not blank",
        "a display name has at most 20 characters, not 21",
        "a display name has no invisible characters"
      ]
    )
  })

  law(
    "reads its own result as itself",
    [fc.string({ unit: "grapheme", maxLength: 30 })],
    (text) => {
      const name = DisplayName.parse(text)
      if (Result.isFailure(name)) return
      assert.deepStrictEqual(DisplayName.parse(name.success), name)
      assert.isTrue(Schema.is(DisplayName.DisplayName)(name.success))
    },
    500
  )
})
