/**
 * What an item is good for.
 *
 * Categories are not entered by hand: they follow from the main-function text that the food authority publishes for each
 * health supplement. A text may speak of several, and what speaks of none is `ETC`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** The name of a category. */
export const CategoryName = Schema.Literals([
  "EYE",
  "BONE",
  "BRAIN",
  "INTESTINE",
  "LIVER",
  "SKIN",
  "ANTIOXIDANT",
  "FATIGUE",
  "ETC"
])
export type CategoryName = typeof CategoryName.Type

/** The Korean words by which a category is recognised in a main-function text; one of them is enough. */
export const keywords: Readonly<Record<CategoryName, ReadonlyArray<string>>> = {
  EYE: ["눈"],
  BONE: ["뼈", "골다공증"],
  BRAIN: ["두뇌"],
  INTESTINE: ["배변", "장", "유산균"],
  LIVER: ["간"],
  SKIN: ["피부"],
  ANTIOXIDANT: ["항산화"],
  FATIGUE: ["피로", "혈액순환"],
  ETC: ["기타"]
}

/** The categories a main-function text speaks of, in the order of {@link CategoryName}; never none. */
export const classify = (mainFunction: string): ReadonlyArray<CategoryName> => {
  const text = mainFunction.normalize("NFC")
  const spokenOf = CategoryName.literals.filter((name) => keywords[name].some((word) => text.includes(word)))
  return spokenOf.length > 0 ? spokenOf : ["ETC"]
}
