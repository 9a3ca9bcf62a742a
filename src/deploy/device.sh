# What cordon does on a device, as functions; behind them stands one call of `main`. Data comes in files and in arguments of
# a closed alphabet. Each line of the answer is `cordon:KEY:VALUE`, so that what a login shell says is told apart, and the
# last one is `cordon:end:`, without which the answer is not whole.

umask 077
LC_ALL=C
# nft prints hours and dates in the time zone that it runs in.
TZ=UTC
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin
export LC_ALL TZ PATH
# A connection that ends takes nothing with it.
trap '' HUP PIPE

answer() {
    printf 'cordon:%s:%s\n' "$1" "$2"
}

answer_lines() {
    sed "s/^/cordon:$1:/"
}

# Ends with what came of it, and why.
finish() {
    answer result "$1"
    [ -z "${2-}" ] || printf '%s\n' "$2" | answer_lines said
    answer end ''
    exit 0
}

uptime_seconds() {
    read -r up _ </proc/uptime
    printf '%s' "${up%%.*}"
}

pause() {
    sleep 0.2 2>/dev/null || sleep 1
}

need() {
    for name in "$@"; do
        command -v "$name" >/dev/null 2>&1 || finish refused "\`$name\` is not installed on the device"
    done
}

need_tools() {
    [ "$(id -u)" -eq 0 ] || finish refused 'only root can read or load a firewall; log in as root, or plan with `--sudo`'
    need awk cat cmp cp find flock grep ln mktemp mv readlink rm sed setsid sleep sort sync
    case $target in
    nftables) need nft ;;
    iptables) need iptables-restore iptables-save ip6tables-restore ip6tables-save ipset comm ;;
    esac
}

# --- the state: what of cordon the device runs ---

# Writes it into a directory, as files that load it. Counters are no part of it.
save_state() {
    case $target in
    nftables)
        nft list tables >"$1/tables" || return 1
        : >"$1/running"
        if grep -qx 'table inet cordon' "$1/tables"; then
            nft -s list table inet cordon >"$1/running" || return 1
        fi
        ;;
    iptables)
        for family in 4 6; do
            save_family "$family" "$1" || return 1
        done
        ipset save >"$1/ipset" || return 1
        # Only sets of the generation that rules look up; others are what an interrupted load left.
        generations=$(sed -n 's/.* \(--match-set\|--add-set\) cordon\([0-9]\)\..*/\2/p' "$1/save.4" "$1/save.6" | sort -u)
        : >"$1/sets.ipset"
        for generation in $generations; do
            sed -n "s/^\(create\|add\) cordon$generation\./\1 cordon0./p" "$1/ipset" |
                sed '/^add /s/ packets [0-9]* bytes [0-9]*//' >>"$1/sets.ipset"
        done
        ;;
    esac
}

# One family in the form of the files that load.sh loads: our chains, the jumps to them, and the policies.
save_family() {
    [ "$1" = 4 ] && tool=iptables || tool=ip6tables
    "$tool-save" -t mangle >"$2/save.$1" || return 1
    {
        echo '*mangle'
        sed -n 's/^:\(FORWARD\|INPUT\) \([A-Z]*\) .*/:\1 \2 [0:0]/p' "$2/save.$1" | sort
        sed -n 's/^:\(cordon[-/][^ ]*\) .*/:\1 - [0:0]/p' "$2/save.$1"
        sed -n 's/ cordon[1-9]\./ cordon0./g; /^-A cordon[-/]/p' "$2/save.$1"
        sed -n 's/^-A \(FORWARD -j cordon-forward\)$/\1/p; s/^-A \(INPUT -j cordon-input\)$/\1/p' "$2/save.$1" |
            sed 's/ / 1 /; s/^/-I /'
        echo COMMIT
    } >"$2/rules.v$1"
}

