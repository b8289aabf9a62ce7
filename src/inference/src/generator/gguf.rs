//! The GGUF container: what is said of a model, and where its tensors lie.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3. candle has a reader too, which
//! keeps each of some 500,000 values in 32 bytes and divides by an alignment of the file's choice; this one bounds what a
//! header may hold before it allocates, and names what is wrong with it. The blocks themselves are candle's to expand.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::Device;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};

use crate::error::{Error, IoContext, Result};

/// Metadata entries, and tensors, that a header may name.
const MOST_ENTRIES: u64 = 1 << 16;
/// Elements of an array: a vocabulary has a quarter of a million.
const MOST_ELEMENTS: u64 = 1 << 22;
/// Bytes of a text, and of all texts of an array.
const MOST_TEXT: u64 = 1 << 24;
const MOST_TEXTS: usize = 1 << 27;
/// Largest extent of a tensor.
const MOST_EXTENT: u64 = 1 << 31;

/// An entry of the metadata.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Integer(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Texts(Texts),
    Integers(Vec<i32>),
    Floats(Vec<f32>),
}

/// Many short texts, end to end.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, n: usize) -> Option<&str> {
        let end = *self.ends.get(n)? as usize;
        let start = n.checked_sub(1).map_or(0, |n| self.ends[n] as usize);
        self.all.get(start..end)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|n| self.get(n))
    }

    fn push(&mut self, text: &str) -> Option<()> {
        if self.all.len() + text.len() > MOST_TEXTS {
            return None;
        }
        self.all.push_str(text);
        self.ends.push(self.all.len() as u32);
        Some(())
    }
}

/// Where a tensor lies, and its shape, outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorInfo {
    pub(crate) dtype: GgmlDType,
    pub(crate) shape: Vec<usize>,
    /// In the file.
    start: u64,
    row_bytes: usize,
}

impl TensorInfo {
    /// Values of the innermost extent.
    pub(crate) fn width(&self) -> usize {
        self.shape[self.shape.len() - 1]
    }

    /// How many rows of that width.
    pub(crate) fn rows(&self) -> usize {
        self.shape[..self.shape.len() - 1].iter().product()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows() * self.row_bytes
    }
}

/// An open file and its header.
#[derive(Debug)]
pub(crate) struct Gguf {
    path: PathBuf,
    file: File,
    pub(crate) metadata: BTreeMap<String, Value>,
    pub(crate) tensors: BTreeMap<String, TensorInfo>,
}

