//! The other thresholds of guards in the kernel, and what is cut off when one is passed: a spike trips each, and what is not
//! meant goes on.

use super::lab::{Invocation, Outcome, Packet, Step, StepOutcome, run};
use super::require::ready;
use super::site::{IPTABLES, Loader, Row, Site};

/// Zones with one threshold each, of a rate that lets next to nothing more in within a test.
const POLICY: &str = "policy \"thresholds\"
zone icu   { net 10.1.0.0/24   criticality life }
zone lab   { net 10.2.0.0/24, 2001:db8:2::/64 }
zone scans { net 10.3.0.0/24 }
zone wifi  { net 10.4.0.0/24 }
zone desks { net 10.5.0.0/24, 2001:db8:5::/64 }
zone srv   { net 10.9.0.0/24, 2001:db8:9::/64 }
allow vitals { from icu  to srv  via udp 80 }
allow tests  { from lab  to srv  via udp 53 }
allow images { from scans  to srv  via udp 104 }
allow web    { from wifi  to srv  via tcp 80, udp 53 }
allow sync   { from wifi  to srv  via udp 514 }
allow push   { from srv  to wifi  via udp 161 }
allow office { from desks  to srv  via tcp 80 }
guard icu    { packets 1/hour burst 5  then alert   approval \"clinical safety officer\" }
guard lab    { packets 1/hour burst 10 per source  then limit }
guard scans  { bandwidth 1 mbit/second  then limit }
guard wifi   { new-connections 2/second burst 5  then isolate 3 seconds except sync }
guard desks  { destinations 60/hour burst 8 per source  then quarantine 1 hour }
manage entry { from srv  via tcp 22 }
firewall core {
  target nftables
  interface icu0 zone icu
  interface lab0 zone lab
  interface scan0 zone scans
  interface wifi0 zone wifi
  interface desk0 zone desks
  interface srv0 zone srv
}
";

/// A packet of UDP or TCP: protocol, source with port, destination with port.
type Flow<'a> = (&'a str, (&'a str, u16), (&'a str, u16));

fn site(loader: Loader) -> Site {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("policy.cordon"), POLICY).unwrap();
    Site::compile_for(directory.path(), loader)
}

fn packet(site: &Site, id: u32, (proto, source, destination): Flow) -> Packet {
    let row = Row {
        proto: proto.to_owned(),
        source: source.0.parse().unwrap(),
        destination: destination.0.parse().unwrap(),
        source_port: source.1,
        destination_port: destination.1,
        verdict: String::new(),
    };
    site.packet(&row, id)
}

/// The same packet over and over.
fn repeated(site: &Site, count: u32, flow: Flow) -> Step {
    Step::Send((1..=count).map(|id| packet(site, id, flow)).collect())
}

/// Connections from a source, each from a port of its own.
fn opened(site: &Site, count: u16, (proto, source, destination): Flow) -> Step {
    let from = |port: u16| packet(site, u32::from(port), (proto, (source.0, source.1 + port), destination));
    Step::Send((1..=count).map(from).collect())
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

/// Packets of known connections count, and of all that one source sends only so many pass.
fn packets_are_counted(loader: Loader) {
    let site = site(loader);
    let (asks, answers) =
        (("udp", ("10.2.0.5", 20_000), ("10.9.0.1", 53)), ("udp", ("10.9.0.1", 53), ("10.2.0.5", 20_000)));
    let six = ("udp", ("2001:db8:2::5", 20_000), ("2001:db8:9::1", 53));
    let steps = vec![
        repeated(&site, 1, asks),
        // What comes back is not counted, since it is not sent by the zone.
        repeated(&site, 30, answers),
        repeated(&site, 30, asks),
        repeated(&site, 30, ("udp", ("10.2.0.6", 20_000), ("10.9.0.1", 53))),
        repeated(&site, 30, six),
        // Lives depend on it: it is logged, and passes.
        repeated(&site, 30, ("udp", ("10.1.0.5", 20_000), ("10.9.0.1", 80))),
    ];
    assert_eq!(passed(&site, steps), [1, 30, 9, 10, 10, 30], "{loader:?}");
}

/// A bucket of a second holds 125,000 bytes: packets of 40 bytes, which iptables counts as 48.
fn bandwidth_is_counted(loader: Loader) {
    let site = site(loader);
    let flow = ("udp", ("10.3.0.5", 20_000), ("10.9.0.1", 104));
    let (few, many) = (repeated(&site, 2_000, flow), repeated(&site, 40_000, flow));
    let wait = Step::Run(Invocation::new("sleep", &["2"]));
    let passed = passed(&site, vec![few, wait, many]);
    eprintln!("{loader:?}: of a spike of 40,000 packets pass {}", passed[1]);
    assert_eq!(passed[0], 2_000, "{loader:?}: {passed:?}");
    assert!((2_500..30_000).contains(&passed[1]), "{loader:?}: {passed:?}");
}

fn who_goes_to_many_destinations_is_put_away(loader: Loader) {
    let site = site(loader);
    let scan = |source: &'static str, network: &str| {
        let to =
            |last: u32| packet(&site, last, ("tcp", (source, 20_000), (&format!("{network}{last}"), 80)));
        Step::Send((1..=20).map(to).collect())
    };
    let steps = vec![
        // Many connections to few destinations are not many destinations.
        opened(&site, 40, ("tcp", ("10.5.0.6", 20_000), ("10.9.0.1", 80))),
        opened(&site, 40, ("tcp", ("10.5.0.6", 30_000), ("10.9.0.2", 80))),
        scan("10.5.0.5", "10.9.0."),
        scan("2001:db8:5::5", "2001:db8:9::"),
        // Not even where it has been before.
        opened(&site, 5, ("tcp", ("10.5.0.5", 40_000), ("10.9.0.1", 80))),
        opened(&site, 5, ("tcp", ("10.5.0.6", 40_000), ("10.9.0.1", 80))),
    ];
    assert_eq!(passed(&site, steps), [40, 40, 8, 8, 0, 5], "{loader:?}");
}

