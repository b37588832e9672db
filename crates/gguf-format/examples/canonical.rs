//! Rewrites a GGUF model in the order in which `llama-quantize` writes, shards joined, as little-endian
//! version 3: `cargo run --example canonical -- in.gguf out.gguf`.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use gguf_format::{ByteOrder, GgufSet, Layout, canonicalize};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(input), Some(output)) = (args.next(), args.next()) else {
        return Err("usage: canonical IN.gguf OUT.gguf".into());
    };
    let set = GgufSet::open(input)?;
    if set.files().iter().any(|file| file.header().byte_order() == ByteOrder::Big) {
        return Err("the tensors are big-endian: only their owner knows how to swap them".into());
    }
    let mut metadata = set.to_metadata();
    let mut tensors: Vec<_> = set.tensors().map(|found| found.tensor.to_spec()).collect();
    canonicalize(&mut metadata, &mut tensors);
    let layout = Layout::new(metadata, tensors)?;

    let mut out = BufWriter::new(File::create_new(output)?);
    out.write_all(&layout.header())?;
    let mut buffer = vec![0; 1 << 20];
    for tensor in layout.tensors() {
        let found = set.find_tensor(&tensor.spec().name).ok_or("a tensor went missing")?;
        let file = set.files().get(found.shard).ok_or("a file went missing")?;
        let mut done = 0;
        while done < tensor.byte_len() {
            let n = usize::try_from(tensor.byte_len() - done)?.min(buffer.len());
            let chunk = buffer.get_mut(..n).unwrap_or_default();
            file.read_tensor_at(found.tensor.index(), done, chunk)?;
            out.write_all(chunk)?;
            done += n as u64;
        }
        io::copy(&mut io::Read::take(io::repeat(0), tensor.padding().into()), &mut out)?;
    }
    Ok(out.flush()?)
}
