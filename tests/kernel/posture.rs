//! Postures in the kernel: known connections go on when the config of a posture is loaded, until they are ended.

use super::lab::{Invocation, Outcome, Packet, Step, StepOutcome, Transport, flags, run};
use super::require::ready;
use super::site::{IPTABLES, Loader, Row, Site};

const POLICY: &str = "zone lab { net 10.1.0.0/24, 2001:db8:1::/64 }
zone srv { net 10.2.0.0/24, 2001:db8:2::/64 }
allow results { from lab  to srv  via tcp 80 }
allow vital   { from lab  to srv  via tcp 81 }
posture dark  { isolate lab  except vital }
manage entry  { from srv  via tcp 22 }
firewall core {
  target nftables
  interface lab0 zone lab
  interface srv0 zone srv
}
";

fn a_segment_is_cut_off(loader: Loader) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("policy.cordon"), POLICY).unwrap();
    let site = Site::compile_for(directory.path(), loader);
    let hosts = [("10.1.0.5", "10.2.0.5"), ("2001:db8:1::5", "2001:db8:2::5")];
    let flows: Vec<(&str, &str, u16)> = hosts
        .iter()
        .flat_map(|(source, destination)| [80, 81].map(|port| (*source, *destination, port)))
        .collect();
    let packet = |place: usize, back: bool| {
        let (source, destination, port) = flows[place];
        let row = Row {
            proto: "tcp".to_owned(),
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            source_port: 50_000,
            destination_port: port,
            verdict: String::new(),
        };
        let packet = site.packet(&row, u32::try_from(place).unwrap() + 1);
        if !back {
            return packet;
        }
        let transport =
            Transport::Tcp { source_port: port, destination_port: 50_000, flags: flags::SYN | flags::ACK };
        Packet {
            ingress: "srv0".to_owned(),
            source: packet.destination,
            destination: packet.source,
            transport,
            ..packet
        }
    };
    let all = |back: bool| Step::Send((0..flows.len()).map(|place| packet(place, back)).collect());
    let own = site.files().join("postures/dark");
    let script = own.join("end-sessions.sh").to_string_lossy().into_owned();
    let steps = vec![
        all(false),
        Step::Run(loader.load(&own)),
        all(true),
        Step::Run(Invocation::new("sh", &[&script])),
        all(true),
        all(false),
    ];
    let outcomes = run(&site.lab(steps)).unwrap();
    let passed: Vec<Vec<bool>> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            StepOutcome::Sent(sent) => {
                Some(sent.iter().map(|outcome| matches!(outcome, Outcome::Delivered(_))).collect())
            }
            StepOutcome::Flushed | StepOutcome::Output(_) => None,
        })
        .collect();
    // Of each family the rule that is cut off, then the one that stays.
    assert_eq!(passed[0], [true; 4], "{loader:?}");
    assert_eq!(passed[1], [true; 4], "{loader:?}: known connections go on");
    assert_eq!(passed[2], [false; 4], "{loader:?}: until they are ended");
    assert_eq!(passed[3], [false, true, false, true], "{loader:?}: what stays can be opened again");
}

#[test]
fn a_posture_cuts_a_segment_off_once_its_connections_are_ended() {
    if ready("a_posture_cuts_a_segment_off_once_its_connections_are_ended", &["nft", "conntrack"]) {
        a_segment_is_cut_off(Loader::Nftables);
    }
}

#[test]
fn a_posture_cuts_a_segment_off_in_iptables() {
    for loader in IPTABLES {
        let tools = [loader.tools(), &["conntrack"]].concat();
        if ready("a_posture_cuts_a_segment_off_in_iptables", &tools) {
            a_segment_is_cut_off(loader);
        }
    }
}
