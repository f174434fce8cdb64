# Shell functions that install Debian's packages and run a PostgreSQL server; to be sourced.

# Installs Debian's packages; the servers that come with them are not wanted, only their programs.
install_packages() {
    [ $# -gt 0 ] || return 0
    echo "installing $*" >&2
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "$@" >&2
}

pg_bin() {
    local newest
    newest=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1) || true
    echo "${newest:-/usr/lib/postgresql/none/bin}"
}

# PostgreSQL refuses to run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

# Makes an empty cluster in $work/data, removed when the shell ends.
make_cluster() {
    work=$(mktemp -d)
    chmod 755 "$work"
    [ "$(id -u)" != 0 ] || chown postgres "$work"
    trap stop_postgres EXIT
    as_postgres "$(pg_bin)/initdb" -D "$work/data" -U postgres -A trust --no-sync -E UTF8 --locale=C >"$work/initdb.log"
}

# Starts a server on the cluster, with the settings given; $server is its URL, without a database.
start_postgres() {
    local port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    as_postgres "$(pg_bin)/pg_ctl" -D "$work/data" -w -s -l "$work/data/log" start \
        -o "-p $port -k $work -c listen_addresses=127.0.0.1 -c fsync=off $*"
    server="postgres://postgres@127.0.0.1:$port"
}

stop_postgres() {
    as_postgres "$(pg_bin)/pg_ctl" -D "$work/data" -s -m immediate stop || true
    rm -rf "$work"
}
