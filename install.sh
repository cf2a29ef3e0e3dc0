#!/bin/sh
# Installs edge-agent as a service on Debian 12 or later, or Raspberry Pi OS; run it again to upgrade.
#
#   sudo ./install.sh                     with a network
#   sudo ./install.sh --wheels FOLDER     without one; `make wheels` fills the folder
#   sudo ./install.sh --restrict          the service reaches only what its configuration names
#   sudo ./install.sh --uninstall         configuration and buffer stay; --purge removes them too
#
# Every version has an environment of its own in /opt/edge-agent/versions; /opt/edge-agent/bin points into the one in
# use. The one before is kept, and taken up again if the service does not become ready with the new one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
home=/opt/edge-agent
configuration=/etc/edge-agent/config.yaml
unit=/etc/systemd/system/edge-agent.service
rules=/etc/udev/rules.d/99-edge-agent.rules
drop_ins=/etc/systemd/system/edge-agent.service.d
python=python3 wheels='' action=install purge=no packaged=no restrict=no

say() { echo "install.sh: $*"; }
fail() {
    echo "install.sh: $*" >&2
    exit 1
}

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }

while [ $# -gt 0 ]; do
    case $1 in
        --wheels) [ $# -ge 2 ] || fail "--wheels needs a folder"; wheels=$(cd "$2" && pwd); shift ;;
        --python) [ $# -ge 2 ] || fail "--python needs a command"; python=$2; shift ;;
        --restrict) restrict=yes ;;
        --uninstall) action=uninstall ;;
        --purge) purge=yes ;;
        --packaged) packaged=yes ;; # called by the Debian package, which owns unit and rules itself
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || fail "this needs root: sudo $0"
[ "$purge" = no ] || [ "$action" = uninstall ] || fail "--purge belongs to --uninstall"

# --- the machine

is_booted_with_systemd() { [ -d /run/systemd/system ]; }
service_is() { is_booted_with_systemd && systemctl --quiet "$1" edge-agent.service; }
reload_units() { ! is_booted_with_systemd || systemctl daemon-reload; }
reload_rules() {
    if command -v udevadm >/dev/null && [ -S /run/udev/control ]; then
        udevadm control --reload && udevadm trigger --subsystem-match=tty --subsystem-match=usb-serial
    fi
}

# Replace a link in one step, so that there is no moment without it.
point() { ln -sfn "$2" "$1.new" && mv -fT "$1.new" "$1"; }

# --- an environment

need_python() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        fail "Python 3.11 or later is needed; install python3, or name one: --python COMMAND"
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    [ -z "$wheels" ] || fail "Python's venv module is missing; install the package $package first"
    "$here/tools/apt-install" "Python's venv module is missing" "$package"
}

# Usage: install_into ENVIRONMENT
install_into() {
    "$python" -m venv "$1"
    set -- "$1" "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-cache-dir
    environment=$1
    shift
    [ -z "$wheels" ] || set -- "$@" --no-index --find-links "$wheels"
    "$@" --require-hashes --requirement "$here/requirements/gateway.lock"
    if [ -n "$wheels" ]; then
        "$@" --no-deps --no-index edge-agent
    else
        builder=$(mktemp -d)
        "$python" -m venv "$builder/environment"
        "$builder/environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
            --require-hashes --requirement "$here/requirements/build.lock"
        "$builder/environment/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps \
            --no-build-isolation --wheel-dir "$builder/wheels" "$here"
        "$@" --no-deps "$builder"/wheels/edge_agent-*.whl
        rm -rf "$builder"
    fi
    rm -f "$environment"/bin/ua* # the OPC UA library's tools, some of which write to machines
    "$environment/bin/python" -m compileall -qq "$environment/lib" || true # only for a quicker start
}

# A name that sorts by time and says which version it is.
make_environment() {
    mkdir -p "$home/versions"
    new=$home/versions/$(date +%Y%m%d-%H%M%S)-$$
    # shellcheck disable=SC2064 # this very folder
    trap "rm -rf '$new'" EXIT
    install_into "$new"
    version=$("$new/bin/edge-agent" --version)
    say "$version stands in $new"
    trap - EXIT
}

# --- upgrade

current() { if [ -L "$home/bin" ]; then dirname "$(readlink "$home/bin")"; fi; }

# What the old version accepts, the new one has to accept as well.
check_configuration() {
    [ -f "$configuration" ] && [ -n "$old" ] || return 0
    "$old/bin/edge-agent" check -c "$configuration" >/dev/null 2>&1 || return 0
    "$new/bin/edge-agent" check -c "$configuration" >&2 && return
    rm -rf "$new"
    fail "the new version does not accept $configuration (above); the old one goes on"
}

