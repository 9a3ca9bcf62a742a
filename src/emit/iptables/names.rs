//! Names of chains and sets, and prefixes of log lines, made to fit the bytes that there are for them.
//!
//! A name that is too long is cut and ends in `~` and eight digits of the digest of the whole name. No name of a policy
//! holds a `~`, so a shortened name is never the name of something else, and two that came out equal are an error.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// The longest name of a chain (`XT_EXTENSION_MAXNAMELEN` 29 with its end, linux/netfilter/x_tables.h).
const MAX_CHAIN_BYTES: usize = 28;

/// The longest name of a set (`IPSET_MAXNAMELEN` 32 with its end, linux/netfilter/ipset/ip_set.h).
const MAX_SET_BYTES: usize = 31;

/// The longest prefix that `LOG` takes (`xt_log_info`, linux/netfilter/xt_LOG.h: 30 bytes with the end).
const MAX_PREFIX_BYTES: usize = 29;

/// What all names of sets start with: a zero that `load.sh` replaces by the number of a generation that is free.
const SET_PREFIX: &str = "cordon0.";

/// What two different names came out as the same means.
const COLLISION: &str = "two names have the same short form";

/// The names that were given, each with the name that it is short for.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: BTreeMap<String, String>,
}

impl Names {
    /// The name of a chain.
    pub(super) fn chain(&mut self, full: &str) -> Result<String, &'static str> {
        self.give(format!("cordon-{full}"), MAX_CHAIN_BYTES)
    }

    /// The name of a set.
    pub(super) fn set(&mut self, full: &str) -> Result<String, &'static str> {
        self.give(format!("{SET_PREFIX}{full}"), MAX_SET_BYTES)
    }

    /// The prefix of the log lines of a rule.
    pub(super) fn log_prefix(&mut self, word: &str, rule: &str) -> Result<String, &'static str> {
        Ok(format!("cordon {word} {}: ", self.give(rule.to_owned(), room_in_log(word))?))
    }

    fn give(&mut self, full: String, max_bytes: usize) -> Result<String, &'static str> {
        let short = shortened(&full, max_bytes);
        match self.given.insert(short.clone(), full.clone()) {
            Some(other) if other != full => Err(COLLISION),
            Some(_) | None => Ok(short),
        }
    }
}

/// The bytes that a name has in a prefix, between `cordon WORD ` and `: `.
fn room_in_log(word: &str) -> usize {
    MAX_PREFIX_BYTES.saturating_sub("cordon  : ".len() + word.len())
}

/// A name as log lines of a firewall with iptables show it behind `cordon WORD `.
pub fn name_in_log(word: &str, name: &str) -> String {
    shortened(name, room_in_log(word))
}

/// The first digits, in hexadecimal, of the digest of a text.
pub(super) fn digest(text: &str, digits: usize) -> String {
    let digest = Sha256::digest(text);
    digest.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).take(digits).map(char::from).collect()
}

/// A name as it is, if it fits, or else its start, `~` and eight digits.
fn shortened(full: &str, max_bytes: usize) -> String {
    if full.len() <= max_bytes {
        return full.to_owned();
    }
    let mark = format!("~{}", digest(full, 8));
    let start: String = full.chars().take(max_bytes.saturating_sub(mark.len())).collect();
    start + &mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_to_what_fits_and_stay_apart() {
        let mut names = Names::default();
        assert_eq!(names.chain("vlan230/vlan310").unwrap(), "cordon-vlan230/vlan310");
        let long = "a-rule-with-a-name-of-sixty-three-bytes-which-is-the-longest-one";
        let (one, other) = (names.chain(long).unwrap(), names.chain(&format!("{long}r")).unwrap());
        assert_eq!((one.len(), other.len()), (MAX_CHAIN_BYTES, MAX_CHAIN_BYTES));
        assert_ne!(one, other);
        assert_eq!(names.set(long).unwrap().len(), MAX_SET_BYTES);
        let prefix = names.log_prefix("allow", long).unwrap();
        assert_eq!(prefix.len(), MAX_PREFIX_BYTES);
        assert!(prefix.starts_with("cordon allow a-rul~") && prefix.ends_with(": "), "{prefix}");
        assert_eq!(prefix, format!("cordon allow {}: ", name_in_log("allow", long)));
        assert_eq!(names.log_prefix("deny", "no-smb").unwrap(), "cordon deny no-smb: ");
    }

    #[test]
    fn two_names_that_come_out_the_same_are_an_error() {
        let mut names = Names::default();
        names.given.insert("cordon-a".to_owned(), "another".to_owned());
        assert_eq!(names.chain("a"), Err(COLLISION));
    }
}