# A saved state without what comes and goes by itself, in one form. Elements of sets that fill themselves are left out.
canonical() {
    case $target in
    nftables)
        awk '
            /^\t(set|map) / { held = ""; inside = 1; fills = 0; skipping = 0 }
            inside && /^\t\tflags .*(dynamic|timeout)/ { fills = 1 }
            inside && fills && /^\t\telements = \{/ { skipping = 1 }
            !skipping { print }
            skipping && /\}$/ { skipping = 0 }
            /^\t\}/ { inside = 0 }
        ' "$1/running"
        ;;
    iptables)
        # A device whose table is as the kernel makes it runs nothing of cordon.
        if ! grep -q cordon "$1/rules.v4" "$1/rules.v6" &&
            ! grep -q '^:[A-Z]* DROP' "$1/rules.v4" "$1/rules.v6"; then
            return
        fi
        for family in 4 6; do
            echo "# rules.v$family"
            cat "$1/rules.v$family"
        done
        echo '# sets.ipset'
        sed -n 's/^create \([^ ]*\) .* timeout .*/\1/p' "$1/sets.ipset" >"$1/filling"
        # Sets that fill themselves keep their first line; the order of elements is that of a hash.
        awk '
            FILENAME == ARGV[1] { fills[$1] = 1; next }
            $1 == "create" { sub(/ hashsize [0-9]+/, ""); sub(/ bucketsize [0-9]+/, ""); sub(/ initval [^ ]+/, "") }
            $1 == "create" || !($2 in fills) { print }
        ' "$1/filling" "$1/sets.ipset" | sort -r
        ;;
    esac
}

# What filters beside cordon, for people.
others() {
    case $target in
    nftables)
        sed -e '/^table inet cordon$/d' -e 's/^/nft /' "$1/tables"
        # The legacy variant of iptables does not show up in nft.
        for family in ip ip6; do
            [ ! -s "/proc/net/${family}_tables_names" ] ||
                sed "s/^/${family}tables (legacy) table /" "/proc/net/${family}_tables_names"
        done
        ;;
    iptables)
        for tool in iptables ip6tables; do
            "$tool-save" 2>/dev/null | awk -v tool="$tool" '
                /^\*/ { table = substr($0, 2) }
                /^-A / && !/^-A cordon[-\/]/ && !/ -j cordon-(forward|input)$/ { rules[table]++ }
                END { for (table in rules) print tool " table " table ": " rules[table] " rules" }
            ' | sort
        done
        command -v nft >/dev/null 2>&1 && nft list tables 2>/dev/null |
            sed -n '/^table \(ip\|ip6\) \(filter\|mangle\|nat\|raw\|security\)$/!s/^/nft /p'
        ;;
    esac
}

state() {
    need_tools
    work=$(mktemp -d) || finish refused 'no directory for temporary files can be made on the device'
    save_state "$work" || { rm -rf "$work"; finish refused 'what the device runs cannot be listed'; }
    canonical "$work" | answer_lines state
    others "$work" | answer_lines other
    if command -v conntrack >/dev/null 2>&1; then
        answer conntrack yes
        for family in ipv4 ipv6; do
            conntrack -L -f "$family" 2>/dev/null </dev/null | answer_lines session
        done
    fi
    if command -v ip >/dev/null 2>&1; then
        ip -o addr show 2>/dev/null | awk '{ sub(/\/.*/, "", $4); print $4 }' | answer_lines own
    fi
    if grep -qrsF "$base/boot.sh" /etc/systemd/system /etc/nftables.conf /etc/rc.local /etc/network /etc/init.d \
        /etc/local.d /etc/conf.d /lib/systemd/system; then
        answer boot yes
    fi
    rm -rf "$work"
    finish state
}

# --- loading, and going back ---

load() {
    case $target in
    nftables) nft -f "$work/new/ruleset.nft" ;;
    iptables) sh "$work/new/load.sh" ;;
    esac
}

# Writes what goes back to the saved state, and tries it as far as it can be tried without loading it.
prepare_return() {
    case $target in
    nftables)
        printf 'add table inet cordon\ndelete table inet cordon\n' >"$work/old/head"
        # As it was, what has filled itself included; or without that, where nft does not take it back.
        cat "$work/old/head" "$work/old/running" >"$work/old/restore.nft" || return 1
        nft -c -f "$work/old/restore.nft" 2>/dev/null && return
        cat "$work/old/head" "$work/old/state" >"$work/old/restore.nft" || return 1
        nft -c -f "$work/old/restore.nft"
        ;;
    iptables)
        # The old rules may have names of generations where the new ones have none.
        sed 's/(--match-set|--add-set)/(--match-set|--add-set|--name)/' "$work/new/load.sh" >"$work/old/load.sh"
        ;;
    esac
}

