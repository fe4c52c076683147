#!/usr/bin/env bash
# Sends one operation to a running Tributary and prints its answer. Needs bash and curl.
#
#   examples/graphql.sh schema/operations/providers.graphql
#   examples/graphql.sh schema/operations/signals.graphql '{"first": 5}'
#
# PORT or URL say where it runs; TRIBUTARY_TOKEN is the token, one of tenant "dev" when unset.
set -euo pipefail
cd "$(dirname "$0")/.."

base=${URL:-http://127.0.0.1:${PORT:-4000}}
document=${1:?usage: examples/graphql.sh <operation.graphql> [variables as JSON]}
variables=${2:-}
token=${TRIBUTARY_TOKEN:-$(npm run -s token)}

# The document as a JSON string: backslashes, quotes and line ends escaped.
query=$(sed 's/\\/\\\\/g; s/"/\\"/g' "$document" | awk '{ printf "%s\\n", $0 }')

answer=$(
  printf '{"query":"%s","variables":%s}' "$query" "${variables:-null}" |
    curl --silent --show-error --request POST "${base%/}/graphql" \
      --header "authorization: Bearer $token" --header 'content-type: application/json' --data-binary @-
) || {
  echo "No answer from $base. Is Tributary running? Start it with: npm start" >&2
  exit 1
}

if command -v node >/dev/null; then
  printf '%s' "$answer" | node -p 'JSON.stringify(JSON.parse(require("fs").readFileSync(0, "utf8")), null, 2)'
else
  printf '%s\n' "$answer"
fi
case $answer in '{"errors":'*) exit 1 ;; esac
