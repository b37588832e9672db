//! The work: threads take chunks in file order and read, encode, check and write each by itself.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gguf_format::GgmlType;

use crate::chunk::{Buffers, Chunk, Tile, bytes, chunks};
use crate::commit::{Existing, Pending, commit_all, write_all_at};
use crate::error::Error;
use crate::plan::{Plan, PlannedFile, PlannedTensor};
use crate::progress::{Cancel, Progress};
use crate::report::{FileReport, Report, TensorReport};
use crate::source::Source;
use crate::validate::{ErrorSums, first_not_finite};
use crate::writeback::Writeback;

/// How a plan is carried out. The bytes of the file depend on none of it.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions<'a> {
    /// Worker threads; `None` for one a processor.
    pub threads: Option<NonZeroUsize>,
    /// Refuse NaN and infinity in the source, and check what was encoded against it.
    pub validate: bool,
    /// What to do about a file at the target.
    pub existing: Existing,
    /// A way to stop the run from outside.
    pub cancel: Option<&'a Cancel>,
}

impl Default for RunOptions<'_> {
    fn default() -> Self {
        Self { threads: None, validate: true, existing: Existing::Replace, cancel: None }
    }
}

/// Carries out a plan: afterwards the whole file is at `target`, or, on an error, nothing has changed there. Shards
/// are written beside each other ([`Plan::paths`]): all of them, or none.
///
/// Memory: the headers, and for each thread the buffers of one chunk (under 2 MB, unless a row with importance is
/// longer).
///
/// # Errors
/// The first failure in file order, whichever thread met it.
pub fn run(
    plan: &Plan,
    source: &dyn Source,
    target: &Path,
    options: &RunOptions<'_>,
    progress: &dyn Progress,
) -> Result<Report, Error> {
    let started = Instant::now();
    let paths = plan.paths(target);
    // Whatever is in the way of one is known before the first is begun.
    paths.iter().try_for_each(|path| Pending::check(path, options.existing))?;
    let mut pending = Vec::with_capacity(paths.len());
    for (file, path) in plan.files().iter().zip(&paths) {
        let file_pending = Pending::create(path, options.existing, file.len())?;
        write_all_at(file_pending.file(), &file.header(), 0)
            .map_err(|e| Error::output(file_pending.target(), "write", e))?;
        pending.push(file_pending);
    }
    let output = |e| Error::output(target, "write", e);

    progress.begin(plan.source_bytes());
    let chunks = chunks(plan);
    let sums = std::thread::scope(|scope| {
        let writeback = Writeback::start(scope, pending.iter().map(Pending::file).collect())
            .map_err(|e| Error::output(target, "start a thread that flushes", e))?;
        let job = Job {
            plan,
            source,
            pending: &pending,
            writeback: &writeback,
            chunks: &chunks,
            options,
            progress,
        };
        let sums = job.run();
        progress.finishing();
        writeback.finish().map_err(output)?;
        sums
    })?;

    if options.validate {
        for (file, pending) in plan.files().iter().zip(&pending) {
            read_back(plan, file, pending)?;
        }
    }
    let paths = commit_all(pending)?;
    Ok(report(plan, paths, &sums, started.elapsed()))
}

fn report(plan: &Plan, paths: Vec<PathBuf>, sums: &[Option<ErrorSums>], elapsed: Duration) -> Report {
    let mut tensors = Vec::with_capacity(plan.tensors().len());
    for (tensor, sums) in plan.tensors().iter().zip(sums) {
        tensors.push(TensorReport {
            name: tensor.name.clone(),
            from: tensor.element.name(),
            to: tensor.ty.name(),
            bytes: tensor.bytes,
            relative_error: sums.map(|sums| sums.relative_error()),
        });
    }
    let path = paths.first().cloned().unwrap_or_default();
    let files = paths.into_iter().zip(plan.files());
    let files =
        files.map(|(path, file)| FileReport { path, bytes: file.len(), tensors: file.tensors().len() });
    Report { path, bytes: plan.file_len(), files: files.collect(), tensors, elapsed }
}

/// All that the workers share.
struct Job<'a> {
    plan: &'a Plan,
    source: &'a dyn Source,
    /// The files, by the plan's numbers.
    pending: &'a [Pending],
    writeback: &'a Writeback<'a>,
    chunks: &'a [Chunk],
    options: &'a RunOptions<'a>,
    progress: &'a dyn Progress,
}

