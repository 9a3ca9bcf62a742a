//! What may stand in a pfSense config: names, descriptions and trackers, and how free text is made to fit.

use sha2::{Digest, Sha256};

/// How descriptions of cordon's own rules, aliases and schedules begin, by which they are known again later.
pub(super) const MARK: &str = "cordon: ";

/// How the names of cordon's own aliases and schedules begin.
pub(super) const ALIAS_PREFIX: &str = "cdn_";

/// The longest name of an alias (`is_validaliasname`, util.inc: under 32).
const MAX_ALIAS_BYTES: usize = 31;

/// The longest description that pf's label holds on every version: 63 bytes, of which pfSense 2.7.2 takes 11 for
/// `USER_RULE: ` (`fix_rule_label`, filter.inc) and later ones take 6.
const MAX_DESCRIPTION_BYTES: usize = 52;

/// The most bytes of it that the name of a statement takes.
const MAX_ID_BYTES: usize = 40;

/// The longest description of an alias; pfSense sets none, and shows it in one line.
const MAX_ALIAS_DESCRIPTION_BYTES: usize = 120;

/// Trackers of cordon start here. pfSense takes the seconds since 1970 for those of its users (`firewall_rules_edit.php`)
/// and numbers from 1,000,000,000 for its own rules, so none of them comes here before the year 2065.
pub(super) const FIRST_TRACKER: u32 = 3_000_000_000;

/// True for the names that pfSense itself gives to interfaces.
pub(super) fn valid_interface(name: &str) -> bool {
    let number = |digits: &str| {
        (1..=4).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    };
    matches!(name, "wan" | "lan") || name.strip_prefix("opt").is_some_and(number)
}

/// The description of a rule: the mark, the name of the statement, and as much of the reason as fits.
pub(super) fn description(id: &str, reason: Option<&str>) -> String {
    let id = name_in_description(id);
    let text = match reason.map(clean).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{MARK}{id}, {reason}"),
        None => format!("{MARK}{id}"),
    };
    escaped(&cut(&text, MAX_DESCRIPTION_BYTES))
}

/// True if a description, as it is read back, is that of a rule for a statement.
pub(in crate::emit) fn is_label_of(description: &str, id: &str) -> bool {
    let rest = description.strip_prefix(MARK);
    let after = rest.and_then(|rest| rest.strip_prefix(&name_in_description(id)));
    after.is_some_and(|after| after.is_empty() || after.starts_with(','))
}

/// The name of a statement as descriptions of its rules have it: whole, or its start and a digest.
pub fn name_in_description(id: &str) -> String {
    clean(&shortened(id, MAX_ID_BYTES))
}

/// The description of an alias.
pub(super) fn alias_description(what: &str) -> String {
    escaped(&cut(&format!("{MARK}{}", clean(what)), MAX_ALIAS_DESCRIPTION_BYTES))
}

/// Text for people that is no rule: a separator, or a comment.
pub(super) fn note(text: &str) -> String {
    // Two hyphens would end a comment.
    let mut text = clean(text);
    while text.contains("--") {
        text = text.replace("--", "-");
    }
    escaped(&text)
}

/// The name of an alias, from what it stands for. A stem that had to be changed gets a digest of what it was.
pub(super) fn alias_name(stem: &str, suffix: &str, salt: usize) -> String {
    let room = MAX_ALIAS_BYTES.saturating_sub(ALIAS_PREFIX.len() + suffix.len());
    let plain: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if plain == stem && plain.len() <= room && salt == 0 {
        return format!("{ALIAS_PREFIX}{plain}{suffix}");
    }
    let digest = digest(&format!("{stem}\n{salt}"));
    let kept: String = plain.chars().take(room.saturating_sub(digest.len() + 1)).collect();
    format!("{ALIAS_PREFIX}{kept}_{digest}{suffix}")
}

/// The name of a schedule. It always has a digest, so that no schedule of somebody else has it.
pub(super) fn schedule_name(stem: &str, salt: usize) -> String {
    let digest = digest(&format!("{stem}\n{salt}"));
    let room = MAX_ALIAS_BYTES.saturating_sub(ALIAS_PREFIX.len() + 1 + digest.len());
    let plain = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    format!("{ALIAS_PREFIX}{}_{digest}", plain.take(room).collect::<String>())
}

