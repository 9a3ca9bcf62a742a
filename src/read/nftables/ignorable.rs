//! What a ruleset may hold without any effect on which packets pass, and why. Whatever is neither understood nor listed
//! here is a mistake.

/// Commands that change nothing, by their first word.
pub(super) const COMMANDS: [(&str, &str); 2] = [
    ("describe", "it prints what a type is (nft(8), additional commands)"),
    ("list", "it prints what is loaded (nft(8), listing)"),
];

/// Statements of a table, a chain, a set or a map that only describe it or tune how it is stored, by their first word.
pub(super) const ATTRIBUTES: [(&str, &str); 5] = [
    ("auto-merge", "neighbours are stored as one element, and hold the same values (nft(8), sets)"),
    ("comment", "a text for people"),
    ("gc-interval", "when the memory of elements that have timed out is freed (nft(8), sets)"),
    ("policy", "whether a set is stored for speed or for memory; of a set, not of a chain (nft(8), sets)"),
    ("size", "how many elements there may be; more are refused when they are loaded (nft(8), sets)"),
];

/// Blocks that have an effect only where a rule names them, which is looked at there.
pub(super) const BLOCKS: [(&str, &str); 6] = [
    ("ct expectation", "assigned by `ct expectation set`"),
    ("ct helper", "assigned by `ct helper set`"),
    ("ct timeout", "assigned by `ct timeout set`"),
    ("flowtable", "used by `flow add`"),
    ("secmark", "assigned by `meta secmark set`"),
    ("synproxy", "used by `synproxy name`"),
];

/// Objects of a line or a few that have an effect only where a rule names them.
pub(super) const OBJECTS: [(&str, &str); 3] =
    [("counter", "it counts"), ("limit", "asked by `limit name`"), ("quota", "asked by `quota name`")];

/// Families whose tables see no IP packet.
pub(super) const FAMILIES: [(&str, &str); 1] =
    [("arp", "it sees ARP packets only (nft(8), address families)")];

/// Changes to packets, or to what the kernel keeps with them, that no field of the model shows. They are mistakes where
/// a rule of the text reads what they write, and in chains of the type `route`, behind which a packet may be routed anew.
pub(super) const CHANGES: [(&[&str], &str); 6] = [
    (
        &["meta", "mark"],
        "read by `meta mark` only; routes may depend on it, which lead the packet before the filters",
    ),
    (&["meta", "priority"], "the class of a queue"),
    (&["meta", "nftrace"], "whether the packet is traced (nft(8), meta expressions)"),
    (&["ct", "mark"], "read by `ct mark` only"),
    (&["ip", "dscp"], "read by `ip dscp` only"),
    (&["ip6", "dscp"], "read by `ip6 dscp` only"),
];

/// True if a list holds a word.
pub(super) fn lists(known: &[(&str, &str)], word: &str) -> bool {
    known.iter().any(|(listed, _)| *listed == word)
}