impl Gguf {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Format`] with what is wrong.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).at("open", path)?;
        let length = file.metadata().at("read", path)?.len();
        let mut header = Header {
            from: BufReader::with_capacity(1 << 16, &mut file),
            path,
            at: 0,
            length,
        };
        let (metadata, tensors) = header.read()?;
        Ok(Self {
            path: path.to_owned(),
            file,
            metadata,
            tensors,
        })
    }

    pub(crate) fn fault(&self, fault: impl Into<String>) -> Error {
        Error::format(&self.path, fault)
    }

    pub(crate) fn tensor(&self, name: &str) -> Result<&TensorInfo> {
        let info = self.tensors.get(name);
        info.ok_or_else(|| self.fault(format!("has no tensor {name}")))
    }

    /// Expands `count` rows from `first` on, in order, handing over some at a time with the number of the first.
    pub(crate) fn expand(
        &mut self,
        name: &str,
        first: usize,
        count: usize,
        mut take: impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        let info = self.tensor(name)?.clone();
        let at_once = ((1 << 20) / info.width()).max(1);
        let end = (first + count).min(info.rows());
        let mut row = first;
        while row < end {
            let rows = at_once.min(end - row);
            let bytes = self.read(&info, row, rows)?;
            take(row, &expand(info.dtype, &bytes, rows * info.width())?);
            row += rows;
        }
        Ok(())
    }

    /// A whole small tensor.
    pub(crate) fn floats(&mut self, name: &str, length: usize) -> Result<Vec<f32>> {
        let info = self.tensor(name)?;
        if info.rows() * info.width() != length {
            let found = format!("{name} is {:?}, expected {length} numbers", info.shape);
            return Err(self.fault(found));
        }
        let (rows, mut all) = (info.rows(), Vec::with_capacity(length));
        self.expand(name, 0, rows, |_, values| all.extend_from_slice(values))?;
        Ok(all)
    }

    /// The tensor's blocks as they are, for candle's own products.
    pub(crate) fn blocks(&mut self, name: &str) -> Result<QTensor> {
        let info = self.tensor(name)?.clone();
        let bytes = self.read(&info, 0, info.rows())?;
        let storage = QStorage::from_data(Cow::Borrowed(&bytes), &Device::Cpu, info.dtype)?;
        Ok(QTensor::new(storage, (info.rows(), info.width()))?)
    }

    fn read(&mut self, info: &TensorInfo, row: usize, rows: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; rows * info.row_bytes];
        let at = info.start + (row * info.row_bytes) as u64;
        self.file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .at("read", &self.path)?;
        Ok(bytes)
    }
}

pub(super) fn expand(dtype: GgmlDType, bytes: &[u8], count: usize) -> Result<Vec<f32>> {
    if dtype == GgmlDType::F32 {
        let values = bytes.as_chunks::<4>().0.iter();
        return Ok(values.map(|b| f32::from_le_bytes(*b)).collect());
    }
    let storage = QStorage::from_data(Cow::Borrowed(bytes), &Device::Cpu, dtype)?;
    let tensor = QTensor::new(storage, count)?;
    Ok(tensor.dequantize(&Device::Cpu)?.to_vec1()?)
}

/// ggml's numbers of the kinds of blocks that files hold.
fn dtype(number: u32) -> Option<GgmlDType> {
    Some(match number {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        _ => return None,
    })
}

type Contents = (BTreeMap<String, Value>, BTreeMap<String, TensorInfo>);

/// Reads on, never beyond the file.
struct Header<'a, R> {
    from: R,
    path: &'a Path,
    at: u64,
    length: u64,
}

impl<R: Read> Header<'_, R> {
    fn fault(&self, fault: impl Into<String>) -> Error {
        Error::format(self.path, fault)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.has(bytes.len() as u64)?;
        self.from.read_exact(bytes).at("read", self.path)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Whether so many bytes are left.
    fn has(&self, bytes: u64) -> Result<()> {
        if bytes > self.length - self.at {
            return Err(self.fault(format!(
                "ends within its header: byte {} of {} names {bytes} more",
                self.at, self.length
            )));
        }
        Ok(())
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn count(&mut self, most: u64, of: &str) -> Result<u64> {
        let count = u64::from_le_bytes(self.array()?);
        if count > most {
            return Err(self.fault(format!("names {count} {of}; {most} are allowed")));
        }
        Ok(count)
    }

    fn text(&mut self) -> Result<String> {
        let length = self.count(MOST_TEXT, "bytes of a text")?;
        self.has(length)?;
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| self.fault("holds a text that is not UTF-8"))
    }

    fn read(&mut self) -> Result<Contents> {
        if &self.array::<4>()? != b"GGUF" {
            return Err(self.fault("is not a GGUF file"));
        }
        let version = self.u32()?;
        if !(2..=3).contains(&version) {
            return Err(self.fault(format!("is GGUF version {version}; 2 and 3 are read here")));
        }
        let tensors = self.count(MOST_ENTRIES, "tensors")?;
        let entries = self.count(MOST_ENTRIES, "entries")?;
        let mut metadata = BTreeMap::new();
        for _ in 0..entries {
            let key = self.text()?;
            let kind = self.u32()?;
            let value = self.value(kind, &key)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(self.fault(format!("names {key} twice")));
            }
        }
        let mut places = Vec::new();
        for _ in 0..tensors {
            places.push(self.place()?);
        }
        let alignment = match metadata.get("general.alignment") {
            None => 32,
            Some(Value::Integer(n @ 1..=65536)) if n.count_ones() == 1 => *n as u64,
            Some(other) => {
                return Err(self.fault(format!("general.alignment is {other:?}")));
            }
        };
        let data = self.at.next_multiple_of(alignment);
        let mut found = BTreeMap::new();
        for (name, mut info) in places {
            let start = info.start.checked_add(data);
            let end = start.and_then(|start| start.checked_add(info.bytes() as u64));
            match (start, end) {
                (Some(start), Some(end)) if end <= self.length => info.start = start,
                _ => return Err(self.fault(format!("ends before its tensor {name} does"))),
            }
            if found.insert(name.clone(), info).is_some() {
                return Err(self.fault(format!("has {name} twice")));
            }
        }
        Ok((metadata, found))
    }

    fn value(&mut self, kind: u32, key: &str) -> Result<Value> {
        Ok(match kind {
            6 => Value::Float(f64::from(f32::from_le_bytes(self.array()?))),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            7 => Value::Bool(self.array::<1>()?[0] != 0),
            8 => Value::Text(self.text()?),
            9 => {
                let kind = self.u32()?;
                let count = self.count(MOST_ELEMENTS, "elements of an array")?;
                self.elements(kind, count, key)?
            }
            _ => Value::Integer(self.integer(kind, key)?),
        })
    }

    fn integer(&mut self, kind: u32, key: &str) -> Result<i64> {
        Ok(match kind {
            0 => i64::from(self.array::<1>()?[0]),
            1 => i64::from(i8::from_le_bytes(self.array()?)),
            2 => i64::from(u16::from_le_bytes(self.array()?)),
            3 => i64::from(i16::from_le_bytes(self.array()?)),
            4 => i64::from(self.u32()?),
            5 => i64::from(i32::from_le_bytes(self.array()?)),
            7 => i64::from(self.array::<1>()?[0] != 0),
            10 | 11 => i64::from_le_bytes(self.array()?),
            _ => return Err(self.fault(format!("{key} is of the unknown kind {kind}"))),
        })
    }

    fn elements(&mut self, kind: u32, count: u64, key: &str) -> Result<Value> {
        // The least that each takes: nothing is allocated for what is not there.
        let least = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            _ => {
                return Err(self.fault(format!("{key} is an array of the unknown kind {kind}")));
            }
        };
        self.has(count * least)?;
        if kind == 8 {
            let mut texts = Texts::default();
            for _ in 0..count {
                let text = self.text()?;
                if texts.push(&text).is_none() {
                    return Err(self.fault(format!("{key} is longer than {MOST_TEXTS} bytes")));
                }
            }
            return Ok(Value::Texts(texts));
        }
        if matches!(kind, 6 | 12) {
            let mut floats = Vec::with_capacity(count as usize);
            for _ in 0..count {
                floats.push(match kind {
                    6 => f32::from_le_bytes(self.array()?),
                    _ => f64::from_le_bytes(self.array()?) as f32,
                });
            }
            return Ok(Value::Floats(floats));
        }
        let mut integers = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let value = self.integer(kind, key)?;
            integers.push(
                i32::try_from(value)
                    .map_err(|_| self.fault(format!("{key} holds {value}, more than 32 bits")))?,
            );
        }
        Ok(Value::Integers(integers))
    }

    /// A tensor's name and place; its start is counted from where data begins.
    fn place(&mut self) -> Result<(String, TensorInfo)> {
        let name = self.text()?;
        let extents = self.u32()?;
        if !(1..=4).contains(&extents) {
            return Err(self.fault(format!("{name} has {extents} extents; 1 to 4 are allowed")));
        }
        let mut shape = Vec::new();
        for _ in 0..extents {
            let extent = self.count(MOST_EXTENT, "values along a tensor")?;
            if extent == 0 {
                return Err(self.fault(format!("{name} is empty")));
            }
            shape.push(extent as usize);
        }
        shape.reverse();
        let number = self.u32()?;
        let start = u64::from_le_bytes(self.array()?);
        let dtype = dtype(number).ok_or_else(|| {
            self.fault(format!(
                "{name} is quantised as kind {number}, which is not known here: take a file in Q4_K_M, Q8_0 or F16"
            ))
        })?;
        let width = shape[shape.len() - 1];
        if !width.is_multiple_of(dtype.block_size()) {
            return Err(self.fault(format!("{name} is {width} wide, no whole {dtype:?} blocks")));
        }
        let row_bytes = width / dtype.block_size() * dtype.type_size();
        let outer = shape[..shape.len() - 1].iter();
        let bytes = outer.copied().try_fold(row_bytes, usize::checked_mul);
        if bytes.is_none_or(|bytes| bytes as u64 > self.length) {
            return Err(self.fault(format!("{name} is larger than the file: {shape:?}")));
        }
        let info = TensorInfo {
            dtype,
            shape,
            start,
            row_bytes,
        };
        Ok((name, info))
    }
}

#[cfg(test)]
mod tests;
