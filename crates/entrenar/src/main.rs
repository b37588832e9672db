//! The `entrenar` command.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod commands;
mod json;
mod text;
mod ui;

/// Export fine-tuned models to quantized GGUF files, and look into such files.
#[derive(Parser)]
#[command(name = "entrenar", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Turn a Hugging Face folder, or a GGUF file, into one quantized GGUF file
    Export(Box<commands::export::Args>),
    /// Cut a GGUF file into shards, as llama-gguf-split does
    Split(commands::split::Args),
    /// Put the shards of a GGUF model together in one file
    Merge(commands::merge::Args),
    /// Show what a GGUF file holds: metadata, tensors, sizes
    Inspect(commands::inspect::Args),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // The message quotes what was given, which may be the name of a stranger's file: it is asked for again, with that
        // escaped. What is no error then is not quoted either.
        Err(error) => {
            let escaped = std::env::args_os().map(|argument| text::path(Path::new(&argument)));
            Cli::try_parse_from(escaped).err().unwrap_or(error).exit()
        }
    };
    let done = match cli.command {
        Command::Export(args) => commands::export::run(&args),
        Command::Split(args) => commands::split::run(&args),
        Command::Merge(args) => commands::merge::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // `entrenar inspect … | head` is no failure.
        Err(error) if ui::is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::say("entrenar", &ui::one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
