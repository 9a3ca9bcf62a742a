//! Ends of rules in the kernel: what has ended by its clock, and what has not.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::lab::{Outcome, Packet};
use super::require::ready;
use super::schedule::window;
use super::site::{IPTABLES, Loader, Row, Site, compare, send};

/// A day in UTC, so many from today.
fn day(from_today: i32) -> String {
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    (today + i64::from(from_today).days()).to_string()
}

/// A policy as of ten days ago, with rules that have ended since then, and some that have not.
fn site(loader: Loader) -> Site {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "zone a {{ net 10.1.0.0/24, 2001:db8:1::/64 }}
zone b {{ net 10.2.0.0/24, 2001:db8:2::/64 }}
schedule now {{ {now}  timezone utc }}
allow lasting  {{ from a  to b  via tcp 80 }}
allow gone     {{ from a  to b  via tcp 80-81, udp 81  until {past}  log }}
allow going    {{ from a  to b  via tcp 82, udp 82  until {future}  log }}
allow longer   {{ from a  to b  via tcp 83  until {future} }}
allow shorter  {{ from a  to b  via tcp 83-84  until {past} }}
allow wide     {{ from b  to a  via any  until {future} }}
allow both     {{ from a  to b  via tcp 86  during now  until {future} }}
allow neither  {{ from a  to b  via tcp 87  during now  until {past} }}
allow far      {{ from a  to b  via tcp 85  until 2037-12-31 }}
forbid telnet  {{ from b  to a  via tcp 23 }}
firewall core {{
  target nftables
  interface a0 zone a
  interface b0 zone b
}}
manage entry {{ from a  to core  via tcp 22 }}
",
        now = window(-60, 120),
        past = day(-2),
        future = day(2),
    );
    std::fs::write(directory.path().join("policy.cordon"), text).unwrap();
    Site::compile_as_of(directory.path(), loader, &day(-10), str::to_owned)
}

fn ends_by_the_clock(loader: Loader) {
    let site = site(loader);
    let (a, b) = ("10.1.0.9", "10.2.0.9");
    let (a6, b6) = ("2001:db8:1::9", "2001:db8:2::9");
    let rows = [
        ("tcp", a, b, 80, "allow"),
        ("tcp", a6, b6, 80, "allow"),
        ("tcp", a, b, 81, "deny"),
        ("udp", a6, b6, 81, "deny"),
        ("tcp", a, b, 82, "allow"),
        ("udp", a6, b6, 82, "allow"),
        ("tcp", a, b, 83, "allow"),
        ("tcp", a6, b6, 84, "deny"),
        ("tcp", a, b, 85, "allow"),
        ("tcp", a6, b6, 86, "allow"),
        ("tcp", a, b, 87, "deny"),
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
    compare("packets of today", &packets, &expected, &send(&site, &packets));
}

#[test]
fn a_rule_ends_with_its_last_day() {
    if ready("a_rule_ends_with_its_last_day", &["nft"]) {
        ends_by_the_clock(Loader::Nftables);
    }
}

#[test]
fn a_rule_ends_with_its_last_day_in_iptables() {
    for loader in IPTABLES {
        if ready("a_rule_ends_with_its_last_day_in_iptables", loader.tools()) {
            ends_by_the_clock(loader);
        }
    }
}
