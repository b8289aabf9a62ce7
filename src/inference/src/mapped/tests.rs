use super::*;
use crate::testing::Folder;

#[test]
fn a_file_that_was_replaced_or_removed_is_read_on() {
    let folder = Folder::new();
    let path = folder.join("weights");
    std::fs::write(&path, vec![7; 100_000]).unwrap();
    let piece = Piece::of_file(&path).unwrap();
    let other = folder.join("other");
    std::fs::write(&other, b"short").unwrap();
    std::fs::rename(&other, &path).unwrap();
    assert!(piece.len() == 100_000 && piece.iter().all(|&b| b == 7));
    std::fs::remove_file(&path).unwrap();
    assert!(piece.iter().all(|&b| b == 7));
}

#[test]
fn a_part_lies_within() {
    let folder = Folder::new();
    let path = folder.join("weights");
    std::fs::write(&path, b"0123456789").unwrap();
    let all = Piece::of_file(&path).unwrap();
    let part = all.part(2..8).unwrap();
    assert_eq!(&*part, b"234567");
    assert_eq!(&*part.part(1..3).unwrap(), b"34");
    assert!(part.part(0..6).is_some() && part.part(6..6).is_some());
    for beyond in [0..7, 7..7, 5..usize::MAX, usize::MAX..usize::MAX] {
        assert!(part.part(beyond).is_none());
    }
    #[expect(clippy::reversed_empty_ranges, reason = "what is asked for")]
    let reversed = part.part(3..2);
    assert!(reversed.is_none());
    part.ahead();
}

#[test]
fn nothing_is_an_empty_piece() {
    let folder = Folder::new();
    let path = folder.join("weights");
    std::fs::write(&path, b"").unwrap();
    assert!(Piece::of_file(&path).unwrap().is_empty());
    assert!(Piece::of_file(&folder.join("absent")).is_err());
}

#[test]
fn what_is_written_to_large_pages_is_read() {
    let mut large = Large::new(5_000_000).unwrap();
    assert!(large.iter().all(|&b| b == 0));
    for (n, byte) in large.iter_mut().enumerate() {
        *byte = n as u8;
    }
    let piece = large.done().unwrap();
    assert!(piece.iter().enumerate().all(|(n, &byte)| byte == n as u8));
}
