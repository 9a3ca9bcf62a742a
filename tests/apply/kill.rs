//! Killing whatever takes part in an apply, at random moments.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::site::{Site, kill, policy};
use crate::kernel::require::ready_as_root;

/// Who is killed 200 times, on several routers at once.
const ROUTERS: [&str; 8] =
    ["nftables", "nftables", "nftables", "nftables", "nftables", "iptables", "iptables", "iptables"];
const KILLS_EACH: usize = 25;

/// So many applies are enough for that: some end before their moment comes.
const MOST_APPLIES: usize = 4 * KILLS_EACH;

/// What came of one router.
#[derive(Default, Debug)]
struct Seen {
    killed: usize,
    confirmed: usize,
    restored: usize,
}

#[test]
fn killing_anybody_at_any_moment_leaves_the_old_rules_or_the_new() {
    let test = "killing_anybody_at_any_moment_leaves_the_old_rules_or_the_new";
    if !ready_as_root(test, &["nft", "iptables-restore", "ipset", "flock", "nsenter"]) {
        return;
    }
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let routers = ROUTERS.iter().enumerate();
        let threads: Vec<_> =
            routers.map(|(number, target)| scope.spawn(move || disturb(number as u8, target))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // A test in which nothing was killed, or all applies ended alike, would show nothing.
    let sum = |what: fn(&Seen) -> usize| seen.iter().map(what).sum::<usize>();
    assert_eq!(sum(|seen| seen.killed), ROUTERS.len() * KILLS_EACH, "{seen:?}");
    assert!(sum(|seen| seen.confirmed) > 5 && sum(|seen| seen.restored) > 5, "{seen:?}");
}

/// Numbers below a bound: the same in each run, so the same moments as far as the machine goes.
fn dice(number: u8) -> impl FnMut(u32) -> u32 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (u64::from(number) << 32);
    // xorshift64 (Marsaglia, 2003).
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u32 % below
    }
}

/// Begins to apply a policy on a router.
fn begin(site: &Site, policy: &str) -> Child {
    let plan = site.plan("next", policy, &["--to", "local"]);
    let arguments = ["apply", &plan, "--yes", "--confirm-within", "2s"];
    let mut command = site.command("core", env!("CARGO_BIN_EXE_cordon"), &arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn disturb(number: u8, target: &'static str) -> Seen {
    let mut next = dice(number);
    let site = Site::new(target);
    let policies = [policy(target, 3613, true), policy(target, 3614, true)];
    // What each policy looks like in the kernel, and how long an apply takes that nobody disturbs.
    let mut span = 0;
    let looks = [0, 1].map(|index| {
        let begun = Instant::now();
        site.put("start", &policies[index]);
        span = u32::try_from(begun.elapsed().as_micros()).unwrap();
        site.rules()
    });
    let mut in_force = 1;
    let mut seen = Seen::default();
    for round in 0..MOST_APPLIES {
        if seen.killed == KILLS_EACH {
            break;
        }
        let wanted = 1 - in_force;
        let last = site.last_apply();
        let mut child = begin(&site, &policies[wanted]);
        std::thread::sleep(Duration::from_micros(next(span).into()));
        let all = site.processes();
        // Mostly the command, or any one process: the shell, a loader, one of the timers.
        let victim = match next(3) {
            0 => all.iter().find(|id| Ok(**id) == i32::try_from(child.id())),
            _ if all.is_empty() => None,
            _ => all.get(next(all.len() as u32) as usize),
        };
        if let Some(victim) = victim {
            kill(*victim);
            seen.killed += 1;
        }
        let now = site.rules();
        for family in [0, 1] {
            let known = looks.iter().any(|look| look[family] == now[family]);
            assert!(known, "{target}, router {number}, apply {round}: neither old nor new:\n{}", now[family]);
        }
        let status = child.wait().unwrap();
        site.settle();
        let ended = site.rules();
        // An apply that was killed early never became the last one that the router knows.
        let is_confirmed = site.last_apply() != last && site.decision() == "confirmed";
        let expected = if is_confirmed { wanted } else { in_force };
        assert_eq!(
            ended,
            looks[expected],
            "{target}, router {number}, apply {round}: {status}, {}",
            site.decision()
        );
        assert!(is_confirmed || !status.success(), "what failed is not taken for a success");
        match is_confirmed {
            true => seen.confirmed += 1,
            false => seen.restored += 1,
        }
        in_force = expected;
    }
    seen
}
