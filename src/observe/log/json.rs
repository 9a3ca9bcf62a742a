//! Log lines in JSON: what `journalctl -o json` prints (systemd.journal-fields(7)), and what ulogd writes of NFLOG
//! (`ulogd_output_JSON.c`; its keys are those of ulogd, `src_ip` and the like by the names of the Common Information Model).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Because, Entry, Line, Seen, netfilter};
use crate::set::{ICMP, ICMPV6};

/// Reads a line.
pub(super) fn read(line: &str) -> Line<'_> {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(line) else {
        let is_one = line.contains("SRC=") || line.contains("\"src_ip\"");
        return if is_one { Line::Unreadable } else { Line::Foreign };
    };
    if let Some(message) = word(&object, "MESSAGE") {
        return of_journal(&object, message);
    }
    if object.contains_key("src_ip") {
        return of_ulogd(&object);
    }
    Line::Foreign
}

fn word<'o>(object: &'o Map<String, Value>, key: &str) -> Option<&'o str> {
    object.get(key)?.as_str()
}

/// A message of the journal is a line without its header, which stands in fields of its own.
fn of_journal<'l>(object: &Map<String, Value>, message: &str) -> Line<'l> {
    let time = word(object, "__REALTIME_TIMESTAMP").or_else(|| word(object, "_SOURCE_REALTIME_TIMESTAMP"));
    let time = time.map(moment).unwrap_or_default();
    let host = word(object, "_HOSTNAME").map(|host| Cow::Owned(host.to_owned()));
    match super::read_text(message) {
        Line::Entry(entry) => Line::Entry(Entry { time: Cow::Owned(time), host, ..entry.into_owned() }),
        Line::Foreign => Line::Foreign,
        Line::Others => Line::Others,
        Line::Lost(packets) => Line::Lost(packets),
        Line::Unreadable => Line::Unreadable,
    }
}

/// Microseconds since 1970 as a time that people read.
fn moment(microseconds: &str) -> String {
    let number: Option<i64> = microseconds.parse().ok();
    let moment = number.and_then(|number| jiff::Timestamp::from_microsecond(number).ok());
    moment.map_or_else(|| microseconds.to_owned(), |moment| moment.to_string())
}

/// A packet as ulogd describes it.
fn of_ulogd<'l>(object: &Map<String, Value>) -> Line<'l> {
    let Some(prefix) = word(object, "oob.prefix").filter(|prefix| prefix.contains("cordon ")) else {
        return Line::Others;
    };
    let Some((did, because)) = netfilter::prefix(prefix.trim_start()) else { return Line::Unreadable };
    let Some(seen) = seen(object) else { return Line::Unreadable };
    let leaves = word(object, "oob.out").unwrap_or_default();
    let time = word(object, "timestamp").unwrap_or_default().to_owned();
    // What ulogd calls the device is the same for all that it writes, unless somebody has set it.
    let host =
        word(object, "dvc").filter(|host| *host != "Netfilter").map(|host| Cow::Owned(host.to_owned()));
    let entry = Entry {
        time: Cow::Owned(time),
        host,
        did,
        because,
        is_for_device: leaves.is_empty(),
        seen,
        packets: 1,
    };
    Line::Entry(entry.into_owned())
}

fn seen(object: &Map<String, Value>) -> Option<Seen> {
    let number = |key: &str| -> Option<u16> { u16::try_from(object.get(key)?.as_u64()?).ok() };
    let address = |key: &str| word(object, key)?.parse().ok();
    let protocol = number("ip.protocol").or_else(|| number("ip6.nexthdr"))?;
    let protocol = u8::try_from(protocol).ok()?;
    let pair = |one: &str, other: &str| number(one).zip(number(other));
    let ports = match protocol {
        ICMP => pair("icmp.type", "icmp.code"),
        ICMPV6 => pair("icmpv6.type", "icmpv6.code"),
        _ => pair("src_port", "dest_port"),
    };
    let has = |flag: &str| {
        object.get(flag).is_some_and(|value| value.as_u64() == Some(1) || value.as_bool() == Some(true))
    };
    let is_answer = ["tcp.ack", "tcp.rst", "tcp.fin"].into_iter().any(has);
    Some(Seen { source: address("src_ip")?, destination: address("dest_ip")?, protocol, ports, is_answer })
}

impl Entry<'_> {
    /// The same, independent of its line.
    fn into_owned<'l>(self) -> Entry<'l> {
        let because = match self.because {
            Because::Default => Because::Default,
            Because::Named(name) => Because::Named(Cow::Owned(name.into_owned())),
            Because::Other(what) => Because::Other(Cow::Owned(what.into_owned())),
            Because::Tracker(tracker) => Because::Tracker(Cow::Owned(tracker.into_owned())),
            Because::List(list) => Because::List(Cow::Owned(list.into_owned())),
        };
        let Entry { did, is_for_device, seen, packets, .. } = self;
        let (time, host) =
            (Cow::Owned(self.time.into_owned()), self.host.map(|host| Cow::Owned(host.into_owned())));
        Entry { time, host, did, because, is_for_device, seen, packets }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Did, entry};
    use super::*;

    #[test]
    fn a_message_of_the_journal_is_read_as_a_line() {
        let line = r#"{"__REALTIME_TIMESTAMP":"1795851303000000","_HOSTNAME":"core","MESSAGE":"cordon allow data: IN=a OUT=b SRC=10.0.0.1 DST=10.0.0.2 PROTO=UDP SPT=1 DPT=2 LEN=8"}"#;
        let entry = entry(line);
        assert_eq!((entry.time.as_ref(), entry.host.as_deref()), ("2026-11-28T07:35:03Z", Some("core")));
        assert_eq!((entry.did, entry.seen.ports), (Did::Accepted, Some((1, 2))));
        assert_eq!(read(r#"{"MESSAGE":"hello"}"#), Line::Foreign);
        assert_eq!(read(r#"{"MESSAGE":[1,2]}"#), Line::Foreign);
    }

    #[test]
    fn ulogd_names_the_fields_itself() {
        let line = r#"{"timestamp":"2026-11-28T07:35:03.0+0000","dvc":"Netfilter","oob.prefix":"cordon deny (default): ","oob.in":"a","oob.out":"","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","ip.protocol":1,"icmp.type":8,"icmp.code":0}"#;
        let entry = entry(line);
        assert_eq!((entry.seen.protocol, entry.seen.ports, entry.is_for_device), (1, Some((8, 0)), true));
        assert_eq!(read(&line.replace("cordon deny (default): ", "x")), Line::Others);
        assert_eq!(read(&line.replace("\"10.0.0.2\"", "7")), Line::Unreadable);
        assert_eq!(read(&line.replace("}", "")), Line::Unreadable);
    }
}
