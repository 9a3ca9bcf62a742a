//! Changes of the main example: each is reported exactly, and what changes no access is said to change none.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use cordon::diff::{Change, Version, change};
use cordon::ir::Policy;
use cordon::source::Sources;

use crate::support::{checked, copy_policy, hospital};

/// A file of the example, a text in it, and what stands in its place.
pub(crate) type Edit = (&'static str, &'static str, &'static str);

const IMAGING: &str = "access-imaging.cordon";
const BEDSIDE: &str = "access-bedside.cordon";
const OPERATIONS: &str = "access-operations.cordon";
const INFRASTRUCTURE: &str = "access-infrastructure.cordon";

/// Changes, of which each is one edit.
pub(crate) const CHANGES: [(&str, Edit); 30] = [
    ("a source added", (IMAGING, "images    { from modalities ", "images    { from modalities, corp ")),
    ("a destination added", (IMAGING, "to pacs, mwl  via dicom ", "to pacs, mwl, viewer  via dicom ")),
    ("a service added", (IMAGING, "to viewer  via https", "to viewer  via https, ssh")),
    ("a service taken away", (IMAGING, "via ssh, vnc ", "via ssh ")),
    ("a statement removed", (IMAGING, "allow slides        {", "# {")),
    ("a statement renamed", (IMAGING, "allow slides ", "allow slide-scans ")),
    (
        "a statement that has ended",
        (IMAGING, "via ssh, vnc   until 2026-12-31", "via ssh, vnc   until 2026-10-31"),
    ),
    (
        "a statement added",
        (
            "never.cordon",
            "# And what must",
            "allow tv { from guest  to bms  via tcp 8008   owner a   reason \"b\" }\n# And what must",
        ),
    ),
    (
        "a forbid added",
        (
            "never.cordon",
            "# And what must",
            "forbid plain-web { from corp  to any  via tcp 80 }\n# And what must",
        ),
    ),
    (
        "a wide forbid added",
        (
            "never.cordon",
            "# And what must",
            "forbid no-old-ports { from corp  to any  via tcp 100-442 }\n# And what must",
        ),
    ),
    ("from a peer to its zone", (BEDSIDE, "to pump_srv  via alaris", "to dev_srv  via alaris")),
    (
        "from a group to one of it",
        (BEDSIDE, "bedside-gateway { from ward_monitors", "bedside-gateway { from monitor_ward"),
    ),
    ("turned around", (BEDSIDE, "from cs_icu  to monitor_icu", "from monitor_icu  to cs_icu")),
    ("a port of a service added", ("services.cordon", "{ tcp 22 ", "{ tcp 22, 2222 ")),
    ("a port of a service taken away", ("services.cordon", "tcp 104, 2762, 11112", "tcp 104, 2762")),
    ("a protocol of a service", ("services.cordon", "{ tcp/udp 53 ", "{ udp 53 ")),
    (
        "a peer moved",
        (
            "servers.cordon",
            "host 10.40.65.10, 2001:db8:600:310::a ",
            "host 10.40.65.11, 2001:db8:600:310::b ",
        ),
    ),
    (
        "a family of a peer",
        ("servers.cordon", "host 10.40.80.20, 2001:db8:600:400::14 ", "host 10.40.80.20 "),
    ),
    ("a zone into a group", (INFRASTRUCTURE, "domain_members { dev_srv", "domain_members { bms, dev_srv")),
    ("a class out of a group", ("devices.cordon", "{ ct, xray, mri }", "{ ct, xray }")),
    ("a class that gives a range up", ("devices.cordon", "hosts 10.40.40.0/26,", "hosts 10.40.40.0/27,")),
    (
        "an exception added",
        (
            INFRASTRUCTURE,
            "any except guest, internet, infra ",
            "any except guest, internet, infra, quarantine ",
        ),
    ),
    (
        "an exception taken away",
        (INFRASTRUCTURE, "any except guest, internet, infra ", "any except internet, infra "),
    ),
    ("a zone that gives up half", ("zones.cordon", "net 10.40.112.0/21,", "net 10.40.112.0/22,")),
    ("anything", (OPERATIONS, "to quarantine  via reachability", "to quarantine  via any")),
    (
        "hours",
        (
            OPERATIONS,
            "allow office-web     { from corp  to internet  via web ",
            "schedule office { mon..fri 07:00-19:00   timezone Europe/Berlin }\nallow office-web     { from corp  to internet  via web   during office ",
        ),
    ),
    ("who administers", (OPERATIONS, "firewall-admin { from jump ", "firewall-admin { from jump, nms ")),
    ("an owner", (OPERATIONS, "owner it-net   reason \"office\"", "owner it-desk   reason \"office\"")),
    (
        "what is known of a zone",
        (
            "zones.cordon",
            "phi none   criticality ops   trust guest   owner it-net",
            "phi transit   criticality ops   trust guest   owner it-net",
        ),
    ),
    ("a word in the inventory", ("inventory/medical.csv", "GE Healthcare", "GE")),
];

/// Edits that change how the policy is said, and not what it means.
const REFACTORING: [Edit; 6] = [
    (IMAGING, "allow images    { from modalities ", "allow images    { from xray, ct, mri "),
    (IMAGING, "allow viewing         {", "allow web-viewing {"),
    (
        BEDSIDE,
        "from ward_monitors  to cs_ward  via intellivue-hello",
        "from monitor_ward, telemetry  to cs_ward  via udp 24005",
    ),
    (
        "services.cordon",
        "service guest-web { tcp/udp 53, 80, 443 ",
        "service guest-web { tcp 53, 80, 443   udp 443, 80, 53 ",
    ),
    (
        "devices.cordon",
        "group modalities { ct, xray, mri }",
        "group x_ray_rooms { ct, xray }\ngroup modalities { x_ray_rooms, mri }",
    ),
    (
        INFRASTRUCTURE,
        "allow names     { from staff_and_devices  to dns1, dns2  via dns ",
        "allow names-two { from staff_and_devices  to dns2  via dns   owner it-net   reason \"two\" }\nallow names     { from staff_and_devices  to dns1  via dns ",
    ),
];

fn edited(edits: &[Edit]) -> (Policy, Sources) {
    let directory = tempfile::tempdir().unwrap();
    copy_policy(&hospital(), directory.path(), |_, text| Some(text.to_owned()));
    for (file, from, to) in edits {
        edit(&directory.path().join(file), from, to);
    }
    let (policy, diagnostics, sources) = checked(directory.path(), |file| file);
    assert!(!diagnostics.has_errors(), "{edits:?}: {diagnostics:?}");
    (policy, sources)
}

pub(crate) fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{}: {from}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn compared(old: &(Policy, Sources), new: &(Policy, Sources)) -> Change {
    let [old, new] = [old, new].map(|(policy, sources)| Version { policy, sources });
    change(old, new, Vec::new(), Vec::new())
}

#[test]
fn each_change_of_the_example_is_reported_exactly() {
    let old = edited(&[]);
    let mut text = String::new();
    for (what, edit) in CHANGES {
        let new = edited(&[edit]);
        writeln!(text, "=== {what}\n{}", compared(&old, &new)).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_refactoring_of_the_example_changes_no_access() {
    let (old, new) = (edited(&[]), edited(&REFACTORING));
    let change = compared(&old, &new);
    assert!(!change.changes_access(), "{change}");
    assert!(change.to_string().starts_with("no change in access: "), "{change}");
    // All statements in one file, and classes by other names.
    let directory = tempfile::tempdir().unwrap();
    copy_policy(&hospital(), directory.path(), |_, text| Some(text.to_owned()));
    let mut all = String::new();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            all.push_str(&fs::read_to_string(&path).unwrap().replace("infusion_pump_lvp", "pump_large"));
            fs::remove_file(&path).unwrap();
        }
    }
    fs::write(directory.path().join("all.cordon"), all).unwrap();
    let (policy, diagnostics, sources) = checked(directory.path(), |file| file);
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    let change = compared(&old, &(policy, sources));
    assert!(!change.changes_access(), "{change}");
}
