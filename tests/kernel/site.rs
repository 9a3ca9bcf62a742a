//! A policy in the kernel: a router with the interfaces of its firewall and the ruleset that it compiles to.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cordon::ir::{Policy, ZoneIndex};

use super::boundary;
use super::lab::{Interface, Invocation, Lab, Outcome, Packet, Step, StepOutcome, Transport, flags, run};
use super::martian::unforwardable;
use crate::support::{AS_OF, copy_policy, policy, succeed};

/// What the firewall of a site runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Loader {
    /// nftables.
    Nftables,
    /// iptables, in the variant whose tools have this in their names.
    Iptables(&'static str),
}

/// Both variants of iptables.
pub(super) const IPTABLES: [Loader; 2] = [Loader::Iptables("legacy"), Loader::Iptables("nft")];

impl Loader {
    /// The target that a policy names.
    fn target(self) -> &'static str {
        match self {
            Loader::Nftables => "nftables",
            Loader::Iptables(_) => "iptables",
        }
    }

    /// The tools that it needs.
    pub(super) fn tools(self) -> &'static [&'static str] {
        match self {
            Loader::Nftables => &["nft"],
            Loader::Iptables("legacy") => &["iptables-legacy-restore", "ip6tables-legacy-restore", "ipset"],
            Loader::Iptables(_) => &["iptables-nft-restore", "ip6tables-nft-restore", "ipset"],
        }
    }

    /// Loads what was built for a firewall.
    pub(super) fn load(self, files: &Path) -> Invocation {
        let path = |name: &str| files.join(name).to_string_lossy().into_owned();
        match self {
            Loader::Nftables => Invocation::new("nft", &["-f", &path("ruleset.nft")]),
            Loader::Iptables(variant) => {
                let [four, six] = ["IPTABLES=iptables", "IP6TABLES=ip6tables"];
                Invocation::new(
                    "env",
                    &[&format!("{four}-{variant}"), &format!("{six}-{variant}"), "sh", &path("load.sh")],
                )
            }
        }
    }
}

/// A policy with one firewall, compiled by the command, and what the lab must know of it.
pub(super) struct Site {
    pub(super) policy: Policy,
    pub(super) loader: Loader,
    zones: ZoneIndex,
    pub(super) directory: String,
    work: tempfile::TempDir,
}

/// A packet of a table, and the verdict and rule that the policy has for it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) proto: String,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) verdict: String,
}

impl Row {
    /// The packet that opens the connection, arriving on an interface.
    pub(super) fn packet(&self, id: u32, ingress: String) -> Packet {
        let (source_port, destination_port) = (self.source_port, self.destination_port);
        let echo_request = if self.source.is_ipv4() { 8 } else { 128 };
        let identifier = u16::try_from(id % 65_536).unwrap();
        let transport = match self.proto.as_str() {
            "tcp" => Transport::Tcp { source_port, destination_port, flags: flags::SYN },
            "udp" => Transport::Udp { source_port, destination_port },
            "icmp" | "icmpv6" => {
                let named = u8::try_from(destination_port).unwrap();
                let kind = if destination_port == 0 { echo_request } else { named };
                Transport::Icmp { kind, code: 0, identifier }
            }
            "sctp" => Transport::Sctp { source_port, destination_port, acknowledge: false },
            number => Transport::Other { protocol: number.parse().unwrap() },
        };
        Packet { id, ingress, source: self.source, destination: self.destination, transport }
    }
}

/// A policy whose days that have not come as of the tests are in a year that is far off.
fn put_off(text: &str) -> String {
    let mut parts = text.split("until ");
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let day = part.get(..AS_OF.len()).filter(|day| *day >= AS_OF && day.as_bytes()[4] == b'-');
        changed.push_str("until ");
        changed.push_str(&day.map_or(part.to_owned(), |_| format!("2036{}", &part[4..])));
    }
    changed
}

impl Site {
    /// A policy for nftables.
    pub(super) fn compile(path: &Path) -> Self {
        Self::compile_for(path, Loader::Nftables)
    }

    /// A policy that names nftables, compiled for what `loader` loads. The kernel's clock cannot be set, so ends of rules
    /// are put off.
    pub(super) fn compile_for(path: &Path, loader: Loader) -> Self {
        Self::compile_as_of(path, loader, AS_OF, put_off)
    }

    /// The same as of a day, with the text of the policy changed.
    pub(super) fn compile_as_of(
        path: &Path,
        loader: Loader,
        as_of: &str,
        change: impl Fn(&str) -> String,
    ) -> Self {
        let work = tempfile::tempdir().unwrap();
        let source = work.path().join("policy");
        std::fs::create_dir(&source).unwrap();
        copy_policy(path, &source, |_, text| {
            Some(change(&text.replace("target nftables", &format!("target {}", loader.target()))))
        });
        let (directory, build) = (source.to_string_lossy().into_owned(), work.path().join("build"));
        succeed(&["build", &directory, "--as-of", as_of, "--out", &build.to_string_lossy()], "");
        let policy = policy(&source);
        Site { zones: ZoneIndex::new(&policy), policy, loader, directory, work }
    }

    /// The folder of what was built for the firewall.
    pub(super) fn files(&self) -> PathBuf {
        self.folder("core")
    }

    /// The folder of what was built for an enforcement point.
    pub(super) fn folder(&self, device: &str) -> PathBuf {
        self.work.path().join("build").join(device)
    }

