import { suite } from "@pillivery/application/testing/OrderRepositorySuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
