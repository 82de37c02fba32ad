#!/usr/bin/env bash
# Verifies tokens of Keycloak, by discovery and through a rotation of its keys.
#
# usage: tests/interop/keycloak/check.sh FOLDER_OF_KEYCLOAK     (needs curl and python3; GATEPASS_CLI or gatepass on the PATH)
#
# Not a part of `cargo xtask test`: Keycloak is 150 MB to fetch, and takes minutes to start for the first time.
set -euo pipefail
keycloak=$1
gatepass=${GATEPASS_CLI:-gatepass}
port=18080
base=http://127.0.0.1:$port
issuer=$base/realms/master

export KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin
if ! curl --silent --fail --output /dev/null "$issuer/.well-known/openid-configuration"; then
  log=$(mktemp)
  "$keycloak/bin/kc.sh" start-dev --http-port=$port --http-host=127.0.0.1 >"$log" 2>&1 &
  trap 'pkill --parent $! || true; kill $! || true' EXIT
  for _ in $(seq 300); do
    curl --silent --fail --output /dev/null "$issuer/.well-known/openid-configuration" && break
    sleep 1
  done
fi

member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
token() { # CLIENT MEMBER
  curl --silent --fail "$issuer/protocol/openid-connect/token" --data-urlencode grant_type=password --data-urlencode scope=openid \
    --data-urlencode client_id="$1" --data-urlencode username=admin --data-urlencode password=admin | member "$2"
}
admin() { # METHOD PATH JSON
  curl --silent --output /dev/null --write-out '%{http_code} ' --request "$1" "$base/admin/realms/master/$2" \
    --header "Authorization: Bearer $(token admin-cli access_token)" --header 'Content-Type: application/json' --data "$3"
}
expect() { # WHAT STATUS COMMAND…
  local what=$1 status=$2 found=0
  shift 2
  "$@" >/dev/null 2>&1 || found=$?
  if [ "$found" = "$status" ]; then echo "ok: $what"; else echo "not ok: $what: ended with $found, expected $status"; exit 1; fi
}
verify() { "$gatepass" verify --preset oidc --issuer "$issuer" "$@"; }

admin POST clients '{"clientId":"orders","publicClient":true,"directAccessGrantsEnabled":true}'
admin POST components '{"name":"es256","providerId":"ecdsa-generated","providerType":"org.keycloak.keys.KeyProvider","config":{"priority":["50"],"ecdsaEllipticCurveKey":["P-256"],"enabled":["true"],"active":["true"]}}'
echo

first=$(token orders id_token)
expect "an ID token is accepted" 0 verify --audience orders "$first"
expect "another audience is refused" 1 verify --audience others "$first"
expect "another issuer is refused" 1 "$gatepass" verify --preset oidc --issuer "$base/realms/other" --audience orders "$first"

admin POST components '{"name":"newer","providerId":"rsa-generated","providerType":"org.keycloak.keys.KeyProvider","config":{"priority":["1000"],"algorithm":["RS256"],"enabled":["true"],"active":["true"]}}'
echo
second=$(token orders id_token)
kid() { python3 -c 'import base64, json, sys; part = sys.argv[1].split(".")[0]; print(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["kid"])' "$1"; }
[ "$(kid "$first")" != "$(kid "$second")" ] && echo "ok: the keys were rotated"
expect "a token of the new key is accepted" 0 verify --audience orders "$second"
expect "a token of the old key is still accepted" 0 verify --audience orders "$first"
