#!/bin/bash
# Gets artifacts out of a Stella Ops Backup repository with stock tools only:
# age, zstd, jq, sha256sum, ssh-keygen, coreutils, sed, bash. Writes nothing into the repository.
# Usage: bash recover.sh list
#        bash recover.sh verify  ENTRY [ALLOWED_SIGNERS]
#        bash recover.sh host    ENTRY IDENTITY [ALLOWED_SIGNERS]           takes nothing out: what there is, and
#                                                                           the steps that make a new host of it
#        bash recover.sh extract ENTRY IDENTITY FOLDER [ALLOWED_SIGNERS]
# ENTRY is a file such as log/host-a/0000000042.entry. IDENTITY is an age identity file of an owner, which
# may itself be protected by a passphrase; "-" if the backup was made for a passphrase and for nobody else.
# ALLOWED_SIGNERS holds the public keys of those whose backups count; without it nobody vouches for anything.
# While it extracts, keys and a few packs, up to 64 MiB each, lie open in /dev/shm, or in $RECOVER_TMP.
set -euo pipefail
export LC_ALL=C
unset CDPATH
umask 077
# Where keys lie open; nothing that the caller has under this name.
secret=
# Paths of the caller stay his; everything else is below the repository, where this script is.
here=$(pwd)
absolute() { case $1 in /* | -) printf '%s\n' "$1" ;; *) printf '%s\n' "$here/$1" ;; esac; }
root=$(cd "$(dirname "$0")" && pwd)
cd "$root"

open_packs=4
manifest_bytes=$((512 * 1024 * 1024))

die() { echo "recover.sh: $*" >&2; exit 1; }
need() { for tool in "$@"; do command -v "$tool" >/dev/null || die "needs $tool"; done; }
field() { sed -n "/^# $2: /{s///p;q;}" "$1"; }
entry() {
  case $1 in
    log/*) printf '%s\n' "$1" ;;
    *) path=$(absolute "$1"); printf '%s\n' "${path#"$root"/}" ;;
  esac
}
private_folder() {
  [ -n "$secret" ] || secret=$(mktemp -d "${RECOVER_TMP:-/dev/shm}/recover.XXXXXX") ||
    die "no folder for open keys in ${RECOVER_TMP:-/dev/shm}: name one in memory by RECOVER_TMP"
}
trap '[ -z "$secret" ] || rm -rf "$secret"' EXIT

list() {
  for e in log/*/*.entry; do
    [ -e "$e" ] && [ "$(field "$e" kind)" = snapshot ] || continue
    printf '%s  %s  %s  %s\n' "$e" "$(field "$e" taken)" "$(field "$e" outcome)" "$(field "$e" name)"
  done | sed 's/[^[:print:]]/?/g'
}

# What an entry says, who says it, and that nothing before it was taken out or put in.
authentic() {
  need sha256sum sed
  [ -f "$1" ] || die "$1: there is no such entry"
  private_folder
  sed -n 's/^#sig //p' "$1" > "$secret/sig"
  [ -z "$(sed -n '/^#sig /,${/^#sig /!p;}' "$1")" ] && [ "$(sed -n '/^-----/p' "$secret/sig" | wc -l)" = 2 ] &&
    [ "$(tail -n 1 "$secret/sig")" = '-----END SSH SIGNATURE-----' ] || die "$1: something follows the signature"
  if [ -n "$2" ]; then
    need ssh-keygen
    sed '/^#sig /d' "$1" |
      ssh-keygen -Y verify -f "$2" -I "$(field "$1" log)" -n stella-backup-v1 -s "$secret/sig" >&2 ||
      die "$1: the signature does not verify"
  else
    echo "recover.sh: no allowed_signers given: what follows says that nothing is damaged, not who made it" >&2
  fi
  chain "$1"
  named "$1" | sha256sum -c --strict --quiet || die "$1: something it names is damaged"
}

