import { suite } from "@pillivery/application/testing/ReviewRepositorySuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
