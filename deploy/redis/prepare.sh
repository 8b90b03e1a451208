#!/bin/sh
# Makes what Redis and the gateway need to trust each other: an authority, a certificate for the host `redis`, a password,
# the file of users and the address with the password in it. Never overwrites; delete a directory to begin anew.
set -eu
umask 077

[ $# -eq 1 ] || { echo 'usage: prepare.sh DIRECTORY   (makes DIRECTORY/redis and DIRECTORY/gatehouse)' >&2; exit 4; }
command -v openssl >/dev/null || { echo 'prepare.sh: openssl is needed' >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
redis=$1/redis
gatehouse=$1/gatehouse
[ ! -e "$redis" ] || { echo "prepare.sh: $redis is there already" >&2; exit 1; }

mkdir -p "$redis/tls" "$gatehouse/secrets" "$gatehouse/tls"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# The authority's key exists only here and now: with it gone, nobody can make a second Redis that we trust.
new_key "$work/ca.key"
openssl req -x509 -new -key "$work/ca.key" -sha256 -days 3650 -subj '/CN=Gatehouse cache authority' \
  -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign' -out "$redis/tls/ca.crt"
new_key "$redis/tls/redis.key"
openssl req -new -key "$redis/tls/redis.key" -subj '/CN=redis' -out "$work/redis.csr"
printf 'subjectAltName=DNS:redis,DNS:localhost\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' >"$work/extensions"
openssl x509 -req -in "$work/redis.csr" -CA "$redis/tls/ca.crt" -CAkey "$work/ca.key" -CAserial "$work/serial" -CAcreateserial \
  -sha256 -days 825 -extfile "$work/extensions" -out "$redis/tls/redis.crt" 2>/dev/null

password=$(openssl rand -hex 32)
digest=$(printf %s "$password" | openssl dgst -sha256 -r | cut -d' ' -f1)
sed "s/PASSWORD_SHA256/$digest/" "$here/users.acl" >"$redis/users.acl"
cp "$here/redis.conf" "$redis/redis.conf"
printf 'rediss://gatehouse:%s@redis:6379/0\n' "$password" >"$gatehouse/secrets/redis-url"
cp "$redis/tls/ca.crt" "$gatehouse/tls/redis-ca.pem"
chmod 0644 "$redis/tls/ca.crt" "$redis/tls/redis.crt" "$redis/redis.conf" "$gatehouse/tls/redis-ca.pem"

echo "Made $redis (for the account that runs Redis) and $gatehouse (for the one that runs the gateway)."
