# Shared by ./test: moto, an imitation of AWS in Python, in a folder of its own. Without it its tests are skipped.
# shellcheck shell=bash

need_moto() {
    local folder=target/moto wanted=crates/clouds/tests/aws/requirements.txt log
    log=$(mktemp)
    if ! cmp -s "$wanted" "$folder/installed.txt"; then
        say "installing moto into $folder"
        if ! { rm -rf "$folder" && python3 -m venv "$folder" && "$folder/bin/pip" install -q -r "$wanted"; } >"$log" 2>&1; then
            tail -n 5 "$log" >&2
            say "skipped: tests against moto, because it could not be installed"
            return 0
        fi
        cp "$wanted" "$folder/installed.txt"
    fi
    rm -f "$log"
    STAGECRAFT_TEST_MOTO=$PWD/$folder/bin/python
    export STAGECRAFT_TEST_MOTO
}
