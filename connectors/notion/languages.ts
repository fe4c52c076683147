/** What Notion has a coloring for. https://developers.notion.com/reference/block#code */
const LANGUAGES = new Set(
  (
    'abap|abc|agda|arduino|assembly|bash|basic|bnf|c|c#|c++|clojure|coffeescript|coq|css|dart|dhall|diff|docker|ebnf|elixir|' +
    'elm|erlang|f#|flow|fortran|gherkin|glsl|go|graphql|groovy|haskell|hcl|html|idris|java|javascript|json|julia|kotlin|latex|' +
    'less|lisp|livescript|lua|makefile|markdown|markup|matlab|mathematica|mermaid|nix|objective-c|ocaml|pascal|perl|php|' +
    'powershell|prolog|protobuf|purescript|python|r|racket|reason|ruby|rust|sass|scala|scheme|scss|shell|smalltalk|solidity|' +
    'sql|swift|toml|typescript|vb.net|verilog|vhdl|visual basic|webassembly|xml|yaml'
  ).split('|'),
);

/** What people write behind the fence instead. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['cpp', 'c++'],
  ['cs', 'c#'],
  ['csharp', 'c#'],
  ['dockerfile', 'docker'],
  ['fsharp', 'f#'],
  ['golang', 'go'],
  ['js', 'javascript'],
  ['jsx', 'javascript'],
  ['kt', 'kotlin'],
  ['md', 'markdown'],
  ['objc', 'objective-c'],
  ['proto', 'protobuf'],
  ['ps1', 'powershell'],
  ['py', 'python'],
  ['rb', 'ruby'],
  ['rs', 'rust'],
  ['sh', 'shell'],
  ['tf', 'hcl'],
  ['ts', 'typescript'],
  ['tsx', 'typescript'],
  ['yml', 'yaml'],
]);

/** Notion refuses a language that it does not know. */
export function languageOf(written: string | null): string {
  const name = (written ?? '').toLowerCase();
  const known = ALIASES.get(name) ?? name;
  return LANGUAGES.has(known) ? known : 'plain text';
}
