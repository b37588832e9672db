//! `entrenar split`: a GGUF file becomes shards.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use entrenar::ecosystem::GgufSplitter;

use super::Failure;
use super::moving::{Moving, Output};
use super::sharding::Sharding;

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A GGUF file; of a split set, any one, and all are split anew
    input: PathBuf,

    /// Shards are named PREFIX-00001-of-00003.gguf and so on
    prefix: PathBuf,

    #[command(flatten)]
    sharding: Sharding,

    /// Print the shards that would be written, and write nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let splitter = GgufSplitter::new(args.sharding.rule()).with_existing(args.output.existing());
    let plan = splitter.plan(&args.input)?;
    let moving = Moving { plan: &plan, target: &args.prefix, output: &args.output };
    if args.dry_run {
        return moving.print_plan();
    }
    moving.run(|progress, cancel| splitter.write(&plan, &args.prefix, progress, Some(cancel)))
}
