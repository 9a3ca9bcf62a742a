//! What ends: rules with an end and the vendor's support of classes, by day and by owner.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::first;
use crate::ir::Acceptance;
use crate::report::site::document::{Block, Inline, Inlines, Link, Page, Row, code, plain, small};
use crate::report::site::view::Site;
use crate::report::site::words;

pub(super) const FILE: &str = "exceptions";

/// Something that ends on a day.
pub(super) struct Ending {
    pub(super) date: Date,
    kind: &'static str,
    name: Inline,
    owner: Option<String>,
    why: Inlines,
    place: String,
}

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let openings = openings(site);
    let support = support(site);
    let accepted = accepted(site);
    let blocks = vec![
        Block::heading("openings", "Openings with an end"),
        table(
            site,
            "Rules that end, the next first. After its last day a rule no longer allows anything",
            &openings,
        ),
        Block::heading("support", "Vendor's support of device classes"),
        table(
            site,
            "Ends of support, the oldest first. The policy does not close anything when support ends",
            &support,
        ),
        Block::heading("accepted", "Accepted findings"),
        table(
            site,
            "Findings of the check that somebody answers for until a day, the next first. After it they are findings again",
            &accepted_until(site, &accepted),
        ),
        accepted_for_good(site, &accepted),
        Block::heading("owners", "By owner"),
        owners(site, &openings, &support),
        Block::says(
            "A rule without an end is not an exception, and stands under Rules. What has expired is a finding of the check, and \
             stands in the overview: it allows nothing any more.",
        ),
    ];
    let lead = "What was allowed for a time, and devices that their vendors no longer look after, by day and by who answers.";
    vec![first(FILE, "Exceptions", lead, blocks)]
}

/// Rules and manage statements with an end, the next first.
pub(super) fn openings(site: &Site) -> Vec<Ending> {
    let rules = site.policy.rule_indices().filter_map(|index| {
        let rule = &site.policy[index];
        Some(Ending {
            date: rule.about.until?,
            kind: rule.effect.keyword(),
            name: words::rule(site, index),
            owner: rule.about.owner.clone(),
            why: vec![words::or_unsaid(rule.about.reason.as_ref())],
            place: site.place(rule.span),
        })
    });
    let managements = site.policy.managements.iter().filter_map(|manage| {
        let to = Link::to("enforcement", format!("manage-{}", manage.id));
        Some(Ending {
            date: manage.about.until?,
            kind: "manage",
            name: code(&manage.id).leading(to),
            owner: manage.about.owner.clone(),
            why: vec![words::or_unsaid(manage.about.reason.as_ref())],
            place: site.place(manage.span),
        })
    });
    by_date(rules.chain(managements))
}

/// Classes and servers with an end of support, the oldest first.
pub(super) fn support(site: &Site) -> Vec<Ending> {
    by_date(site.policy.endpoints.iter().filter_map(|one| {
        Some(Ending {
            date: one.supported_until?,
            kind: if one.is_class { "class" } else { "server" },
            name: words::endpoint(site, one),
            owner: one.about.owner.clone(),
            why: vec![words::or_unsaid(one.about.note.as_ref()), small(" risk "), words::risk(one.risk)],
            place: site.place(one.span),
        })
    }))
}

/// An accepted finding: what statement it is about, and what that says of it.
struct AcceptedFinding<'a> {
    name: Inline,
    owner: Option<&'a String>,
    acceptance: &'a Acceptance,
}

/// All accepted findings, by place.
fn accepted<'a>(site: &'a Site) -> Vec<AcceptedFinding<'a>> {
    let policy = site.policy;
    let rules = policy.rule_indices().map(|index| {
        let rule = &policy[index];
        (words::rule(site, index), &rule.about, &rule.acceptances)
    });
    let endpoints =
        policy.endpoints.iter().map(|one| (words::endpoint(site, one), &one.about, &one.acceptances));
    let zones = site.zones().map(|(id, zone)| (words::zone(site, id), &zone.about, &zone.acceptances));
    let all = rules.chain(endpoints).chain(zones).flat_map(|(name, about, acceptances)| {
        let owner = about.owner.as_ref();
        acceptances.iter().map(move |acceptance| AcceptedFinding { name: name.clone(), owner, acceptance })
    });
    let others = policy.other_acceptances.iter().map(|other| AcceptedFinding {
        name: if other.name == other.kind { plain(other.kind) } else { code(&other.name) },
        owner: None,
        acceptance: &other.acceptance,
    });
    let mut all: Vec<AcceptedFinding> = all.chain(others).collect();
    all.sort_by_key(|one| one.acceptance.span);
    all
}

/// Accepted findings with an end, the code for a kind.
fn accepted_until(site: &Site, accepted: &[AcceptedFinding]) -> Vec<Ending> {
    by_date(accepted.iter().filter_map(|one| {
        Some(Ending {
            date: one.acceptance.until?,
            kind: one.acceptance.code,
            name: one.name.clone(),
            owner: one.owner.cloned(),
            why: vec![plain(&one.acceptance.reason)],
            place: site.place(one.acceptance.span),
        })
    }))
}

/// Accepted findings without an end.
fn accepted_for_good(site: &Site, accepted: &[AcceptedFinding]) -> Block {
    let rows = accepted.iter().filter(|one| one.acceptance.until.is_none()).map(|one| {
        Row::new([
            vec![one.name.clone()],
            vec![plain(one.acceptance.code)],
            vec![words::or_unsaid(one.owner)],
            vec![plain(&one.acceptance.reason)],
            vec![code(site.place(one.acceptance.span))],
        ])
    });
    let rows: Vec<Row> = rows.collect();
    if rows.is_empty() {
        return Block::says("None is accepted for good.");
    }
    let caption = "Findings about form and use that are accepted for good. They open nothing";
    Block::table(caption, &["Name", "Code", "Owner", "Why", "Where"], rows)
}

fn by_date(endings: impl Iterator<Item = Ending>) -> Vec<Ending> {
    let mut endings: Vec<Ending> = endings.collect();
    endings.sort_by(|one, other| (one.date, &one.name).cmp(&(other.date, &other.name)));
    endings
}

fn table(site: &Site, caption: &str, endings: &[Ending]) -> Block {
    if endings.is_empty() {
        return Block::says("None.");
    }
    let rows = endings.iter().map(|ending| {
        Row::new([
            vec![ending.name.clone()],
            vec![plain(ending.kind)],
            vec![words::until_tag(site, ending.date)],
            vec![words::or_unsaid(ending.owner.as_ref())],
            ending.why.clone(),
            vec![code(&ending.place)],
        ])
    });
    Block::table(caption, &["Name", "Kind", "Last day", "Owner", "What it is for", "Where"], rows)
}

fn owners(site: &Site, openings: &[Ending], support: &[Ending]) -> Block {
    let mut counts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for (list, first) in [(openings, 0), (support, 2)] {
        for ending in list {
            let counts = counts.entry(ending.owner.as_deref().unwrap_or("not said")).or_default();
            let near = site.days_to(ending.date) <= words::SOON;
            for (slot, count) in counts.iter_mut().enumerate() {
                *count += usize::from(slot == first || (near && slot == first + 1));
            }
        }
    }
    let rows = counts.into_iter().map(|(owner, counts)| {
        let cells = counts.map(|count| vec![plain(count.to_string())]);
        Row::new(std::iter::once(vec![plain(owner)]).chain(cells))
    });
    let columns = [
        "Owner",
        "Openings that end",
        "of them past or within 90 days",
        "Classes with an end of support",
        "of them past or within 90 days",
    ];
    Block::table("How much each owner has to look after", &columns, rows)
}