/// Eight digits of a digest.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The tracker of a rule that is known by `key`.
pub(super) fn tracker(key: &str, salt: usize) -> u32 {
    let digest = Sha256::digest(format!("{key}\n{salt}").as_bytes());
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let room = u64::from(u32::MAX - FIRST_TRACKER) + 1;
    FIRST_TRACKER + u32::try_from(number % room).unwrap_or_default()
}

/// Text without what pf, pfSense or a terminal would act on: `\` and `"` end a label or are refused, `$` starts a name
/// that pf replaces (`$srcaddr`), and the rest cannot be seen.
fn clean(text: &str) -> String {
    let replaced = text.chars().map(|c| match c {
        '"' => '\'',
        '\\' => '/',
        '$' => ' ',
        '\u{fffe}' | '\u{ffff}' => ' ',
        c if crate::source::is_forbidden(c) || c.is_whitespace() || c.is_control() => ' ',
        c => c,
    });
    replaced.collect::<String>().split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A name that is too long keeps its start and gets a digest of the whole.
fn shortened(name: &str, room: usize) -> String {
    if name.len() <= room {
        return name.to_owned();
    }
    let digest = digest(name);
    format!("{}~{digest}", start(name, room.saturating_sub(digest.len() + 1)))
}

/// Text that is too long is cut and ends in `...`.
fn cut(text: &str, room: usize) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    format!("{}...", start(text, room.saturating_sub(3)).trim_end())
}

/// The characters of a text that fit into so many bytes.
fn start(text: &str, room: usize) -> &str {
    let end =
        text.char_indices().map(|(place, c)| place + c.len_utf8()).take_while(|end| *end <= room).last();
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// As pfSense writes text (`dump_xml_config_sub`, xmlparse.inc): with entities, also inside of CDATA, where it decodes
/// them as well when it reads. Since `>` is one of them, nothing can end a CDATA section. These four are read by all
/// versions; `&apos;` is not by 2.7.2.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place_nor_outgrow_it() {
        let hostile = "a]]></descr><tracker>1</tracker>\n\"b\" \\ $srcaddr & c\u{202e}";
        assert_eq!(description("data", Some("]]>\n\"$nr\\\u{202e}&")), "cordon: data, ]]&gt; ' nr/ &amp;");
        let written = description(hostile, Some(&"x".repeat(10_000)));
        assert!(!written.contains(['<', '>', '"', '\\', '$', '\n', '\u{202e}']), "{written}");
        let long = description("ü", Some(&"ü".repeat(10_000)));
        assert!(long.len() <= MAX_DESCRIPTION_BYTES && long.ends_with("ü..."), "{long}");
    }

    #[test]
    fn names_are_what_pfsense_takes_and_differ_where_what_they_stand_for_does() {
        assert_eq!(alias_name("ward", "_v4", 0), "cdn_ward_v4");
        let names = ["a-b", "a_b", "a.b", &"x".repeat(40), &("x".repeat(39) + "y")]
            .map(|stem| alias_name(stem, "_not_v4", 0));
        for (place, name) in names.iter().enumerate() {
            assert!(name.len() <= 31, "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
            assert!(!names.iter().skip(place + 1).any(|other| other == name), "{name}");
        }
        assert_ne!(alias_name("ward", "_v4", 1), alias_name("ward", "_v4", 0));
        let schedules =
            ["a-b", "a_b", &"x".repeat(63), &("x".repeat(62) + "y")].map(|stem| schedule_name(stem, 0));
        for (place, name) in schedules.iter().enumerate() {
            assert!(
                name.len() <= 31 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            );
            assert!(!schedules.iter().skip(place + 1).any(|other| other == name), "{name}");
        }
        assert_ne!(schedule_name("night", 0), schedule_name("night", 1));
    }

    #[test]
    fn trackers_stay_in_their_range() {
        for key in ["", "a", "b", "c"] {
            assert!(tracker(key, 0) >= FIRST_TRACKER);
            assert_ne!(tracker(key, 0), tracker(key, 1));
        }
    }

    #[test]
    fn an_interface_is_named_as_pfsense_names_it() {
        for good in ["wan", "lan", "opt1", "opt28", "opt9999"] {
            assert!(valid_interface(good), "{good}");
        }
        for bad in ["", "WAN", "opt", "opt0", "opt01", "opt1ip", "em0", "(self)", "any", "opt99999"] {
            assert!(!valid_interface(bad), "{bad}");
        }
    }
}
