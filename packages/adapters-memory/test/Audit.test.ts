import { suite } from "@pillivery/application/testing/AuditSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
