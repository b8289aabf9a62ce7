use super::*;
use crate::testing::{Folder, architecture, tensors, write_model};

#[test]
fn what_is_written_is_read() {
    let folder = Folder::new();
    let path = folder.join("encoder.bl");
    let header = write_model(&path);
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.header.hash, header.hash);
    assert_eq!(reader.header.architecture, architecture());
    for tensor in tensors(&architecture()) {
        assert_eq!(
            reader
                .bytes(&tensor.name, &tensor.shape, tensor.dtype)
                .unwrap()[..],
            *tensor.data
        );
    }
    assert!(
        reader
            .header
            .tensors
            .iter()
            .all(|entry| (reader.data_start as u64 + entry.offset).is_multiple_of(64))
    );
    reader.verify().unwrap();
}

#[test]
fn a_wrong_shape_or_name_is_refused() {
    let folder = Folder::new();
    let path = folder.join("encoder.bl");
    write_model(&path);
    let reader = Reader::open(&path).unwrap();
    assert!(
        reader
            .bytes("word", &[64, 40], Dtype::Q4_0)
            .unwrap_err()
            .to_string()
            .contains("expected")
    );
    assert!(
        reader
            .floats("nothing", &[1])
            .unwrap_err()
            .to_string()
            .contains("no tensor nothing")
    );
}

#[test]
fn damage_is_seen() {
    let folder = Folder::new();
    let path = folder.join("encoder.bl");
    write_model(&path);
    let whole = std::fs::read(&path).unwrap();

    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    assert!(matches!(
        Reader::open(&path).unwrap().verify(),
        Err(Error::Hash { .. })
    ));

    for length in [0, 7, 15, 16, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(
            Reader::open(&path).is_err(),
            "{length} bytes were taken for whole"
        );
    }

    let mut other = whole;
    other[0] = b'X';
    std::fs::write(&path, &other).unwrap();
    assert!(
        Reader::open(&path)
            .err()
            .unwrap()
            .to_string()
            .contains("model fetch")
    );
}
