//! What a model answers at temperature 0: `cargo run --release -p peer --example ask -- FILE PROMPT`.
//!
//! For a model that only makes embeddings, the first numbers of the prompt's.

use peer::llama::Model;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, prompt] = arguments.as_slice() else {
        return Err("usage: ask FILE PROMPT".into());
    };
    let model = Model::load(file.as_ref())?;
    println!(
        "{} tokens in the vocabulary; the prompt is {:?}",
        model.vocabulary_len(),
        model.tokenize(prompt, true)?
    );
    match model.embed(prompt) {
        Ok(embedding) => {
            println!("{} numbers: {:?} …", embedding.len(), embedding.iter().take(4).collect::<Vec<_>>());
        }
        Err(_) => println!("{}", model.generate(prompt, 24)?),
    }
    Ok(())
}