impl Job<'_> {
    /// Does every chunk; the error sums of each tensor, if validation is on.
    fn run(&self) -> Result<Vec<Option<ErrorSums>>, Error> {
        let threads = match self.options.threads {
            Some(threads) => threads.get(),
            None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        };
        let threads = threads.clamp(1, self.chunks.len().max(1));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("export-{i}"))
            .build()
            .map_err(|source| Error::Threads { threads, source })?;

        // Chunks are handed out in file order, so when chunk n fails, every chunk before it has been handed
        // out and will be finished: the earliest failure is the same on any number of threads.
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let failure: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let fail = |index: usize, error: Error| {
            stop.store(true, Ordering::Relaxed);
            let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
            if failure.as_ref().is_none_or(|(earlier, _)| index < *earlier) {
                *failure = Some((index, error));
            }
        };
        let parts = pool.broadcast(|_| {
            let mut buffers = Buffers::new();
            let mut parts = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(chunk) = self.chunks.get(index) else { break };
                if self.options.cancel.is_some_and(Cancel::is_cancelled) {
                    fail(index, Error::Cancelled);
                    break;
                }
                match self.chunk(chunk, &mut buffers) {
                    Ok(Some(sums)) => parts.push((index, sums)),
                    Ok(None) => {}
                    Err(error) => {
                        fail(index, error);
                        break;
                    }
                }
            }
            parts
        });
        if let Some((_, error)) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        self.totals(parts.into_iter().flatten().collect())
    }

    /// Adds up the chunks' sums, in file order so that the result does not depend on the threads, and checks
    /// every tensor's.
    fn totals(&self, mut parts: Vec<(usize, ErrorSums)>) -> Result<Vec<Option<ErrorSums>>, Error> {
        if !self.options.validate {
            return Ok(vec![None; self.plan.tensors().len()]);
        }
        parts.sort_unstable_by_key(|&(index, _)| index);
        let mut totals = vec![ErrorSums::default(); self.plan.tensors().len()];
        for (index, sums) in parts {
            totals[self.chunks[index].tensor].add(&sums);
        }
        for (tensor, sums) in self.plan.tensors().iter().zip(&totals) {
            if let Some((found, allowed)) = sums.too_far() {
                return Err(Error::TooFar { tensor: tensor.name.clone(), ty: tensor.ty, found, allowed });
            }
        }
        Ok(totals.into_iter().map(Some).collect())
    }

    /// Reads, encodes, checks and writes one chunk.
    fn chunk(&self, chunk: &Chunk, buffers: &mut Buffers) -> Result<Option<ErrorSums>, Error> {
        let tensor = &self.plan.tensors()[chunk.tensor];
        buffers.fit(chunk, tensor.element, tensor.ty);
        let importance = tensor.importance_at(chunk.elements.start);
        let Buffers { raw, weights, encoded, decoded } = buffers;
        self.source
            .read(tensor.source, chunk.elements.clone(), raw)
            .map_err(|source| Error::Source { tensor: tensor.name.clone(), source })?;

        // Bytes of the wanted type already are copied as they are, even a NaN's payload.
        let copied = tensor.element == tensor.ty;
        // What is copied may be integers, of which nothing is to be checked.
        let checked = self.options.validate && kquant::can_decode(tensor.element);
        let mut sums = checked.then(ErrorSums::default);
        if !copied || sums.is_some() {
            for tile in chunk.tiles() {
                let raw = &raw[blocks(tensor.element, &tile)];
                let weights = &mut weights[..tile.elements.len()];
                decode(tensor, tensor.element, raw, tile.row_len, weights)?;
                if sums.is_some()
                    && let Some(at) = first_not_finite(weights)
                {
                    let index = chunk.elements.start + (tile.elements.start + at) as u64;
                    return Err(Error::NotFinite { tensor: tensor.name.clone(), index, value: weights[at] });
                }
                if copied {
                    if let Some(sums) = &mut sums {
                        sums.add(&ErrorSums::of(tensor.ty, weights, weights));
                    }
                    continue;
                }
                let encoded = &mut encoded[blocks(tensor.ty, &tile)];
                kquant::encode_rows(tensor.ty, weights, tile.row_len, importance, encoded)
                    .map_err(kernel(tensor))?;
                if let Some(sums) = &mut sums {
                    let decoded = &mut decoded[..tile.elements.len()];
                    decode(tensor, tensor.ty, encoded, tile.row_len, decoded)?;
                    sums.add(&ErrorSums::of(tensor.ty, weights, decoded));
                }
            }
        }
        let bytes: &[u8] = if copied { raw } else { encoded };
        let offset = tensor.offset + tensor.byte_at(chunk.elements.start);
        let pending = &self.pending[tensor.file];
        write_all_at(pending.file(), bytes, offset)
            .map_err(|e| Error::output(pending.target(), "write", e))?;
        self.writeback.wrote(tensor.file, bytes.len() as u64);
        self.progress.advance(raw.len() as u64);
        Ok(sums)
    }
}

/// Where a tile's blocks lie among its chunk's.
fn blocks(ty: GgmlType, tile: &Tile) -> Range<usize> {
    bytes(ty, tile.elements.start)..bytes(ty, tile.elements.end)
}

fn decode(
    tensor: &PlannedTensor,
    ty: GgmlType,
    bytes: &[u8],
    row_len: usize,
    weights: &mut [f32],
) -> Result<(), Error> {
    kquant::decode_rows(ty, bytes, row_len, weights).map_err(kernel(tensor))
}

fn kernel(tensor: &PlannedTensor) -> impl FnOnce(kquant::Error) -> Error + '_ {
    |source| Error::Kernel { tensor: tensor.name.clone(), source }
}

/// Opens a file that was written and compares its header with the plan.
fn read_back(plan: &Plan, planned: &PlannedFile, pending: &Pending) -> Result<(), Error> {
    let differs = |what: String| Error::ReadBack { path: pending.target().to_path_buf(), what };
    let file = gguf_format::GgufFile::open(pending.path()).map_err(|e| differs(e.to_string()))?;
    let tensors = plan.tensors().get(planned.tensors()).unwrap_or_default();
    if file.tensors().len() != tensors.len() {
        return Err(differs(format!("{} tensors, planned {}", file.tensors().len(), tensors.len())));
    }
    for (found, planned) in file.tensors().iter().zip(tensors) {
        let same = found.name() == planned.name
            && found.dims() == planned.dims
            && found.ty() == planned.ty
            && found.offset() == planned.offset;
        if !same {
            return Err(differs(format!("tensor {:?} is not as planned", planned.name)));
        }
    }
    Ok(())
}
