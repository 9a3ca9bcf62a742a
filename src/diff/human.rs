//! A change as text for a terminal.

use std::fmt::{self, Display, Formatter};

use super::words::{lines, other, over, side, summary, touches};
use super::{Change, Row};

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", summary(self))?;
        section(f, "opened", &self.access.opened)?;
        section(f, "closed", &self.access.closed)?;
        if !self.others.is_empty() {
            writeln!(f, "\nstatements")?;
        }
        for one in &self.others {
            let (name, what) = other(one);
            writeln!(f, "  {name}: {what}")?;
        }
        if !self.devices.is_empty() || !self.uncompared.is_empty() {
            writeln!(f, "\noutput")?;
        }
        for why in &self.uncompared {
            writeln!(f, "  {why}")?;
        }
        for device in &self.devices {
            writeln!(
                f,
                "  {}: {} added, {} removed",
                device.device,
                lines(device.added),
                lines(device.removed)
            )?;
        }
        Ok(())
    }
}

fn section(f: &mut Formatter<'_>, title: &str, rows: &[Row]) -> fmt::Result {
    if !rows.is_empty() {
        writeln!(f, "\n{title}")?;
    }
    rows.iter().try_for_each(|row| self::row(f, title, row))
}

fn row(f: &mut Formatter<'_>, title: &str, row: &Row) -> fmt::Result {
    let sign = if title == "opened" { '+' } else { '-' };
    for mark in &row.marks {
        writeln!(f, "  ! {mark}")?;
    }
    writeln!(f, "  {sign} from    {}", side(&row.from, row.from_written.as_ref()).join("; "))?;
    writeln!(f, "    to      {}", side(&row.to, row.to_written.as_ref()).join("; "))?;
    writeln!(f, "    over    {}", over(row))?;
    if let Some(during) = &row.during {
        writeln!(f, "    during  {during}")?;
    }
    if let Some(touches) = touches(row) {
        writeln!(f, "    touches {touches}")?;
    }
    let cause = &row.cause;
    writeln!(f, "    why     {}: {} ({} {})", cause.why, cause.name, cause.of, cause.place)?;
    let about = [("owner", &cause.owner), ("reason", &cause.reason), ("ticket", &cause.ticket)];
    let about = about.iter().filter_map(|(key, value)| value.as_ref().map(|value| format!("{key} {value}")));
    let about: Vec<String> = about.collect();
    if !about.is_empty() {
        writeln!(f, "            {}", about.join(", "))?;
    }
    Ok(())
}
