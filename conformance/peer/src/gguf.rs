//! llama.cpp's reader of GGUF files, on files that it may not survive.
//!
//! It runs in a child process, which answers file after file; where the child ends, the file that it had before it has
//! ended it, and the next child goes on behind.

use std::ffi::{CStr, c_char};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::ptr;

use llama_cpp_sys_2 as sys;

use crate::ggml::BadCall;
use crate::guarded::survives;
use crate::llama;

/// What llama.cpp says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It reads all of it; the header is this.
    Read(Header),
    /// It reads the header, and refuses the tensors' data.
    HeaderOnly(Header),
    /// It refuses the header.
    Refused,
    /// It aborts, breaks down, or asks for more memory than [`MEMORY`].
    Stopped,
}

/// The memory that a child may ask for beyond its parent's, in bytes. Files that claim more stop it.
pub const MEMORY: u64 = 4 << 30;

/// What a header means, in a form in which two readers can be compared.
///
/// It is a text of one line for each pair and each tensor. Texts end at a NUL, as in llama.cpp's interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header(String);

impl Header {
    /// A header of this version and alignment. `data_start`: where the tensors' bytes begin, from the file's beginning.
    #[must_use]
    pub fn new(version: u32, alignment: u64, data_start: Option<u64>) -> Self {
        Self(format!("version {version}, alignment {alignment}, data from {data_start:?}\n"))
    }

    /// Adds a pair: its type's number, that of its elements if it is an array, the elements' bytes (little-endian).
    pub fn pair<'a>(
        &mut self,
        key: &[u8],
        types: (u32, Option<u32>),
        elements: impl Iterator<Item = &'a [u8]>,
    ) {
        self.0.push_str(&format!("{} {types:?}", until_nul(key).escape_ascii()));
        for element in elements {
            let text = types.1.unwrap_or(types.0) == sys::GGUF_TYPE_STRING;
            let element = if text { until_nul(element) } else { element };
            self.0.push_str(&format!(" {}", element.escape_ascii()));
        }
        self.0.push('\n');
    }

    /// Adds a tensor: its four dimensions, its type's number, where its bytes are within the data, how many they are.
    pub fn tensor(&mut self, name: &[u8], dims: [u64; 4], ty: u32, offset: u64, bytes: u64) {
        let name = until_nul(name).escape_ascii();
        self.0.push_str(&format!("tensor {name} {dims:?} {ty} at {offset}, {bytes} bytes\n"));
    }

    /// The first lines that differ.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<(String, String)> {
        let (ours, theirs) = (self.0.lines(), other.0.lines().chain(std::iter::repeat("nothing")));
        let mut pairs = ours.chain(std::iter::repeat("nothing")).zip(theirs);
        let found = (self != other).then(|| pairs.find(|(a, b)| a != b));
        found.flatten().map(|(a, b)| (a.to_owned(), b.to_owned()))
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Lets llama.cpp read these files, header first and then the data, from a file in this folder.
///
/// # Errors
///
/// When the operating system refuses a process or a file.
pub fn read_all<F: AsRef<[u8]>>(files: &[F], folder: &Path) -> Result<Vec<Answer>, BadCall> {
    let io = |error: std::io::Error| BadCall(format!("{}: {error}", folder.display()));
    llama::start();
    let (file, said) = (folder.join("read.gguf"), folder.join("read.answers"));
    let path = llama::c_path(&file).map_err(|error| BadCall(error.to_string()))?;
    let mut answers = Vec::new();
    while answers.len() < files.len() {
        let left = files.get(answers.len()..).unwrap_or_default();
        let mut out = File::create(&said).map_err(io)?;
        let survived = survives(|| {
            limit_memory();
            for content in left {
                // A new file each time: some systems wait for the disk when an old one is overwritten.
                let _ = std::fs::remove_file(&file);
                let told = std::fs::write(&file, content).and_then(|()| answer(&path, &mut out));
                if told.is_err() {
                    return;
                }
                llama::take_log();
            }
        })?;
        let before = answers.len();
        answers.extend(answers_of(&std::fs::read(&said).map_err(io)?));
        if !survived && answers.len() < files.len() {
            answers.push(Answer::Stopped);
        } else if answers.len() == before {
            return Err(BadCall(format!("{}: the child process wrote nothing", folder.display())));
        }
    }
    Ok(answers)
}

/// Memory is finite, and the same on every machine.
fn limit_memory() {
    let limit = libc::rlimit { rlim_cur: MEMORY, rlim_max: MEMORY };
    // SAFETY: a plain structure that lives during the call.
    unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const limit) };
}

/// Writes one line for the header, and one for the data if the header is read.
fn answer(path: &CStr, out: &mut File) -> std::io::Result<()> {
    match header(path) {
        None => writeln!(out, "{REFUSED}"),
        Some(Header(text)) => {
            writeln!(out, "{text}{HEADER}")?;
            writeln!(out, "{}", if reads_data(path) { DATA } else { NO_DATA })
        }
    }
}

// Lines that no header has: theirs begin with a printable character and hold a blank.
const REFUSED: &str = "-refused";
const HEADER: &str = "-header";
const DATA: &str = "-data";
const NO_DATA: &str = "-no-data";

