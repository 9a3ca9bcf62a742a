#!/bin/sh
# records: made by cordon from the policy "St. Brigid General Hospital, posture isolate-pumps". Changes by hand are lost with the next build.
#
# `sh load.sh` loads rules.v4, rules.v6 and sets.ipset from beside this file. Either both families have the new rules
# afterwards, or both have those from before; where there were none, or they cannot be put back, both are closed: nothing
# is forwarded, and the firewall answers to nothing but connections that it knows. Running it twice is running it once.
#
# IPTABLES and IP6TABLES choose a variant: IPTABLES=iptables-legacy calls iptables-legacy-restore and -save.

set -eu
umask 077
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

iptables=${IPTABLES:-iptables}
ip6tables=${IP6TABLES:-ip6tables}
ipset=${IPSET:-ipset}
table=mangle
own='cordon[-/]'

say() {
    printf 'cordon: %s\n' "$*" >&2
}

die() {
    say "$@"
    exit 1
}

# --- one family: 4 or 6 ---

tool() {
    case $1 in
    4) printf '%s' "$iptables" ;;
    6) printf '%s' "$ip6tables" ;;
    esac
}

# What the table of a family holds now.
current() {
    "$(tool "$1")-save" -t "$table"
}

# Loads a file as one transaction: our chains become those of the file, the jumps to them come first in their chains,
# and what others have in the table stays.
put() {
    current "$1" >"$work/now" || return 1
    sed -n "s/^:\($own[^ ]*\) .*/\1/p" "$work/now" | sort >"$work/chains.now"
    sed -n "s/^:\($own[^ ]*\) .*/\1/p" "$2" | sort >"$work/chains.new"
    comm -23 "$work/chains.now" "$work/chains.new" >"$work/chains.stale"
    {
        sed -e '/^COMMIT$/d' -e '/^-I /d' "$2"
        sed -n -e 's/^-A \(FORWARD -j cordon-forward\)$/-D \1/p' -e 's/^-A \(INPUT -j cordon-input\)$/-D \1/p' "$work/now"
        sed -n -e '/^-I /p' "$2"
        sed -e 's/^/-F /' "$work/chains.stale"
        sed -e 's/^/-X /' "$work/chains.stale"
        echo COMMIT
    } >"$work/load"
    "$(tool "$1")-restore" --noflush -w 30 <"$work/load"
}

# Rules that let nothing in but what belongs to known connections.
write_closed() {
    cat <<'END'
*mangle
:FORWARD DROP [0:0]
:INPUT DROP [0:0]
:cordon-forward - [0:0]
:cordon-input - [0:0]
-A cordon-forward -j DROP
-A cordon-input -i lo -j ACCEPT
-A cordon-input -m conntrack --ctstate ESTABLISHED -j ACCEPT
END
    if [ "$1" = 6 ]; then
        cat <<'END'
-A cordon-input -p ipv6-icmp -m hl --hl-eq 255 -m icmp6 --icmpv6-type 133 -j ACCEPT
-A cordon-input -p ipv6-icmp -m hl --hl-eq 255 -m icmp6 --icmpv6-type 135 -j ACCEPT
-A cordon-input -p ipv6-icmp -m hl --hl-eq 255 -m icmp6 --icmpv6-type 136 -j ACCEPT
END
    fi
    cat <<'END'
-A cordon-input -j DROP
-I FORWARD 1 -j cordon-forward
-I INPUT 1 -j cordon-input
COMMIT
END
}

# True if a family has rules of ours at work.
is_loaded() {
    grep -q '^-A FORWARD -j cordon-forward$' "$1" && grep -q '^-A INPUT -j cordon-input$' "$1"
}

# Writes a file that puts back the rules of ours that a family had.
write_previous() {
    printf '*mangle\n:FORWARD DROP [0:0]\n:INPUT DROP [0:0]\n'
    sed -n -e "/^:$own/p" "$1"
    sed -n -e "/^-A $own/p" "$1"
    printf -- '-I FORWARD 1 -j cordon-forward\n-I INPUT 1 -j cordon-input\nCOMMIT\n'
}

# --- sets ---

sets_of_others_than() {
    "$ipset" list -n | sed -n -e '/^cordon[0-9]\./!d' -e "/^cordon$1\./!p"
}

