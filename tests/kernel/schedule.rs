//! Schedules in the kernel: what is allowed now, what is allowed at another time only, and what two schedules allow.

use std::time::{SystemTime, UNIX_EPOCH};

use super::lab::{Outcome, Packet};
use super::require::ready;
use super::site::{IPTABLES, Loader, Row, Site, compare, send};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A window of the week, in UTC, from some minutes after now on.
pub(super) fn window(minutes_from_now: i64, length: i64) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    // The first of January 1970 was a Thursday.
    let now = i64::try_from(seconds / 60).unwrap() + 3 * 24 * 60;
    let start = (now + minutes_from_now).rem_euclid(7 * 24 * 60);
    let end = (start + length) % (24 * 60);
    let (day, start) = (usize::try_from(start / (24 * 60)).unwrap(), start % (24 * 60));
    format!("{} {:02}:{:02}-{:02}:{:02}", DAYS[day], start / 60, start % 60, end / 60, end % 60)
}

/// A policy with a schedule that holds from an hour ago for two hours, one that held before and one that will.
fn site(loader: Loader) -> Site {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "zone a {{ net 10.1.0.0/24, 2001:db8:1::/64 }}
zone b {{ net 10.2.0.0/24, 2001:db8:2::/64 }}
schedule now     {{ {}  timezone utc }}
schedule earlier {{ {}  timezone utc }}
schedule later   {{ {}  timezone utc }}
allow always    {{ from a  to b  via tcp 80 }}
allow meanwhile {{ from a  to b  via tcp 81, udp 81  during now  log }}
allow before    {{ from a  to b  via tcp 82, tcp 83  during earlier }}
allow behind    {{ from a  to b  via tcp 82, udp 82  during later }}
allow both      {{ from a  to b  via tcp 83  during now }}
allow wide      {{ from b  to a  via any  during now }}
forbid telnet   {{ from b  to a  via tcp 23 }}
firewall core {{
  target nftables
  interface a0 zone a
  interface b0 zone b
}}
manage entry {{ from a  to core  via tcp 22 }}
",
        window(-60, 120),
        window(-180, 120),
        window(60, 120),
    );
    std::fs::write(directory.path().join("policy.cordon"), text).unwrap();
    Site::compile_for(directory.path(), loader)
}

fn holds_by_the_clock(loader: Loader) {
    let site = site(loader);
    let (a, b) = ("10.1.0.9", "10.2.0.9");
    let (a6, b6) = ("2001:db8:1::9", "2001:db8:2::9");
    let rows = [
        ("tcp", a, b, 80, "allow"),
        ("tcp", a, b, 81, "allow"),
        ("udp", a6, b6, 81, "allow"),
        ("tcp", a, b, 82, "deny"),
        ("tcp", a6, b6, 82, "deny"),
        ("udp", a, b, 82, "deny"),
        ("tcp", a6, b6, 83, "allow"),
        ("tcp", b, a, 7, "allow"),
        ("tcp", b6, a6, 23, "deny"),
        ("sctp", b, a, 5, "allow"),
    ];
    let rows: Vec<Row> = rows
        .map(|(proto, source, destination, destination_port, verdict)| Row {
            proto: proto.to_owned(),
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            source_port: 50_000,
            destination_port,
            verdict: verdict.to_owned(),
        })
        .into();
    let packets: Vec<Packet> = rows.iter().zip(1..).map(|(row, id)| site.packet(row, id)).collect();
    let expected: Vec<Outcome> = rows.iter().map(|row| site.expected(row)).collect();
    compare("packets at this hour", &packets, &expected, &send(&site, &packets));
}

#[test]
fn a_schedule_opens_when_it_holds_and_at_no_other_time() {
    if !ready("a_schedule_opens_when_it_holds_and_at_no_other_time", &["nft"]) {
        return;
    }
    holds_by_the_clock(Loader::Nftables);
}

#[test]
fn a_schedule_opens_when_it_holds_and_at_no_other_time_in_iptables() {
    for loader in IPTABLES {
        if ready("a_schedule_opens_when_it_holds_and_at_no_other_time_in_iptables", loader.tools()) {
            holds_by_the_clock(loader);
        }
    }
}