fn answers_of(said: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut text = String::new();
    for line in String::from_utf8_lossy(said).lines() {
        match line {
            REFUSED => answers.push(Answer::Refused),
            DATA => answers.push(Answer::Read(Header(std::mem::take(&mut text)))),
            NO_DATA => answers.push(Answer::HeaderOnly(Header(std::mem::take(&mut text)))),
            HEADER => {}
            line => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    answers
}

/// llama.cpp's header of a file; `None` if it refuses it.
fn header(path: &CStr) -> Option<Header> {
    let params = sys::gguf_init_params { no_alloc: true, ctx: ptr::null_mut() };
    // SAFETY: the path ends with a NUL; every index below is smaller than the count that llama.cpp gives, and data are
    // asked for as what llama.cpp says they are, in the number that it says.
    unsafe {
        let gguf = sys::gguf_init_from_file(path.as_ptr(), params);
        if gguf.is_null() {
            return None;
        }
        let tensors = sys::gguf_get_n_tensors(gguf);
        let data_start = (tensors > 0).then(|| sys::gguf_get_data_offset(gguf) as u64);
        let mut header =
            Header::new(sys::gguf_get_version(gguf), sys::gguf_get_alignment(gguf) as u64, data_start);
        for pair in 0..sys::gguf_get_n_kv(gguf) {
            add_pair(&mut header, gguf, pair);
        }
        for tensor in 0..tensors {
            let name = bytes(sys::gguf_get_tensor_name(gguf, tensor));
            let dims = *sys::gguf_get_tensor_ne(gguf, tensor).cast::<[i64; 4]>();
            let ty = sys::gguf_get_tensor_type(gguf, tensor);
            let offset = sys::gguf_get_tensor_offset(gguf, tensor) as u64;
            let size = sys::gguf_get_tensor_size(gguf, tensor) as u64;
            header.tensor(name, dims.map(i64::cast_unsigned), ty, offset, size);
        }
        sys::gguf_free(gguf);
        Some(header)
    }
}

/// # Safety
///
/// `gguf` is llama.cpp's, and has this pair.
unsafe fn add_pair(header: &mut Header, gguf: *const sys::gguf_context, pair: i64) {
    // SAFETY: as the caller says; see `header`.
    unsafe {
        let key = bytes(sys::gguf_get_key(gguf, pair));
        let ty = sys::gguf_get_kv_type(gguf, pair);
        let array = (ty == sys::GGUF_TYPE_ARRAY).then(|| sys::gguf_get_arr_type(gguf, pair));
        let n = if array.is_some() { sys::gguf_get_arr_n(gguf, pair) } else { 1 };
        if array.unwrap_or(ty) == sys::GGUF_TYPE_STRING {
            let text = |i| match array {
                Some(_) => bytes(sys::gguf_get_arr_str(gguf, pair, i)),
                None => bytes(sys::gguf_get_val_str(gguf, pair)),
            };
            header.pair(key, (ty, array), (0..n).map(text));
        } else {
            let data = match array {
                Some(_) => sys::gguf_get_arr_data(gguf, pair),
                None => sys::gguf_get_val_data(gguf, pair),
            };
            let size = SIZES.get(array.unwrap_or(ty) as usize).copied().unwrap_or(1);
            let data = if n == 0 { &[] } else { std::slice::from_raw_parts(data.cast::<u8>(), n * size) };
            header.pair(key, (ty, array), data.chunks(size));
        }
    }
}

/// Bytes of a value, by its type's number; 0 for texts and arrays.
const SIZES: [usize; 13] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

/// # Safety
///
/// A C string that lives long enough.
unsafe fn bytes<'a>(text: *const c_char) -> &'a [u8] {
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(text) }.to_bytes()
}

/// The bytes of all texts in an array of a good file, as llama.cpp reads it; `None` if it refuses, or has no such array.
#[must_use]
pub fn text_len(path: &Path, key: &CStr) -> Option<usize> {
    let path = llama::c_path(path).ok()?;
    let params = sys::gguf_init_params { no_alloc: true, ctx: ptr::null_mut() };
    // SAFETY: path and key end with a NUL; the type is asked for before the texts, and indices are below the count.
    unsafe {
        let gguf = sys::gguf_init_from_file(path.as_ptr(), params);
        if gguf.is_null() {
            return None;
        }
        let pair = sys::gguf_find_key(gguf, key.as_ptr());
        let is_array = pair >= 0 && sys::gguf_get_kv_type(gguf, pair) == sys::GGUF_TYPE_ARRAY;
        let found = is_array && sys::gguf_get_arr_type(gguf, pair) == sys::GGUF_TYPE_STRING;
        let len = found.then(|| {
            let count = sys::gguf_get_arr_n(gguf, pair);
            (0..count).map(|i| bytes(sys::gguf_get_arr_str(gguf, pair, i)).len()).sum()
        });
        sys::gguf_free(gguf);
        len
    }
}

/// Whether llama.cpp reads the header and all tensors' data.
fn reads_data(path: &CStr) -> bool {
    let mut tensors = ptr::null_mut();
    let params = sys::gguf_init_params { no_alloc: false, ctx: &raw mut tensors };
    // SAFETY: the path ends with a NUL; both results are freed once, the second only if there is one.
    unsafe {
        let gguf = sys::gguf_init_from_file(path.as_ptr(), params);
        if gguf.is_null() {
            return false;
        }
        sys::gguf_free(gguf);
        sys::ggml_free(tensors);
        true
    }
}
