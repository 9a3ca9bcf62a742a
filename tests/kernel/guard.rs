//! Guards in the kernel: a spike trips each kind, and who stays within its rate is left alone.

use super::lab::{Invocation, Outcome, Packet, Step, StepOutcome, run};
use super::require::ready;
use super::site::{IPTABLES, Loader, Row, Site};
use crate::support::{AS_OF, succeed};

/// Zones with one guard each, of a rate that lets nothing more in within a test, and rules with guards of their own.
const POLICY: &str = "policy \"guards\"
zone icu   { net 10.1.0.0/24, 2001:db8:1::/64   criticality life }
zone lab   { net 10.2.0.0/24, 2001:db8:2::/64 }
zone desks { net 10.3.0.0/24 }
zone srv   { net 10.9.0.0/24, 2001:db8:9::/64 }
class badge in desks { hosts 10.3.0.128/25 }
allow vitals { from icu  to srv  via tcp 80 }
allow tests  { from lab  to srv  via tcp 80, udp 53 }
allow office { from desks  to srv  via tcp 80, udp 53 }
allow push   { from srv  to lab  via udp 514   log }
allow poll   { from srv  to desks  via udp 161 }
guard icu    { new-connections 1/hour burst 5 per source  then alert   approval \"clinical safety officer\" }
guard badge  { new-connections 1/hour burst 5 per source  then limit }
guard desks  { new-connections 1/hour burst 12  then limit }
guard push   { new-connections 1/hour burst 4 per source  then limit }
guard poll   { new-connections 1/hour burst 3  then limit }
manage entry { from srv  via tcp 22 }
firewall core {
  target nftables
  interface icu0 zone icu
  interface lab0 zone lab
  interface desk0 zone desks
  interface srv0 zone srv
}
";

/// What puts sources of the lab away.
const QUARANTINE: &str =
    "guard lab { new-connections 2/second burst 5 per source  then quarantine 3 seconds }\n";

/// What iptables counts where lives depend on it: one family, and all of it together.
const TOGETHER: &str = "class bed in icu { hosts 10.1.0.0/24 }
guard bed { new-connections 1/hour burst 5  then alert";

fn site(loader: Loader, more: &str) -> Site {
    let directory = tempfile::tempdir().unwrap();
    let each = "guard icu    { new-connections 1/hour burst 5 per source  then alert";
    assert!(POLICY.contains(each));
    let policy = match loader {
        Loader::Nftables => POLICY.to_owned(),
        Loader::Iptables(_) => POLICY.replace(each, TOGETHER),
    };
    std::fs::write(directory.path().join("policy.cordon"), format!("{policy}{more}")).unwrap();
    Site::compile_for(directory.path(), loader)
}

/// New connections from a source, each from a port of its own, with ids from `first` on.
fn connections(
    site: &Site,
    first: u32,
    count: u32,
    (proto, source, destination, port): (&str, &str, &str, u16),
) -> Vec<Packet> {
    let packet = |id: u32| {
        let row = Row {
            proto: proto.to_owned(),
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            source_port: u16::try_from(20_000 + id).unwrap(),
            destination_port: port,
            verdict: String::new(),
        };
        site.packet(&row, id)
    };
    (first..first + count).map(packet).collect()
}

/// How many of the packets of each step came through.
fn passed(site: &Site, steps: Vec<Step>) -> Vec<usize> {
    let outcomes = run(&site.lab(steps)).unwrap();
    let sent = outcomes.iter().filter_map(|outcome| match outcome {
        StepOutcome::Sent(sent) => Some(sent),
        StepOutcome::Flushed | StepOutcome::Output(_) => None,
    });
    sent.map(|sent| sent.iter().filter(|outcome| matches!(outcome, Outcome::Delivered(_))).count()).collect()
}

fn a_spike_is_cut(loader: Loader) {
    let site = site(loader, "");
    let spikes = [
        ("alert: all pass", 20, ("tcp", "10.1.0.5", "10.9.0.1", 80)),
        ("alert: all pass", 20, ("tcp", "2001:db8:1::5", "2001:db8:9::1", 80)),
        ("limit for each source", 5, ("tcp", "10.3.0.130", "10.9.0.1", 80)),
        ("another source has its own", 5, ("udp", "10.3.0.131", "10.9.0.1", 53)),
        ("limit of all together: 10 are counted", 2, ("udp", "10.3.0.5", "10.9.0.1", 53)),
        ("limit of a rule that logs", 4, ("udp", "10.9.0.1", "10.2.0.5", 514)),
        ("limit of a rule that logs", 4, ("udp", "2001:db8:9::1", "2001:db8:2::5", 514)),
        ("limit of a rule", 3, ("udp", "10.9.0.1", "10.3.0.5", 161)),
        ("what nobody guards", 20, ("tcp", "10.2.0.5", "10.9.0.1", 80)),
    ];
    let steps = spikes.iter().map(|(_, _, flow)| Step::Send(connections(&site, 1, 20, *flow))).collect();
    let expected: Vec<usize> = spikes.iter().map(|(_, count, _)| *count).collect();
    let what: Vec<&str> = spikes.iter().map(|(what, ..)| *what).collect();
    assert_eq!(passed(&site, steps), expected, "{loader:?}: {what:?}");
}

fn who_is_put_away_stays_away(loader: Loader) {
    let site = site(loader, QUARANTINE);
    let spike = ("tcp", "10.2.0.5", "10.9.0.1", 80);
    let known = connections(&site, 100, 1, spike);
    let wait = || Step::Run(Invocation::new("sleep", &["4"]));
    let steps = vec![
        // A source that is within its rate, and goes on to be.
        Step::Send(connections(&site, 1, 1, ("udp", "10.2.0.6", "10.9.0.1", 53))),
        Step::Send(known.clone()),
        Step::Send(connections(&site, 1, 30, spike)),
        // Nothing of it passes any more, whatever it is: another service, and what it had open.
        Step::Send(connections(&site, 200, 5, ("udp", "10.2.0.5", "10.9.0.1", 53))),
        Step::Send(known),
        Step::Send(connections(&site, 300, 1, ("udp", "10.2.0.6", "10.9.0.1", 53))),
        wait(),
        Step::Send(connections(&site, 400, 1, spike)),
    ];
    let passed = passed(&site, steps);
    assert_eq!((passed[0], passed[1]), (1, 1), "{loader:?}: {passed:?}");
    assert!((4..10).contains(&passed[2]), "{loader:?}: {passed:?}");
    assert_eq!(passed[3..], [0, 0, 1, 1], "{loader:?}: {passed:?}");
}

/// Guards with rates of every kind, at the ends of what can be said.
fn rates(loader: Loader) -> Site {
    let rates = [
        // What fills in a day is the most that a bucket of iptables holds.
        "1/hour burst 24",
        "10000/second burst 1",
        "9999/second burst 5",
        "7/minute burst 5",
        "60/minute",
    ];
    let others = [
        "packets 100000/second burst 1000000",
        "packets 600/minute burst 5",
        "bandwidth 1 mbit/second",
        "bandwidth 10 gbit/second",
        "destinations 200/minute",
    ];
    let zones = (1..).zip(rates.into_iter().zip(others)).map(|(number, (rate, other))| {
        format!(
            "zone z{number} {{ net 10.{number}.0.0/24, 2001:db8:{number}::/64 }}\n\
             allow r{number} {{ from z{number}  to srv  via tcp 80 }}\n\
             zone y{number} {{ net 10.1{number}.0.0/24 }}\n\
             allow s{number} {{ from y{number}  to srv  via tcp 80, udp 53, icmp echo-request }}\n\
             guard z{number} {{ new-connections {rate} per source  then limit }}\n\
             guard z{number} {{ {other} per source  then quarantine 1 day }}\n\
             guard y{number} {{ {other} per source  then isolate 1 hour except s{number} }}\n\
             guard r{number} {{ new-connections {rate} per source  then quarantine 1 day }}\n\
             guard r{number} {{ new-connections {rate} per source  then alert }}\n"
        )
    });
    let interfaces = (1..=rates.len()).map(|number| {
        format!("  interface z{number} zone z{number}\n  interface y{number} zone y{number}\n")
    });
    let text = format!(
        "zone srv {{ net 10.9.0.0/24, 2001:db8:9::/64 }}\n{}manage entry {{ from srv  via tcp 22 }}\nfirewall core {{\n  \
         target nftables\n{}  interface srv0 zone srv\n}}\n",
        zones.collect::<String>(),
        interfaces.collect::<String>()
    );
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("policy.cordon"), text).unwrap();
    Site::compile_for(directory.path(), loader)
}

/// What the tools list of a loaded output is proved to mean the policy, whatever form they give to rates.
fn what_is_listed_is_proved(loader: Loader) {
    let site = rates(loader);
    let listings: Vec<(&str, Invocation)> = match loader {
        Loader::Nftables => vec![("ruleset.nft", Invocation::new("nft", &["list", "ruleset"]))],
        Loader::Iptables(variant) => vec![
            ("rules.v4", Invocation::new(&format!("iptables-{variant}-save"), &[])),
            ("rules.v6", Invocation::new(&format!("ip6tables-{variant}-save"), &[])),
            ("sets.ipset", Invocation::new("ipset", &["save"])),
        ],
    };
    let steps = listings.iter().map(|(_, listing)| Step::Run(listing.clone())).collect();
    let outcomes = run(&site.lab(steps)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for ((name, _), outcome) in listings.iter().zip(outcomes) {
        let StepOutcome::Output(text) = outcome else { panic!("{outcome:?}") };
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let against = directory.path().to_string_lossy().into_owned();
    let said = succeed(
        &["verify", &site.directory, "--as-of", AS_OF, "--against", &against, "--device", "core"],
        "",
    );
    assert!(said.contains("core: proved equal"), "{loader:?}: {said}");
}

#[test]
fn what_the_tools_list_of_guards_is_proved_in_nftables() {
    if ready("what_the_tools_list_of_guards_is_proved_in_nftables", &["nft"]) {
        what_is_listed_is_proved(Loader::Nftables);
    }
}

#[test]
fn what_the_tools_list_of_guards_is_proved_in_iptables() {
    for loader in IPTABLES {
        if ready("what_the_tools_list_of_guards_is_proved_in_iptables", loader.tools()) {
            what_is_listed_is_proved(loader);
        }
    }
}

#[test]
fn a_spike_trips_each_kind_of_guard_and_what_lives_depend_on_stays_up() {
    if ready("a_spike_trips_each_kind_of_guard_and_what_lives_depend_on_stays_up", &["nft"]) {
        a_spike_is_cut(Loader::Nftables);
    }
}

#[test]
fn a_source_that_is_put_away_is_cut_off_for_as_long_as_the_guard_says() {
    if ready("a_source_that_is_put_away_is_cut_off_for_as_long_as_the_guard_says", &["nft"]) {
        who_is_put_away_stays_away(Loader::Nftables);
    }
}

#[test]
fn a_spike_trips_each_kind_of_guard_in_iptables() {
    for loader in IPTABLES {
        if ready("a_spike_trips_each_kind_of_guard_in_iptables", loader.tools()) {
            a_spike_is_cut(loader);
        }
    }
}

#[test]
fn a_source_that_is_put_away_is_cut_off_in_iptables() {
    for loader in IPTABLES {
        if ready("a_source_that_is_put_away_is_cut_off_in_iptables", loader.tools()) {
            who_is_put_away_stays_away(loader);
        }
    }
}
