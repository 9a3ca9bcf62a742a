//! What nftables and iptables log: `IN=... OUT=... SRC=... DST=... PROTO=...` behind the prefix that cordon gives.
//!
//! The kernel writes it (`nf_log_ip_packet`, net/netfilter/nf_log_syslog.c), and ulogd in the same form for what comes by
//! NFLOG (`ulogd_filter_PRINTPKT.c`). The prefix is `cordon deny NAME: `, `cordon allow NAME: ` or `cordon guard NAME: `,
//! and has `(default)`, `(spoofed)` and the like where no statement decided.

use std::borrow::Cow;

use super::header::header;
use super::{Because, Did, Entry, Line, Seen};
use crate::set::{ICMP, ICMPV6, protocol_number};

/// How prefixes begin.
const MARK: &str = "cordon ";

/// A prefix of cordon's.
pub(super) fn prefix(text: &str) -> Option<(Did, Because<'_>)> {
    let (word, rest) = text.strip_prefix(MARK)?.split_once(' ')?;
    let name = rest.trim_end().strip_suffix(':')?;
    let did = match word {
        "deny" => Did::Denied,
        "allow" => Did::Accepted,
        "guard" => Did::Guarded,
        _ => return None,
    };
    let because = match name.strip_prefix('(').and_then(|name| name.strip_suffix(')')) {
        Some("default") => Because::Default,
        Some("spoofed") => Because::Other(Cow::Borrowed("the source does not belong there")),
        Some("invalid") => Because::Other(Cow::Borrowed("it fits no connection and opens none")),
        Some("quarantined" | "away") => {
            Because::Other(Cow::Borrowed("a guard put its source into quarantine"))
        }
        Some("isolated") => Because::Other(Cow::Borrowed("a guard isolated what it belongs to")),
        Some(_) => return None,
        None => Because::Named(Cow::Borrowed(name)),
    };
    Some((did, because))
}

/// Reads a line.
pub(super) fn read(line: &str) -> Line<'_> {
    let Some(at) = line.find("IN=") else { return Line::Foreign };
    let (before, fields) = line.split_at(at);
    let Some(start) = before.rfind(MARK) else { return Line::Others };
    let (top, said) = before.split_at(start);
    let Some((did, because)) = prefix(said) else { return Line::Unreadable };
    let (time, host) = header(top);
    let Some((seen, is_for_device)) = fields_of(fields) else { return Line::Unreadable };
    let (time, host) = (Cow::Borrowed(time), host.map(Cow::Borrowed));
    Line::Entry(Entry { time, host, did, because, is_for_device, seen, packets: 1 })
}

/// The packet, and whether it is for the device itself: such a packet leaves by no interface.
pub(super) fn fields_of(text: &str) -> Option<(Seen, bool)> {
    // What an ICMP error quotes stands in brackets behind its own fields.
    let own = text.split(" [").next().unwrap_or(text);
    let (mut source, mut destination, mut protocol, mut leaves) = (None, None, None, None);
    let (mut ports, mut message) = ((None, None), (None, None));
    let (mut is_later, mut opens, mut answers) = (false, false, false);
    for word in own.split_ascii_whitespace() {
        match word.split_once('=') {
            Some(("OUT", name)) => leaves = Some(name),
            Some(("SRC", address)) => source = address.parse().ok(),
            Some(("DST", address)) => destination = address.parse().ok(),
            Some(("PROTO", name)) => protocol = number(name),
            Some(("SPT", port)) => ports.0 = port.parse().ok(),
            Some(("DPT", port)) => ports.1 = port.parse().ok(),
            Some(("TYPE", kind)) if message.0.is_none() => message.0 = kind.parse().ok(),
            Some(("CODE", code)) if message.1.is_none() => message.1 = code.parse().ok(),
            Some(_) => {}
            None if word == "SYN" => opens = true,
            None if matches!(word, "ACK" | "RST" | "FIN") => answers = true,
            // `FRAG:185` of IPv4 and IPv6; the first of all fragments has none in front of its ports.
            None if word.starts_with("FRAG:") && word != "FRAG:0" => is_later = true,
            None => {}
        }
    }
    let (source, destination, protocol) = (source?, destination?, protocol?);
    let ports = if matches!(protocol, ICMP | ICMPV6) { message } else { ports };
    let ports = ports.0.zip(ports.1).filter(|_| !is_later);
    let is_answer = answers && (!opens || own.contains(" ACK "));
    Some((Seen { source, destination, protocol, ports, is_answer }, leaves.is_none_or(str::is_empty)))
}