fn a_zone_is_cut_off_but_for_what_stays(loader: Loader) {
    let site = site(loader);
    let web = |host: &'static str| ("tcp", (host, 20_000), ("10.9.0.1", 80));
    let known = ("udp", ("10.4.0.5", 30_000), ("10.9.0.1", 53));
    let (sync, synced) =
        (("udp", ("10.4.0.5", 40_000), ("10.9.0.1", 514)), ("udp", ("10.9.0.1", 514), ("10.4.0.5", 40_000)));
    let push = ("udp", ("10.9.0.1", 30_000), ("10.4.0.7", 161));
    let answer = ("udp", ("10.9.0.1", 53), ("10.4.0.5", 30_000));
    let one = |flow| repeated(&site, 1, flow);
    let wait = || Step::Run(Invocation::new("sleep", &["4"]));
    let before = vec![one(sync), one(synced), one(known), one(answer), one(push)];
    let spike = opened(&site, 30, web("10.4.0.5"));
    let during = vec![
        // Another host, what was open both ways, and what is opened to the zone.
        one(web("10.4.0.6")),
        one(known),
        one(answer),
        one(push),
        // What stays, both ways, known and new.
        one(sync),
        one(synced),
        opened(&site, 10, ("udp", ("10.4.0.6", 50_000), ("10.9.0.1", 514))),
        // Other zones know nothing of it.
        repeated(&site, 20, ("udp", ("10.1.0.5", 20_000), ("10.9.0.1", 80))),
        opened(&site, 20, ("tcp", ("10.5.0.6", 20_000), ("10.9.0.1", 80))),
    ];
    let after = vec![one(web("10.4.0.8")), one(push)];
    let mut steps = before;
    steps.push(spike);
    steps.extend(during);
    steps.push(wait());
    steps.extend(after);
    let passed = passed(&site, steps);
    assert_eq!(passed[..5], [1; 5], "{loader:?}: {passed:?}");
    assert!((2..10).contains(&passed[5]), "{loader:?}: {passed:?}");
    assert_eq!(passed[6..], [0, 0, 0, 0, 1, 1, 10, 20, 20, 1, 1], "{loader:?}: {passed:?}");
}

/// Tries all on a loader, each on a site of its own.
fn all(loader: Loader) {
    packets_are_counted(loader);
    bandwidth_is_counted(loader);
    who_goes_to_many_destinations_is_put_away(loader);
    a_zone_is_cut_off_but_for_what_stays(loader);
}

#[test]
fn a_spike_trips_each_threshold_in_nftables() {
    if ready("a_spike_trips_each_threshold_in_nftables", &["nft"]) {
        all(Loader::Nftables);
    }
}

#[test]
fn a_spike_trips_each_threshold_in_iptables() {
    for loader in IPTABLES {
        if ready("a_spike_trips_each_threshold_in_iptables", loader.tools()) {
            all(loader);
        }
    }
}
