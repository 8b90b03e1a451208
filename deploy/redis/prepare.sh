#!/bin/sh
# Makes what Redis and the gateway need to trust each other: an authority, a certificate for Redis's host, a password, the
# file of users and the address with the password in it. Never overwrites; delete a directory to begin anew.
set -eu
umask 077

# With --renew it makes a new authority and certificate alone: Redis's ends after 825 days, and `gatehouse doctor` says when.
usage() {
  echo 'usage: prepare.sh [--host HOST | --renew] DIRECTORY   (makes DIRECTORY/redis and DIRECTORY/gatehouse)
  --host HOST  name or IPv4 address under which the gateway reaches Redis (redis)' >&2
  exit 4
}
renew=no
host=redis
case "${1-}" in
  --renew) renew=yes; shift ;;
  --host) [ $# -ge 2 ] || usage; host=$2; shift 2 ;;
esac
[ $# -eq 1 ] || usage
case "$host" in
  '' | -* | .* | *[!A-Za-z0-9.-]*) usage ;;
  *[!0-9.]*) names=DNS:$host,DNS:localhost ;;
  *) names=IP:$host,DNS:localhost ;;
esac
command -v openssl >/dev/null || { echo 'prepare.sh: openssl is needed' >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
redis=$1/redis
gatehouse=$1/gatehouse
if [ $renew = no ]; then
  [ ! -e "$redis" ] || { echo "prepare.sh: $redis is there already" >&2; exit 1; }
else
  [ -e "$redis/tls/ca.crt" ] || { echo "prepare.sh: $redis is not there, nothing to renew" >&2; exit 1; }
  names=$(openssl x509 -in "$redis/tls/redis.crt" -noout -ext subjectAltName | sed -n '2{s/IP Address:/IP:/g;s/ //g;p;}')
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# The authority's key exists only here and now: with it gone, nobody can make a second Redis that we trust. Each has a name
# of its own, because whoever trusts two of one name may look for the signature of the wrong one.
new_key "$work/ca.key"
openssl req -x509 -new -key "$work/ca.key" -sha256 -days 3650 -subj "/CN=Gatehouse cache authority $(openssl rand -hex 4)" \
  -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign' -out "$work/ca.crt"
new_key "$work/redis.key"
openssl req -new -key "$work/redis.key" -subj '/CN=redis' -out "$work/redis.csr"
printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$names" >"$work/extensions"
openssl x509 -req -in "$work/redis.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAserial "$work/serial" -CAcreateserial \
  -sha256 -days 825 -extfile "$work/extensions" -out "$work/redis.crt" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }

mkdir -p "$redis/tls" "$gatehouse/secrets" "$gatehouse/tls"
# Until Redis shows the new certificate, the gateway trusts the authority before as well.
cp "$work/ca.crt" "$work/redis-ca.pem"
[ $renew = no ] || cat "$redis/tls/ca.crt" >>"$work/redis-ca.pem"
cp "$work/redis-ca.pem" "$gatehouse/tls/redis-ca.pem"
cp "$work/ca.crt" "$work/redis.crt" "$work/redis.key" "$redis/tls/"
chmod 0644 "$redis/tls/ca.crt" "$redis/tls/redis.crt" "$gatehouse/tls/redis-ca.pem"
if [ $renew = yes ]; then
  echo "Renewed $redis/tls and $gatehouse/tls/redis-ca.pem. Restart the gateways first, then Redis."
  exit
fi

password=$(openssl rand -hex 32)
digest=$(printf %s "$password" | openssl dgst -sha256 -r | cut -d' ' -f1)
sed "s/PASSWORD_SHA256/$digest/" "$here/users.acl" >"$redis/users.acl"
cp "$here/redis.conf" "$redis/redis.conf"
printf 'rediss://gatehouse:%s@%s:6379/0\n' "$password" "$host" >"$gatehouse/secrets/redis-url"
chmod 0644 "$redis/redis.conf"

echo "Made $redis (for the account that runs Redis) and $gatehouse (for the one that runs the gateway)."
