# Shared by ./test: a PostgreSQL of its own, in a folder that goes with it. Without one its tests are skipped.
# shellcheck shell=bash

# Starts it for the user who is not root; sets STAGECRAFT_TEST_POSTGRES, and _TLS with _CA.
need_postgres() {
    need_packages postgresql openssl
    local bin port log
    bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    if [ ! -x "$bin/initdb" ]; then
        say "skipped: tests on PostgreSQL, because it is not installed"
        return 0
    fi
    postgres_bin=$bin
    postgres_folder=$(mktemp -d /tmp/stagecraft-postgres.XXXXXX)
    log=$postgres_folder/log
    : >"$log"
    # PostgreSQL refuses to run as root; its package brings a user.
    if [ "$(id -u)" = 0 ]; then chown -R postgres "$postgres_folder"; fi
    # Reached by a socket in its folder, and by TLS on an address of this machine.
    port=$((20000 + $$ % 40000))
    if ! {
        as_postgres openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test \
            -addext basicConstraints=critical,CA:TRUE -keyout "$postgres_folder/ca.key" -out "$postgres_folder/ca.pem" &&
            as_postgres openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
                -keyout "$postgres_folder/server.key" -out "$postgres_folder/server.csr" &&
            printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' | as_postgres sh -c "cat >'$postgres_folder/ext'" &&
            as_postgres openssl x509 -req -days 2 -in "$postgres_folder/server.csr" -CA "$postgres_folder/ca.pem" \
                -CAkey "$postgres_folder/ca.key" -CAcreateserial -extfile "$postgres_folder/ext" \
                -out "$postgres_folder/server.pem" &&
            as_postgres "$bin/initdb" -D "$postgres_folder/data" -U stagecraft -A trust --no-sync -E UTF8 &&
            as_postgres "$bin/pg_ctl" -w -t 60 -D "$postgres_folder/data" -l "$postgres_folder/server.log" -o "\
                -k $postgres_folder -h 127.0.0.1 -p $port -c fsync=off -c max_connections=50 -c ssl=on \
                -c ssl_cert_file=$postgres_folder/server.pem -c ssl_key_file=$postgres_folder/server.key" start
    } >>"$log" 2>&1 </dev/null; then
        tail -n 5 "$log" >&2
        say "skipped: tests on PostgreSQL, because it could not be started (see $log)"
        return 0
    fi
    STAGECRAFT_TEST_POSTGRES="postgresql:///postgres?host=$postgres_folder&port=$port&user=stagecraft"
    STAGECRAFT_TEST_POSTGRES_TLS="postgresql://stagecraft@localhost:$port/postgres?sslmode=verify-full"
    STAGECRAFT_TEST_POSTGRES_CA=$postgres_folder/ca.pem
    export STAGECRAFT_TEST_POSTGRES STAGECRAFT_TEST_POSTGRES_TLS STAGECRAFT_TEST_POSTGRES_CA
}

# Ends what need_postgres started, if it did.
stop_postgres() {
    [ -n "${postgres_folder:-}" ] || return 0
    as_postgres "$postgres_bin/pg_ctl" -D "$postgres_folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$postgres_folder"
    postgres_folder=
}

as_postgres() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups -- "$@"; else "$@"; fi
}
