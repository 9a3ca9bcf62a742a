//! Evidence: for each control, what this report shows and what it does not.

use super::{exceptions, first, phi};
use crate::ir::Effect;
use crate::report::site::document::{
    Block, Fact, Inline, Inlines, Link, Page, Row, Style, code, joined, line_end, link, plain,
};
use crate::report::site::view::{Carries, Encryption, Site};
use crate::report::site::words;

pub(super) const FILE: &str = "evidence";

/// A control: the document, its number and title there, what is shown of it and what is not.
struct Control {
    number: &'static str,
    title: &'static str,
    shown: Vec<Inlines>,
    not_shown: &'static str,
}

/// The numbers that the controls speak of.
struct Counts {
    zones: usize,
    pairs: usize,
    conduits: usize,
    allows: usize,
    owned: usize,
    reasoned: usize,
    forbids: usize,
    assertions: usize,
    devices: usize,
    unenforced: usize,
    phi: usize,
    phi_encrypted: usize,
    logged: usize,
    guards: usize,
    managements: usize,
    ending: usize,
    past_support: usize,
    classes: usize,
    known: usize,
    unclassified: usize,
    attached: usize,
}

impl Counts {
    fn new(site: &Site) -> Self {
        let policy = site.policy;
        let allows = || policy.rules.iter().filter(|rule| rule.effect == Effect::Allow);
        let zones = policy.zones.len();
        let flows = phi::flows(site, Carries::Phi);
        let encrypted = flows.iter().filter(|(_, one)| site.encryption(one) == Encryption::Whole);
        let attached = policy.zone_ids().filter(|id| {
            policy.devices.iter().any(|device| device.interfaces.iter().any(|one| one.zones.contains(id)))
        });
        Counts {
            zones,
            pairs: zones * zones.saturating_sub(1),
            conduits: site.openings.count(),
            allows: allows().count(),
            owned: allows().filter(|rule| rule.about.owner.is_some()).count(),
            reasoned: allows().filter(|rule| rule.about.reason.is_some()).count(),
            forbids: policy.rules.len() - allows().count(),
            assertions: policy.assertions.len(),
            devices: policy.devices.len(),
            unenforced: site.openings.iter().filter(|((a, b), _)| site.crossed(*a, *b).is_empty()).count(),
            phi: flows.len(),
            phi_encrypted: encrypted.count(),
            logged: policy.rules.iter().filter(|rule| rule.log).count(),
            guards: policy.guards.len(),
            managements: policy.managements.len(),
            ending: exceptions::openings(site).len(),
            past_support: exceptions::support(site).iter().filter(|one| site.days_to(one.date) < 0).count(),
            classes: policy.endpoints.iter().filter(|one| one.is_class).count(),
            known: policy.assets.len(),
            unclassified: site.unclassified.len(),
            attached: attached.count(),
        }
    }
}

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let counts = Counts::new(site);
    let mut blocks = vec![Block::Notice {
        parts: vec![plain(
            "This page says which controls the policy speaks to, with numbers computed from it. It is evidence of what was \
                 decided, not of what runs: that devices run what was built is shown by cordon verify against their configs. \
                 Titles are short, and numbers are as they are commonly cited; compare both with the edition that binds you before \
                 you cite them.",
        )],
    }];
    let groups = [
        ("hicp", "HICP 405(d)", hicp(&counts)),
        ("hipaa", "HIPAA Security Rule, 45 CFR 164.312, technical safeguards", hipaa(&counts)),
        ("iec", "IEC 62443-3-3, FR 5, restricted data flow", iec(&counts)),
        ("cis", "CIS Critical Security Controls, version 8", cis(&counts)),
    ];
    for (id, title, controls) in groups {
        blocks.push(Block::heading(id, title));
        let caption = format!(
            "{} of which this report shows something or says why not",
            words::count(controls.len(), "control")
        );
        let rows = controls.into_iter().map(row);
        blocks.push(Block::table(
            caption,
            &["Control", "What this report shows", "What it does not show"],
            rows,
        ));
    }
    blocks.push(Block::heading("limits", "What this report cannot show"));
    blocks.push(Block::List { items: LIMITS.iter().map(|limit| vec![plain(*limit)]).collect() });
    blocks.push(Block::heading("made-from", "What it was made from"));
    blocks.extend(made_from(site));
    let lead = "What the policy shows for the controls that hospitals are asked about, and, as plainly, what it does not show.";
    vec![first(FILE, "Evidence", lead, blocks)]
}

const LIMITS: [&str; 6] = [
    "Whether the enforcement points run these configs. `cordon build` proves each config before it is written; `cordon verify` \
     compares what a device runs now with the policy, for all packets. Neither is run by this report.",
    "Traffic inside a zone. No enforcement point of the policy sees it.",
    "Ways around the enforcement points: other cables, wireless bridges, modems, tunnels inside allowed connections.",
    "What is inside connections. PHI and encryption are what the policy says of zones, classes and services, not what was measured.",
    "Who sits at a device. The policy knows addresses, not people; sign-in, passwords and certificates are elsewhere.",
    "Whether addresses belong to the devices that the policy takes them to belong to.",
];

