//! llama.cpp's model interface: loading a file, asking it something.
//!
//! llama.cpp has one log for the whole process; it is collected here instead of being printed, and the lines that a
//! failed call wrote become part of its error.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::{Mutex, Once, PoisonError};

use llama_cpp_sys_2 as sys;

/// The peer's name and version.
pub const VERSION: &str = "llama-cpp-sys-2 0.1.161";

/// llama.cpp refused, with what it wrote to its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl Refused {
    /// Just this.
    pub(crate) fn said(what: String) -> Self {
        Self(what)
    }

    /// What failed, and the last lines of the log that tell of an error (or the last line of all).
    pub(crate) fn new(what: impl fmt::Display) -> Self {
        let log = take_log();
        let told: Vec<&str> = log
            .lines()
            .filter(|l| l.contains("error") || l.contains("fail") || l.contains("exception"))
            .collect();
        let told = if told.is_empty() { log.lines().last().into_iter().collect() } else { told };
        Self(format!("{what}: {}", told.join("; ")))
    }
}

static LOG: Mutex<String> = Mutex::new(String::new());
static START: Once = Once::new();

unsafe extern "C" fn collect(_level: sys::ggml_log_level, text: *const c_char, _user: *mut c_void) {
    if text.is_null() {
        return;
    }
    // SAFETY: llama.cpp passes a C string that lives during the call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    LOG.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
}

/// Starts the backend and redirects the log, once.
pub(crate) fn start() {
    START.call_once(|| {
        // SAFETY: `collect` has the wanted signature, needs no user data, and lives as long as the program.
        unsafe {
            sys::llama_log_set(Some(collect), std::ptr::null_mut());
            sys::llama_backend_init();
        }
    });
}

/// What llama.cpp has written to its log since the last call of this.
pub fn take_log() -> String {
    std::mem::take(&mut *LOG.lock().unwrap_or_else(PoisonError::into_inner))
}

pub(crate) fn c_path(path: &Path) -> Result<CString, Refused> {
    CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(|_| Refused(format!("{}: a path with a NUL byte", path.display())))
}

/// A loaded model.
#[derive(Debug)]
pub struct Model {
    raw: NonNull<sys::llama_model>,
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `llama_model_load_from_file` and is freed once; contexts borrow `self`.
        unsafe { sys::llama_model_free(self.raw.as_ptr()) }
    }
}

/// A context: a model being run.
pub(crate) struct Context<'model> {
    raw: NonNull<sys::llama_context>,
    pub(crate) model: &'model Model,
}

impl Drop for Context<'_> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `llama_init_from_model` and is freed once, before its model.
        unsafe { sys::llama_free(self.raw.as_ptr()) }
    }
}

/// Tokens that a context holds; the prompts here are a line long.
const CONTEXT: u32 = 512;

impl Model {
    /// Loads a file into memory, on the CPU, with llama.cpp's check of every tensor's blocks.
    ///
    /// # Errors
    ///
    /// When llama.cpp refuses the file.
    pub fn load(path: &Path) -> Result<Self, Refused> {
        start();
        take_log();
        let source = c_path(path)?;
        // SAFETY: returns a plain struct.
        let mut params = unsafe { sys::llama_model_default_params() };
        params.n_gpu_layers = 0;
        params.check_tensors = true;
        // SAFETY: a C string that outlives the call, and the default parameters.
        let raw = unsafe { sys::llama_model_load_from_file(source.as_ptr(), params) };
        NonNull::new(raw)
            .map(|raw| Self { raw })
            .ok_or_else(|| Refused::new(format_args!("loading {}", path.display())))
    }

    pub(crate) fn raw(&self) -> *mut sys::llama_model {
        self.raw.as_ptr()
    }

    fn vocabulary(&self) -> *const sys::llama_vocab {
        // SAFETY: a live model; the vocabulary lives as long.
        unsafe { sys::llama_model_get_vocab(self.raw.as_ptr()) }
    }

    /// Number of tokens in the vocabulary.
    #[must_use]
    pub fn vocabulary_len(&self) -> usize {
        // SAFETY: a live vocabulary.
        unsafe { sys::llama_vocab_n_tokens(self.vocabulary()) }.try_into().unwrap_or(0)
    }

    /// Token ids of a text. Special tokens written out in it are recognised; those that the file asks to put around a
    /// text are added when `add_special`.
    ///
    /// # Errors
    ///
    /// When the text is too long.
    pub fn tokenize(&self, text: &str, add_special: bool) -> Result<Vec<i32>, Refused> {
        // At most one token a byte, and what is put around.
        let mut tokens = vec![0; text.len() + 8];
        let (len, room) = (to_i32(text.len())?, to_i32(tokens.len())?);
        // SAFETY: a live vocabulary; pointers with their lengths.
        let n = unsafe {
            sys::llama_tokenize(
                self.vocabulary(),
                text.as_ptr().cast(),
                len,
                tokens.as_mut_ptr(),
                room,
                add_special,
                true,
            )
        };
        let n = usize::try_from(n).map_err(|_| Refused::new("llama_tokenize found no room"))?;
        tokens.truncate(n);
        Ok(tokens)
    }

    /// The text of a token.
    fn piece(&self, token: i32) -> Vec<u8> {
        let mut buffer = vec![0u8; 256];
        // SAFETY: a live vocabulary; a pointer with its length.
        let n = unsafe {
            sys::llama_token_to_piece(self.vocabulary(), token, buffer.as_mut_ptr().cast(), 256, 0, false)
        };
        buffer.truncate(n.try_into().unwrap_or(0));
        buffer
    }

