//! ggml's quantizers on input that they may not survive.
//!
//! The encoders of the grid types (`IQ1_*` … `IQ3_*`) abort the process when no grid point has a finite error, or when
//! a scale is NaN; `IQ1_*` reads far beyond its sub-block before it comes to that. So ggml runs in a child process
//! here, a block a call, each block with nothing mapped behind it.

use std::ptr;

use gguf_format::GgmlType;
use llama_cpp_sys_2 as sys;

use crate::ggml::{self, BadCall};

/// What ggml made of some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantized {
    /// The blocks; all bytes zero where ggml made none.
    pub blocks: Vec<u8>,
    /// The places of the blocks at which ggml aborted, or read what is not its own.
    pub refused: Vec<usize>,
}

/// [`ggml::quantize_chunk`] for any finite input.
///
/// Where ggml makes every block, the call on whole rows is made as well, and must give the same.
///
/// # Errors
///
/// As [`ggml::quantize_chunk`]; when the operating system refuses memory or a process; when ggml's blocks depend on
/// the call.
pub fn quantize_chunk(
    ty: GgmlType,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
) -> Result<Quantized, BadCall> {
    if !can_abort(ty) {
        return Ok(Quantized {
            blocks: ggml::quantize_chunk(ty, src, row_len, importance)?,
            refused: Vec::new(),
        });
    }
    ggml::check_call(ty, src.len(), row_len, importance)?;
    let found = block_by_block(ty, src, row_len, importance)?;
    if found.refused.is_empty() && found.blocks != ggml::quantize_chunk(ty, src, row_len, importance)? {
        return Err(BadCall(format!("ggml's {ty} of whole rows differs from that of single blocks")));
    }
    Ok(found)
}

/// Whether ggml's encoder has assertions that finite input can reach. The blocks of these types do not depend on each
/// other.
fn can_abort(ty: GgmlType) -> bool {
    use GgmlType::{IQ1_M, IQ1_S, IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS};
    matches!(ty, IQ1_S | IQ1_M | IQ2_XXS | IQ2_XS | IQ2_S | IQ3_XXS | IQ3_S)
}

fn block_by_block(
    ty: GgmlType,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
) -> Result<Quantized, BadCall> {
    let (len, bytes) = (ty.block_len(), ty.block_bytes());
    let count = src.len() / len;
    // Tables are made before the fork, once.
    // SAFETY: any type is allowed.
    unsafe { sys::ggml_quantize_init(ggml::id(ty)) };
    let input = Guarded::new(len * size_of::<f32>())?;
    // How many blocks are done, then the blocks.
    let shared = Shared::new(size_of::<usize>() + count * bytes)?;
    let mut refused = Vec::new();
    while shared.done() < count {
        let work = || {
            for block in shared.done()..count {
                let from = &src[block * len..][..len];
                let importance = importance.map(|row| row[block * len % row_len..][..len].as_ptr());
                // SAFETY: `input` has room for one block's weights, `shared` for all blocks; the importance is a
                // block's.
                unsafe {
                    ptr::copy_nonoverlapping(from.as_ptr(), input.data.cast(), len);
                    sys::ggml_quantize_chunk(
                        ggml::id(ty),
                        input.data.cast(),
                        shared.blocks().add(block * bytes).cast(),
                        0,
                        1,
                        len as i64,
                        importance.unwrap_or(ptr::null()),
                    );
                }
                shared.set_done(block + 1);
            }
        };
        if !survives(work)? {
            let block = shared.done();
            if block == count {
                return Err(BadCall("the child process failed after its work".into()));
            }
            // SAFETY: inside `shared`, and the child has ended.
            unsafe { ptr::write_bytes(shared.blocks().add(block * bytes), 0, bytes) };
            refused.push(block);
            shared.set_done(block + 1);
        }
    }
    // SAFETY: `shared` holds as many bytes, and no child is left.
    let blocks = unsafe { std::slice::from_raw_parts(shared.blocks(), count * bytes) }.to_vec();
    Ok(Quantized { blocks, refused })
}

/// Runs some work in a child process; whether that got to its end.
pub(crate) fn survives(work: impl FnOnce()) -> Result<bool, BadCall> {
    unsafe extern "C" fn leave(_: *const std::ffi::c_char) {
        // SAFETY: ends the process, without the handlers that belong to the parent.
        unsafe { libc::_exit(1) }
    }
    // SAFETY: this program calls this from one thread, so that no lock is held by another; the child only computes and
    // leaves by `_exit` or a signal.
    unsafe {
        match libc::fork() {
            -1 => Err(BadCall("fork failed".into())),
            0 => {
                // ggml prints before it aborts.
                let null = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
                libc::dup2(null, 1);
                libc::dup2(null, 2);
                sys::ggml_set_abort_callback(Some(leave));
                work();
                libc::_exit(0)
            }
            child => {
                let mut status = 0;
                if libc::waitpid(child, &raw mut status, 0) != child {
                    return Err(BadCall("waitpid failed".into()));
                }
                Ok(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0)
            }
        }
    }
}

/// Memory of the system.
struct Map {
    start: *mut u8,
    len: usize,
}

impl Map {
    fn new(len: usize, sharing: libc::c_int) -> Result<Self, BadCall> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: new memory, at an address that the system chooses.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, access, sharing | libc::MAP_ANONYMOUS, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(BadCall("mmap failed".into()));
        }
        Ok(Self { start: start.cast(), len })
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: made by `mmap` with this length, and nothing points to it any more.
        unsafe { libc::munmap(self.start.cast(), self.len) };
    }
}

/// Bytes with nothing behind them.
struct Guarded {
    _map: Map,
    data: *mut u8,
}

impl Guarded {
    fn new(len: usize) -> Result<Self, BadCall> {
        const PAGE: usize = 1 << 16; // a multiple of any system's
        let used = len.next_multiple_of(PAGE);
        let map = Map::new(used + PAGE, libc::MAP_PRIVATE)?;
        // SAFETY: the last part of the map, which begins at a page.
        let denied = unsafe { libc::mprotect(map.start.add(used).cast(), PAGE, libc::PROT_NONE) };
        if denied != 0 {
            return Err(BadCall("mprotect failed".into()));
        }
        // SAFETY: inside the map.
        let data = unsafe { map.start.add(used - len) };
        Ok(Self { _map: map, data })
    }
}

/// A number and some blocks that a child process writes and this one reads.
struct Shared(Map);

impl Shared {
    fn new(len: usize) -> Result<Self, BadCall> {
        Map::new(len, libc::MAP_SHARED).map(Self)
    }

    fn done(&self) -> usize {
        // SAFETY: the map begins with this number, aligned.
        unsafe { self.0.start.cast::<usize>().read_volatile() }
    }

    fn set_done(&self, done: usize) {
        // SAFETY: the map begins with this number, aligned.
        unsafe { self.0.start.cast::<usize>().write_volatile(done) }
    }

    fn blocks(&self) -> *mut u8 {
        // SAFETY: inside the map, or its end.
        unsafe { self.0.start.add(size_of::<usize>()) }
    }
}
