#!/usr/bin/env bash
# Sends one GitHub delivery, signed as GitHub signs it, to a running Tributary. Needs bash, curl and openssl.
#
# The first time it connects GitHub with a placeholder instead of a token. That is enough to receive: a webhook is
# proved by its own secret, and the token is only for calling GitHub. URL and secret of the webhook, which are shown
# once, are kept in the data directory, readable by you alone.
#
# PORT or URL say where Tributary runs; TRIBUTARY_TOKEN is the token, one of tenant "dev" when unset.
set -euo pipefail
cd "$(dirname "$0")/.."

base=${URL:-http://127.0.0.1:${PORT:-4000}}
base=${base%/}
data_dir=${TRIBUTARY_DATA_DIR:-.tributary}
state=$data_dir/example-webhook.env
TRIBUTARY_TOKEN=${TRIBUTARY_TOKEN:-$(npm run -s token)}
export TRIBUTARY_TOKEN

# Whose token it is, read without checking it: the second part, in base64url, holds the claims.
tenant_of() {
  local claims
  claims=$(printf '%s' "$1" | cut -d. -f2 | tr '_-' '/+')
  while [ $((${#claims} % 4)) -ne 0 ]; do claims+='='; done
  printf '%s' "$claims" | openssl base64 -d -A 2>/dev/null | field tenant_id
}

# The first text of this name in the JSON on standard input.
field() {
  sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" | head -n 1
}

connect() {
  local variables answer
  variables='{"input":{"providerId":"github","name":"Example '$(openssl rand -hex 3)'","authMethod":"BEARER","credential":{"token":"placeholder"}}}'
  answer=$(examples/graphql.sh schema/operations/connect.graphql "$variables") || {
    printf '%s\n' "$answer" >&2
    exit 1
  }
  mkdir -p "$data_dir"
  (umask 077 && printf 'tenant=%q\nwebhook_url=%q\nsecret=%q\n' \
    "$tenant" "$(sed -n '/"webhook"/,$p' <<<"$answer" | field url)" "$(field secret <<<"$answer")" >"$state")
  echo "Connected GitHub, with a placeholder for a token. The webhook's URL and secret are in $state."
}

# A pull request that nobody has opened yet, in the words of GitHub.
delivery() {
  local number=$1 now
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  cat <<JSON
{"action":"opened","number":$number,"pull_request":{"id":$((RANDOM << 15 | RANDOM)),"number":$number,"state":"open","locked":false,
"title":"OPS-$number: water the plants on Fridays as well","body":"They looked sad on Monday.","draft":false,"merged":false,
"html_url":"https://github.com/acme/greenhouse/pull/$number","created_at":"$now","updated_at":"$now","closed_at":null,"merged_at":null,
"user":{"login":"fern","id":7101,"type":"User","html_url":"https://github.com/fern"},"assignees":[],"labels":[],"requested_reviewers":[],"requested_teams":[],"milestone":null,
"head":{"label":"acme:fridays","ref":"fridays","sha":"$(openssl rand -hex 20)"},
"base":{"label":"acme:main","ref":"main","sha":"$(openssl rand -hex 20)"}},
"repository":{"id":5101,"name":"greenhouse","full_name":"acme/greenhouse","private":true,"html_url":"https://github.com/acme/greenhouse","default_branch":"main",
"owner":{"login":"acme","id":4101,"type":"Organization","html_url":"https://github.com/acme"}},
"sender":{"login":"fern","id":7101,"type":"User","html_url":"https://github.com/fern"}}
JSON
}

# Prints the answer, its HTTP status on the last line.
send() {
  local body=$1 id signature
  id=$(openssl rand -hex 16 | sed 's/^\(.\{8\}\)\(.\{4\}\)\(.\{4\}\)\(.\{4\}\)/\1-\2-\3-\4-/')
  signature=$(printf '%s' "$body" | openssl dgst -sha256 -hmac "$secret" -r | cut -d' ' -f1)
  printf '%s' "$body" | curl --silent --show-error --request POST "$base/v1/${webhook_url#*/v1/}" \
    --header 'content-type: application/json' --header 'user-agent: GitHub-Hookshot/example' \
    --header 'x-github-event: pull_request' --header "x-github-delivery: $id" \
    --header "x-hub-signature-256: sha256=$signature" --data-binary @- --write-out '\n%{http_code}'
}

own_tenant=$(tenant_of "$TRIBUTARY_TOKEN") || true
if [ -z "$own_tenant" ]; then
  echo 'TRIBUTARY_TOKEN is no token with a tenant in it. Leave it unset, or make one: npm run -s token' >&2
  exit 1
fi
tenant='' webhook_url='' secret=''
# shellcheck source=/dev/null
if [ -f "$state" ]; then . "$state"; fi
if [ "$tenant" != "$own_tenant" ]; then
  tenant=$own_tenant
  connect
  . "$state"
fi

number=$((RANDOM % 9000 + 1000))
body=$(delivery "$number")
answer=$(send "$body")
if [ "${answer##*$'\n'}" = 404 ]; then
  echo 'That connection is gone; connecting again.'
  connect
  . "$state"
  answer=$(send "$body")
fi

status=${answer##*$'\n'}
echo "Sent pull_request.opened of acme/greenhouse#$number, signed as GitHub signs. Tributary answered $status:"
echo "${answer%$'\n'*}"
[ "$status" = 202 ]