fn row(control: Control) -> Row {
    let number = vec![Inline::new(Style::Strong, control.number), line_end(), plain(control.title)];
    Row::new([
        number,
        joined(control.shown.into_iter().map(item), &line_end()),
        vec![plain(control.not_shown)],
    ])
}

/// One of several things that are shown.
fn item(parts: Inlines) -> Inlines {
    std::iter::once(plain("\u{2013} ")).chain(parts).collect()
}

/// A number that leads to where it comes from.
fn shown(text: String, page: &str, anchor: &str) -> Inlines {
    vec![link(text, Link::to(page, anchor))]
}

fn hicp(counts: &Counts) -> Vec<Control> {
    let segmentation = || {
        shown(
            format!(
                "{}, and {} of {} ways between them open",
                words::count(counts.zones, "zone"),
                words::grouped(counts.conduits),
                words::grouped(counts.pairs)
            ),
            "matrix",
            "",
        )
    };
    vec![
        Control {
            number: "5.1",
            title: "Network segmentation: clinical systems, devices and PHI apart from general traffic",
            shown: vec![
                segmentation(),
                shown("the zones by tier, with what each keeps of PHI".to_owned(), "map", ""),
                shown(
                    format!(
                        "{} attached to {}",
                        words::count(counts.attached, "zone"),
                        words::count(counts.devices, "enforcement point")
                    ),
                    "enforcement",
                    "",
                ),
            ],
            not_shown: "That cables and VLANs are as the policy says. It takes its zones from the text, not from the network.",
        },
        Control {
            number: "9.3",
            title: "Device isolation: documented pathways on an allow list, with proof",
            shown: vec![
                shown(
                    format!(
                        "{} of devices, each with whom they may talk to",
                        words::count(counts.classes, "class")
                    )
                    .replace("classs", "classes"),
                    "classes",
                    "",
                ),
                shown(
                    format!(
                        "{}, {} with an owner and {} with a reason",
                        words::count(counts.allows, "allow"),
                        counts.owned,
                        counts.reasoned
                    ),
                    "rules",
                    "allows",
                ),
                shown(
                    format!("{} that hold over all packets", words::count(counts.assertions, "assertion")),
                    "assertions",
                    "",
                ),
                shown(
                    format!("{} with an end", words::count(counts.ending, "opening")),
                    "exceptions",
                    "openings",
                ),
            ],
            not_shown: "Results of tests at the devices. The page of each class has the commands; what they gave is recorded elsewhere.",
        },
    ]
}

fn hipaa(counts: &Counts) -> Vec<Control> {
    vec![
        Control {
            number: "164.312(a)(1)",
            title: "Access control",
            shown: vec![
                shown("for each zone that keeps PHI, all that may reach it".to_owned(), "phi", "places"),
                shown(
                    format!(
                        "what is not allowed is denied; {} besides",
                        words::count(counts.forbids, "forbid")
                    ),
                    "rules",
                    "forbids",
                ),
            ],
            not_shown: "Access of people to systems and records, emergency access and automatic logoff; encryption of what is stored.",
        },
        Control {
            number: "164.312(b)",
            title: "Audit controls",
            shown: vec![shown(
                format!(
                    "{} whose connections are logged, {} that count them",
                    words::count(counts.logged, "rule"),
                    words::count(counts.guards, "guard")
                ),
                "guards",
                "",
            )],
            not_shown: "That logs arrive, are kept and are read. Logs of the systems themselves.",
        },
        Control {
            number: "164.312(c)(1)",
            title: "Integrity",
            shown: vec![shown("who may open connections to where PHI is kept".to_owned(), "phi", "places")],
            not_shown: "That records are not changed by who may reach them. A filter of packets does not see that.",
        },
        Control {
            number: "164.312(d)",
            title: "Person or entity authentication",
            shown: vec![vec![plain("nothing: the policy knows addresses, not people")]],
            not_shown: "All of it.",
        },
        Control {
            number: "164.312(e)(1)",
            title: "Transmission security",
            shown: vec![shown(
                format!(
                    "{} that can carry PHI, {} of them over services marked encrypted as a whole",
                    words::count(counts.phi, "flow"),
                    counts.phi_encrypted
                ),
                "phi",
                "clear",
            )],
            not_shown: "That what is marked encrypted is, and how well. The mark is what the policy says of a service.",
        },
    ]
}

