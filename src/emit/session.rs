//! Ending the connections of what a posture cuts off: a firewall lets known connections go on, whatever rules it loads.

use super::linux::one_line;
use crate::ir::{Device, Posture};
use crate::set::{AddressRange, AddressSet, Set, union_all};

/// The longest line of free text in a comment of a script.
const MAX_COMMENT_BYTES: usize = 128;

/// The name of the script.
pub const END_SESSIONS: &str = "end-sessions.sh";

/// A script that ends the connections from and to what a posture cuts off, for targets that keep track of connections.
/// Those that stay allowed are ended too, and their next packet opens them again, where the platform takes up a connection
/// in its midst; elsewhere their hosts have to connect again.
pub fn end_sessions(device: &Device, posture: &Posture) -> Option<String> {
    let commands: fn(&AddressRange) -> Vec<String> = match device.target.as_str() {
        "nftables" | "iptables" => conntrack,
        "pfsense" => pfctl,
        _ => return None,
    };
    let cut: AddressSet = union_all(posture.cuts.iter().map(|cut| cut.addresses.clone()));
    let text = posture.cuts.iter().map(|cut| cut.text.as_str()).collect::<Vec<_>>().join(", ");
    let title = format!("{}: ends the connections of {text}, for the posture {}", device.name, posture.name);
    let mut script = format!(
        "#!/bin/sh\n# {}.\n# Run it behind the load of the files beside it. Connections that stay allowed come back by \
         themselves.\n",
        one_line(&title, MAX_COMMENT_BYTES)
    );
    for range in cut.difference(&AddressSet::v4_mapped()).ranges() {
        for command in commands(&range) {
            script.push_str(&format!("{command}\n"));
        }
    }
    Some(script)
}

/// `conntrack -D` fails where there is nothing to delete.
fn conntrack(range: &AddressRange) -> Vec<String> {
    let family = if matches!(range, AddressRange::V4(_)) { "ipv4" } else { "ipv6" };
    let both = |prefix: String| {
        ["-s", "-d"].map(|side| format!("conntrack -D -f {family} {side} {prefix} >/dev/null 2>&1 || :"))
    };
    range.prefixes().flat_map(|prefix| both(prefix.to_string())).collect()
}

/// `pfctl -k` takes the source, or with a second one the destination (pfctl(8)).
fn pfctl(range: &AddressRange) -> Vec<String> {
    let any = if matches!(range, AddressRange::V4(_)) { "0.0.0.0/0" } else { "::/0" };
    let both = |prefix: String| [format!("pfctl -k {prefix}"), format!("pfctl -k {any} -k {prefix}")];
    range.prefixes().flat_map(|prefix| both(prefix.to_string())).collect()
}
