import { suite } from "@pillivery/application/testing/ManualReviewsSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