becomes_ready() {
    systemctl restart edge-agent.service || return 1
    # `restart` waits until the agent says that it is ready; one that falls over right afterwards is not.
    started=$(systemctl show -p NRestarts --value edge-agent.service)
    sleep 3
    service_is is-active && [ "$(systemctl show -p NRestarts --value edge-agent.service)" = "$started" ]
}

roll_back() {
    journalctl --unit=edge-agent --lines=10 --no-pager --output=cat >&2 2>/dev/null || true
    [ -n "$old" ] || fail "the service does not become ready; see: journalctl -u edge-agent"
    point "$home/bin" "$old/bin"
    [ ! -f "$home/edge-agent.service.before" ] || cp "$home/edge-agent.service.before" "$unit"
    reload_units
    rm -rf "$new"
    becomes_ready || fail "the service becomes ready neither with $version (above) nor with the version before, which is back"
    fail "the service does not become ready with $version (above); the version before runs again"
}

# Keep the version in use and the one before.
remove_older() {
    for folder in "$home"/versions/*; do
        [ "$folder" = "$new" ] || [ "$folder" = "$old" ] || rm -rf "$folder"
    done
}

# --- files

place_files() {
    install -d -m 755 /etc/edge-agent /usr/local/bin
    install -d -m 700 /etc/credstore
    install -m 644 "$here/config/edge-agent.yaml" /etc/edge-agent/config.example.yaml
    point /usr/local/bin/edge-agent "$home/bin/edge-agent"
    [ "$packaged" = no ] || return 0
    [ ! -f "$unit" ] || cp "$unit" "$home/edge-agent.service.before"
    install -D -m 644 "$here/systemd/edge-agent.service" "$unit"
    install -D -m 644 "$here/systemd/99-edge-agent.rules" "$rules"
}

# Only systemd-timesyncd leaves word of a right clock where everybody can read it; with another time service the kernel has
# to be asked, which the unit forbids.
place_clock() {
    if [ -x /usr/sbin/chronyd ] || [ -x /usr/sbin/ntpd ]; then
        install -D -m 644 "$here/systemd/clock.conf" "$drop_ins/clock.conf"
    else
        rm -f "$drop_ins/clock.conf"
    fi
}

# A filter that misses the broker or a machine would cut it off, so it is put into place only when complete.
place_filter() {
    [ "$restrict" = yes ] || return 0
    if ! "$new/bin/edge-agent" restrict -c "$configuration" >"$home/site.conf"; then
        grep -B 1 '^# MISSING' "$home/site.conf" >&2 || true
        fail "--restrict needs a configuration whose every name can be resolved (above); nothing is filtered, the rest is installed"
    fi
    install -D -m 644 "$home/site.conf" "$drop_ins/site.conf"
    reload_units
    ! service_is is-active || systemctl restart edge-agent.service
    say "the service reaches only what stands in $drop_ins/site.conf"
}

do_install() {
    need_python
    old=$(current)
    make_environment
    check_configuration
    place_files
    place_clock
    point "$home/bin" "$new/bin"
    reload_units
    reload_rules
    if ! is_booted_with_systemd; then
        say "systemd does not run here, so nothing is started"
    elif [ ! -f "$configuration" ]; then
        systemctl --quiet enable edge-agent.service
        say "next: edge-agent setup   (or write $configuration by hand: /etc/edge-agent/config.example.yaml)"
        say "then: systemctl start edge-agent"
    else
        systemctl --quiet enable edge-agent.service
        becomes_ready || roll_back
        say "the service is ready"
    fi
    remove_older
    place_filter
    say "installed: $version"
}

do_uninstall() {
    if is_booted_with_systemd; then
        systemctl --quiet disable --now edge-agent.service 2>/dev/null || true
    fi
    rm -f /usr/local/bin/edge-agent /etc/edge-agent/config.example.yaml
    [ "$packaged" = yes ] || rm -f "$unit" "$rules"
    rm -rf "$home"
    rm -f "$drop_ins/clock.conf"
    reload_units
    if [ "$purge" = yes ]; then
        rm -rf "$drop_ins" /etc/edge-agent /var/lib/edge-agent /var/lib/private/edge-agent /etc/credstore/edge-agent.*
        say "removed, with configuration, secrets and buffer"
    else
        say "removed; kept: /etc/edge-agent, /etc/credstore/edge-agent.*, /var/lib/edge-agent (--purge removes them)"
    fi
}

"do_$action"
