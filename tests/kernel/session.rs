//! Sessions in the kernel: one that goes on for longer than a guard lets it ends in both directions, and nothing else does.

use super::lab::{Invocation, Outcome, Packet, Step, StepOutcome, Transport, flags, run};
use super::require::ready;
use super::site::Site;
use crate::support::{AS_OF, succeed};

/// Sessions of a vendor, which end after three seconds; others of the same hosts, of which one only tells.
const POLICY: &str = "policy \"sessions\"
zone vendor { net 10.1.0.0/24, 2001:db8:1::/64 }
zone ct     { net 10.9.0.0/24, 2001:db8:9::/64 }
allow support { from vendor  to ct  via tcp 22, udp 53, icmp echo-request }
allow logs    { from vendor  to ct  via udp 514 }
allow push    { from ct  to vendor  via udp 161 }
guard support { session-time 3 seconds  then limit }
guard logs    { session-time 1 second   then alert }
manage entry { from ct  via tcp 22 }
firewall core {
  target nftables
  interface vendor0 zone vendor
  interface ct0 zone ct
}
";

fn site() -> Site {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("policy.cordon"), POLICY).unwrap();
    Site::compile(directory.path())
}

/// A packet of a session between a port of the vendor's and one of the scanner's.
fn packet(six: bool, from_vendor: bool, transport: impl Fn(bool) -> Transport) -> Packet {
    let (vendor, ct) = if six { ("2001:db8:1::5", "2001:db8:9::1") } else { ("10.1.0.5", "10.9.0.1") };
    let (source, destination) = if from_vendor { (vendor, ct) } else { (ct, vendor) };
    Packet {
        id: 0,
        ingress: if from_vendor { "vendor0" } else { "ct0" }.to_owned(),
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        transport: transport(from_vendor),
    }
}

/// Both directions of a session of UDP, from the vendor first.
fn udp(six: bool, vendor: u16, ct: u16) -> [Packet; 2] {
    let ports = |from_vendor| if from_vendor { (vendor, ct) } else { (ct, vendor) };
    [true, false].map(|from_vendor| {
        packet(six, from_vendor, |from_vendor| {
            let (source_port, destination_port) = ports(from_vendor);
            Transport::Udp { source_port, destination_port }
        })
    })
}

/// A segment of a session of TCP.
fn tcp(vendor: u16, from_vendor: bool, flags: u8) -> Packet {
    let (source_port, destination_port) = if from_vendor { (vendor, 22) } else { (22, vendor) };
    packet(false, from_vendor, |_| Transport::Tcp { source_port, destination_port, flags })
}

/// An echo request, and its reply.
fn echo() -> [Packet; 2] {
    [(true, 8), (false, 0)].map(|(from_vendor, kind)| {
        packet(false, from_vendor, |_| Transport::Icmp { kind, code: 0, identifier: 7 })
    })
}

fn send(packets: impl IntoIterator<Item = Packet>) -> Step {
    Step::Send(packets.into_iter().zip(1..).map(|(packet, id)| Packet { id, ..packet }).collect())
}

fn sleep(seconds: &str) -> Step {
    Step::Run(Invocation::new("sleep", &[seconds]))
}

/// Which packets of each step came through, and what was listed.
fn outcomes(site: &Site, steps: Vec<Step>) -> (Vec<Vec<bool>>, Vec<String>) {
    let (mut sent, mut listed) = (Vec::new(), Vec::new());
    for outcome in run(&site.lab(steps)).unwrap() {
        match outcome {
            StepOutcome::Sent(packets) => {
                sent.push(packets.iter().map(|one| matches!(one, Outcome::Delivered(_))).collect());
            }
            StepOutcome::Output(text) if !text.is_empty() => listed.push(text),
            StepOutcome::Output(_) | StepOutcome::Flushed => {}
        }
    }
    (sent, listed)
}

/// All sessions once: those that the guard ends, of three protocols and both families, and those that it does not. The last
/// one is opened by the scanner, and looks like an answer to a session of the vendor's.
fn opened() -> Vec<Step> {
    let handshake = [(true, flags::SYN), (false, flags::SYN | flags::ACK), (true, flags::ACK)];
    let mut push = udp(false, 161, 53);
    push.reverse();
    vec![
        send(handshake.map(|(from_vendor, flags)| tcp(20_000, from_vendor, flags))),
        send([udp(false, 20_001, 53), udp(true, 20_002, 53), echo()].concat()),
        send([udp(false, 20_003, 514), push].concat()),
    ]
}

