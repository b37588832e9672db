//! ggml's quantizers: the reference that `kquant` is held to.

use std::ffi::{CStr, c_void};
use std::fmt;

use gguf_format::GgmlType;
use llama_cpp_sys_2 as sys;

/// A call that ggml would have answered with an abort or a read out of bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCall(pub(crate) String);

impl fmt::Display for BadCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadCall {}

/// `ggml_quantize_chunk`: whole rows of `row_len` weights as blocks of `ty`.
///
/// # Errors
///
/// When lengths do not fit, or when ggml has no quantizer for the type or needs importance for it.
pub fn quantize_chunk(
    ty: GgmlType,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
) -> Result<Vec<u8>, BadCall> {
    let mut dst = Vec::new();
    quantize_chunk_into(ty, src, row_len, importance, &mut dst)?;
    Ok(dst)
}

/// The same into a buffer that can be used again, for timing.
///
/// # Errors
///
/// As [`quantize_chunk`].
pub fn quantize_chunk_into(
    ty: GgmlType,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut Vec<u8>,
) -> Result<(), BadCall> {
    let rows = check_call(ty, src.len(), row_len, importance)?;
    let bytes = src.len() / ty.block_len() * ty.block_bytes();
    dst.resize(bytes, 0);
    let importance = importance.map_or(std::ptr::null(), <[f32]>::as_ptr);
    // SAFETY: `src` holds `rows` rows of `row_len` weights, `dst` exactly their blocks (ggml's own block
    // sizes, checked in `rows`), `importance` is null or holds `row_len` values.
    let written = unsafe {
        sys::ggml_quantize_chunk(
            id(ty),
            src.as_ptr(),
            dst.as_mut_ptr().cast(),
            0,
            rows as i64,
            row_len as i64,
            importance,
        )
    };
    if written == bytes { Ok(()) } else { Err(BadCall(format!("ggml wrote {written} bytes of {bytes}"))) }
}

/// Rows in `len` weights, when ggml answers such a call.
pub(crate) fn check_call(
    ty: GgmlType,
    len: usize,
    row_len: usize,
    importance: Option<&[f32]>,
) -> Result<usize, BadCall> {
    if !can_quantize(ty) {
        return Err(BadCall(format!("ggml_quantize_chunk knows no {ty}")));
    }
    let rows = rows(ty, len, row_len)?;
    match importance {
        Some(importance) if importance.len() != row_len => {
            return Err(BadCall(format!("importance of {}, rows of {row_len}", importance.len())));
        }
        // SAFETY: a pure function of the type.
        None if unsafe { sys::ggml_quantize_requires_imatrix(id(ty)) } => {
            return Err(BadCall(format!("{ty} needs importance")));
        }
        _ => {}
    }
    Ok(rows)
}

/// ggml's decoder of the type (`to_float` of its traits), over whole blocks.
///
/// # Errors
///
/// When ggml has no decoder for the type or `src` is not a whole number of blocks.
pub fn dequantize_row(ty: GgmlType, src: &[u8]) -> Result<Vec<f32>, BadCall> {
    if !src.len().is_multiple_of(ty.block_bytes()) {
        return Err(BadCall(format!("{} bytes are not whole blocks of {ty}", src.len())));
    }
    let len = src.len() / ty.block_bytes() * ty.block_len();
    rows(ty, len, len.max(ty.block_len()))?;
    if ty == GgmlType::F32 {
        return Ok(src.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect());
    }
    if ty == GgmlType::Q8_1 {
        return dequantize_row(GgmlType::Q8_0, &without_sums(src));
    }
    let to_float = decoder(ty).ok_or_else(|| BadCall(format!("ggml has no decoder for {ty}")))?;
    // Blocks of ggml hold 16-bit floats, so their address must be even; 8 is what any of them asks for.
    let mut aligned = vec![0u64; src.len().div_ceil(8)];
    let mut dst = vec![0.0f32; len];
    // SAFETY: `aligned` is at least as long as `src`; `dst` has room for all weights of its blocks.
    unsafe {
        std::ptr::copy_nonoverlapping(src.as_ptr(), aligned.as_mut_ptr().cast::<u8>(), src.len());
        to_float(aligned.as_ptr().cast(), dst.as_mut_ptr(), len as i64);
    }
    Ok(dst)
}

