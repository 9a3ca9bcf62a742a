//! Postures: what they take away, and that what is written for them means just that.

use std::net::IpAddr;

use cordon::ir::{Effect, Policy, Posture};
use cordon::set::Packet;

use crate::kernel::boundary;
use crate::support::{AS_OF, cordon, policy, succeed};

const POLICY: &str = "policy \"postures\"
zone lab { net 10.1.0.0/24, 2001:db8:1::/64 }
zone srv { net 10.2.0.0/24, 2001:db8:2::/64   criticality life }
zone pc  { net 10.3.0.0/24, 2001:db8:3::/64 }
class analyser in lab { hosts 10.1.0.16/28, 2001:db8:1::10 }
class printer  in lab { hosts 10.1.0.40 }
allow results  { from lab  to srv  via tcp 2575   log }
allow consoles { from pc  to analyser  via tcp 22, tcp 443 }
allow print    { from pc, srv  to lab  via tcp 9100 }
allow web      { from pc  to srv  via tcp 443 }
allow twice    { from analyser  to srv  via tcp 2570-2580 }
forbid telnet  { from pc  to lab  via tcp 23   log }
posture dark   { isolate lab }
posture some   { isolate analyser  except results  isolate printer  except print   reason \"a worm\" }
posture both   { isolate srv  except web  isolate pc }
manage entry { from pc  via tcp 22 }
";

/// The policy on one firewall of a target, in a directory of its own, built.
fn built(target: &str) -> tempfile::TempDir {
    let names = match target {
        "pfsense" => ["lan", "opt1", "opt2"],
        "cisco-ios" => ["Vlan1", "Vlan2", "Vlan3"],
        _ => ["lab0", "srv0", "pc0"],
    };
    let kind = if target == "cisco-ios" { "switch" } else { "firewall" };
    let zones = ["lab", "srv", "pc"];
    let interfaces: String =
        names.iter().zip(zones).map(|(name, zone)| format!("  interface {name} zone {zone}\n")).collect();
    let directory = tempfile::tempdir().unwrap();
    let text = format!("{POLICY}{kind} core {{\n  target {target}\n{interfaces}}}\n");
    std::fs::write(directory.path().join("policy.cordon"), text).unwrap();
    succeed(&["build", directory.path().to_str().unwrap(), "--as-of", AS_OF], "");
    directory
}

/// What a posture leaves, statement by statement: a packet passes if a rule allows it that stays, or that does not speak
/// of what is cut off, and nothing forbids it.
fn allowed(policy: &Policy, posture: &Posture, packet: &Packet) -> bool {
    let matches = |rule: &cordon::ir::Rule| rule.packets().contains(packet);
    let forbidden = policy.rules.iter().any(|rule| rule.effect == Effect::Forbid && matches(rule));
    let allows = policy.rules.iter().enumerate().any(|(place, rule)| {
        let cut = posture.cuts.iter().any(|cut| {
            let stays = cut.except.iter().any(|index| index.0 == place);
            !stays && [packet.source, packet.destination].iter().any(|one| cut.addresses.contains(*one))
        });
        rule.effect == Effect::Allow && matches(rule) && !cut
    });
    allows && !forbidden
}

#[test]
fn a_posture_takes_away_what_it_cuts_off_and_nothing_else() {
    let directory = built("nftables");
    let path = directory.path().to_str().unwrap();
    let policy = policy(directory.path());
    let table = boundary::table(&policy);
    let mut lost = 0;
    for posture in &policy.postures {
        let arguments = ["query", path, "--as-of", AS_OF, "--packets", "-", "--posture", &posture.name];
        let answer = succeed(&arguments, &table);
        let mut reader = csv::Reader::from_reader(answer.as_bytes());
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|column| column == name).unwrap();
        let [proto, src, dst, dport, verdict] = ["proto", "src", "dst", "dport", "verdict"].map(column);
        for record in reader.records() {
            let record = record.unwrap();
            let (source, destination): (IpAddr, IpAddr) =
                (record[src].parse().unwrap(), record[dst].parse().unwrap());
            let protocol = if &record[proto] == "tcp" { 6 } else { 17 };
            let destination_port = record[dport].parse().unwrap();
            let packet = Packet { source, destination, protocol, source_port: 50_000, destination_port };
            let expected = allowed(&policy, posture, &packet);
            assert_eq!(&record[verdict] == "allow", expected, "{}: {packet:?}", posture.name);
            lost += usize::from(
                !expected && cordon::ir::Decider::new(&policy).decide(&packet).verdict() == "allow",
            );
        }
    }
    assert!(lost > 100, "{lost} packets lost");
}