    fn context(&self, embeddings: bool) -> Result<Context<'_>, Refused> {
        self.context_with(|params| params.embeddings = embeddings)
    }

    /// How many tokens the model was trained on at once; 1 at least.
    pub(crate) fn trained_context(&self) -> usize {
        // SAFETY: a live model.
        let trained = unsafe { sys::llama_model_n_ctx_train(self.raw.as_ptr()) };
        usize::try_from(trained).unwrap_or(1).max(1)
    }

    /// Runs tokens in a context of their own; `watch` is told of every operation, with `user`.
    pub(crate) fn run_watched(
        &self,
        tokens: &mut [i32],
        embeddings: bool,
        watch: sys::ggml_backend_sched_eval_callback,
        user: *mut c_void,
    ) -> Result<(), Refused> {
        let mut context = self.context_with(|params| {
            params.embeddings = embeddings;
            params.cb_eval = watch;
            params.cb_eval_user_data = user;
        })?;
        context.decode(tokens)
    }

    /// A context with room for a prompt, and what `set` says.
    pub(crate) fn context_with(
        &self,
        set: impl FnOnce(&mut sys::llama_context_params),
    ) -> Result<Context<'_>, Refused> {
        // SAFETY: returns a plain struct.
        let mut params = unsafe { sys::llama_context_default_params() };
        params.n_ctx = CONTEXT.min(u32::try_from(self.trained_context()).unwrap_or(CONTEXT));
        params.n_batch = params.n_ctx;
        params.n_ubatch = params.n_ctx;
        params.n_threads = 2;
        params.n_threads_batch = 2;
        set(&mut params);
        // SAFETY: a live model, which the context borrows.
        let raw = unsafe { sys::llama_init_from_model(self.raw.as_ptr(), params) };
        NonNull::new(raw)
            .map(|raw| Context { raw, model: self })
            .ok_or_else(|| Refused::new("making a context"))
    }

    /// The logits of the token after `text`: one forward pass.
    ///
    /// # Errors
    ///
    /// When llama.cpp cannot run the model.
    pub fn logits(&self, text: &str) -> Result<Vec<f32>, Refused> {
        let mut tokens = self.tokenize(text, true)?;
        let mut context = self.context(false)?;
        context.decode(&mut tokens)?;
        context.last_logits()
    }

    /// The text that follows `prompt` when always the likeliest token is taken (temperature 0): at most `n` tokens.
    ///
    /// # Errors
    ///
    /// When llama.cpp cannot run the model.
    pub fn generate(&self, prompt: &str, n: usize) -> Result<String, Refused> {
        let mut context = self.context(false)?;
        let mut text = Vec::new();
        let mut tokens = self.tokenize(prompt, true)?;
        for _ in 0..n {
            context.decode(&mut tokens)?;
            let logits = context.last_logits()?;
            let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
            let best = to_i32(best)?;
            // SAFETY: a live vocabulary, and a token in it.
            if unsafe { sys::llama_vocab_is_eog(self.vocabulary(), best) } {
                break;
            }
            text.extend(self.piece(best));
            tokens = vec![best];
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The pooled embedding of a text, as long as the model is wide.
    ///
    /// # Errors
    ///
    /// When llama.cpp cannot run the model, or the file asks for no pooling.
    pub fn embed(&self, text: &str) -> Result<Vec<f32>, Refused> {
        let mut tokens = self.tokenize(text, true)?;
        let mut context = self.context(true)?;
        context.decode(&mut tokens)?;
        // SAFETY: a live model.
        let width = usize::try_from(unsafe { sys::llama_model_n_embd_out(self.raw.as_ptr()) }).unwrap_or(0);
        // SAFETY: a live context after a decode of sequence 0.
        let values = unsafe { sys::llama_get_embeddings_seq(context.raw.as_ptr(), 0) };
        if values.is_null() {
            return Err(Refused::new("no pooled embedding"));
        }
        // SAFETY: llama.cpp documents `n_embd_out` floats, which live until the next decode.
        Ok(unsafe { std::slice::from_raw_parts(values, width) }.to_vec())
    }
}

impl Context<'_> {
    pub(crate) fn raw(&self) -> *mut sys::llama_context {
        self.raw.as_ptr()
    }

    /// Runs the tokens, which follow those of earlier calls.
    fn decode(&mut self, tokens: &mut [i32]) -> Result<(), Refused> {
        if tokens.is_empty() {
            return Err(Refused("no tokens to run".to_owned()));
        }
        let n = to_i32(tokens.len())?;
        // SAFETY: the batch points into `tokens`, which outlives the call below.
        let batch = unsafe { sys::llama_batch_get_one(tokens.as_mut_ptr(), n) };
        // SAFETY: a live context and a valid batch.
        match unsafe { sys::llama_decode(self.raw.as_ptr(), batch) } {
            0 => Ok(()),
            code => Err(Refused::new(format_args!("llama_decode returned {code}"))),
        }
    }

    fn last_logits(&mut self) -> Result<Vec<f32>, Refused> {
        // SAFETY: a live context; -1 means the last output.
        let values = unsafe { sys::llama_get_logits_ith(self.raw.as_ptr(), -1) };
        if values.is_null() {
            return Err(Refused::new("no logits"));
        }
        // SAFETY: llama.cpp documents one float a token of the vocabulary, which live until the next decode.
        Ok(unsafe { std::slice::from_raw_parts(values, self.model.vocabulary_len()) }.to_vec())
    }
}

pub(crate) fn to_i32(n: usize) -> Result<i32, Refused> {
    n.try_into().map_err(|_| Refused(format!("{n} is too long for llama.cpp")))
}
