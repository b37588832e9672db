//! The command as a user meets it: what it prints, its exit status, and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a panic")]

mod export;
mod faults;
mod gguf;
mod injection;
mod lora;
mod place;
mod secrets;
mod shards;
