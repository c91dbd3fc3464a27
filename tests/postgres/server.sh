#!/usr/bin/env bash
# Runs a command with a PostgreSQL server of its own: bash tests/postgres/server.sh pytest tests/unit
# The server listens on loopback only, on a free port, with its files in a temporary directory and passwords for
# all; QI_EQUITY_POSTGRES tells its address. It is installed from Debian's packages where there is none and this
# runs as root, and is stopped when the command ends.
set -euo pipefail

# Debian keeps them out of the path; elsewhere the one in the path is taken, from its own folder.
binaries() {
  local found
  found=$(find /usr/lib/postgresql -path '*/bin/postgres' 2> /dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || found=$(readlink -f "$(command -v postgres)") || return 0
  dirname "$found"
}

bin=$(binaries)
if [ -z "$bin" ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  # Without a cluster of the distribution's own, which would start at once.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql > /dev/null
  bin=$(binaries)
fi
if [ -z "$bin" ]; then
  echo "PostgreSQL is not installed: install it (apt-get install postgresql), or run this as root" >&2
  exit 1
fi

folder=$(mktemp -d)
server=
stop() {
  # Interrupt: the server ends its sessions and stops.
  if [ -n "$server" ]; then
    kill -INT "$server" 2> /dev/null || true
    wait "$server" 2> /dev/null || true
  fi
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The server refuses to run as root.
as_user=()
if [ "$(id -u)" = 0 ]; then
  id postgres > /dev/null 2>&1 || useradd --system --user-group --no-create-home postgres
  as_user=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && printf '%s\n' "$password" > "$folder/password")
[ "${#as_user[@]}" = 0 ] || chown -R postgres "$folder"
cd "$folder"
"${as_user[@]}" "$bin/initdb" -D "$folder/data" -U qi_equity_tests -E UTF8 --locale=C.UTF-8 --no-sync \
  --auth-host=scram-sha-256 --auth-local=reject --pwfile="$folder/password" > initdb.log 2>&1 ||
  { cat initdb.log >&2; exit 1; }
cd "$OLDPWD"

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
answers() { "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; }
# Another program may take the port first: the server then ends at once.
for _ in 1 2 3; do
  port=$(free_port)
  # What is lost in a crash of the machine does not matter here.
  (cd "$folder" && exec "${as_user[@]}" "$bin/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c max_connections=100 -c fsync=off -c full_page_writes=off) \
    > "$folder/server.log" 2>&1 < /dev/null &
  server=$!
  for _ in $(seq 150); do
    if answers || ! kill -0 "$server" 2> /dev/null; then break; fi
    sleep 0.2
  done
  if kill -0 "$server" 2> /dev/null; then break; fi
  server=
done
if [ -z "$server" ] || ! answers; then
  cat "$folder/server.log" >&2
  exit 1
fi

QI_EQUITY_POSTGRES="postgresql+psycopg://qi_equity_tests:$password@127.0.0.1:$port/postgres" "$@"
