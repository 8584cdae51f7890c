import { suite } from "@pillivery/application/testing/TransactionSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
