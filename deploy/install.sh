#!/bin/sh
# Installs, upgrades and rolls back the gateway from an unpacked archive, without any network. Configuration and trail
# are created when they are missing and never changed afterwards; a version is put in place by one rename.
set -eu
umask 022

help() {
  cat <<'HELP'
usage: install.sh [install] [--prefix DIR] [--user NAME] [--no-check]
       install.sh rollback  [--prefix DIR] [--no-check]

install    puts the version of this archive in place, beside earlier ones, and switches to it
rollback   switches to the version that was in place before; again: back to the newer one

  --prefix DIR   install below DIR instead of / (nothing outside of DIR is changed, but for the account)
  --user NAME    account that runs the gateway (default: gatehouse, made when missing; without root: you)
  --no-check     switch although the new version finds faults in the configuration

DIR/opt/gatehouse/releases/VERSION   versions; DIR/opt/gatehouse/current is the one in place
DIR/etc/gatehouse                    configuration
DIR/var/lib/gatehouse                audit trail, keys, hashes of secrets
DIR/etc/systemd/system               the unit
DIR/usr/local/bin/gatehouse          the command
HELP
}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

here=$(cd "$(dirname "$0")/.." && pwd)
action=install
prefix=
account=
check=yes
case ${1-} in install | rollback) action=$1 && shift ;; esac
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=${2:?--prefix needs a directory} && shift ;;
    --user) account=${2:?--user needs a name} && shift ;;
    --no-check) check=no ;;
    --help | -h) help && exit 0 ;;
    *) help >&2 && exit 4 ;;
  esac
  shift
done
case $prefix in
  '' | /) prefix= ;;
  /*) prefix=${prefix%/} ;;
  *) fail "--prefix must begin with / (is $prefix)" ;;
esac
case $prefix in *[!A-Za-z0-9/._-]*) fail "--prefix may have letters, digits and / . _ - only" ;; esac

[ -n "$prefix" ] || [ "$(id -u)" -eq 0 ] || fail "only root can install below /; run it with sudo, or with --prefix DIR"

opt=$prefix/opt/gatehouse
etc=$prefix/etc/gatehouse
data=$prefix/var/lib/gatehouse
unit=$prefix/etc/systemd/system/gatehouse.service
command=$prefix/usr/local/bin/gatehouse

version_of() { sed -n 's/^  "version": "\([0-9A-Za-z.+-]*\)",$/\1/p' "$1/package.json"; }

verify_archive() {
  [ -f "$here/SHA256SUMS" ] || fail "$here is no unpacked archive; run 'npm run package' and unpack what it makes"
  if command -v sha256sum >/dev/null; then sum='sha256sum'; else sum='shasum -a 256'; fi
  found=$(cd "$here" && LC_ALL=C $sum -c SHA256SUMS 2>/dev/null) ||
    fail "the archive is damaged; nothing was changed: $(echo "$found" | sed -n 's/: FAILED.*//p' | tr '\n' ' ')"
  # A file that nobody vouches for must not be installed either.
  files=$(cd "$here" && find . ! -type d ! -path ./SHA256SUMS ! -path ./node_modules/.bin/node | wc -l)
  [ "$files" -eq "$(wc -l <"$here/SHA256SUMS")" ] || fail "the archive has files that SHA256SUMS does not name"
  "$here/node_modules/.bin/node" --version >/dev/null ||
    fail "Node does not run here: another platform, or libstdc++ and libatomic are missing (Debian: libstdc++6 libatomic1)"
}

ensure_account() {
  if [ -z "$account" ]; then
    if [ "$(id -u)" -eq 0 ]; then account=gatehouse; else account=$(id -un); fi
  fi
  id "$account" >/dev/null 2>&1 && return
  [ "$(id -u)" -eq 0 ] || fail "there is no account $account, and only root can make one"
  if command -v useradd >/dev/null; then
    useradd --system --user-group --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$account"
  else
    addgroup -S "$account" && adduser -S -D -H -h "$data" -s /sbin/nologin -G "$account" "$account"
  fi
}