# Of the writer's own state, which no restore needs, only the newest is kept, and none in an archive.
named() {
  local line
  sed -n '/^[0-9a-f]\{64\}  /p' "$1" | while IFS= read -r line; do
    case $line in *'  w/'*/state/*) [ -e "${line#*  }" ] || continue ;; esac
    printf '%s\n' "$line"
  done
}

chain() {
  local log seq later=$1 before
  log=$(field "$1" log)
  seq=$(field "$1" seq)
  case $seq in '' | 0* | *[!0-9]* | ???????????*) die "$1: not a number of an entry: $seq" ;; esac
  [ "$1" = "$(printf 'log/%s/%010d.entry' "$log" "$seq")" ] || die "$1: it is entry $seq of the log $log"
  while [ "$seq" -gt 1 ]; do
    seq=$((seq - 1))
    before=$(printf 'log/%s/%010d.entry' "$log" "$seq")
    if [ ! -e "$before" ]; then
      echo "recover.sh: $before is not here; that is so in a copy that holds only some snapshots" >&2
      return
    fi
    [ "$(sha256sum < "$before")" = "$(field "$later" prev)  -" ] || die "$before: not what $later follows"
    later=$before
  done
}

verify() {
  authentic "$1" "$2"
  for l in $(sed -n 's/^[0-9a-f]\{64\}  \(.*\.sums\)$/\1/p' "$1"); do
    sha256sum -c --strict --quiet "$l" || die "$l: a pack is damaged"
  done
  echo "$1: intact"
}

extract() {
  need age zstd jq base64 head tail
  [ -d "$3" ] || mkdir "$3"
  [ -z "$(ls -A "$3")" ] || die "$3 is not empty"
  authentic "$1" "$4"
  read_manifest "$1" "$2"
  jq -r 'select(.artifact) | [.artifact, .size, .sha256] | @tsv' "$secret/manifest" > "$secret/artifacts"
  declare -A sizes=() digests=()
  while read -r artifact size sha256; do
    safe "$artifact"
    case $size in '' | *[!0-9]*) die "$artifact: not a size: $size" ;; esac
    mkdir -p "$3/${artifact%%/*}"
    sizes[$artifact]=$size
    digests[$artifact]=$sha256
    # One without bytes has no runs. Of any other nothing is there yet.
    [ "$size" != 0 ] || : > "$3/$artifact"
  done < "$secret/artifacts"
  runs
  artifacts "$3" < "$secret/runs"
  while read -r artifact size sha256; do
    [ -f "$3/$artifact" ] || die "$artifact: cannot be read: the manifest says nothing of where it is"
    [ "$size" != 0 ] || compared "$artifact" "$3/$artifact"
  done < "$secret/artifacts"
}

read_manifest() {
  unlock "$1" "$2"
  manifest=$(sed -n 's/^[0-9a-f]\{64\}  \(w\/[^/]*\/manifests\/.*\)$/\1/p' "$1")
  writer=${manifest#w/}
  writer=${writer%%/*}
  age -d -i "$secret/epochs" "$manifest" | zstd -dcq | head -c "$manifest_bytes" > "$secret/manifest"
}

# What it prints stands in the manifest, which only owners read. Nothing in it is believed: what goes into a command is
# a plain name or quoted, and no control character gets to the terminal.
host() {
  need age zstd jq base64 head
  authentic "$1" "$3"
  read_manifest "$1" "$2"
  jq -c 'select(.manifest or .source or .artifact or .inventory)' "$secret/manifest" > "$secret/facts" ||
    die "the manifest cannot be read"
  jq -rs --arg entry "$1" --arg identity "$2" --arg signers "$3" --arg script "$root/recover.sh" "$steps" "$secret/facts" \
    > "$secret/page" || die "the manifest says something that nobody should carry out"
  cat "$secret/page"
}

steps='
  def clean: tostring | gsub("[[:cntrl:]]"; "?");
  def quoted: clean | @sh;
  def plain: if test("\\A[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?\\z") then . else error("a name is malformed") end;
  def block: "```\n" + join("\n") + "\n```";
  def gib: if . == null then "unknown" elif . < 1073741824 then "\((. / 1048576) | ceil) MiB" else "\((. / 1073741824) | ceil) GiB" end;
  def major: (.versions.postgres // "") | split(".")[0] | clean;
  map(select(.manifest))[0] as $head | map(select(.source)) as $sources | map(select(.artifact)) as $artifacts |
  ($artifacts | group_by(.artifact | split("/")[0]) | map({key: (.[0].artifact | split("/")[0]), value: map(.artifact | plain)}) | from_entries) as $of |
  (map(select(.inventory)) | group_by(.inventory) | map({key: .[0].inventory, value: (map(.items) | add)}) | from_entries) as $inventory |
  def kind($k): $sources | map(select(.kind | startswith($k)));
  def tars($s; $name): $of[$s.source][]? | select(test("/" + $name + "(-[0-9]+)?\\.tar$"));
  def place: (.properties.root // "") as $r | (if $r | startswith("/") then $r | ltrimstr("/") else .source end)
    | if test("(^|/)\\.\\.(/|$)") then error("a place is malformed") else . end
    | "\"$HOST\"/" + (if . == "" then "." else quoted end);

  "# A new host from \($entry)\n",
  "\($head.name | clean), taken \($head.taken | clean), \($head.outcome | clean); plan \($head.plan | clean), writer \($head.writer | clean).",
  "Carry the steps out in this order, in bash, from a folder with room. HOST is where the files of the new host go: empty",
  "on a real one, a folder to rehearse. PGDATA and MONGO_URI are the data directory and the server of the new host.\n",
  "## 1. Provision\n",
  "* room for what is taken out: \($artifacts | map(.size) | add | gib), and as much again where it goes",
  ($sources[] | "* \(.source | clean) (\(.component | clean), \(.kind | clean)): "
    + ((.versions // {}) | to_entries | map("\(.key | clean) \(.value | clean)") | join(", ") | if . == "" then "no version matters" else . end)),
  "\n## 2. Install, and start nothing\n",
  (kind("postgres-physical")[] | "* PostgreSQL \(major): the same major version, built for the same architecture; no cluster in $PGDATA"),
  (kind("postgres-logical")[] | "* PostgreSQL \(major) or newer, and its pg_restore"),
  (kind("mongo")[] | "* MongoDB \((.versions["mongodb feature compatibility"] // .versions.mongodb // "") | clean)"
    + " (its feature compatibility version), mongorestore" + (if .properties.replicaSet then "; replica set \(.properties.replicaSet | clean)" else "" end)),
  "* the services, in the release that their configuration is for; age, zstd, jq, tar, ssh-keygen are here already",
  "\n## 3. Take everything out\n",
  "This makes, below out/:\n", ($artifacts[] | "    \(.size | clean)\t\(.artifact | clean)"), "",
  (["bash \($script | quoted) extract \($entry | quoted) \($identity | quoted) out \(if $signers == "" then "" else ($signers | quoted) end)"] | block),
  "\n## 4. Configuration\n",
  "Owners, modes and times are in the archive; as root tar gives them back.\n",
  (kind("files/")[] | . as $s | (["mkdir -p \(place)"] + [tars($s; "files") | "tar -xpf out/\(.) -C \($s | place)"]) | block),
  "\n## 5. Secrets and keys\n",
  "Lines NAME=VALUE, for nobody but their owner (0600); put them to where the services read them. The key of",
  "the writer of this backup is in no backup: the new host gets a new one under a new name, and an administrator seals",
  "the log of the old one.\n",
  (kind("secrets/")[] | . as $s | ($of[.source] // [])[] | ["(umask 077 && mkdir -p \"$HOST/secrets/\"\($s.source | quoted) && cat out/\(.) > \"$HOST/secrets/\"\(. | quoted))"] | block),
  "\n## 6. Data\n",
  (kind("postgres-physical")[] | . as $s |
    if (.parents // [] | length) > 0 then "\(.source | clean) is an increment. Take out the snapshots that it builds on, \(.parents | map(clean) | join(", ")), too, and join them: pg_combinebackup (PostgreSQL \(major)) <the full one> … <this one> -o \"$PGDATA\".\n"
    else "\(.source | clean): $PGDATA must not be there yet. When it is started it replays what is in pg_wal. Before that: chown -R postgres \"$PGDATA\", pg_verifybackup \"$PGDATA\"." + (if .properties["server-role"] == "standby" then " It was a standby: remove standby.signal." else "" end) + "\n",
    ((["mkdir -m 700 \"$PGDATA\" && tar --no-same-owner -xf out/\($s.source | plain)/base.tar -C \"$PGDATA\" &&", "  cat out/\($s.source | plain)/backup_manifest > \"$PGDATA/backup_manifest\""]
      + ($s.properties // {} | to_entries | map(select(.key | startswith("tablespace.")) | (.key | ltrimstr("tablespace.") | if test("\\A[0-9]+\\z") then . else error("a tablespace is malformed") end) as $oid
          | "mkdir -p \(.value | sub("/+[^/]*/*$"; "/") | quoted) && mkdir -m 700 \(.value | quoted) && tar --no-same-owner -xf out/\($s.source | plain)/\($oid).tar -C \(.value | quoted)"))) | block) end),
  (kind("evidence/")[] | . as $s | (["mkdir -p \(place)"] + [tars($s; "objects") | "tar -xf out/\(.) -C \($s | place)"]) | block),
  (kind("mongo")[] | . as $s | "\n\(.source | clean): into the running, empty server.\n",
    (($of[$s.source] // [])[] | select(endswith(".archive")) | ["mongorestore --uri=\"$MONGO_URI\" --archive=out/\(.) --stopOnError"] | block)),
  ($sources[] | select(.kind | test("^(postgres-physical|files|secrets|evidence|mongo)") | not) | "* \(.source | clean): \(.kind | clean); it lies below out/\(.source | clean)/ as it was captured"),
  "\n## 7. Start\n",
  "First the databases; then, when they answer, the services; last whatever sends traffic to them: load balancer, DNS.\n",
  "## 8. Check\n",
  "* every service answers its health check, such as /health/live; what it counts is what was captured:",
  ($sources[] | .source as $s | ($inventory[$s] // [])[:50][] | "    \($s | clean): \(.name | clean) \(.count | clean)"),
  "* a new backup of the new host is good, and a restore of it was tried"
'

safe() {
  case $1 in .* | */.* | /* | */*/* | *[!A-Za-z0-9._/-]* | '') die "$1: not a name to write to" ;; esac
}

compared() {
  [ "$(sha256sum < "$2")" = "${digests[$1]}  -" ] || die "$1: not what was captured"
  echo "$1"
}

# The entry carries the keys of its epochs, sealed for the owners; those sealed for others since are in keys/.
# Age asks for a passphrase on the terminal.
unlock() {
  sed -n 's/^# key: [^ ]* //p' "$1" > "$secret/keys"
  for epoch in $(sed -n 's/^# key: \([0-9a-f]\{16\}\) .*/\1/p' "$1" | sort -u); do
    for k in "keys/$epoch"-*.age; do
      [ -e "$k" ] && key=$(base64 -w 0 "$k") || continue
      case $(< "$secret/keys") in *"$key"*) ;; *) printf '%s\n' "$key" >> "$secret/keys" ;; esac
    done
  done
  while read -r -u 3 key; do
    base64 -d <<< "$key" > "$secret/key.age"
    if [ "$2" = - ]; then
      age -d -o "$secret/epoch" "$secret/key.age"
    else
      age -d -i "$2" -o "$secret/epoch" "$secret/key.age"
    fi || continue
    cat "$secret/epoch" >> "$secret/epochs"
    echo >> "$secret/epochs"
  done 3< "$secret/keys"
  [ -s "$secret/epochs" ] || die "this identity does not open the snapshot"
}

# Where everything is, read once: artifact, pack, offset, stored bytes; those of an artifact stand together.
# Of a run nothing is believed: bash would carry out what stands in place of a number.
runs() {
  jq -r 'select(.of) | .of as $of | .runs[]
      | if (.[0] | test("\\A[0-9a-f]{2}/[0-9a-f]{64}-[0-9]{1,9}\\z")) and (.[1:3] | all(type == "number"))
        then [$of, .[0], (.[1] | floor), (.[2] | floor)] | @tsv else error("a run is malformed") end' "$secret/manifest" \
    > "$secret/runs" || die "the manifest cannot be read"
}

# One artifact after the other, each through one zstd that stops at the declared size.
artifacts() {
  local now='' artifact pack offset stored unpacked
  mkdir "$secret/packs"
  while read -r -u 5 artifact pack offset stored; do
    if [ "$artifact" != "$now" ]; then
      [ -z "$now" ] || end "$now" "$1"
      now=$artifact
      safe "$now"
      [ -n "${sizes[$now]:-}" ] || die "$now: it is no artifact of the snapshot"
      [ ! -e "$1/$now" ] || die "$now: its runs do not stand together"
      exec 4> >(set +e; zstd -dcq 2> /dev/null | head -c "${sizes[$now]}" > "$1/$now")
      unpacked=$!
    fi
    open_pack "$pack" || die "$now: cannot be read: $pack"
    tail -c "+$((offset + 1))" "$open" 2> /dev/null | head -c "$stored" >&4 2> /dev/null || [ $? = 141 ] ||
      die "$now: cannot be read"
  done 5<&0
  [ -z "$now" ] || end "$now" "$1"
}

end() {
  exec 4>&-
  wait "$unpacked" || true
  compared "$1" "$2/$1"
}

# Leaves the decrypted pack in $open, in the same shell, so that the next artifact finds it. Later snapshots take turns
# between packs, so the last few stay.
opened=()
open_pack() {
  local each others=()
  open=$secret/packs/${1##*/}
  for each in ${opened[@]+"${opened[@]}"}; do [ "$each" = "$open" ] || others+=("$each"); done
  opened=(${others[@]+"${others[@]}"} "$open")
  [ ! -e "$open" ] || return 0
  if [ ${#opened[@]} -gt $open_packs ]; then
    rm -f "${opened[0]}"
    opened=("${opened[@]:1}")
  fi
  age -d -i "$secret/epochs" -o "$open" "w/$writer/packs/$1.age"
}

case ${1:-} in
  list) need sed; list ;;
  verify) [ $# -ge 2 ] || die "verify ENTRY [ALLOWED_SIGNERS]"; verify "$(entry "$2")" "${3:+$(absolute "$3")}" ;;
  extract)
    [ $# -ge 4 ] || die "extract ENTRY IDENTITY FOLDER [ALLOWED_SIGNERS]"
    extract "$(entry "$2")" "$(absolute "$3")" "$(absolute "$4")" "${5:+$(absolute "$5")}"
    ;;
  host)
    [ $# -ge 3 ] || die "host ENTRY IDENTITY [ALLOWED_SIGNERS]"
    host "$(entry "$2")" "$(absolute "$3")" "${4:+$(absolute "$4")}"
    ;;
  *) sed -n '2,13s/^# //p' "$root/${0##*/}"; exit 2 ;;
esac
