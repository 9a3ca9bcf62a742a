//! Interfaces that two tests of one rule leave.

use std::sync::Arc;

use crate::read::Interfaces;

/// Why it cannot be said.
pub(super) struct Unclear(pub(super) String);

/// The interfaces that both hold.
pub(super) fn both(one: &Interfaces, other: &Interfaces) -> Result<Interfaces, Unclear> {
    match (one, other) {
        (Interfaces::Any, rest) | (rest, Interfaces::Any) => Ok(rest.clone()),
        (Interfaces::Except(left), Interfaces::Except(right)) => {
            let mut names = left.to_vec();
            names.extend(right.iter().filter(|name| !left.contains(name)).cloned());
            Ok(Interfaces::Except(names.into()))
        }
        (Interfaces::Only(names), Interfaces::Except(others))
        | (Interfaces::Except(others), Interfaces::Only(names)) => without(names, others),
        (Interfaces::Only(left), Interfaces::Only(right)) => {
            let mut names = Vec::new();
            for (one, other) in left.iter().flat_map(|one| right.iter().map(move |other| (one, other))) {
                let narrower = if covers(one, other) {
                    other
                } else if covers(other, one) {
                    one
                } else {
                    continue;
                };
                if !names.contains(narrower) {
                    names.push(narrower.clone());
                }
            }
            Ok(Interfaces::Only(names.into()))
        }
    }
}

fn without(names: &Arc<[String]>, others: &[String]) -> Result<Interfaces, Unclear> {
    let mut left = Vec::new();
    for name in names.iter() {
        if others.iter().any(|other| covers(other, name)) {
            continue;
        }
        if let Some(part) = others.iter().find(|other| covers(name, other)) {
            return Err(Unclear(format!("`{name}` without `{part}` is not understood; name the interfaces")));
        }
        left.push(name.clone());
    }
    Ok(Interfaces::Only(left.into()))
}

/// True if all interfaces of a name, or of the names that start like it, are among those of another.
fn covers(wide: &str, narrow: &str) -> bool {
    match wide.strip_suffix('*') {
        Some(start) => narrow.starts_with(start),
        None => wide == narrow,
    }
}

#[cfg(test)]
mod tests {
    use super::both;
    use crate::read::Interfaces;

    fn only(names: &[&str]) -> Interfaces {
        Interfaces::Only(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn except(names: &[&str]) -> Interfaces {
        Interfaces::Except(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn two_tests_leave_what_both_hold() {
        let check = |one, other, expected: Option<Interfaces>| assert_eq!(both(&one, &other).ok(), expected);
        check(Interfaces::Any, only(&["a"]), Some(only(&["a"])));
        check(only(&["a", "b*"]), only(&["b1", "c"]), Some(only(&["b1"])));
        check(only(&["eth*"]), only(&["eth1*", "lo"]), Some(only(&["eth1*"])));
        check(only(&["a", "b"]), except(&["a"]), Some(only(&["b"])));
        check(except(&["e*"]), only(&["eth0", "lo"]), Some(only(&["lo"])));
        check(except(&["a"]), except(&["b"]), Some(except(&["a", "b"])));
        check(only(&["e*"]), except(&["eth0"]), None);
        check(only(&["a"]), only(&["b"]), Some(only(&[])));
    }
}