copy_release() {
  release=$opt/releases/$version
  if [ -d "$release" ]; then
    cmp -s "$here/SHA256SUMS" "$release/SHA256SUMS" || fail "another build of $version is installed; remove $release first"
    return 0
  fi
  mkdir -p "$opt/releases"
  rm -rf "$release.partial"
  cp -RP "$here" "$release.partial"
  chmod -R u+w,go-w,a+rX "$release.partial"
  [ "$(id -u)" -ne 0 ] || chown -R 0:0 "$release.partial"
  mv "$release.partial" "$release"
}

# Only root can give files to another account; without root everything is the installing account's own.
give() {
  mode=$1 owner=$2 && shift 2
  chmod "$mode" "$@"
  [ "$(id -u)" -ne 0 ] || chown "$owner" "$@"
}

prepare_places() {
  group=$(id -gn "$account")
  mkdir -p "$etc" "$(dirname "$unit")" "$(dirname "$command")"
  for directory in "$etc/secrets" "$etc/tls" "$data" "$data/audit" "$data/keys"; do
    [ -d "$directory" ] && continue
    mkdir -p "$directory"
    give 0700 "$account:$group" "$directory"
  done
  give 0750 "root:$group" "$etc"
  if [ ! -e "$etc/gatehouse.yaml" ]; then
    cp "$release/deploy/gatehouse.yaml" "$etc/gatehouse.yaml"
    give 0640 "root:$group" "$etc/gatehouse.yaml"
  fi
  cp "$release/config/gatehouse.example.yaml" "$release/config/gatehouse.schema.json" "$etc/"
}

check_configuration() {
  [ "$check" = yes ] || return 0
  "$1/bin/gatehouse" check --config "$etc/gatehouse.yaml" ||
    fail "version $(version_of "$1") does not accept $etc/gatehouse.yaml; nothing was switched (--no-check to switch anyway)"
}

write_command() {
  cat >"$command" <<COMMAND
#!/bin/sh
GATEHOUSE_CONFIG=\${GATEHOUSE_CONFIG:-$etc/gatehouse.yaml}
export GATEHOUSE_CONFIG
exec $opt/current/bin/gatehouse "\$@"
COMMAND
  chmod 0755 "$command"
}

write_unit() {
  sed -e "s|/opt/gatehouse|$opt|g" -e "s|/etc/gatehouse|$etc|g" -e "s|/var/lib/gatehouse|$data|g" \
    -e "s|^User=.*|User=$account|" -e "s|^Group=.*|Group=$group|" \
    "$release/deploy/systemd/gatehouse.service" >"$unit.new"
  mv "$unit.new" "$unit"
  # Only the machine's own units concern the systemd that runs.
  if [ -z "$prefix" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
}

# Makes a link lead elsewhere in one step: `mv` would move into the directory that it leads to.
point() {
  ln -s "$2" "$1.new.$$"
  "$opt/$2/node_modules/.bin/node" -e 'require("node:fs").renameSync(...process.argv.slice(1))' "$1.new.$$" "$1"
}

switch_to() {
  before=$(readlink "$opt/current" || true)
  [ "$before" != "$1" ] || return 0
  if [ -n "$before" ] && [ -d "$opt/$before" ]; then point "$opt/previous" "$before"; fi
  point "$opt/current" "$1"
}

if [ "$action" = rollback ]; then
  target=$(readlink "$opt/previous") || fail "no earlier version is installed below $opt"
  [ -d "$opt/$target" ] || fail "the earlier version $target was removed"
  check_configuration "$opt/$target"
  switch_to "$target"
  version=$(version_of "$opt/current")
else
  verify_archive
  version=$(version_of "$here")
  [ -n "$version" ] || fail "package.json states no version"
  ensure_account
  copy_release
  prepare_places
  check_configuration "$release"
  write_command
  write_unit
  switch_to "releases/$version"
fi

echo "Gatehouse $version is in place at $opt/current."
echo "It runs from the next (re)start on: systemctl restart gatehouse, or $command start"
