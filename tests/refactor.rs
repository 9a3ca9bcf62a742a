//! `cordon rename`, `add`, `remove` and `extract`: the text changes where it is about, and means what was asked for.

mod extract;
mod member;
mod rename;

use std::fs;
use std::path::Path;

use crate::support::{AS_OF, cordon, directory, said};

/// A policy in which every kind of statement has a name, and every kind of clause names something.
const WHOLE: &str = "\
policy \"small\"   # ward is a word here, and stays
zone ward    { net 10.1.0.0/24   note \"ward\" }
zone servers { net 10.2.0.0/24, 10.3.0.0/24 }
zone outside { rest }
class pump in ward { # the pumps
  members from inventory where inventory == \"stock\" and not zone == ward
  hosts 10.1.0.0/25, 10.1.0.200
  reaches log_srv via syslog   during nights
}
peer pump_srv in servers { host 10.2.0.10 }
peer log_srv  in servers { host 10.2.0.11 }
group inner { pump_srv }
group all_srv {
  inner,     # by way of another group
  log_srv    # the last one
}
service alaris { tcp 3613 }
service syslog { udp 514, 600-610   tcp 514 }
schedule nights { mon..sun 22:00-06:00   timezone utc }
allow  data { from pump  to all_srv except log_srv  via alaris   during nights }
forbid shut { from outside  to ward except pump  via any }
assert denied closed { from outside  to pump  via any }
manage admin { from servers  to core  via tcp 22 }
guard data { new-connections 20/second  then alert }
guard ward { packets 2000/second  then isolate 10 minutes except data }
posture cut { isolate pump, servers except data }
inventory stock { file \"stock.csv\" }
firewall core { target nftables   interface eth0 zone ward   interface eth1 to edge }
firewall edge { target nftables   interface eth0 zone servers, outside   interface eth1 to core }
";

/// The table of its inventory.
const STOCK: &str = "name,address,zone\np1,10.1.0.210,ward\np2,10.1.0.211,\n";

/// A directory with that policy.
fn whole() -> tempfile::TempDir {
    directory(&[("a.cordon", WHOLE), ("stock.csv", STOCK)])
}

fn text(directory: &tempfile::TempDir) -> String {
    fs::read_to_string(directory.path().join("a.cordon")).unwrap()
}

/// Exit code, standard output and standard error of a command on a policy.
fn run(arguments: &[&str], path: &Path) -> (i32, String, String) {
    let path = path.to_string_lossy();
    let arguments = [arguments, &[&*path, "--as-of", AS_OF]].concat();
    said(cordon(&arguments, ""))
}

/// The lines that differ, old ones with `-` and new ones with `+`.
fn changed(before: &str, after: &str) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(before, after);
    let changes = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
    changes.map(|change| format!("{}{}", change.tag(), change.value().trim_end())).collect()
}
