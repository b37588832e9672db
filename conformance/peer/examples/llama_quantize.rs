//! `llama_model_quantize` on a line of arguments, several files at once:
//! `cargo run --release -p peer --example llama_quantize -- INPUT OUTPUT FILE_TYPE [INPUT OUTPUT FILE_TYPE]…`
//!
//! FILE_TYPE is the number that `general.file_type` holds (15 is Q4_K_M), or `copy`.

use peer::llama::{Target, quantize_model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (jobs, rest) = arguments.as_chunks::<3>();
    if jobs.is_empty() || !rest.is_empty() {
        return Err("usage: llama_quantize INPUT OUTPUT FILE_TYPE [INPUT OUTPUT FILE_TYPE]…".into());
    }
    for [input, output, file_type] in jobs {
        let target = match file_type.as_str() {
            "copy" => Target::Copy,
            number => Target::FileType(number.parse()?),
        };
        quantize_model(input.as_ref(), output.as_ref(), target, 2)?;
        println!("{output}");
    }
    Ok(())
}
