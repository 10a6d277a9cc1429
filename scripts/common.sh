# Shared by ./quickstart and ./test: says what it does, installs what is missing, starts what is needed.
# shellcheck shell=bash disable=SC1091

say() { printf '==> %s\n' "$*" >&2; }
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    printf '  hint: %s\n' "$@" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi
}

# Installs the Debian packages among the arguments that are missing.
need_packages() {
    local missing=() package log
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return 0
    command -v apt-get >/dev/null || fail "these packages are needed: ${missing[*]}" "install them with your package manager"
    say "installing ${missing[*]}"
    log=$(mktemp)
    if ! { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        fail "could not install ${missing[*]}" "see $log"
    fi
    rm -f "$log"
}

# A Rust toolchain at least as new as the workspace asks for.
need_rust() {
    local wanted have
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    have=$(cargo --version 2>/dev/null | cut -d' ' -f2)
    if [ -n "$have" ] && printf '%s\n%s\n' "$wanted" "$have" | sort -V -C; then return 0; fi
    if ! command -v rustup >/dev/null; then
        say "installing Rust by rustup (have: ${have:-none}, needed: $wanted)"
        need_packages curl
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --component clippy,rustfmt >&2 ||
            fail "could not install Rust $wanted" "install it as https://rustup.rs says, and run this again"
        . "$HOME/.cargo/env"
    else
        rustup toolchain install stable --profile minimal --component clippy,rustfmt >&2 ||
            fail "could not update Rust to $wanted" "run: rustup update stable"
    fi
}

# The clouds' own clients in Python, in a folder of their own. Without them their tests are skipped.
need_clients() {
    local folder=target/python-clients wanted=crates/cloud-emulator/tests/clients/requirements.txt log
    log=$(mktemp)
    if ! cmp -s "$wanted" "$folder/installed.txt"; then
        say "installing the clouds' clients for Python into $folder"
        if ! { rm -rf "$folder" && python3 -m venv "$folder" && "$folder/bin/pip" install -q -r "$wanted"; } >"$log" 2>&1; then
            tail -n 5 "$log" >&2
            say "skipped: tests with the clouds' own clients, because they could not be installed"
            return 0
        fi
        cp "$wanted" "$folder/installed.txt"
    fi
    rm -f "$log"
    STAGECRAFT_TEST_PYTHON=$PWD/$folder/bin/python
    export STAGECRAFT_TEST_PYTHON
}

engine_answers() { docker info >/dev/null 2>&1; }

# A Docker Engine that answers. Installs Debian's or Ubuntu's docker.io where there is none.
need_engine() {
    if engine_answers; then return 0; fi
    command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ] || need_packages docker.io
    need_packages iptables procps
    if [ -d /run/systemd/system ]; then
        say "starting Docker Engine"
        as_root systemctl start docker
    elif ! as_root docker info >/dev/null 2>&1; then
        local log=/tmp/stagecraft-dockerd.log
        # What an engine that was killed leaves behind keeps the next one from starting.
        if ! pgrep -x dockerd >/dev/null; then
            as_root rm -f /var/run/docker.pid
            pgrep -x containerd >/dev/null || as_root rm -rf /var/run/docker/containerd
        fi
        say "starting Docker Engine (log: $log)"
        as_root sh -c "PATH=\$PATH:/usr/sbin:/sbin setsid nohup dockerd >$log 2>&1 </dev/null &"
    fi
    local tries=0
    until as_root docker info >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -gt 150 ] && fail "Docker Engine did not come up within 30 s" "look at its log: journalctl -u docker, or /tmp/stagecraft-dockerd.log"
        sleep 0.2
    done
    engine_answers || fail "Docker Engine runs, but $(id -un) may not use it" "run: sudo usermod -aG docker $(id -un) && newgrp docker" "then run this again"
}
