//! The types that llama.cpp gives a model's tensors under many options, one question a line of standard input:
//! `INPUT FILE_TYPE [importance] [pure] [leave-output] [output=TYPE] [embedding=TYPE] [tensor=REGEX=TYPE]… [prune=0,1]`
//! with tabs between. File types and tensor types are numbers. An answer is a line of names and types with tabs
//! between, or `refused` and why.
//!
//! Without a line it prints the peer's name and version.

use std::error::Error;
use std::ffi::CString;
use std::io::{BufRead, Write};

use peer::dry_run::tensor_types;
use peer::llama::VERSION;
use peer::quantize::Settings;

fn main() -> Result<(), Box<dyn Error>> {
    let mut output = std::io::stdout().lock();
    let mut asked = false;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split('\t');
        let (Some(input), Some(file_type)) = (words.next(), words.next()) else {
            return Err(format!("no question: {line}").into());
        };
        let mut settings = Settings::default();
        for word in words {
            set(&mut settings, word).map_err(|error| format!("{word}: {error}"))?;
        }
        asked = true;
        match tensor_types(input.as_ref(), file_type.parse()?, &settings) {
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

fn set(settings: &mut Settings, word: &str) -> Result<(), Box<dyn Error>> {
    match word.split_once('=').unwrap_or((word, "")) {
        ("importance", _) => settings.importance.push((c"none".to_owned(), vec![1.0])),
        ("pure", _) => settings.pure = true,
        ("leave-output", _) => settings.leave_output = true,
        ("output", ty) => settings.output_type = Some(ty.parse()?),
        ("embedding", ty) => settings.token_embedding_type = Some(ty.parse()?),
        ("tensor", pair) => {
            let (pattern, ty) = pair.rsplit_once('=').ok_or("expected REGEX=TYPE")?;
            settings.tensor_types.push((CString::new(pattern)?, ty.parse()?));
        }
        ("prune", list) => settings.prune = list.split(',').map(str::parse).collect::<Result<_, _>>()?,
        _ => return Err("unknown option".into()),
    }
    Ok(())
}
