//! Mistakes that tools of this kind have made: one family or protocol that opens another, and a config that is lost.

use std::fs;
use std::net::IpAddr;

use super::evaluate::{Arrival, Firewall};
use super::{build, written};
use crate::families;
use crate::support::{AS_OF, cordon_on_full_disk, succeed};

#[test]
fn each_family_and_protocol_keeps_to_itself_on_pfsense() {
    let output = build(written(&families::policy("firewall", "pfsense", ["lan", "opt1"])).path());
    let firewall = Firewall::read(&output.filter, &output.aliases, &[]);
    families::judge(|packet| {
        let is_in_a = match packet.source {
            IpAddr::V4(source) => source.octets()[1] == 1,
            IpAddr::V6(source) => source.segments()[2] == 1,
        };
        let [kind, _] = packet.destination_port.to_be_bytes();
        let is_icmp = matches!(packet.protocol, 1 | 58);
        let arrival = Arrival {
            interface: if is_in_a { "lan" } else { "opt1" }.to_owned(),
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol,
            source_port: packet.source_port,
            destination_port: if is_icmp { kind.into() } else { packet.destination_port },
        };
        firewall.decide(&arrival).pass
    });
}

/// A policy, and a config of its firewall with comments, instructions, and a part that is large.
fn policy_and_config() -> (tempfile::TempDir, String) {
    let directory = written(
        "zone ward { net 10.1.0.0/24 } zone servers { net 10.2.0.0/24 }
        allow web { from ward  to servers  via tcp 443 }
        firewall core { target pfsense  interface lan zone ward  interface opt1 zone servers }",
    );
    let config = format!(
        "<?xml version=\"1.0\"?>\n<!-- before -->\n<pfsense>\n\t<version>23.3</version>\n\t<interfaces>\n\
         \t\t<lan><enable/></lan>\n\t\t<opt1><enable></enable></opt1>\n\t</interfaces>\n\
         \t<?note  a  b?><!-- by hand & not by cordon -->\n\t<filter>\n\t\t<!-- no rule of ours yet -->\n\t</filter>\n\
         \t<rrddata>{}</rrddata>\n</pfsense>\n<!-- behind -->\n",
        "x".repeat(100_000)
    );
    fs::write(directory.path().join("config.xml"), &config).unwrap();
    (directory, config)
}

/// The call that splices the policy of a directory into the config in it.
fn splice(directory: &tempfile::TempDir) -> Vec<String> {
    let [policy, into] = [directory.path().to_owned(), directory.path().join("config.xml")]
        .map(|path| path.to_string_lossy().into_owned());
    ["splice", &policy, "--as-of", AS_OF, "--device", "core", "--into", &into].map(str::to_owned).into()
}

#[test]
fn hazard_20_comments_and_instructions_of_others_stay() {
    let (directory, config) = policy_and_config();
    let arguments = splice(&directory);
    succeed(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), "");
    let made = fs::read_to_string(directory.path().join("config.xml")).unwrap();
    let mut rest = made.as_str();
    for line in config.split_inclusive('\n') {
        let place = rest.find(line).unwrap_or_else(|| panic!("lost, or out of its place: {line}"));
        rest = &rest[place + line.len()..];
    }
    assert!(made.len() > config.len() && made.contains("cordon: web"));
}

#[test]
fn a_disk_that_is_full_leaves_the_config_as_it_was() {
    let (directory, config) = policy_and_config();
    let arguments = splice(&directory);
    let output = cordon_on_full_disk(32, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let kept = fs::read_to_string(directory.path().join("config.xml")).unwrap();
    assert!(kept == config, "the config is another, of {} bytes", kept.len());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left over");
}
