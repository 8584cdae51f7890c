/**
 * A health supplement of the catalogue.
 *
 * The price is kept as four numbers that belong together, and can only be made so: discount = origin × rate, rounded half
 * up to whole won, and real = origin − discount. What customers paid is never read from here; orders keep their own
 * copy.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Category from "./Category.ts"
import { ItemId } from "./Ids.ts"
import * as Rate from "./Rate.ts"
import * as Rating from "./Rating.ts"
import * as Won from "./Won.ts"

/** The longest product name and the longest brand, in characters. */
export const nameLengthMax = 200
/** The longest text about an item, in characters. */
export const textLengthMax = 4_000
/** The longest address of an image, in characters. */
export const imageLengthMax = 2_000

const name = Schema.String.check(
  Schema.isMaxLength(nameLengthMax),
  Schema.makeFilter((text: string) => /\S/.test(text) && text === text.normalize("NFC"), {
    expected: "a name in NFC that is not blank"
  })
)
const text = Schema.String.check(Schema.isMaxLength(textLengthMax))
const image = Schema.String.check(Schema.isMaxLength(imageLengthMax))
const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What the label says, in the words of the food authority's register. */
export class Information extends Schema.Class<Information>("@pillivery/domain/Item/Information")({
  productName: name,
  /** The maker or brand. */
  brand: name,
  /** The number under which the product was reported to the authority. */
  statementNumber: text,
  /** When it was reported, as the register writes it. */
  registeredDate: text,
  /** The shelf life, in words. */
  distributionPeriod: text,
  appearance: text,
  /** How much to take, and when. */
  servingUse: text,
  /** How to store it. */
  preservePeriod: text,
  /** What to mind when taking it. */
  intake: text,
  /** What it is good for; the categories follow from it. */
  mainFunction: text,
  /** The standards it is tested against. */
  baseStandard: text
}) {}

/** What an item costs; `discount` and `real` follow from `origin` and `rate`, see {@link priceOf}. */
export class Price extends Schema.Class<Price>("@pillivery/domain/Item/Price")(
  Schema.Struct({ origin: Won.Won, rate: Rate.Rate, discount: Won.Won, real: Won.Won }).check(
    Schema.makeFilter(
      (price) => price.discount === Rate.of(price.rate, price.origin) && price.real === price.origin - price.discount,
      { expected: "discount = origin × rate rounded half up, and real = origin − discount" }
    )
  )
) {}

/** Where the pictures of an item are. */
export class Images extends Schema.Class<Images>("@pillivery/domain/Item/Images")({
  thumbnail: image,
  description: image
}) {}

/** What happened to an item so far; ratings are kept as sum and count, so that their average never drifts. */
export class Statistics extends Schema.Class<Statistics>("@pillivery/domain/Item/Statistics")(
  Schema.Struct({ views: count, sales: count, ratingSum: count, ratingCount: count }).check(
    Schema.makeFilter(({ ratingCount, ratingSum }) => Rating.isPossible(ratingSum, ratingCount), {
      expected: "a sum of ratings of 1 to 5 stars each"
    })
  )
) {}

/** An item of the catalogue. */
export class Item extends Schema.Class<Item>("@pillivery/domain/Item/Item")({
  id: ItemId,
  information: Information,
  price: Price,
  images: Images,
  statistics: Statistics,
  categories: Schema.Array(Category.CategoryName).check(
    Schema.isMinLength(1),
    Schema.makeFilter((names: ReadonlyArray<string>) => new Set(names).size === names.length, {
      expected: "each category once"
    })
  ),
  version: Schema.Int
}) {}

/** The price of an item from its price before the discount and the discount rate. */
export const priceOf = (origin: Won.Won, rate: Rate.Rate): Price => {
  const discount = Rate.of(rate, origin)
  return new Price({ origin, rate, discount, real: Won.Won.make(origin - discount) })
}

/**
 * The price of an item from numbers as a price list has them: won, and a discount in percent with at most one decimal.
 *
 * **Details**
 *
 * Refuses an origin price that is no amount of won, and a percentage that is below 0 or rounds above 100: a discount below
 * zero is a mistake, not none.
 */
export const priceFromPercent = (
  origin: number,
  percent: number
): Result.Result<Price, Won.WonOutOfRange | Rate.RateOutOfRange> =>
  Result.flatMap(Won.fromNumber(origin), (amount) =>
    Result.map(Rate.fromPercent(percent), (rate) => priceOf(amount, rate))
  )

/** A new item, nobody has seen or bought yet; its categories follow from its main function. */
export const create = (options: {
  readonly id: ItemId
  readonly information: Information
  readonly origin: Won.Won
  readonly rate: Rate.Rate
  readonly images: Images
}): Item =>
  new Item({
    id: options.id,
    information: options.information,
    price: priceOf(options.origin, options.rate),
    images: options.images,
    statistics: new Statistics({ views: 0, sales: 0, ratingSum: Rating.none.sum, ratingCount: Rating.none.count }),
    categories: Category.classify(options.information.mainFunction),
    version: 0
  })

/** The same item at another price. */
export const reprice = (self: Item, origin: Won.Won, rate: Rate.Rate): Item =>
  new Item({ ...self, price: priceOf(origin, rate) })

/** The same item with another label; its categories follow. */
export const relabel = (self: Item, information: Information): Item =>
  new Item({ ...self, information, categories: Category.classify(information.mainFunction) })

/** Whether it is sold at a discount. */
export const isOnSale = (self: Item): boolean => self.price.rate > 0

/** The ratings of its active reviews. */
export const ratingOf = ({ statistics }: Item): Rating.RatingSum => ({
  sum: statistics.ratingSum,
  count: statistics.ratingCount
})

/** The same item after one of its reviews was written, edited or removed; refused where that cannot be. */
export const rate = (self: Item, change: Rating.RatingChange): Result.Result<Item, Rating.RatingSumImpossible> =>
  Result.map(Rating.apply(ratingOf(self), change), ({ count, sum }) => {
    const statistics = new Statistics({ ...self.statistics, ratingSum: sum, ratingCount: count })
    return new Item({ ...self, statistics })
  })

/** The average rating, {@link Rating.starsMin} to {@link Rating.starsMax} stars; 0 while nobody has rated it. */
export const averageRating = (self: Item): number => Rating.averageOf(ratingOf(self))
