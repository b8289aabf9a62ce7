use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

const HERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
const NOW: Duration = Duration::from_secs(100);

fn crowd(sockets: u32, dialogues: u32) -> Arc<Crowd> {
    Crowd::new(PerNetwork {
        sockets,
        dialogues,
        dialogues_an_hour: 60,
        ..PerNetwork::default()
    })
}

#[test]
fn a_network_has_so_many_sockets_and_others_have_theirs() {
    let crowd = crowd(2, 0);
    let enter = |from| crowd.enter(from, NOW);
    let first = enter(HERE).unwrap();
    let second = enter(HERE).unwrap();
    assert!(first.fits().is_ok() && second.fits().is_ok());
    let third = enter(HERE).unwrap();
    assert_eq!(third.fits(), Err(PLACE_AFTER), "is told when to come back");
    let fourth = enter(HERE).unwrap();
    assert!(enter(HERE).is_none(), "whoever goes on is not listened to");
    let there = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));
    assert!(enter(there).unwrap().fits().is_ok());
    drop((first, third, fourth));
    assert!(enter(HERE).unwrap().fits().is_ok(), "a place is free again");
}

#[test]
fn whose_addresses_are_one_network_is_one() {
    let crowd = crowd(1, 0);
    let v6 = |n, host| {
        Some(IpAddr::V6(Ipv6Addr::new(
            0x2001, 0xdb8, 0, n, 0, 0, 0, host,
        )))
    };
    let _first = crowd.enter(v6(1, 1), NOW).unwrap();
    assert!(crowd.enter(v6(1, 2), NOW).unwrap().fits().is_err());
    assert!(crowd.enter(v6(2, 1), NOW).unwrap().fits().is_ok());
    for _ in 0..9 {
        let unknown = crowd.enter(None, NOW).unwrap();
        assert!(unknown.fits().is_ok(), "nobody knows whose these are");
        std::mem::forget(unknown);
    }
}

#[test]
fn dialogues_begin_at_once_and_then_at_a_rate() {
    let crowd = crowd(0, 3);
    let begins = |now| crowd.enter(HERE, now).unwrap().begins(now);
    for _ in 0..3 {
        assert_eq!(begins(NOW), Ok(Duration::ZERO));
    }
    assert_eq!(begins(NOW), Err(Duration::from_secs(60)), "one a minute");
    assert_eq!(begins(NOW + Duration::from_secs(60)), Ok(Duration::ZERO));
    assert!(begins(NOW + Duration::from_secs(61)).is_err());
    let later = NOW + Duration::from_secs(36_000);
    for _ in 0..3 {
        assert_eq!(begins(later), Ok(Duration::ZERO));
    }
    assert!(begins(later).is_err(), "never more than three at once");
}

#[test]
fn the_memory_is_bounded_and_open_sockets_are_not_forgotten() {
    let crowd = crowd(1, 3);
    let open = crowd.enter(HERE, Duration::ZERO).unwrap();
    for n in 0..60_000_u32 {
        let from = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n));
        let at = Duration::from_millis(u64::from(n));
        assert!(crowd.enter(Some(from), at).is_some());
    }
    assert!(crowd.lock().len() <= KEPT + 1);
    assert!(crowd.enter(HERE, NOW).unwrap().fits().is_err());
    drop(open);
    assert!(crowd.enter(HERE, NOW).unwrap().fits().is_ok());
}

#[test]
fn crowds_stand_in_one_line_and_nobody_else_does() {
    let crowd = Crowd::new(PerNetwork {
        crowd: 5,
        crowds_a_second: 2,
        ..PerNetwork::default()
    });
    let from = |n| Some(IpAddr::V4(Ipv4Addr::new(198, 51, 100, n)));
    let begins = |n, now| crowd.enter(from(n), now).unwrap().begins(now);
    for n in 1..4 {
        for _ in 0..5 {
            assert_eq!(begins(n, NOW), Ok(Duration::ZERO), "no crowd yet");
        }
    }
    let mut delays = Vec::new();
    let refused = loop {
        match begins(delays.len() as u8 % 3 + 1, NOW) {
            Ok(delay) => delays.push(delay),
            Err(after) => break after,
        }
    };
    assert!(
        delays.is_sorted() && delays[2] == Duration::ZERO,
        "{delays:?}"
    );
    assert_eq!(delays.last(), Some(&IN_LINE));
    assert_eq!(refused, PLACE_AFTER);
    assert_eq!(begins(9, NOW), Ok(Duration::ZERO), "a citizen comes in");
    let later = NOW + Duration::from_secs(6);
    assert_eq!(begins(1, later), Ok(Duration::ZERO), "the line is gone");
}

#[test]
fn whoever_begins_as_fast_as_dialogues_come_back_is_a_crowd() {
    let crowd = Crowd::new(PerNetwork {
        crowd: 5,
        crowds_a_second: 1,
        dialogues_an_hour: 3_600,
        ..PerNetwork::default()
    });
    let from = |n| Some(IpAddr::V4(Ipv4Addr::new(198, 51, 100, n)));
    let mut refused = 0;
    // Ten networks, a dialogue a second each, for three minutes: one a second of all comes in, after what quiet gave.
    for second in 0..180 {
        for n in 0..10 {
            let place = crowd.enter(from(n), NOW).unwrap();
            let begun = place.begins(NOW + Duration::from_secs(second));
            refused += usize::from(begun.is_err());
        }
    }
    assert!(refused > 1_300, "{refused} of 1800");
}
