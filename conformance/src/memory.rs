//! (e) Peak memory of the command on a model that is much larger than it may use.

use std::path::Path;

use fixture_models::Scaled;

use crate::report::{Outcome, Report};
use crate::watch;

/// Ten times SmolLM2-135M.
const WEIGHTS: u64 = 1_350_000_000;

/// What the issue allows, in bytes.
const LIMIT: u64 = 300 * 1_000_000;

/// What is exported, and as which types.
const EXPORTS: [(Scaled, &str, &[&str]); 2] =
    [(Scaled::Dense, "large", &["Q4_K_M", "F16"]), (Scaled::Mixture, "large mixture's", &["Q4_K_M"])];

/// The rank of the adapter that is merged into the large model.
const RANK: u64 = 64;

/// Exports synthetic models with the `entrenar` command and watches it.
pub fn run(report: &mut Report, dir: &Path) {
    for (kind, what, types) in EXPORTS {
        let name = |file_type: &str| format!("memory of a {what} {file_type} export");
        let merging = format!("memory of a {what} Q4_K_M export with an adapter");
        if !types.iter().any(|file_type| report.wants(&name(file_type))) && !report.wants(&merging) {
            continue;
        }
        let model = fixture_models::write_scaled(kind, dir, WEIGHTS).map_err(|e| e.to_string());
        for file_type in types {
            report.check(name(file_type), || {
                let (folder, weights) = model.as_ref().map_err(Clone::clone)?;
                export(folder, *weights, &dir.join("large.gguf"), file_type, None)
            });
        }
        if kind == Scaled::Dense {
            report.check(merging, || {
                let (folder, weights) = model.as_ref().map_err(Clone::clone)?;
                let adapter = fixture_models::write_scaled_adapter(kind, dir, WEIGHTS, RANK)?;
                let outcome = export(folder, *weights, &dir.join("large.gguf"), "Q4_K_M", Some(&adapter));
                std::fs::remove_dir_all(adapter)?;
                outcome
            });
        }
        if let Ok((folder, _)) = &model
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            println!("{} stays there: {error}", folder.display());
        }
    }
}

fn export(folder: &Path, weights: u64, output: &Path, file_type: &str, adapter: Option<&Path>) -> Outcome {
    let mut command = watch::entrenar()?;
    command.arg("export").arg(folder).arg(output).args(["--quant", file_type, "--force", "--quiet"]);
    if let Some(adapter) = adapter {
        command.arg("--lora").arg(adapter);
    }
    let run = watch::run(&mut command)?;
    let length = std::fs::metadata(output).map_err(|e| format!("{}: {e}", output.display()))?.len();
    std::fs::remove_file(output)?;
    let detail = format!(
        "{:.0} MB peak (limit {} MB), {:.2} billion weights, {:.2} GB written in {:.1} s",
        run.peak as f64 / 1e6,
        LIMIT / 1_000_000,
        weights as f64 / 1e9,
        length as f64 / 1e9,
        run.time.as_secs_f64(),
    );
    if run.peak < LIMIT { Ok(detail) } else { Err(detail.into()) }
}
