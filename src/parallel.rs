//! Work on several threads, with results that do not depend on which is done first.

use std::any::Any;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, available_parallelism, scope};

/// The stack of a thread, in bytes, as large as that of a program's first thread.
const STACK_BYTES: usize = 8 << 20;

/// Does two things at once. Where no thread can be started, one after the other.
pub(crate) fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    let waiting = Mutex::new(Some(one));
    let run = || waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take().map(|work| work());
    scope(|scope| {
        let started = Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run);
        let second = other();
        let first = match started {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => run(),
        };
        // INVARIANT: the work is taken once, by the thread or, if there is none, here.
        let first = first.unwrap_or_else(|| resume_unwind(lost()));
        (first, second)
    })
}

/// What is done with each of some things, in their order.
pub(crate) fn each<I: Sync, R: Send>(items: &[I], work: impl Fn(&I) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return done };
            done.push((place, work(item)));
        }
    };
    let threads = available_parallelism().map_or(1, NonZero::get).min(items.len());
    let mut all = scope(|scope| {
        let start = |_| Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, take_turns).ok();
        let started: Vec<_> = (1..threads).filter_map(start).collect();
        let mut all = take_turns();
        for thread in started {
            all.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, result)| result).collect()
}

fn lost() -> Box<dyn Any + Send> {
    Box::new("work was lost between threads")
}

#[cfg(test)]
mod tests {
    use super::{both, each};

    #[test]
    fn results_stand_in_the_order_of_what_they_are_of() {
        let numbers: Vec<u64> = (0..1_000).collect();
        let squares: Vec<u64> = numbers.iter().map(|number| number * number).collect();
        assert_eq!(each(&numbers, |number| number * number), squares);
        assert!(each(&[], |number: &u64| *number).is_empty());
        assert_eq!(both(|| 1, || "two"), (1, "two"));
    }

    #[test]
    fn a_panic_of_a_thread_is_one_of_who_started_it() {
        let caught = std::panic::catch_unwind(|| both(|| assert!(std::hint::black_box(false)), || 1));
        assert!(caught.is_err());
    }
}
