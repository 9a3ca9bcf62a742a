//! A steady stream of allowed packets through a router whose rules are replaced.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::site::{Site, policy};
use crate::kernel::require::ready_as_root;

/// How often the rules are replaced, for each target.
const APPLIES: usize = 50;

#[test]
fn there_is_no_moment_without_rules_in_a_hundred_applies() {
    let test = "there_is_no_moment_without_rules_in_a_hundred_applies";
    if !ready_as_root(test, &["nft", "iptables-restore", "ipset", "flock", "nsenter"]) {
        return;
    }
    std::thread::scope(|scope| {
        // A packet that nftables is at work on while the table is replaced can be lost (docs/apply.md): single ones, never
        // two in a row, as there would be in a moment without rules.
        for (target, most_lost) in [("nftables", 3), ("iptables", 0)] {
            scope.spawn(move || stream_through(target, most_lost));
        }
    });
}

fn stream_through(target: &'static str, most_lost: usize) {
    let site = Site::new(target);
    site.put("first", &policy(target, 3613, true));
    let receiver = site.udp("servers", "10.2.0.10:7000");
    // What the test is too slow to take is not lost by the router.
    nix::sys::socket::setsockopt(&receiver, nix::sys::socket::sockopt::RcvBufForce, &(64 << 20)).unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let steady = site.udp("ward", "10.1.0.2:0");
            let mut sent = 0u32;
            while !is_over.load(Ordering::Relaxed) {
                // Known connections pass whatever the rules are, so every other packet is one of a connection that is new.
                let fresh = site.udp("ward", "10.1.0.2:0");
                for socket in [&steady, &fresh] {
                    socket.send_to(&sent.to_be_bytes(), "10.2.0.10:7000").unwrap();
                    sent += 1;
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            sent
        });
        let taker = scope.spawn(|| {
            let mut buffer = [0; 4];
            let mut got = BTreeSet::new();
            loop {
                match receiver.recv(&mut buffer) {
                    Ok(_) => drop(got.insert(u32::from_be_bytes(buffer))),
                    Err(_) if is_over.load(Ordering::Relaxed) => return got,
                    Err(_) => {}
                }
            }
        });
        let applied = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..APPLIES).for_each(|number| site.put("next", &policy(target, 3614 - number as u16 % 2, true)));
        }));
        is_over.store(true, Ordering::Relaxed);
        let (sent, got) = (sender.join().unwrap(), taker.join().unwrap());
        applied.unwrap();
        assert!(sent > 50 * APPLIES as u32, "{sent} packets are no steady stream");
        let lost: Vec<u32> = (0..sent).filter(|number| !got.contains(number)).collect();
        let neighbours = lost.windows(2).any(|pair| pair[1] - pair[0] <= 2);
        assert!(lost.len() <= most_lost && !neighbours, "{target}: lost {lost:?} of {sent}");
    });
}
