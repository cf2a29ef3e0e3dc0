// Parses an AsyncAPI file with its references and prints every problem; exits 1 if there is an error.
// Usage: node validate.mjs FILE, with NODE_PATH naming the folder that holds @asyncapi/parser.
import { createRequire } from "node:module";

const parserHome = createRequire(process.env.ASYNCAPI_HOME + "/package.json");
const { Parser, fromFile } = parserHome("@asyncapi/parser");

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const SEVERITIES = ["error", "warning", "information", "hint"];
for (const problem of diagnostics) {
  const { line, character } = problem.range.start;
  const place = `${line + 1}:${character + 1} ${problem.path.join(".")}`;
  console.log(`${SEVERITIES[problem.severity]} ${place} ${problem.code}: ${problem.message}`);
}
const failed = document === undefined || diagnostics.some(({ severity }) => severity === 0);
console.log(failed ? "invalid" : `valid: ${document.allMessages().length} messages`);
process.exit(failed ? 1 : 0);
