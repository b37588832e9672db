//! What gguf-py says of model cards and of files for `--metadata`, asked again: the golden files that the tests of
//! `hf-checkpoint` and `provenance` hold ours against.

use std::fs;
use std::path::{Path, PathBuf};

use fixture_models::Workbench;

use crate::report::{Outcome, Report, first_few};

/// Where the golden files are, and how the work folder calls them.
const GOLDEN: [(&str, &str); 2] =
    [("cards", "hf-checkpoint/tests/golden/cards"), ("files", "provenance/tests/golden/metadata_file")];

/// One check: it needs the Python peers.
pub fn run(report: &mut Report, bench: &Workbench) {
    report.check("metadata of cards and files", || ask_again(bench));
}

fn ask_again(bench: &Workbench) -> Outcome {
    let work = bench.folder("metadata")?;
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    for (name, golden) in GOLDEN {
        let copy = work.join(name);
        if copy.exists() {
            fs::remove_dir_all(&copy)?;
        }
        for file in files(&crates.join(golden))? {
            let to = copy.join(file.strip_prefix(crates.join(golden))?);
            fs::create_dir_all(to.parent().unwrap_or(&copy))?;
            fs::copy(&file, to)?;
        }
    }
    let (version, source) = bench.converter()?;
    let mut command = bench.python("metadata_golden.py")?;
    let said = command.arg(source).arg(work.join("cards")).arg(work.join("files")).output()?;
    if !said.status.success() {
        let error = String::from_utf8_lossy(&said.stderr);
        return Err(format!("metadata_golden.py: {}", error.lines().last().unwrap_or_default()).into());
    }
    let (mut compared, mut differ) = (0, Vec::new());
    for (name, golden) in GOLDEN {
        for file in files(&work.join(name))? {
            let ours = crates.join(golden).join(file.strip_prefix(work.join(name))?);
            if fs::read(&ours).ok() != Some(fs::read(&file)?) {
                differ.push(format!("{} is not what {version} says", ours.display()));
            }
            compared += 1;
        }
    }
    if differ.is_empty() {
        Ok(format!("{compared} files, as {version} has them"))
    } else {
        Err(first_few(&differ).into())
    }
}

/// All files in a folder and those below it.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}