/// The same sessions later.
fn later() -> Vec<Step> {
    vec![
        send([true, false].map(|from_vendor| tcp(20_000, from_vendor, flags::ACK))),
        send([udp(false, 20_001, 53), udp(true, 20_002, 53), echo()].concat()),
        send([udp(false, 20_003, 514), udp(false, 161, 53)].concat()),
    ]
}

#[test]
fn a_session_that_lasts_too_long_ends_in_both_directions_and_no_other_does() {
    if !ready("a_session_that_lasts_too_long_ends_in_both_directions_and_no_other_does", &["nft"]) {
        return;
    }
    let site = site();
    // What was open before the load may go on, so that it has to be over.
    let mut steps = vec![sleep("4")];
    steps.extend(opened());
    steps.extend(later());
    steps.push(sleep("4"));
    steps.extend(later());
    // Who comes back may, also from the same ports once the connection is forgotten.
    steps.push(send(udp(false, 30_000, 53)));
    steps.push(Step::Flush);
    steps.push(send(udp(false, 20_001, 53)));
    let chain = |guard: &str| format!("tripped/{guard}");
    for guard in ["support.session-time-limit", "logs.session-time-alert"] {
        steps.push(Step::Run(Invocation::new("nft", &["list", "chain", "inet", "cordon", &chain(guard)])));
    }
    let (sent, listed) = outcomes(&site, steps);
    let young = [vec![true; 2], vec![true; 6], vec![true; 4]];
    assert_eq!(sent[..3], [vec![true; 3], vec![true; 6], vec![true; 4]], "opened");
    assert_eq!(sent[3..6], young, "before the time is over");
    assert_eq!(sent[6..9], [vec![false; 2], vec![false; 6], vec![true; 4]], "after it");
    assert_eq!(sent[9..], [vec![true; 2], vec![true; 2]], "opened anew");
    let [ended, told] = &listed[..] else { panic!("{listed:?}") };
    let reset = ended.lines().find(|line| line.contains("reject with tcp reset")).unwrap();
    assert!(reset.contains("counter packets 1 ") || reset.contains("counter packets 2 "), "{ended}");
    // Told once for the time that has passed, not for each packet.
    assert!(told.contains("counter packets 1 "), "{told}");
}

#[test]
fn a_load_lets_sessions_go_on_for_as_long_as_a_new_one_may() {
    if !ready("a_load_lets_sessions_go_on_for_as_long_as_a_new_one_may", &["nft"]) {
        return;
    }
    let site = site();
    let mut steps = opened();
    steps.push(sleep("2"));
    steps.push(Step::Run(site.load()));
    steps.push(sleep("2"));
    steps.extend(later());
    steps.push(sleep("2"));
    steps.extend(later());
    let (sent, _) = outcomes(&site, steps);
    assert_eq!(sent[3..6], [vec![true; 2], vec![true; 6], vec![true; 4]], "two seconds after the load");
    assert_eq!(sent[6..], [vec![false; 2], vec![false; 6], vec![true; 4]], "four seconds after it");
}

/// What nft lists while sessions are running, and when what was loaded has ended, is what was built.
#[test]
fn what_nft_lists_of_sessions_is_proved() {
    if !ready("what_nft_lists_of_sessions_is_proved", &["nft"]) {
        return;
    }
    let site = site();
    let list = || Step::Run(Invocation::new("nft", &["list", "ruleset"]));
    let mut steps = opened();
    steps.extend([list(), sleep("4"), list()]);
    let (_, listed) = outcomes(&site, steps);
    let [running, ended] = &listed[..] else { panic!("{} listings", listed.len()) };
    assert!(running.contains("expires") && !ended.contains("0x00000000 timeout"), "{running}\n{ended}");
    for text in [running, ended] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let against = file.path().to_string_lossy().into_owned();
        let arguments =
            ["verify", &site.directory, "--as-of", AS_OF, "--against", &against, "--device", "core"];
        assert!(succeed(&arguments, "").contains("core: proved equal"));
    }
}
