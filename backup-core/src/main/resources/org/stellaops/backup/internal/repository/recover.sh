#!/bin/bash
# Gets artifacts out of a Stella Ops Backup repository with stock tools only:
# age, zstd, jq, sha256sum, ssh-keygen, coreutils, sed. Writes nothing into the repository.
# Usage: bash recover.sh list
#        bash recover.sh verify  ENTRY [ALLOWED_SIGNERS]
#        bash recover.sh extract ENTRY IDENTITY FOLDER
# ENTRY is a file such as log/host-a/0000000042.entry; IDENTITY an age identity file of an owner.
set -euo pipefail
export LC_ALL=C
umask 077
# Paths of the caller stay his; everything else is below the repository, where this script is.
here=$(pwd)
absolute() { case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s\n' "$here/$1" ;; esac; }
root=$(cd "$(dirname "$0")" && pwd)
cd "$root"

die() { echo "recover.sh: $*" >&2; exit 1; }
need() { for tool in "$@"; do command -v "$tool" >/dev/null || die "needs $tool"; done; }
field() { sed -n "s/^# $2: //p" "$1" | head -n 1; }
entry() {
  case $1 in
    log/*) printf '%s\n' "$1" ;;
    *) path=$(absolute "$1"); printf '%s\n' "${path#"$root"/}" ;;
  esac
}

list() {
  for e in log/*/*.entry; do
    [ "$(field "$e" kind)" = snapshot ] || continue
    printf '%s  %s  %s  %s\n' "$e" "$(field "$e" taken)" "$(field "$e" outcome)" "$(field "$e" name)"
  done
}

verify() {
  need sha256sum sed
  if [ -n "${2:-}" ]; then
    need ssh-keygen
    signature=$(mktemp)
    trap 'rm -f "$signature"' EXIT
    sed -n 's/^#sig //p' "$1" > "$signature"
    sed '/^#sig /d' "$1" | ssh-keygen -Y verify -f "$2" -I "$(field "$1" log)" -n stella-backup-v1 -s "$signature" \
      || die "$1: the signature does not verify"
  else
    echo "recover.sh: no allowed_signers given: what follows says that nothing is damaged, not who made it" >&2
  fi
  sha256sum -c --strict --quiet "$1" || die "$1: something it names is damaged"
  for l in $(sed -n 's/^[0-9a-f]\{64\}  \(.*\.sums\)$/\1/p' "$1"); do
    sha256sum -c --strict --quiet "$l" || die "$l: a pack is damaged"
  done
  echo "$1: intact"
}

extract() {
  need age zstd jq sha256sum sed head tail
  [ -d "$3" ] || mkdir "$3"
  [ -z "$(ls -A "$3")" ] || die "$3 is not empty"
  secret=$(mktemp -d "${XDG_RUNTIME_DIR:-/dev/shm}/recover.XXXXXX" 2>/dev/null || mktemp -d)
  trap 'rm -rf "$secret"' EXIT
  # The entry carries the key of its epoch; a passphrase is asked for by age, on the terminal.
  sed -n 's/^# key: [^ ]* //p' "$1" | head -n 1 | base64 -d > "$secret/key.age"
  age -d -i "$2" -o "$secret/epoch" "$secret/key.age" || die "this identity does not open the snapshot"
  manifest=$(sed -n 's/^[0-9a-f]\{64\}  \(w\/[^/]*\/manifests\/.*\)$/\1/p' "$1")
  writer=${manifest#w/}
  writer=${writer%%/*}
  age -d -i "$secret/epoch" "$manifest" | zstd -dcq > "$secret/manifest"
  jq -r 'select(.artifact) | [.artifact, .sha256] | @tsv' "$secret/manifest" > "$secret/artifacts"
  while read -r artifact sha256; do
    case $artifact in ..*|*/..*|/*|*/*/*) die "$artifact: not a name to write to" ;; esac
    mkdir -p "$3/${artifact%%/*}"
    artifact_bytes "$artifact" "$writer" "$secret" > "$3/$artifact"
    echo "$sha256  $3/$artifact" | sha256sum -c --strict --quiet || die "$artifact: not what was captured"
    echo "$artifact"
  done < "$secret/artifacts"
}

# Runs of one artifact in order, through one zstd; each pack is decrypted once and dropped when the next one begins.
artifact_bytes() {
  jq -r --arg a "$1" 'select(.of == $a) | .runs[] | @tsv' "$3/manifest" |
    while read -r pack offset stored plain; do
      open="$3/pack.$(basename "$pack")"
      if [ ! -e "$open" ]; then
        rm -f "$3"/pack.*
        age -d -i "$3/epoch" -o "$open" "w/$2/packs/$pack.age"
      fi
      tail -c "+$((offset + 1))" "$open" | head -c "$stored" || [ $? = 141 ]
    done | zstd -dcq
  rm -f "$3"/pack.*
}

case ${1:-} in
  list) list ;;
  verify) [ $# -ge 2 ] || die "verify ENTRY [ALLOWED_SIGNERS]"; verify "$(entry "$2")" "${3:+$(absolute "$3")}" ;;
  extract) [ $# -eq 4 ] || die "extract ENTRY IDENTITY FOLDER"; extract "$(entry "$2")" "$(absolute "$3")" "$(absolute "$4")" ;;
  *) sed -n '2,7s/^# //p' "$0"; exit 2 ;;
esac