/// A protocol by the name or number that the kernel writes.
fn number(name: &str) -> Option<u8> {
    let known = match name {
        "ICMPv6" => Some(ICMPV6),
        "UDPLITE" => Some(136),
        other => protocol_number(&other.to_ascii_lowercase()),
    };
    known.or_else(|| name.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::entry;
    use super::*;

    const TCP: &str = "Nov 28 07:35:03 core kernel: [12.5] cordon deny no-smb: IN=vlan1 OUT=vlan2 MAC=aa:bb SRC=10.1.0.1 \
        DST=10.2.0.1 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1 DF PROTO=TCP SPT=40000 DPT=445 WINDOW=64240 RES=0x00 SYN URGP=0 ";

    #[test]
    fn a_line_says_who_and_why() {
        let entry = entry(TCP);
        assert_eq!((entry.time.as_ref(), entry.host.as_deref()), ("Nov 28 07:35:03", Some("core")));
        assert_eq!((entry.did, entry.because.clone()), (Did::Denied, Because::Named("no-smb".into())));
        assert_eq!(
            (entry.seen.ports, entry.seen.protocol, entry.seen.is_answer),
            (Some((40000, 445)), 6, false)
        );
        assert!(!entry.is_for_device);
    }

    #[test]
    fn an_error_is_its_own_message_and_not_what_it_quotes() {
        let line = "[1.0] cordon deny (default): IN=a OUT= SRC=2001:0db8:0000:0000:0000:0000:0000:0001 DST=2001:db8::2 LEN=9 \
                    TC=0 HOPLIMIT=1 FLOWLBL=0 PROTO=ICMPv6 TYPE=1 CODE=4 [SRC=2001:db8::2 DST=2001:db8::1 PROTO=UDP SPT=1 \
                    DPT=2 LEN=8 ]";
        let entry = entry(line);
        assert_eq!((entry.seen.protocol, entry.seen.ports), (ICMPV6, Some((1, 4))));
        assert!(entry.is_for_device && entry.because == Because::Default);
        assert_eq!(entry.seen.source.to_string(), "2001:db8::1");
    }

    #[test]
    fn a_later_fragment_shows_no_ports_and_flags_tell_answers() {
        let fragment = TCP.replace(" DF PROTO=TCP", " FRAG:185 PROTO=TCP");
        assert_eq!(entry(&fragment).seen.ports, None);
        assert!(entry(&TCP.replace(" SYN URGP", " ACK URGP")).seen.is_answer);
        assert!(entry(&TCP.replace(" SYN URGP", " ACK SYN URGP")).seen.is_answer);
    }

    #[test]
    fn what_others_log_is_told_apart_from_what_cannot_be_read() {
        assert_eq!(read(&TCP.replace("cordon deny no-smb: ", "UFW BLOCK ")), Line::Others);
        for (from, to) in [
            ("SRC=10.1.0.1", "SRC=10.1.0.x"),
            ("PROTO=TCP", "PROTO=?"),
            ("deny", "refuse"),
            (" DST=10.2.0.1", ""),
        ] {
            assert_eq!(read(&TCP.replace(from, to)), Line::Unreadable, "{to}");
        }
        assert_eq!(super::super::read("Nov 28 07:35:03 core sshd[1]: hello"), Line::Foreign);
    }
}