# Destroys our sets of all generations but one, as far as no rule looks them up.
sweep() {
    sets_of_others_than "$1" | sed -e 's/^/destroy /' >"$work/destroy"
    if ! "$ipset" restore <"$work/destroy" 2>/dev/null; then
        sets_of_others_than "$1" | while read -r name; do
            "$ipset" destroy "$name" 2>/dev/null || :
        done
    fi
}

# The nf_tables variant lets go of sets a moment after the rules that looked them up are gone.
sweep_patiently() {
    for pause in 0 1 2; do
        sleep "$pause"
        sweep "$1"
        [ -n "$(sets_of_others_than "$1")" ] || return 0
    done
    say "sets of an older generation are still in use; the next load tries again"
}

# A generation that no set has.
free_generation() {
    "$ipset" list -n >"$work/sets"
    for number in 1 2 3 4 5 6 7 8 9; do
        if ! grep -q "^cordon$number\." "$work/sets"; then
            printf '%s' "$number"
            return
        fi
    done
    return 1
}

# --- what happens when this ends ---

work=
generation=
changed=
finished=

close_both() {
    failed=
    for family in 6 4; do
        put "$family" "$work/closed.$family" || failed="$failed IPv$family"
    done
    [ -z "$failed" ] || say "CANNOT CLOSE$failed: check it by hand, now"
}

finish() {
    status=$?
    trap '' HUP INT TERM
    set +e
    if [ -z "$finished" ]; then
        for family in $changed; do
            if ! put "$family" "$work/previous.$family"; then
                say "the rules from before cannot be put back; closing both families"
                close_both
                break
            fi
        done
        [ -z "$generation" ] || say "nothing of the new policy is in force"
    fi
    # Sets of the new generation are in use if it was loaded, and of no use if it was not.
    if [ -n "$finished" ]; then
        sweep_patiently "$finished"
    elif [ -n "$generation" ]; then
        sweep none
    fi
    [ -z "$work" ] || rm -rf "$work"
    exit "$status"
}

# --- the work ---

[ "$(id -u)" -eq 0 ] || die "only root can load a firewall"
for name in "$iptables-restore" "$iptables-save" "$ip6tables-restore" "$ip6tables-save" "$ipset" \
    cat comm cp grep mktemp sed sort; do
    command -v "$name" >/dev/null 2>&1 || die "\`$name\` is not installed"
done
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for name in rules.v4 rules.v6 sets.ipset; do
    [ -r "$here/$name" ] || die "$here/$name cannot be read"
done

# Two at a time would take each other's sets away.
if command -v flock >/dev/null 2>&1; then
    lock=${XTABLES_LOCKFILE:-/run/xtables.lock}.cordon
    exec 9>"$lock"
    flock -w 60 9 || die "somebody else is loading; $lock is held"
fi

trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d)

# Everything that can fail without harm comes first.
for family in 4 6; do
    write_closed "$family" >"$work/closed.$family"
    current "$family" >"$work/before.$family"
done
generation=$(free_generation) || {
    sweep none
    generation=$(free_generation) || die "all generations of sets are in use; remove what uses them"
}
for family in 4 6; do
    sed -E "s/ (--match-set|--add-set) cordon0\./ \1 cordon$generation./g" "$here/rules.v$family" >"$work/rules.$family"
done
sed -e "s/^create cordon0\./create cordon$generation./" -e "s/^add cordon0\./add cordon$generation./" \
    "$here/sets.ipset" >"$work/sets.new"

# Where one family has no rules of ours yet, neither may be open from here on.
if is_loaded "$work/before.4" && is_loaded "$work/before.6"; then
    for family in 4 6; do
        write_previous "$work/before.$family" >"$work/previous.$family"
    done
else
    for family in 4 6; do
        cp "$work/closed.$family" "$work/previous.$family"
    done
    close_both
    [ -z "$failed" ] || exit 1
fi

# The sets come first, beside those in use, so that each family changes over to its rules and sets in one step.
"$ipset" restore <"$work/sets.new" || die "the sets were refused"
for family in 6 4; do
    changed="$changed $family"
    put "$family" "$work/rules.$family" || {
        # A transaction that was refused has changed nothing.
        changed=${changed% "$family"}
        die "the rules of IPv$family were refused"
    }
done
finished=$generation
