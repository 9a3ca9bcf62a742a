//! Targets: what they do to a packet, and which options each takes.
//!
//! A target that changes a part of the packet that no match of the file looks at has no effect on filtering, and goes on
//! to the next rule; if a match does, it is a mistake. Targets that change addresses, hand the packet to a program or send
//! it elsewhere are mistakes, with the reason.

use super::modules::Fields;

/// What a target does with the packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    Accept,
    Drop,
    Return,
    Continue,
    /// Its sender is told, in a way that depends on an option.
    Reject,
    /// It adds to a set, or takes from it.
    ChangeSets,
    /// It prepares connection tracking.
    Track,
}

/// A target: its name, what it does, the tables that it may stand in if not all, what it changes, and its options with
/// the number of their values.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    pub(super) tables: &'static [&'static str],
    pub(super) writes: Fields,
    pub(super) options: &'static [(&'static str, usize)],
}

impl Target {
    /// How many values an option takes; nothing if it is not one of this target.
    pub(super) fn arity(&self, option: &str) -> Option<usize> {
        self.options.iter().find(|(known, _)| *known == option).map(|(_, arity)| *arity)
    }
}

const fn verdict(name: &'static str, effect: Effect) -> Target {
    Target { name, effect, tables: &[], writes: Fields::NONE, options: &[] }
}

const fn note(name: &'static str, options: &'static [(&'static str, usize)]) -> Target {
    Target { name, effect: Effect::Continue, tables: &[], writes: Fields::NONE, options }
}

const fn change(
    name: &'static str,
    tables: &'static [&'static str],
    writes: Fields,
    options: &'static [(&'static str, usize)],
) -> Target {
    Target { name, effect: Effect::Continue, tables, writes, options }
}

/// The table in which headers may be changed (`.table` of the targets in net/netfilter and net/ipv4/netfilter).
const MANGLE: &[&str] = &["mangle"];

static TARGETS: [Target; 25] = [
    verdict("ACCEPT", Effect::Accept),
    verdict("DROP", Effect::Drop),
    verdict("RETURN", Effect::Return),
    Target {
        name: "REJECT",
        effect: Effect::Reject,
        tables: &["filter"],
        writes: Fields::NONE,
        options: &[("--reject-with", 1)],
    },
    Target {
        name: "SET",
        effect: Effect::ChangeSets,
        tables: &[],
        writes: Fields::NONE,
        options: &[("--add-set", 2), ("--del-set", 2), ("--exist", 0), ("--timeout", 1)],
    },
    Target {
        name: "CT",
        effect: Effect::Track,
        tables: &["raw"],
        writes: Fields::NONE,
        options: &[("--notrack", 0), ("--helper", 1), ("--ctevents", 1), ("--timeout", 1)],
    },
    change("NOTRACK", &["raw"], Fields::STATE, &[]),
    note(
        "LOG",
        &[
            ("--log-level", 1),
            ("--log-prefix", 1),
            ("--log-tcp-sequence", 0),
            ("--log-tcp-options", 0),
            ("--log-ip-options", 0),
            ("--log-uid", 0),
            ("--log-macdecode", 0),
        ],
    ),
    note(
        "NFLOG",
        &[
            ("--nflog-group", 1),
            ("--nflog-prefix", 1),
            ("--nflog-range", 1),
            ("--nflog-size", 1),
            ("--nflog-threshold", 1),
        ],
    ),
    note(
        "ULOG",
        &[("--ulog-nlgroup", 1), ("--ulog-prefix", 1), ("--ulog-cprange", 1), ("--ulog-qthreshold", 1)],
    ),
    note("AUDIT", &[("--type", 1)]),
    note("LED", &[("--led-trigger-id", 1), ("--led-delay", 1), ("--led-always-blink", 0)]),
    note("TRACE", &[]),
    note("RATEEST", &[("--rateest-name", 1), ("--rateest-interval", 1), ("--rateest-ewmalog", 1)]),
    // The priority of a packet chooses its class in a queue; no match looks at it.
    note("CLASSIFY", &[("--set-class", 1)]),
    change("CHECKSUM", MANGLE, Fields::NONE, &[("--checksum-fill", 0)]),
    change(
        "MARK",
        &[],
        Fields::MARK,
        &[("--set-xmark", 1), ("--set-mark", 1), ("--and-mark", 1), ("--or-mark", 1), ("--xor-mark", 1)],
    ),
    change(
        "CONNMARK",
        &[],
        Fields::MARK,
        &[
            ("--set-xmark", 1),
            ("--set-mark", 1),
            ("--and-mark", 1),
            ("--or-mark", 1),
            ("--xor-mark", 1),
            ("--save-mark", 0),
            ("--restore-mark", 0),
            ("--mask", 1),
            ("--nfmask", 1),
            ("--ctmask", 1),
        ],
    ),
    change(
        "TOS",
        MANGLE,
        Fields::SERVICE,
        &[("--set-tos", 1), ("--and-tos", 1), ("--or-tos", 1), ("--xor-tos", 1)],
    ),
    change("DSCP", MANGLE, Fields::SERVICE, &[("--set-dscp", 1), ("--set-dscp-class", 1)]),
    change("ECN", MANGLE, Fields::SERVICE, &[("--ecn-tcp-remove", 0)]),
    change("TTL", MANGLE, Fields::HOPS, &[("--ttl-set", 1), ("--ttl-dec", 1), ("--ttl-inc", 1)]),
    change("HL", MANGLE, Fields::HOPS, &[("--hl-set", 1), ("--hl-dec", 1), ("--hl-inc", 1)]),
    change("TCPMSS", &[], Fields::TCP_OPTIONS, &[("--set-mss", 1), ("--clamp-mss-to-pmtu", 0)]),
    change("TCPOPTSTRIP", MANGLE, Fields::TCP_OPTIONS, &[("--strip-options", 1)]),
];

