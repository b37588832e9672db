//! Inputs put through a target without a fuzzer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::Body;

/// The files of these paths, and of the folders among them, sorted.
#[must_use]
pub fn files(paths: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        match fs::read_dir(&path) {
            Ok(entries) => files.extend(entries.filter_map(|e| Some(e.ok()?.path()))),
            Err(_) => files.push(path),
        }
    }
    files.retain(|path| path.file_name().is_some_and(|name| name != "README.md"));
    files.sort();
    files
}

/// The program of a target where no fuzzer is built in: the arguments are inputs, or folders of such.
#[must_use]
pub fn main(body: Body) -> ExitCode {
    let files = files(std::env::args_os().skip(1).map(PathBuf::from));
    if files.is_empty() {
        eprintln!(
            "usage: TARGET FILE…: puts the files through the target; ends with a panic at the first find"
        );
        return ExitCode::from(2);
    }
    let mut taken = 0;
    for path in &files {
        match fs::read(path) {
            Ok(input) => taken += usize::from(body(&input)),
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{} files, {taken} of them inputs of this target: nothing found", files.len());
    ExitCode::SUCCESS
}

/// The inputs of a target that are kept: its seeds, and what was found with it.
#[must_use]
pub fn kept(target: &str) -> Vec<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["seeds", "regressions"].map(|kind| fuzz.join(kind).join(target));
    files(folders.into_iter().filter(|folder| folder.is_dir()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Mutex;

    use peak_alloc::PeakAlloc;

    use super::kept;
    use crate::targets;

    #[global_allocator]
    static ALLOCATED: PeakAlloc = PeakAlloc;

    /// Inputs are replayed one after another, so that the peak is one's own.
    static ONE: Mutex<()> = Mutex::new(());

    /// What an input may have in memory at a time, in bytes. Nearly all of it is the targets' own: models that they write,
    /// tensors that they read whole.
    const MAX_MEMORY: usize = 48 << 20;

    /// One test for each target, so that they run side by side and a failure has the target's name.
    macro_rules! replayed {
        ($($target:ident)*) => {
            $(#[test]
            fn $target() {
                replay(stringify!($target));
            })*

            #[test]
            fn every_target_is_replayed() {
                assert!(targets::ALL.iter().map(|(name, _)| *name).eq([$(stringify!($target)),*]));
            }
        };
    }

    replayed! {
        adapter config export folder gguf_reader gguf_writer imatrix kernels metadata_file safetensors split_set
        template tokenizer
    }

    fn replay(target: &str) {
        let (_, body) = targets::ALL.iter().find(|(name, _)| *name == target).expect("a target");
        let inputs = kept(target);
        assert!(!inputs.is_empty(), "{target} has no seeds");
        let mut taken = 0;
        for path in &inputs {
            let input = fs::read(path).expect("an input");
            // Its name is printed if it panics.
            println!("{}", path.display());
            // Another target's panic is told there.
            let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let before = ALLOCATED.current_usage();
            ALLOCATED.reset_peak_usage();
            taken += usize::from(body(&input));
            let peak = ALLOCATED.peak_usage().saturating_sub(before);
            assert!(peak <= MAX_MEMORY, "{} bytes of input took {peak} of memory", input.len());
        }
        assert!(taken * 2 > inputs.len(), "{target}: of {} inputs only {taken} are for it", inputs.len());
    }

    #[test]
    fn the_empty_input_is_in_order() {
        for (name, body) in targets::ALL {
            println!("{name}");
            body(&[]);
        }
    }
}