    /// The text of a file that was built for the firewall.
    pub(super) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.files().join(name)).unwrap()
    }

    /// The ruleset for nftables.
    pub(super) fn ruleset(&self) -> String {
        self.file("ruleset.nft")
    }

    /// The call that loads what was built.
    pub(super) fn load(&self) -> Invocation {
        self.loader.load(&self.files())
    }

    /// What `cordon query` says of each packet of a CSV table.
    pub(super) fn query(&self, table: &str) -> Vec<Row> {
        let answer = succeed(&["query", &self.directory, "--as-of", AS_OF, "--packets", "-"], table);
        let mut reader = csv::Reader::from_reader(answer.as_bytes());
        let header = reader.headers().unwrap().clone();
        // The appended columns come last, also where the table had one of that name.
        let column =
            |name: &str| header.iter().enumerate().filter(|(_, column)| *column == name).last().unwrap().0;
        let [proto, src, dst, sport, dport, verdict] =
            ["proto", "src", "dst", "sport", "dport", "verdict"].map(column);
        let rows = reader.records().map(|record| {
            let record = record.unwrap();
            Row {
                proto: record[proto].to_owned(),
                source: record[src].parse().unwrap(),
                destination: record[dst].parse().unwrap(),
                source_port: record[sport].parse().unwrap(),
                destination_port: record[dport].parse().unwrap(),
                verdict: record[verdict].to_owned(),
            }
        });
        rows.collect()
    }

    /// The interface that an address lies behind.
    pub(super) fn interface(&self, address: IpAddr) -> String {
        let zone = self.zones.zone_of(address).unwrap_or_else(|| panic!("{address} is in no zone"));
        let interfaces = &self.policy.devices[0].interfaces;
        interfaces.iter().find(|interface| interface.zones.contains(&zone)).unwrap().name.clone()
    }

    /// A router with the ruleset loaded. The lab takes `steps`.
    pub(super) fn lab(&self, steps: Vec<Step>) -> Lab {
        let interfaces = self.policy.devices[0].interfaces.iter().map(|interface| {
            let zones = interface.zones.iter().map(|zone| &self.policy[*zone]);
            let (rest, others): (Vec<_>, Vec<_>) = zones.partition(|zone| zone.is_rest);
            let ranges = others.iter().flat_map(|zone| zone.addresses.ranges());
            Interface {
                name: interface.name.clone(),
                prefixes: ranges.filter_map(|range| Some(range.as_prefix()?.to_string())).collect(),
                addresses: Vec::new(),
                default_route: !rest.is_empty(),
            }
        });
        Lab { interfaces: interfaces.collect(), load: vec![self.load()], steps }
    }

    /// A row as the packet that opens the connection.
    pub(super) fn packet(&self, row: &Row, id: u32) -> Packet {
        row.packet(id, self.interface(row.source))
    }

    /// What the kernel must do with the packet of a row.
    pub(super) fn expected(&self, row: &Row) -> Outcome {
        match row.verdict.as_str() {
            "allow" => Outcome::Delivered(self.interface(row.destination)),
            "deny" | "local" => Outcome::Dropped,
            other => panic!("{other} is not a verdict"),
        }
    }

    /// Sends packets at the edges of every rule, and fails where the kernel and `cordon query` disagree.
    pub(super) fn try_edges(&self) -> Tried {
        let rows = self.query(&boundary::table(&self.policy));
        let in_zones = |row: &&Row| {
            self.zones.zone_of(row.source).is_some() && self.zones.zone_of(row.destination).is_some()
        };
        let forwardable = |row: &&Row| unforwardable(row.source, row.destination).is_none();
        let kept: Vec<&Row> = rows.iter().filter(in_zones).filter(forwardable).collect();
        let packets: Vec<Packet> = kept.iter().zip(1..).map(|(row, id)| self.packet(row, id)).collect();
        let expected: Vec<Outcome> = kept.iter().map(|row| self.expected(row)).collect();
        compare("boundary packets", &packets, &expected, &send(self, &packets));
        let allowed = kept.iter().filter(|row| row.verdict == "allow").count();
        Tried { allowed, denied: kept.len() - allowed, left_out: rows.len() - kept.len() }
    }
}

/// How many packets were tried, and how many were not, since the kernel never forwards their addresses.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) allowed: usize,
    pub(super) denied: usize,
    pub(super) left_out: usize,
}

/// Sends packets in batches, with all connections forgotten between two, and gives the outcome of each.
pub(super) fn send(site: &Site, packets: &[Packet]) -> Vec<Outcome> {
    let batches = packets.chunks(1_000).flat_map(|batch| [Step::Send(batch.to_vec()), Step::Flush]);
    let outcomes = run(&site.lab(batches.collect())).unwrap();
    outcomes
        .into_iter()
        .filter_map(|outcome| match outcome {
            StepOutcome::Sent(outcomes) => Some(outcomes),
            StepOutcome::Flushed | StepOutcome::Output(_) => None,
        })
        .flatten()
        .collect()
}

/// Fails with the first differences between what was expected and what came.
pub(super) fn compare(what: &str, packets: &[Packet], expected: &[Outcome], outcomes: &[Outcome]) {
    assert_eq!(packets.len(), outcomes.len(), "{what}: an outcome for each packet");
    let wrong: Vec<String> = packets
        .iter()
        .zip(expected.iter().zip(outcomes))
        .filter(|(_, (expected, outcome))| expected != outcome)
        .map(|(packet, (expected, outcome))| format!("{packet:?}\n  expected {expected:?}, got {outcome:?}"))
        .collect();
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{what}: {} of {} wrong\n{shown}", wrong.len(), packets.len());
}