/// Blocks of Q8_1 as blocks of Q8_0: the same scale and levels, without the sum that stands between them. ggml has no
/// decoder for Q8_1.
fn without_sums(src: &[u8]) -> Vec<u8> {
    src.chunks_exact(36).flat_map(|block| block[..2].iter().chain(&block[4..])).copied().collect()
}

/// The same into a buffer, for timing.
///
/// # Errors
///
/// As [`dequantize_row`], when `dst` has not the blocks' length, and when `src` does not lie at an address that ggml's
/// blocks may have (a multiple of 8 always will do).
pub fn dequantize_row_into(ty: GgmlType, src: &[u8], dst: &mut [f32]) -> Result<(), BadCall> {
    if !src.as_ptr().cast::<u64>().is_aligned() {
        return Err(BadCall("blocks at an odd address".to_owned()));
    }
    if !src.len().is_multiple_of(ty.block_bytes())
        || src.len() / ty.block_bytes() * ty.block_len() != dst.len()
    {
        return Err(BadCall(format!("{} bytes of {ty} are not {} weights", src.len(), dst.len())));
    }
    rows(ty, dst.len(), dst.len().max(ty.block_len()))?;
    let to_float = traits(ty).to_float.ok_or_else(|| BadCall(format!("ggml has no decoder for {ty}")))?;
    // SAFETY: `src` is aligned; `dst` has room for exactly the weights of its blocks.
    unsafe { to_float(src.as_ptr().cast(), dst.as_mut_ptr(), dst.len() as i64) };
    Ok(())
}

/// Version of ggml and of the crate that builds it.
#[must_use]
pub fn version() -> String {
    // SAFETY: gives a static, terminated string.
    let version = unsafe { CStr::from_ptr(sys::ggml_version()) };
    format!("ggml {} (llama-cpp-sys-2 0.1.161)", version.to_string_lossy())
}

/// Whether ggml has a decoder for the type.
#[must_use]
pub fn can_dequantize(ty: GgmlType) -> bool {
    traits(ty).to_float.is_some()
}

/// Whether `ggml_quantize_chunk` has a case for the type; for any other it reads nothing and aborts.
#[must_use]
pub fn can_quantize(ty: GgmlType) -> bool {
    ty.is_quantized() && !matches!(ty, GgmlType::Q8_1 | GgmlType::Q8_K)
        || matches!(ty, GgmlType::F32 | GgmlType::F16 | GgmlType::BF16)
}

/// Rows in `len` weights, when ggml and we agree on the type's blocks and the lengths fit.
fn rows(ty: GgmlType, len: usize, row_len: usize) -> Result<usize, BadCall> {
    let traits = traits(ty);
    if (traits.blck_size, traits.type_size) != (ty.block_len() as i64, ty.block_bytes()) {
        return Err(BadCall(format!("ggml's {ty} has other blocks than ours")));
    }
    if row_len == 0 || !row_len.is_multiple_of(ty.block_len()) || !len.is_multiple_of(row_len) {
        return Err(BadCall(format!("{len} weights are not rows of {row_len} in {ty}")));
    }
    Ok(len / row_len)
}

/// ggml's decoder, in its traits or, of Q8_K, beside them.
fn decoder(ty: GgmlType) -> sys::ggml_to_float_t {
    unsafe extern "C" {
        fn dequantize_row_q8_K(x: *const c_void, y: *mut f32, k: i64);
    }
    match ty {
        GgmlType::Q8_K => Some(dequantize_row_q8_K),
        _ => traits(ty).to_float,
    }
}

fn traits(ty: GgmlType) -> sys::ggml_type_traits {
    // SAFETY: every id of `GgmlType` is in ggml's table; the entry is static.
    unsafe { *sys::ggml_get_type_traits(id(ty)) }
}

pub(crate) fn id(ty: GgmlType) -> sys::ggml_type {
    ty.id() as sys::ggml_type
}
