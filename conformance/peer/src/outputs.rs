//! What a model says at every position of a prompt, as exactly as llama.cpp can: caches in F32, no flash attention, whose
//! sums are F16.

use std::path::Path;
use std::slice::from_raw_parts;

use llama_cpp_sys_2 as sys;

use crate::llama::{Context, Model, Refused, c_path, to_i32};

/// What to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A number for each token of the vocabulary.
    Logits,
    /// The last hidden state, without pooling.
    Embeddings,
}

impl Model {
    /// The output at each position of these tokens. A model that has an encoder gets them twice: encoded, and as what was
    /// decoded so far.
    ///
    /// # Errors
    ///
    /// When llama.cpp cannot run the model.
    pub fn outputs(&self, tokens: &[i32], output: Output) -> Result<Vec<Vec<f32>>, Refused> {
        self.outputs_with(None, tokens, output)
    }

    /// The same with an adapter's file, multiplied by a number.
    ///
    /// # Errors
    ///
    /// When llama.cpp refuses the adapter, or cannot run the model.
    pub fn outputs_with(
        &self,
        adapter: Option<(&Path, f32)>,
        tokens: &[i32],
        output: Output,
    ) -> Result<Vec<Vec<f32>>, Refused> {
        let room = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let mut context = self.context_with(|params| {
            // Also more than the model was trained on.
            params.n_ctx = params.n_ctx.max(room);
            params.n_batch = params.n_ctx;
            params.n_ubatch = params.n_ctx;
            params.type_k = sys::GGML_TYPE_F32;
            params.type_v = sys::GGML_TYPE_F32;
            params.flash_attn_type = sys::LLAMA_FLASH_ATTN_TYPE_DISABLED;
            params.embeddings = output == Output::Embeddings;
            params.pooling_type = sys::LLAMA_POOLING_TYPE_NONE;
        })?;
        if let Some((path, scale)) = adapter {
            context.adapt(path, scale)?;
        }
        let mut tokens = tokens.to_vec();
        if self.has_encoder() {
            context.encode(&mut tokens)?;
        }
        if self.has_decoder() {
            context.decode_all(&mut tokens)?;
        }
        (0..tokens.len()).map(|position| context.output(position, output)).collect()
    }

    fn has_encoder(&self) -> bool {
        // SAFETY: a live model.
        unsafe { sys::llama_model_has_encoder(self.raw()) }
    }

    fn has_decoder(&self) -> bool {
        // SAFETY: a live model.
        unsafe { sys::llama_model_has_decoder(self.raw()) }
    }

    fn width(&self) -> usize {
        // SAFETY: a live model.
        usize::try_from(unsafe { sys::llama_model_n_embd_out(self.raw()) }).unwrap_or(0)
    }
}

impl Context<'_> {
    /// Loads an adapter, which then belongs to the model, and uses it.
    fn adapt(&mut self, path: &Path, mut scale: f32) -> Result<(), Refused> {
        let source = c_path(path)?;
        // SAFETY: a live model, and a C string that outlives the call; the model frees the adapter.
        let mut adapter = unsafe { sys::llama_adapter_lora_init(self.model.raw(), source.as_ptr()) };
        if adapter.is_null() {
            return Err(Refused::new(format_args!("loading {}", path.display())));
        }
        // SAFETY: a live context and adapter; one of each is pointed at, and read during the call only.
        match unsafe { sys::llama_set_adapters_lora(self.raw(), &raw mut adapter, 1, &raw mut scale) } {
            0 => Ok(()),
            code => Err(Refused::new(format_args!("llama_set_adapters_lora returned {code}"))),
        }
    }

    fn encode(&mut self, tokens: &mut [i32]) -> Result<(), Refused> {
        let n = to_i32(tokens.len())?;
        // SAFETY: a live context; the batch points into `tokens`, which outlives the call.
        match unsafe { sys::llama_encode(self.raw(), sys::llama_batch_get_one(tokens.as_mut_ptr(), n)) } {
            0 => Ok(()),
            code => Err(Refused::new(format_args!("llama_encode returned {code}"))),
        }
    }

    /// Runs the tokens; every one of them has an output.
    fn decode_all(&mut self, tokens: &mut [i32]) -> Result<(), Refused> {
        let n = to_i32(tokens.len())?;
        let mut wanted = vec![1i8; tokens.len()];
        // SAFETY: a plain struct, which points into `tokens`.
        let mut batch = unsafe { sys::llama_batch_get_one(tokens.as_mut_ptr(), n) };
        batch.logits = wanted.as_mut_ptr();
        // SAFETY: a live context; the batch points into two vectors of its length, which outlive the call.
        match unsafe { sys::llama_decode(self.raw(), batch) } {
            0 => Ok(()),
            code => Err(Refused::new(format_args!("llama_decode returned {code}"))),
        }
    }

    fn output(&mut self, position: usize, output: Output) -> Result<Vec<f32>, Refused> {
        let i = to_i32(position)?;
        // SAFETY: a live context, and a position of the last batch.
        let values = unsafe {
            match output {
                Output::Logits => sys::llama_get_logits_ith(self.raw(), i),
                Output::Embeddings => sys::llama_get_embeddings_ith(self.raw(), i),
            }
        };
        let len = match output {
            Output::Logits => self.model.vocabulary_len(),
            Output::Embeddings => self.model.width(),
        };
        if values.is_null() {
            return Err(Refused::new(format_args!("no output at position {position}")));
        }
        // SAFETY: llama.cpp documents so many floats, which live until the next decode.
        Ok(unsafe { from_raw_parts(values, len) }.to_vec())
    }
}
