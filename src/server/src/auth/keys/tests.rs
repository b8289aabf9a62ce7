//! What holds before any key has said a word; what they say is in tests/it/keys.rs.

use std::time::Duration;

use axum::http::HeaderMap;
use serde_json::json;

use super::own::{NAME, name};
use super::waiting::GOOD_FOR;
use super::*;
use crate::auth::tests::{Bench, NOWHERE, bench, coded, nothing};
use crate::auth::{Origins, Signed};

fn site() -> Site {
    let origins = Origins {
        public: Some("https://desk.example.dk".to_owned()),
        ..Origins::default()
    };
    Site::of(&origins, &HeaderMap::new()).unwrap()
}

/// What is no key's word, under the name of what was asked.
fn nonsense(asked: &Challenge) -> Said {
    Said {
        challenge: asked.challenge.clone(),
        credential: json!({}),
    }
}

/// What becomes of nonsense after so long: whether it is read at all.
async fn read_after(b: &Bench, signed: &Signed, wait: Duration) -> bool {
    let site = site();
    let at = (Some(&site), "x");
    let asked = b.auth.begin_key(signed, &nothing(), at).await.unwrap();
    b.clock.advance(wait);
    match b.auth.add_key(signed, &nonsense(&asked), "Blå", at).await {
        Err(Trouble::BadKey) => true,
        Err(Trouble::KeyOver) => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_asked_is_over_after_five_minutes_and_when_there_is_another_factor() {
    let b = bench().await;
    let signed = b.try_in(None).await.unwrap();
    let just = GOOD_FOR - Duration::from_millis(1);
    assert!(read_after(&b, &signed, just).await);
    assert!(!read_after(&b, &signed, GOOD_FOR).await);

    let site = site();
    let at = (Some(&site), "x");
    let asked = b.auth.begin_key(&signed, &nothing(), at).await.unwrap();
    let (_, codes) = b.set_up(&signed).await;
    let added = b.auth.add_key(&signed, &nonsense(&asked), "Blå", at).await;
    assert!(matches!(added, Err(Trouble::KeyOver)), "begun without it");
    let begun = b.auth.begin_key(&signed, &nothing(), at).await;
    assert!(matches!(begun, Err(Trouble::CodeNeeded(_))), "{begun:?}");
    let shown = coded(&codes[0]);
    assert!(b.auth.begin_key(&signed, &shown, at).await.is_ok());
    let begun = b.auth.begin_key(&signed, &shown, at).await;
    assert!(matches!(begun, Err(Trouble::BadCode)), "{begun:?}");
    let begun = b.auth.begin_key(&signed, &shown, NOWHERE).await;
    assert!(matches!(begun, Err(Trouble::SecondFactor("elsewhere"))));
}

#[test]
fn a_name_is_of_some_words_and_no_persons_number() {
    assert_eq!(name("  Min \t blå  nøgle ").unwrap(), "Min blå nøgle");
    assert!(name(&"ø".repeat(NAME)).is_ok());
    for bad in ["", " \n", &"ø".repeat(NAME + 1)] {
        assert!(name(bad).is_err(), "{bad:?}");
    }
    assert!(!name("a\u{7}b").unwrap().contains('\u{7}'));
    assert!(!name("nøgle 070761-4285").unwrap().contains("4285"));
}

#[test]
fn a_public_key_that_was_stored_once_is_read_for_ever() {
    // The base points of the curves, as `webauthn_rp` 0.3.0 writes them.
    const P256: &str = "016b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296010000";
    const ED25519: &str = "0058666666666666666666666666666666666666666666666666666666666666660000";
    let bytes = |hex: &str| {
        let pairs = (0..hex.len()).step_by(2);
        let read = pairs.map(|n| u8::from_str_radix(&hex[n..n + 2], 16).unwrap());
        read.collect::<Vec<u8>>()
    };
    let key = Public::decode(&bytes(P256)).unwrap().credential_public_key;
    let CompressedPubKey::P256(key) = key else {
        panic!("{key:?}");
    };
    assert!(key.y_is_odd() && key.x()[..] == bytes(P256)[1..33]);
    let key = Public::decode(&bytes(ED25519)).unwrap();
    let CompressedPubKey::Ed25519(key) = key.credential_public_key else {
        panic!("{key:?}");
    };
    assert_eq!(key.inner()[..], bytes(ED25519)[1..33]);
}