fn iec(counts: &Counts) -> Vec<Control> {
    vec![
        Control {
            number: "SR 5.1",
            title: "Network segmentation",
            shown: vec![
                shown(
                    format!(
                        "{} with {} between them, each named by its two zones",
                        words::count(counts.zones, "zone"),
                        words::count(counts.conduits, "conduit")
                    ),
                    "matrix",
                    "",
                ),
                shown(
                    format!("{} without an enforcement point", words::count(counts.unenforced, "conduit")),
                    "matrix",
                    "",
                ),
            ],
            not_shown: "Target security levels of zones, and that control networks stay up when others fail.",
        },
        Control {
            number: "SR 5.2",
            title: "Zone boundary protection: deny by default, permit by exception",
            shown: vec![
                shown(
                    format!(
                        "{} that permit, and everything else denied in both address families",
                        words::count(counts.allows, "rule")
                    ),
                    "rules",
                    "allows",
                ),
                shown(
                    format!(
                        "{} at which each boundary is enforced",
                        words::count(counts.devices, "enforcement point")
                    ),
                    "enforcement",
                    "",
                ),
                shown("what can be cut off when a zone is in trouble".to_owned(), "guards", "postures"),
            ],
            not_shown: "That a firewall that fails lets nothing pass. That depends on the device.",
        },
    ]
}

fn cis(counts: &Counts) -> Vec<Control> {
    cis_infrastructure(counts).into_iter().chain(cis_defence(counts)).collect()
}

/// Controls 12, network infrastructure management.
fn cis_infrastructure(counts: &Counts) -> Vec<Control> {
    vec![
        Control {
            number: "12.2",
            title: "Establish and maintain a secure network architecture",
            shown: vec![shown(
                format!(
                    "segmentation in {}, with the least access that each needs and why",
                    words::count(counts.zones, "zone")
                ),
                "matrix",
                "",
            )],
            not_shown: "Availability: spare links and devices, beyond the backups that the policy names.",
        },
        Control {
            number: "12.4",
            title: "Establish and maintain architecture diagrams",
            shown: vec![
                shown("the map of zones, made from the policy itself".to_owned(), "map", ""),
                shown("the drawing of enforcement points".to_owned(), "enforcement", ""),
            ],
            not_shown: "Rooms, racks and cables.",
        },
        Control {
            number: "12.6",
            title: "Use of secure network management and communication protocols",
            shown: vec![shown(
                format!(
                    "{} over which enforcement points are administered",
                    words::count(counts.managements, "statement")
                ),
                "enforcement",
                "administration",
            )],
            not_shown: "That the protocols are set up safely on the devices.",
        },
        Control {
            number: "12.8",
            title: "Dedicated computing resources for administrative work",
            shown: vec![shown(
                "from where enforcement points may be administered".to_owned(),
                "enforcement",
                "administration",
            )],
            not_shown: "That those computers are used for nothing else.",
        },
    ]
}

/// Controls 13, network monitoring and defence, and the inventory.
fn cis_defence(counts: &Counts) -> Vec<Control> {
    vec![
        Control {
            number: "13.4",
            title: "Perform traffic filtering between network segments",
            shown: vec![
                shown(
                    format!(
                        "{} of {} ways between zones open, the others denied",
                        words::grouped(counts.conduits),
                        words::grouped(counts.pairs)
                    ),
                    "matrix",
                    "",
                ),
                shown(
                    format!("{} that must hold", words::count(counts.assertions, "assertion")),
                    "assertions",
                    "",
                ),
            ],
            not_shown: "Filtering inside a zone, and above ports: what a protocol carries is not looked at.",
        },
        Control {
            number: "13.6",
            title: "Collect network traffic flow logs",
            shown: vec![shown(
                format!("{} whose connections are logged", words::count(counts.logged, "rule")),
                "rules",
                "",
            )],
            not_shown: "Flow logs of everything else, and their review.",
        },
        Control {
            number: "1.1",
            title: "Inventory of enterprise assets",
            shown: vec![
                shown(inventoried(counts), "inventory", ""),
                shown("the address ranges of each class of devices".to_owned(), "classes", ""),
                shown(
                    format!(
                        "{} past the end of the vendor's support",
                        match counts.past_support {
                            1 => "1 class".to_owned(),
                            count => format!("{count} classes"),
                        }
                    ),
                    "exceptions",
                    "support",
                ),
            ],
            not_shown: "Devices that no inventory knows, and whether what inventories say of a device is true.",
        },
    ]
}

/// What is known of single devices.
fn inventoried(counts: &Counts) -> String {
    match counts.known {
        0 => "no inventory is named in the policy, so no single device is known".to_owned(),
        known => format!(
            "{} from inventories, {} of them unclassified",
            words::count(known, "device"),
            words::grouped(counts.unclassified)
        ),
    }
}

/// The files of the policy, with their digests.
fn made_from(site: &Site) -> [Block; 2] {
    let digests = crate::report::manifest::digests(site.sources);
    let rows = digests.into_iter().map(|file| Row::new([vec![code(file.path)], vec![code(file.sha256)]]));
    let facts = vec![
        Fact { label: "As of", parts: vec![plain(site.policy.as_of.to_string())] },
        Fact { label: "Made by", parts: vec![plain(format!("cordon {}", env!("CARGO_PKG_VERSION")))] },
    ];
    let caption = "The files of the policy, and the digest of each by SHA-256";
    [Block::Facts { items: facts }, Block::table(caption, &["File", "SHA-256"], rows)]
}
