# Shell functions that bin/demo, bin/test and bin/check share. Sourced, never run.
# Only what must happen before a Python with packages is there; the rest is hanode/lab/install.py.

umask 022 # what is made here must be readable for the agents, which run as another user
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Tests of the language that take times, all cores, or keepalived's own seconds: bin/test runs them last.
slow_conf="tests/conf/test_bounds.py tests/conf/test_neighbours.py tests/conf/test_kept.py tests/conf/test_advice.py"

# need_packages PROGRAM-OR-TEST=PACKAGE…: install the Debian packages of the programs not found.
need_packages() {
    local missing=() pair
    for pair in "$@"; do
        have "${pair%%=*}" || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "missing on this machine: ${missing[*]}; install these packages, or run $0 as root on Debian" >&2
        exit 2
    fi
    echo "· installing with apt-get: ${missing[*]}"
    apt_install "${missing[@]}"
}

apt_install() {
    local log
    log=$(mktemp)
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null >"$log" 2>&1 &&
        ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } </dev/null >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        echo "apt-get could not install $*; look above" >&2
        exit 1
    fi
    rm -f "$log"
}

have() {
    case $1 in
        venv) [ -n "$(find_python)" ] ;;
        libatomic) PATH=$PATH:/usr/sbin:/sbin ldconfig -p | grep -q libatomic.so.1 ;;
        postgres) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;;
        *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
    esac
}

# The first Python from 3.11 on that can make a virtual environment and that every user can run:
# the agents of the lab run as another user, so one in root's home will not do.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 /usr/local/bin/python3 "$(command -v python3 || true)"; do
        [ -x "$candidate" ] || continue
        "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if [ "$(id -u)" -eq 0 ]; then
            setpriv --reuid nobody --clear-groups "$candidate" -c '' 2>/dev/null || continue
        fi
        echo "$candidate"
        return 0
    done
}

# prepare web|dev: the virtual environment, its packages, the front end.
prepare() {
    need_packages venv=python3-venv
    PYTHONPATH=$root "$(find_python)" -P -m hanode.lab.install "$1"
}

python() {
    PYTHONPATH=$root "$root/.venv/bin/python" -P "$@"
}

# apart COMMAND…: become it, as process 1 of a namespace, with its own mounts and names of network
# namespaces: the kernel ends all of it when the parent ends, however that happens.
apart() {
    # shellcheck disable=SC2016 # for the inner shell
    exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL --mount-proc sh -c \
        'mkdir -p /run/netns && mount -t tmpfs netns /run/netns && exec "$@"' sh "$@"
}

# run_apart COMMAND…: run it apart where the machine lets us, with its own temporary folder.
run_apart() {
    local folder owner
    for folder in "${TMPDIR:-/tmp}"/kst.??????; do
        owner=$(cat "$folder/owner" 2>/dev/null) || continue
        if ! kill -0 "$owner" 2>/dev/null; then
            echo "· removing what a run that was killed has left: $folder" >&2
            rm -rf "$folder"
        fi
    done
    folder=$(mktemp -d "${TMPDIR:-/tmp}/kst.XXXXXX")
    chmod 711 "$folder" # PostgreSQL and the agents run as other users
    echo $$ >"$folder/owner"
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$folder'" EXIT
    trap 'kill -KILL $! 2>/dev/null; wait $!; exit 130' INT TERM HUP
    export KEEPSIGHT_TESTS_IN=$folder TMPDIR=$folder
    if (apart true) 2>/dev/null; then apart "$@" & else "$@" & fi
    wait $!
}