/// Targets that the model cannot say, and why.
const BEYOND: [(&str, &str); 17] = [
    ("CLUSTERIP", "it shares an address among nodes"),
    ("DNAT", TRANSLATES),
    ("DNPT", TRANSLATES),
    ("MASQUERADE", TRANSLATES),
    ("MIRROR", "it sends packets elsewhere"),
    ("NETMAP", TRANSLATES),
    ("NFQUEUE", QUEUES),
    ("QUEUE", QUEUES),
    ("REDIRECT", TRANSLATES),
    ("ROUTE", "it sends packets elsewhere"),
    ("SAME", TRANSLATES),
    ("SECMARK", "its label is judged by the policy of the kernel's security module"),
    ("SNAT", TRANSLATES),
    ("SNPT", TRANSLATES),
    ("SYNPROXY", "it answers for the destination"),
    ("TEE", "it sends copies of packets elsewhere"),
    ("TPROXY", "it sends packets elsewhere"),
];

const TRANSLATES: &str = "it changes addresses or ports";
const QUEUES: &str = "a program outside the file decides on the packets";

/// What `--reject-with` takes over IPv4 and over IPv6 (iptables-extensions(8), REJECT); some names are old ones.
const REJECTIONS: [&[&str]; 2] = [
    &[
        "icmp-net-unreachable",
        "icmp-host-unreachable",
        "icmp-port-unreachable",
        "icmp-proto-unreachable",
        "icmp-net-prohibited",
        "icmp-host-prohibited",
        "icmp-admin-prohibited",
        "net-unreach",
        "host-unreach",
        "port-unreach",
        "proto-unreach",
        "net-prohib",
        "host-prohib",
        "admin-prohib",
        "tcp-reset",
        "tcp-rst",
    ],
    &[
        "icmp6-no-route",
        "icmp6-adm-prohibited",
        "icmp6-addr-unreachable",
        "icmp6-port-unreachable",
        "icmp6-policy-fail",
        "icmp6-reject-route",
        "no-route",
        "adm-prohibited",
        "addr-unreach",
        "port-unreach",
        "policy-fail",
        "reject-route",
        "tcp-reset",
    ],
];

/// The target of a name.
///
/// # Errors
/// It is not known, or the model cannot say what it does.
pub(super) fn target(name: &str) -> Result<&'static Target, String> {
    if let Some((_, why)) = BEYOND.iter().find(|(known, _)| *known == name) {
        return Err(format!("the target `{name}` is not understood, since {why}"));
    }
    let known = TARGETS.iter().find(|target| target.name == name);
    known.ok_or_else(|| {
        format!("`{name}` is no chain of this table that stands above, nor a target that is understood")
    })
}

/// True if `--reject-with` takes a word over IPv6 or over IPv4.
pub(super) fn is_rejection(word: &str, six: bool) -> bool {
    let [four_words, six_words] = REJECTIONS;
    if six { six_words.contains(&word) } else { four_words.contains(&word) }
}
