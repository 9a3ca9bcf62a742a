//! How often statements were used, as text for people and as a table.

use std::fmt::Write;

use super::{Hits, State, StatementHits};

/// For people. With `only_unused`, only allowed access of which no use was seen.
pub fn human(hits: &Hits, only_unused: bool) -> String {
    let mut text = String::new();
    for device in &hits.devices {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{} ({}): {}", device.name, device.target, device.files.join(", "));
        if device.restarted {
            let _ =
                writeln!(text, "  began to count anew since the earlier counts: counts are those since then");
        }
        for (what, packets) in &device.unknown {
            let _ = writeln!(text, "  {what} is not of this policy as it is now: {}", packets_of(*packets));
        }
        for (name, packets) in &device.ambiguous {
            let _ = writeln!(
                text,
                "  `{name}` could be several statements: {}, counted for none",
                packets_of(*packets)
            );
        }
    }
    if !hits.missing.is_empty() {
        let _ = writeln!(text, "not given: {}", hits.missing.join(", "));
    }
    let sections = [
        (State::Used, "used, by the packets that one enforcement point counted"),
        (State::Unused, "unused: every connection would have been counted, and none was"),
        (State::NotMeasured, "not measured: nothing was counted, which says nothing"),
    ];
    for (state, heading) in sections {
        let all = hits.statements.iter();
        let mut rows: Vec<&StatementHits> =
            all.filter(|one| one.state == state && one.is_wanted(only_unused)).collect();
        rows.sort_by(|one, other| (other.packets, &one.id).cmp(&(one.packets, &other.id)));
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{heading}:");
        for row in rows {
            write_row(&mut text, row);
        }
    }
    let unused = hits.unused().count();
    let measured =
        hits.statements.iter().filter(|one| one.effect != "forbid" && one.state != State::NotMeasured);
    let since = if hits.since { " since the earlier counts" } else { "" };
    let _ = writeln!(
        text,
        "\n{unused} of {} measured statements that allow something were not used{since}",
        measured.count()
    );
    text
}

fn write_row(text: &mut String, row: &StatementHits) {
    let about = match (&row.owner, &row.reason) {
        (Some(owner), _) => format!("   owner {owner}"),
        (None, _) => String::new(),
    };
    if row.state == State::Used {
        let _ = write!(text, "  {:>12}", row.packets);
    } else {
        let _ = write!(text, " ");
    }
    let _ = writeln!(text, "  {} {} ({}){about}", row.effect, row.id, row.place);
    if row.state == State::Used {
        let counts = row.counts.iter().map(|count| match count.bytes {
            Some(bytes) => format!("{} {} ({bytes} bytes)", count.device, count.packets),
            None => format!("{} {}", count.device, count.packets),
        });
        let _ = writeln!(text, "                at {}", counts.collect::<Vec<_>>().join(", "));
    }
    for why in &row.why {
        let _ = writeln!(text, "      {why}");
    }
}

fn packets_of(packets: u64) -> String {
    if packets == 1 { "1 packet".to_owned() } else { format!("{packets} packets") }
}

impl Hits {
    /// The same with only those statements that allow something and of which no use was seen.
    pub fn only_unused(&self) -> Hits {
        let wanted = self.statements.iter().filter(|one| one.is_wanted(true));
        Hits { statements: wanted.cloned().collect(), ..self.clone() }
    }

    /// The statements that allow something and were not used.
    pub fn unused(&self) -> impl Iterator<Item = &StatementHits> {
        self.statements.iter().filter(|one| one.effect != "forbid" && one.state == State::Unused)
    }
}

impl StatementHits {
    /// True unless only access is asked for of which no use was seen.
    fn is_wanted(&self, only_unused: bool) -> bool {
        !only_unused || (self.effect != "forbid" && self.state != State::Used)
    }
}

/// As a table with a header: a row for each statement at each enforcement point that counts it, and one for each that none
/// does.
///
/// # Errors
/// If it cannot be written into memory, which would be a bug.
pub fn comma_separated(hits: &Hits, only_unused: bool) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "statement",
        "effect",
        "place",
        "owner",
        "state",
        "device",
        "packets",
        "bytes",
        "why",
    ])?;
    for one in hits.statements.iter().filter(|one| one.is_wanted(only_unused)) {
        let owner = one.owner.as_deref().unwrap_or_default();
        let why = one.why.join("; ");
        let mut row = |device: &str, packets: &str, bytes: &str| {
            writer.write_record([
                &one.id,
                one.effect,
                &one.place,
                owner,
                one.state.word(),
                device,
                packets,
                bytes,
                &why,
            ])
        };
        if one.counts.is_empty() {
            row("", "", "")?;
        }
        for count in &one.counts {
            let bytes = count.bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
            row(&count.device, &count.packets.to_string(), &bytes)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