put_back() {
    case $target in
    nftables) nft -f "$work/old/restore.nft" ;;
    iptables) sh "$work/old/load.sh" ;;
    esac
}

# Makes the link that says how it ends. The first one to make it decides: a link is made with its content, or not at all.
decide() {
    ln -s "$1" "$work/decision" 2>/dev/null
}

decision() {
    readlink "$work/decision" 2>/dev/null
}

# Goes back, once, whoever asks for it.
restore() {
    (
        flock 6 || exit 1
        [ ! -e "$work/restored" ] || exit 0
        put_back && : >"$work/restored"
    ) 6>"$work/restore.lock"
}

# The dead man's timer. It holds the lock of the device until somebody has decided. Two of them run, so that one of them
# may be killed.
watch() {
    work=$base/$1
    seconds=$2
    started=$(uptime_seconds)
    loaded_at=
    : >"$work/watching.$3"
    decided=
    while [ -z "$decided" ]; do
        now=$(uptime_seconds)
        if [ -e "$work/loaded" ]; then
            [ -n "$loaded_at" ] || loaded_at=$now
            [ $((now - loaded_at)) -lt "$seconds" ] || decide restore
        elif flock -n "$work/alive" true; then
            # Who was to load is gone.
            [ -e "$work/loaded" ] || decide restore
        elif [ $((now - started)) -ge $((seconds + 120)) ]; then
            decide restore
        fi
        decided=$(decision)
        [ -n "$decided" ] || pause
    done
    [ "$decided" = restore ] || exit 0
    tries=0
    until restore; do
        tries=$((tries + 1))
        if [ "$tries" -ge 150 ]; then
            : >"$work/failed"
            command -v logger >/dev/null 2>&1 && logger -p user.crit "cordon: the old rules cannot be put back; see $work"
            exit 1
        fi
        sleep 2
    done
}

start_watching() {
    for number in 1 2; do
        # The lock of who loads is not theirs; that of the device is.
        setsid sh "$work/device.sh" watch "$target" "$base" "${work##*/}" "$seconds" "$number" end \
            </dev/null >"$work/watch.$number.log" 2>&1 8>&- &
    done
    tries=0
    until [ -e "$work/watching.1" ] && [ -e "$work/watching.2" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 50 ] || return 1
        pause
    done
}

is_private() {
    [ -n "$(find "$base" -prune -type d -user 0 ! -perm -020 ! -perm -002)" ]
}

# Copies of the state from before older applies, without the one that is loaded at boot.
forget_old() {
    for old in $(ls -1t "$base" | grep '^apply\.' | tail -n +11); do
        grep -qsF "$base/$old/" "$base/boot.sh" || rm -rf "${base:?}/$old"
    done
}

# Gives up before anything was loaded.
give_up() {
    decide refused
    finish "$1" "$2"
}

is_state_expected() {
    save_state "$1" && canonical "$1" >"$1/state" && cmp -s "$1/state" "$work/expected"
}

apply() {
    name_of_apply=$1
    seconds=$2
    need_tools
    mkdir -p "$base" || finish refused "$base cannot be made on the device"
    is_private || finish refused "$base does not belong to root alone, so others could change what is loaded"
    exec 7>"$base/lock"
    flock -w 10 7 || finish busy 'another apply has not been decided yet: confirm it, roll it back, or wait until it goes back'
    forget_old
    work=$(mktemp -d "$base/apply.XXXXXX") || finish refused "no directory can be made below $base on the device"
    unpack "$work" || finish refused "the files cannot be written below $base on the device"
    is_state_expected "$work/old" || give_up moved 'the device does not run what the plan was made for'
    said=$(prepare_return 2>&1) || give_up refused "what the device runs could not be put back, so nothing was loaded: $said"
    if [ "$target" = nftables ]; then
        said=$(nft -c -f "$work/new/ruleset.nft" 2>&1) || give_up refused "the device refuses the new rules: $said"
    fi
    printf '%s\n' "$name_of_apply" >"$work/plan"
    printf '%s\n' "${work##*/}" >"$base/pending.new" && mv "$base/pending.new" "$base/pending" ||
        give_up refused "nothing can be written below $base on the device"
    sync
    exec 8>"$work/alive"
    flock 8 || give_up refused "$work/alive cannot be locked on the device"
    start_watching || give_up refused 'the timer on the device did not start, so nothing was loaded'
    mkdir "$work/again"
    is_state_expected "$work/again" || give_up moved 'what the device runs has changed while the apply began'
    if ! said=$(load 2>&1); then
        decide restore
        restore || finish stuck "the device refuses the new rules, and the old ones could not be put back yet: $said"
        finish refused "the device refuses the new rules, and has the old ones: $said"
    fi
    : >"$work/loaded"
    finish loaded
}

