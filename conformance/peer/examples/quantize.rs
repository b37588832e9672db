//! `llama_model_quantize` from the command line, one input to several file types:
//! `cargo run --release -p peer --example quantize -- INPUT [FILE_TYPE OUTPUT]…`
//!
//! FILE_TYPE is the number that `general.file_type` holds (15 is Q4_K_M), or `copy`. Without arguments it prints the
//! peer's name and version.

use peer::llama::VERSION;
use peer::quantize::{Target, quantize_model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((input, jobs)) = arguments.split_first() else {
        println!("{VERSION}");
        return Ok(());
    };
    let (jobs, rest) = jobs.as_chunks::<2>();
    if jobs.is_empty() || !rest.is_empty() {
        return Err("usage: quantize INPUT [FILE_TYPE OUTPUT]…".into());
    }
    for [file_type, output] in jobs {
        let target = match file_type.as_str() {
            "copy" => Target::Copy,
            number => Target::FileType(number.parse()?),
        };
        quantize_model(input.as_ref(), output.as_ref(), target, 2)?;
    }
    Ok(())
}
