//! The types that llama.cpp gives a model's tensors under many options, one question a line of standard input:
//! `INPUT FILE_TYPE [importance] [pure] [leave-output] [output=TYPE] [embedding=TYPE] [tensor=REGEX=TYPE]… [prune=0,1]`
//! with tabs between. File types and tensor types are numbers. An answer is a line of names and types with tabs
//! between, or `refused` and why.
//!
//! Without a line it prints the peer's name and version.

use std::error::Error;
use std::ffi::CString;
use std::io::{BufRead, Write};

use peer::dry_run::{Options, tensor_types};
use peer::llama::VERSION;

fn main() -> Result<(), Box<dyn Error>> {
    let mut output = std::io::stdout().lock();
    let mut asked = false;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split('\t');
        let (Some(input), Some(file_type)) = (words.next(), words.next()) else {
            return Err(format!("no question: {line}").into());
        };
        let mut options = Options { file_type: file_type.parse()?, ..Options::default() };
        for word in words {
            set(&mut options, word).map_err(|error| format!("{word}: {error}"))?;
        }
        asked = true;
        match tensor_types(input.as_ref(), &options) {
            Ok(types) => {
                let words: Vec<String> =
                    types.into_iter().map(|(name, ty)| format!("{name}\t{ty}")).collect();
                writeln!(output, "{}", words.join("\t"))?;
            }
            Err(refused) => writeln!(output, "refused\t{}", refused.to_string().replace(['\n', '\t'], " "))?,
        }
    }
    if !asked {
        writeln!(output, "{VERSION}")?;
    }
    Ok(())
}

fn set(options: &mut Options, word: &str) -> Result<(), Box<dyn Error>> {
    match word.split_once('=').unwrap_or((word, "")) {
        ("importance", _) => options.importance = true,
        ("pure", _) => options.pure = true,
        ("leave-output", _) => options.leave_output = true,
        ("output", ty) => options.output_type = Some(ty.parse()?),
        ("embedding", ty) => options.token_embedding_type = Some(ty.parse()?),
        ("tensor", pair) => {
            let (pattern, ty) = pair.rsplit_once('=').ok_or("expected REGEX=TYPE")?;
            options.tensor_types.push((CString::new(pattern)?, ty.parse()?));
        }
        ("prune", list) => options.prune = list.split(',').map(str::parse).collect::<Result<_, _>>()?,
        _ => return Err("unknown option".into()),
    }
    Ok(())
}
