//! Delta debugging: the least of a whole that still shows something (Zeller and Hildebrandt, Simplifying and Isolating
//! Failure-Inducing Input, IEEE Transactions on Software Engineering 28(2), 2002).

/// Takes away as many of `items` as `shows` allows, first many at once, then one by one. What is left is 1-minimal: without
/// any one item it no longer shows, unless `shows` refused to answer. The order of the items stays.
pub fn shrink<T: Clone>(items: Vec<T>, shows: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    let mut kept = items;
    let mut size = kept.len().div_ceil(2);
    while size > 0 && !kept.is_empty() {
        let mut place = 0;
        let mut removed = false;
        while place < kept.len() {
            let end = kept.len().min(place + size);
            let fewer: Vec<T> = kept.iter().take(place).chain(kept.iter().skip(end)).cloned().collect();
            if shows(&fewer) {
                kept = fewer;
                removed = true;
            } else {
                place = end;
            }
        }
        // One by one until nothing more goes: an item may have been needed by one that is gone now.
        size = match (size, removed) {
            (1, true) => 1,
            (1, false) => 0,
            (size, _) => size.div_ceil(2),
        };
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_minimal_and_in_order() {
        let wanted = [3, 17, 40, 41];
        let mut asked = 0;
        let left = shrink((0..100).collect(), &mut |kept| {
            asked += 1;
            wanted.iter().all(|wanted| kept.contains(wanted))
        });
        assert_eq!(left, wanted);
        assert!(asked < 100, "{asked} candidates");
        assert_eq!(shrink(vec![1, 2], &mut |_| true), [0; 0]);
        assert_eq!(shrink(vec![1, 2], &mut |_| false), [1, 2]);
    }

    #[test]
    fn what_was_needed_by_something_that_is_gone_goes_too() {
        // 1 can go only once 2 has gone, and so on.
        let left = shrink((0..8).collect(), &mut |kept: &[i32]| {
            kept.contains(&0) && kept.windows(2).all(|pair| pair[1] == pair[0] + 1)
        });
        assert_eq!(left, [0]);
    }
}