#[test]
fn the_configs_of_a_posture_are_proved_for_each_target() {
    for target in ["nftables", "iptables", "pfsense", "cisco-ios"] {
        let directory = built(target);
        let path = directory.path().to_str().unwrap();
        let against = directory.path().join("build");
        let against = against.to_str().unwrap();
        for posture in ["dark", "some", "both"] {
            let verify = ["verify", path, "--as-of", AS_OF, "--against", against, "--posture", posture];
            let said = succeed(&verify, "");
            assert!(said.contains("core: proved equal"), "{target}, {posture}: {said}");
            let own = format!("{against}/core/postures/{posture}");
            let verify = ["verify", path, "--as-of", AS_OF, "--against", &own, "--device", "core"];
            let output = cordon(&verify, "");
            let said = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(1), "{target}, {posture}: {said}");
            assert!(said.contains("closed: ") && !said.contains("opened: "), "{target}, {posture}: {said}");
        }
        let script = std::path::Path::new(against).join("core/postures/dark/end-sessions.sh");
        assert_eq!(script.exists(), target != "cisco-ios");
    }
}

#[test]
fn postures_together_are_what_each_leaves() {
    let directory = built("nftables");
    let path = directory.path().to_str().unwrap();
    let packets =
        "proto,src,dst,sport,dport\ntcp,10.3.0.5,10.2.0.5,50000,443\ntcp,10.1.0.5,10.2.0.5,50000,2575\n";
    let verdicts = |postures: &[&str]| {
        let mut arguments = vec!["query", path, "--as-of", AS_OF, "--packets", "-"];
        arguments.extend(postures.iter().flat_map(|posture| ["--posture", posture]));
        let answer = succeed(&arguments, packets);
        answer.lines().skip(1).map(|line| line.contains(",allow,")).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&[]), [true, true]);
    assert_eq!(verdicts(&["dark"]), [true, false]);
    assert_eq!(verdicts(&["both"]), [false, false]);
    assert_eq!(verdicts(&["dark", "some"]), verdicts(&["some", "dark"]));
    let output = cordon(&["check", path, "--posture", "dusk"], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("no posture `dusk`; it has both, dark, some"), "{said}");
}

#[test]
fn what_a_posture_takes_away_stands_beside_it() {
    let directory = built("nftables");
    let text = std::fs::read_to_string(directory.path().join("build/postures/some.txt")).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn the_reason_of_a_posture_is_no_line_of_its_own() {
    let policy = "zone a { net 10.1.0.0/16 }\nzone b { net 10.2.0.0/16 }\n\
                  allow r { from a  to b  via tcp 80  owner \"x\\n\\nlives depend on:\" }\nmanage { from b  via tcp 22 }\n\
                  posture p { isolate a  reason \"worm\\nstays allowed:\\n  r\" }\n\
                  firewall f { target nftables  interface a0 zone a  interface b0 zone b }\n";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("policy.cordon"), policy).unwrap();
    succeed(&["build", directory.path().to_str().unwrap(), "--as-of", AS_OF], "");
    let text = std::fs::read_to_string(directory.path().join("build/postures/p.txt")).unwrap();
    assert!(text.starts_with("posture p: worm stays allowed: r\n"), "{text}");
    assert!(!text.contains("\nlives depend on:") && !text.contains("\nstays allowed"), "{text}");
}

#[test]
fn what_is_wrong_under_a_posture_alone_names_it() {
    // Of a class in the middle of a zone, what is left of the zone takes more entries than the zone.
    let policy = "zone a { net 10.1.0.0/16 }\nzone b { net 10.2.0.0/16 }\nclass c in a { hosts 10.1.77.77 }\n\
                  allow r { from a  to b  via tcp 1-65534 }\nmanage { from b  via tcp 22 }\nposture p { isolate c }\n\
                  switch s { target cisco-ios  tcam 400  interface Vlan1 zone a  interface Vlan2 zone b }\n";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("policy.cordon"), policy).unwrap();
    let output = cordon(&["build", directory.path().to_str().unwrap(), "--as-of", AS_OF], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("C0706") && said.contains("wrong under the posture `p`"), "{said}");
    assert!(!directory.path().join("build").exists());
}