# --- deciding ---

# Finds the last apply, if it is the one whose name begins so: that of a plan, or of one apply of it.
find_pending() {
    need_tools
    [ -e "$base/pending" ] || finish none 'the device knows of no apply'
    read -r name <"$base/pending"
    work=$base/$name
    [ -d "$work" ] || finish none 'the device knows of no apply'
    read -r found <"$work/plan"
    case $found in
    "$1"*) ;;
    *) finish other 'the last apply on the device was one of another plan' ;;
    esac
}

tell_decision() {
    case $(decision) in
    confirmed) finish confirmed ;;
    refused) finish refused ;;
    restore) [ -e "$work/restored" ] && finish restored || finish restoring ;;
    *) [ -e "$work/loaded" ] && finish loaded || finish loading ;;
    esac
}

# What a boot loads. It closes what cannot be loaded.
write_boot() {
    {
        printf '#!/bin/sh\n# cordon: loads what was confirmed last. Run it at boot, before interfaces come up.\n'
        case $target in
        nftables)
            printf "PATH=\$PATH:/usr/sbin:/sbin\nnft -f '%s/new/ruleset.nft' && exit 0\n" "$work"
            printf 'echo "cordon: the rules were refused; everything is closed" >&2\nnft -f - <<END\n'
            # Printed by the shell itself, so that there is no process whose end would leave a part of it out.
            printf '%s\n' \
                'add table inet cordon' \
                'delete table inet cordon' \
                'table inet cordon {' \
                '    chain forward {' \
                '        type filter hook forward priority filter; policy drop;' \
                '    }' \
                '    chain input {' \
                '        type filter hook input priority filter; policy drop;' \
                '        iifname "lo" accept' \
                '        ct state established accept' \
                '        ip6 hoplimit 255 icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept' \
                '    }' \
                '}'
            printf 'END\nexit 1\n'
            ;;
        iptables) printf "exec sh '%s/new/load.sh'\n" "$work" ;;
        esac
    } >"$base/boot.new"
}

confirm() {
    find_pending "$1"
    [ -e "$work/loaded" ] || tell_decision
    if [ "$(decision)" != confirmed ]; then
        write_boot && sync || finish refused "what a boot is to load cannot be written below $base, so nothing is confirmed"
        decide confirmed
    fi
    [ "$(decision)" = confirmed ] || tell_decision
    if [ -e "$base/boot.new" ]; then
        mv "$base/boot.new" "$base/boot.sh" ||
            finish confirmed "but $base/boot.sh could not be written: a boot loads what it loaded before"
        sync
    fi
    finish confirmed
}

rollback() {
    find_pending "$1"
    [ -e "$work/loaded" ] || [ -n "$(decision)" ] || tell_decision
    decide restore
    [ "$(decision)" = restore ] || tell_decision
    restore || finish stuck 'the old rules could not be put back yet; the device goes on trying'
    finish restored
}

status() {
    find_pending "$1"
    tell_decision
}

# Ends sessions, one a line: family, protocol, source, destination, and the two ports or nothing.
cut() {
    find_pending "$1"
    [ "$(decision)" = confirmed ] || tell_decision
    need conntrack
    sessions | {
        number=0
        while read -r family protocol source destination source_port destination_port; do
            set -- -D -f "$family" -p "$protocol" -s "$source" -d "$destination"
            [ -z "$destination_port" ] || set -- "$@" --sport "$source_port" --dport "$destination_port"
            conntrack "$@" >/dev/null 2>&1 </dev/null && number=$((number + 1))
        done
        answer number "$number"
    }
    finish cut
}

main() {
    # A call that was cut off on its way has no `end`.
    for last in "$@"; do :; done
    [ "${last-}" = end ] || exit 1
    command=$1
    target=$2
    base=$3
    shift 3
    case $command in
    state | apply | watch | confirm | rollback | status | cut) "$command" "$@" ;;
    esac
}
