//! `entrenar merge`: the shards of a GGUF model become one file.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use entrenar::ecosystem::GgufMerger;

use super::Failure;
use super::moving::{Moving, Output};

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// The first shard, or any other; all are read
    first_shard: PathBuf,

    /// The file to write
    output: PathBuf,

    /// Leave the split.* keys out, which llama-gguf-split leaves in: gives back the file that was split
    #[arg(long)]
    drop_split_keys: bool,

    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    options: Output,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut merger = GgufMerger::new().with_existing(args.options.existing());
    if args.drop_split_keys {
        merger = merger.without_split_keys();
    }
    let plan = merger.plan(&args.first_shard)?;
    let moving = Moving { plan: &plan, target: &args.output, output: &args.options };
    if args.dry_run {
        return moving.print_plan();
    }
    moving.run(|progress, cancel| merger.write(&plan, &args.output, progress, Some(cancel)))
}
